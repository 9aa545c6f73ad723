"""Changes to invoices that a Chargebee user makes: void, close, edit, rebill a line."""

from __future__ import annotations

from typing import Any

from connector.sandbox.chargebee import notes
from connector.sandbox.chargebee.arithmetic import line_taxes, total_invoice
from connector.sandbox.chargebee.core import Core
from connector.sandbox.chargebee.failures import Refused
from connector.sandbox.chargebee.store import Document

_VOIDABLE = ("posted", "payment_due", "not_paid", "pending")


def new_id(core: Core, status: str) -> str:
    """The next invoice number; a pending invoice has only a draft id until it is closed."""
    return core.opaque("draft_inv_") if status == "pending" else f"INV-{core.number('invoice'):06d}"


def void(core: Core, key: str, *, with_credit_note: bool = False, reason: str = "Order cancelled") -> Document:
    """Total and amount due stay as they were. With the site's option, an adjustment note says the same again."""
    invoice = core.draft("invoice", key)
    is_on_its_way = any(row["txn_status"] == "in_progress" for row in invoice.get("linked_payments", ()))
    is_settled = invoice["amount_paid"] or invoice["amount_adjusted"] or is_on_its_way
    if invoice["status"] not in _VOIDABLE or is_settled:
        raise Refused("invalid_state_for_request", f"Invoice '{key}' cannot be voided as it is {invoice['status']}")
    if with_credit_note:
        notes.credit(core, key, invoice["total"], "adjustment", "Invoice Void")
        invoice = core.draft("invoice", key)
        invoice.pop("paid_at", None)
    invoice |= {"status": "voided", "voided_at": core.now(), "void_reason_code": reason}
    for name in ("dunning_status", "next_retry_at"):
        invoice.pop(name, None)
    invoice["amount_to_collect"] = 0
    return core.save(invoice, "invoice_updated")


def close(core: Core, key: str) -> Document:
    """A pending invoice gets its number and its dates; the draft id is gone."""
    invoice = core.draft("invoice", key)
    if invoice["status"] != "pending":
        raise Refused("invalid_state_for_request", f"Invoice '{key}' is not pending")
    core.store.forget("invoice", key)
    invoice |= {
        "id": new_id(core, "posted"),
        "status": "posted",
        "date": core.now(),
        "generated_at": core.now(),
        "due_date": core.now() + invoice["net_term_days"] * 86_400,
        "term_finalized": True,
    }
    return core.save(invoice, "invoice_generated")


def change_line(core: Core, key: str, position: int, amount: int) -> Document:
    """Bills another amount for one line; its taxes follow at the rates they had."""
    invoice = core.draft("invoice", key)
    line = invoice["line_items"][position]
    line |= {"amount": amount, "unit_amount": amount // max(1, line["quantity"])}
    old = [row for row in invoice.get("line_item_taxes", []) if row["line_item_id"] == line["id"]]
    rates = [(row["tax_name"], str(row["tax_rate"]), row["tax_juris_type"]) for row in old]
    if rates:
        others = [row for row in invoice["line_item_taxes"] if row["line_item_id"] != line["id"]]
        invoice["line_item_taxes"] = others + line_taxes(line, rates, invoice["price_type"])
    return core.save(total_invoice(invoice), "invoice_updated")


def edit(core: Core, key: str, changes: dict[str, Any]) -> Document:
    """Sets fields (None removes one) and sums again; an amount that is told wins over its sum."""
    invoice = {name: value for name, value in (core.draft("invoice", key) | changes).items() if value is not None}
    total_invoice(invoice)
    told = {name: value for name, value in changes.items() if value is not None}
    return core.save(invoice | told, "invoice_updated")
