"""Credit notes and transactions as JSON objects, each builder naming only what matters to the test that calls it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.kernel.chargebee.documents import DAY, a_line, a_line_tax

Raw = dict[str, Any]


def a_note(**changes: Any) -> Raw:
    """Refundable: 119.00 EUR with 19.00 of tax; 40.00 applied, 50.00 refunded, 29.00 left."""
    row = {
        "id": "CN-1",
        "type": "refundable",
        "status": "refund_due",
        "customer_id": "acme-1",
        "reference_invoice_id": "INV-1",
        "reason_code": "other",
        "create_reason_code": "Goodwill",
        "price_type": "tax_exclusive",
        "currency_code": "EUR",
        "date": DAY,
        "sub_total": 10_000,
        "total": 11_900,
        "amount_allocated": 4_000,
        "amount_refunded": 5_000,
        "amount_available": 2_900,
        "line_items": [a_line()],
        "line_item_taxes": [a_line_tax()],
        "taxes": [{"name": "VAT", "amount": 1_900}],
        "discounts": [],
        "allocations": [an_allocation()],
        "linked_refunds": [{"txn_id": "txn_r", "applied_amount": 5_000, "txn_status": "success", "txn_date": DAY}],
        "resource_version": 1_780_000_000_123,
        "updated_at": DAY + 5,
        "deleted": False,
        "object": "credit_note",
    }
    return _changed(row, changes)


def a_plain_note(total: int, **changes: Any) -> Raw:
    """One untaxed line, nothing of it used."""
    row = {"sub_total": total, "total": total, "amount_allocated": 0, "amount_refunded": 0, "amount_available": total,
           "line_items": [a_line(amount=total, tax_amount=0)], "line_item_taxes": [], "taxes": [],
           "allocations": [], "linked_refunds": []}  # fmt: skip
    return a_note(**{**row, **changes})


def an_allocation(**changes: Any) -> Raw:
    row = {"invoice_id": "INV-1", "allocated_amount": 4_000, "allocated_at": DAY, "invoice_status": "paid"}
    return _changed(row, changes)


def a_payment(**changes: Any) -> Raw:
    """200.00 EUR by card: 119.00 and 31.00 applied, 40.00 unused, 10.00 given back."""
    row = {
        "id": "txn_1",
        "type": "payment",
        "status": "success",
        "customer_id": "acme-1",
        "currency_code": "EUR",
        "exchange_rate": Decimal("1.0875"),
        "base_currency_code": "USD",
        "amount": 20_000,
        "amount_unused": 4_000,
        "date": DAY,
        "settled_at": DAY + 60,
        "gateway": "stripe",
        "gateway_account_id": "gw_1",
        "payment_method": "card",
        "id_at_gateway": "ch_1",
        "linked_invoices": [a_linked_invoice(), a_linked_invoice(invoice_id="INV-2", applied_amount=3_100)],
        "linked_refunds": [{"txn_id": "txn_r", "txn_status": "success", "txn_date": DAY, "txn_amount": 1_000}],
        "deleted": False,
        "resource_version": 1_780_000_000_123,
        "updated_at": DAY + 61,
        "object": "transaction",
    }
    return _changed(row, changes)


def a_linked_invoice(**changes: Any) -> Raw:
    row = {"invoice_id": "INV-1", "applied_amount": 11_900, "applied_at": DAY, "invoice_total": 11_900,
           "invoice_status": "paid"}  # fmt: skip
    return _changed(row, changes)


def a_refund(**changes: Any) -> Raw:
    """50.00 EUR of credit note CN-1, paid by card with txn_1."""
    row = {"id": "txn_r", "type": "refund", "amount": 5_000, "amount_unused": None, "linked_invoices": None,
           "linked_refunds": None, "refunded_txn_id": "txn_1",
           "linked_credit_notes": [{"cn_id": "CN-1", "applied_amount": 5_000, "cn_status": "refunded",
                                    "cn_create_reason_code": "Goodwill"}]}  # fmt: skip
    return a_payment(**{**row, **changes})


def _changed(row: Raw, changes: Raw) -> Raw:
    return {name: value for name, value in {**row, **changes}.items() if value is not None}
