"""Chargebee's documents as JSON objects, each builder naming only what matters to the test that calls it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

DAY = 1_780_000_000  # a moment in May 2026


def an_invoice(**changes: Any) -> dict[str, Any]:
    """One taxed line of 100.00 EUR at 19 %, paid. A change to None takes the field away."""
    row = {
        "id": "INV-1",
        "customer_id": "acme-1",
        "status": "paid",
        "price_type": "tax_exclusive",
        "currency_code": "EUR",
        "base_currency_code": "USD",
        "exchange_rate": Decimal("1.0875"),
        "date": DAY,
        "due_date": DAY + 86_400,
        "generated_at": DAY,
        "sub_total": 10_000,
        "tax": 1_900,
        "total": 11_900,
        "amount_paid": 11_900,
        "amount_due": 0,
        "net_term_days": 30,
        "line_items": [a_line()],
        "line_item_taxes": [a_line_tax()],
        "taxes": [{"object": "tax", "name": "VAT", "amount": 1_900}],
        "linked_payments": [a_payment()],
        "resource_version": 1_780_000_000_123,
        "updated_at": DAY + 5,
        "deleted": False,
        "object": "invoice",
    }
    return _changed(row, changes)


def a_line(**changes: Any) -> dict[str, Any]:
    row = {
        "id": "li_1",
        "entity_type": "plan_item_price",
        "entity_id": "pro-EUR-Monthly",
        "subscription_id": "sub_1",
        "customer_id": "acme-1",
        "description": "Pro",
        "amount": 10_000,
        "unit_amount": 5_000,
        "quantity": 2,
        "pricing_model": "per_unit",
        "is_taxed": True,
        "tax_amount": 1_900,
        "tax_rate": Decimal("19"),
        "discount_amount": 0,
        "date_from": DAY,
        "date_to": DAY + 2_592_000,
    }
    return _changed(row, changes)


def a_line_tax(**changes: Any) -> dict[str, Any]:
    row = {
        "line_item_id": "li_1",
        "tax_name": "VAT",
        "tax_rate": Decimal("19"),
        "taxable_amount": 10_000,
        "tax_amount": 1_900,
        "tax_juris_type": "country",
        "tax_juris_name": "Germany",
        "tax_juris_code": "DE",
    }
    return _changed(row, changes)


def a_payment(**changes: Any) -> dict[str, Any]:
    row = {
        "txn_id": "txn_1",
        "applied_amount": 11_900,
        "applied_at": DAY + 9,
        "txn_status": "success",
        "txn_date": DAY + 8,
        "txn_amount": 20_000,
    }
    return _changed(row, changes)


def a_customer(**changes: Any) -> dict[str, Any]:
    row = {
        "id": "acme-1",
        "company": "Acme GmbH",
        "email": "ap@acme.example",
        "taxability": "taxable",
        "net_term_days": 30,
        "preferred_currency_code": "EUR",
        "pii_cleared": "active",
        "billing_address": {
            "line1": "Hafen 1",
            "city": "Bremen",
            "country": "DE",
            "validation_status": "not_validated",
        },
        "relationship": {"parent_id": "holding", "payment_owner_id": "acme-1", "invoice_owner_id": "acme-1"},
        "deleted": False,
        "resource_version": 1_780_000_000_123,
        "updated_at": DAY,
        "mrr": 100,
    }
    return _changed(row, changes)


def an_item_price(**changes: Any) -> dict[str, Any]:
    row = {
        "id": "pro-EUR-Monthly",
        "name": "Pro",
        "item_id": "pro",
        "item_type": "plan",
        "item_family_id": "software",
        "currency_code": "EUR",
        "pricing_model": "per_unit",
        "status": "active",
        "accounting_detail": {"sku": "S1", "accounting_code": "4000", "accounting_category2": "north"},
    }
    return _changed(row, changes)


def _changed(row: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**row, **changes}.items() if value is not None}
