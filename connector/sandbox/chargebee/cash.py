"""Payments, refunds and reversals, with both sides of every link."""

from __future__ import annotations

from typing import Any

from connector.sandbox.chargebee.arithmetic import settle_credit_note, settle_invoice, total_of
from connector.sandbox.chargebee.core import Core
from connector.sandbox.chargebee.notes import follow
from connector.sandbox.chargebee.store import Document

_OFFLINE = ("bank_transfer", "check", "cash", "other")


def transaction(core: Core, customer_id: str, currency: str, amount: int, kind: str, **fields: Any) -> Document:
    """An unsaved transaction; card through a gateway unless `payment_method` says otherwise."""
    method = fields.get("payment_method", "card")
    offline = method in _OFFLINE
    document: Document = {
        "object": "transaction",
        "id": core.opaque("txn_"),
        "customer_id": customer_id,
        "payment_method": method,
        "gateway": "not_applicable" if offline else "stripe",
        "type": kind,
        "date": core.now(),
        "settled_at": core.now(),
        "exchange_rate": 1.0,
        "amount": amount,
        "currency_code": currency,
        "base_currency_code": "USD",
        "status": "success",
        "deleted": False,
    }
    if kind == "payment":
        document |= {"amount_unused": 0, "linked_invoices": [], "linked_refunds": []}
    if offline:
        document["reference_number"] = f"REF{core.number('reference'):06d}"
    else:
        document |= {"gateway_account_id": "gw_stripe_main", "id_at_gateway": core.opaque("ch_")}
        document |= {"masked_card_number": "************4242", "fraud_flag": "safe"} if method == "card" else {}
    return document | fields


def pay(core: Core, parts: dict[str, int], *, unused: int = 0, status: str = "success", **fields: Any) -> Document:
    """One payment for one or several invoices of a customer: invoice id -> amount applied. Saves all of them."""
    invoices = {key: core.draft("invoice", key) for key in parts}
    first = next(iter(invoices.values()))
    amount = sum(parts.values()) + unused
    payment = transaction(core, first["customer_id"], first["currency_code"], amount, "payment", **fields)
    payment |= {"status": status, "amount_unused": unused if status == "success" else 0}
    payment["exchange_rate"] = first.get("exchange_rate", 1.0)
    if len(invoices) == 1 and first.get("subscription_id"):
        payment["subscription_id"] = first["subscription_id"]
    if first.get("business_entity_id"):
        payment["business_entity_id"] = first["business_entity_id"]
    if status == "failure":
        payment |= {"error_code": "card_declined", "error_text": "The card was declined."}
    for key, applied in parts.items():
        link_payment(invoices[key], payment, applied)
    for invoice in invoices.values():
        core.save(invoice)
    told = "payment_failed" if status == "failure" else "payment_succeeded"
    return core.save(payment, told if status in ("failure", "success") else "payment_initiated", invoice=first)


def link_payment(invoice: Document, payment: Document, applied: int) -> None:
    """Writes the application on both (unsaved) documents and settles the invoice."""
    at = payment["date"]
    invoice.setdefault("linked_payments", []).append(
        {
            "txn_id": payment["id"],
            "applied_amount": applied,
            "applied_at": at,
            "txn_status": payment["status"],
            "txn_date": payment["date"],
            "txn_amount": payment["amount"],
        }
    )
    settle_invoice(invoice)
    if payment["status"] == "success" and invoice["amount_due"] == 0:
        invoice |= {"status": "paid", "paid_at": at}
    payment["linked_invoices"].append(
        {
            "invoice_id": invoice["id"],
            "applied_amount": applied,
            "applied_at": at,
            "invoice_date": invoice["date"],
            "invoice_total": invoice["total"],
            "invoice_status": invoice["status"],
        }
    )


def change_payment(core: Core, key: str, status: str) -> Document:
    """A payment that changes its mind (late_failure, voided, success): its invoices follow."""
    payment = core.draft("transaction", key)
    payment["status"] = status
    for link in payment.get("linked_invoices", []):
        invoice = core.draft("invoice", link["invoice_id"])
        for row in invoice["linked_payments"]:
            if row["txn_id"] == key:
                row["txn_status"] = status
        settle_invoice(invoice)
        if invoice["status"] == "paid" and invoice["amount_due"]:
            invoice["status"] = "not_paid"
            invoice.pop("paid_at", None)
        elif status == "success" and not invoice["amount_due"]:
            invoice |= {"status": "paid", "paid_at": core.now()}
        link["invoice_status"] = invoice["status"]
        core.save(invoice, "invoice_updated")
    return core.save(payment, "transaction_updated")


def refund_payment(core: Core, key: str, amount: int, **fields: Any) -> Document:
    """Gives back money that was never applied: the payment's unused part shrinks."""
    payment = core.draft("transaction", key)
    method = payment["payment_method"]
    refund = transaction(core, payment["customer_id"], payment["currency_code"], amount, "refund",
                         **{"payment_method": method, **fields})  # fmt: skip
    _refer(refund, key)
    payment["amount_unused"] -= amount
    payment["linked_refunds"].append(
        {"txn_id": refund["id"], "txn_status": refund["status"], "txn_date": refund["date"], "txn_amount": amount}
    )
    core.save(payment, "transaction_updated")
    return core.save(refund, "payment_refunded")


def refund_note(core: Core, note_id: str, amount: int, payment_id: str = "", **fields: Any) -> Document:
    """Gives back a refundable credit note in cash; `payment_method="chargeback"` makes it a chargeback."""
    note = core.draft("credit_note", note_id)
    paid_by = core.find("transaction", payment_id)["payment_method"] if payment_id else "bank_transfer"
    refund = transaction(core, note["customer_id"], note["currency_code"], amount, "refund",
                         **{"payment_method": paid_by, **fields})  # fmt: skip
    if payment_id:
        _refer(refund, payment_id)
    note.setdefault("linked_refunds", []).append(
        {"txn_id": refund["id"], "applied_amount": amount, "applied_at": refund["date"], "txn_status": refund["status"],
         "txn_date": refund["date"], "txn_amount": amount}
    )  # fmt: skip
    settle_credit_note(note)
    if not note["amount_available"]:
        note |= {"status": "refunded", "refunded_at": core.now()}
    refund["linked_credit_notes"] = [
        {
            "cn_id": note_id,
            "applied_amount": amount,
            "applied_at": refund["date"],
            "cn_create_reason_code": note.get("create_reason_code", ""),
            "cn_date": note["date"],
            "cn_total": note["total"],
            "cn_status": note["status"],
            "cn_reference_invoice_id": note.get("reference_invoice_id", ""),
        }
    ]
    core.save(note, "credit_note_updated")
    follow(core, note)
    return core.save(refund, "payment_refunded", credit_note=note)


def reverse_payment(core: Core, key: str) -> Document:
    """A bank takes a direct debit back: a payment_reversal of its own; the invoices reopen."""
    payment = change_payment(core, key, "late_failure")
    amount = total_of(payment["linked_invoices"], "applied_amount") + payment["amount_unused"]
    reversal = transaction(core, payment["customer_id"], payment["currency_code"], amount, "payment_reversal",
                           payment_method=payment["payment_method"])  # fmt: skip
    _refer(reversal, key)
    core.save(core.draft("transaction", key) | {"reversal_transaction_id": reversal["id"]})
    return core.save(reversal, "transaction_created")


def _refer(document: Document, key: str) -> None:
    name = "reference_transaction_id" if document["gateway"] == "not_applicable" else "refunded_txn_id"
    document[name] = key
