"""Credit notes: what they take back of an invoice, where they are applied, and their end."""

from __future__ import annotations

from typing import Any

from connector.sandbox.chargebee.arithmetic import settle_credit_note, settle_invoice, share, total_credit_note
from connector.sandbox.chargebee.core import Core
from connector.sandbox.chargebee.store import Document

_COPIED = ("id", "date_from", "date_to", "entity_id", "entity_type", "subscription_id", "customer_id", "description")
_HEAD = (
    *(
        "customer_id",
        "subscription_id",
        "price_type",
        "currency_code",
        "base_currency_code",
        "exchange_rate",
        "channel",
    ),
    *("vat_number", "vat_number_prefix", "business_entity_id", "billing_address", "site_details_at_creation"),
)
_LINKS = ("adjustment_credit_notes", "issued_credit_notes", "applied_credits")


def credit(core: Core, invoice_id: str, amount: int, kind: str, reason: str = "Other", **fields: Any) -> Document:
    """Takes `amount` (with tax) of an invoice back. kind: adjustment (applied to it at once), refundable, store."""
    invoice = core.draft("invoice", invoice_id)
    note = _compose(core, invoice, amount, kind, reason) | fields
    total_credit_note(note)
    if kind == "adjustment":
        _allocate(note, invoice, note["total"])
        note |= {"status": "adjusted", "refunded_at": core.now()}
        invoice.setdefault("adjustment_credit_notes", []).append(_link(note))
    else:
        invoice.setdefault("issued_credit_notes", []).append(_link(note))
    settle_invoice(invoice)
    if kind == "adjustment" and not invoice["amount_due"]:
        invoice |= {"status": "paid", "paid_at": core.now()}
    core.save(invoice, "invoice_updated")
    return core.save(note, "credit_note_created")


def write_off(core: Core, invoice_id: str) -> Document:
    """Gives up what is still due."""
    due = core.find("invoice", invoice_id)["amount_due"]
    return credit(core, invoice_id, due, "adjustment", "Write Off", reason_code="write_off")


def apply(core: Core, note_id: str, invoice_id: str, amount: int) -> Document:
    """Pays an invoice with what a refundable or store note has available."""
    note, invoice = core.draft("credit_note", note_id), core.draft("invoice", invoice_id)
    _allocate(note, invoice, amount)
    if not note["amount_available"]:
        note |= {"status": "refunded", "refunded_at": core.now()}
    invoice.setdefault("applied_credits", []).append(
        {"cn_id": note_id, "applied_amount": amount, "applied_at": core.now(), "cn_status": note["status"],
         "cn_create_reason_code": note["create_reason_code"], "cn_date": note["date"]}
    )  # fmt: skip
    settle_invoice(invoice)
    if not invoice["amount_due"]:
        invoice |= {"status": "paid", "paid_at": core.now()}
    core.save(invoice, "invoice_updated")
    follow(core, note)
    return core.save(note, "credit_note_updated")


def void(core: Core, note_id: str) -> Document:
    """Voids a note. Its allocations go; an invoice it had adjusted or paid is unpaid again."""
    note = core.draft("credit_note", note_id)
    note |= {"status": "voided", "voided_at": core.now()}
    for row in note.pop("allocations", []):
        invoice = core.draft("invoice", row["invoice_id"])
        mark(invoice, note)
        invoice["applied_credits"] = [link for link in invoice.get("applied_credits", []) if link["cn_id"] != note_id]
        if not invoice["applied_credits"]:
            del invoice["applied_credits"]
        settle_invoice(invoice)
        if invoice["amount_due"]:
            invoice["status"] = "not_paid"
            invoice.pop("paid_at", None)
        core.save(invoice, "invoice_updated")
    note.pop("refunded_at", None)
    settle_credit_note(note)
    follow(core, note)
    return core.save(note, "credit_note_updated")


def mark(invoice: Document, note: Document) -> bool:
    """Writes the note's status on the (unsaved) invoice's copies of it; False when they had it already."""
    stale = [
        link
        for name in _LINKS
        for link in invoice.get(name, [])
        if link["cn_id"] == note["id"] and link["cn_status"] != note["status"]
    ]
    for link in stale:
        link["cn_status"] = note["status"]
    return bool(stale)


def follow(core: Core, note: Document) -> None:
    """Saves the invoice that the note was made for, if the note's status is news to it."""
    if core.store.get("invoice", note.get("reference_invoice_id", "")) is None:
        return
    invoice = core.draft("invoice", note["reference_invoice_id"])
    if mark(invoice, note):
        core.save(settle_invoice(invoice), "invoice_updated")


def _compose(core: Core, invoice: Document, amount: int, kind: str, reason: str) -> Document:
    note: Document = {
        "object": "credit_note",
        "id": f"CN-{core.number('credit_note'):06d}",
        "reference_invoice_id": invoice["id"],
        "type": kind,
        "reason_code": "other",
        "create_reason_code": reason,
        "status": "refund_due",
        "date": core.now(),
        "generated_at": core.now(),
        "round_off_amount": 0,
        "fractional_correction": 0,
        "deleted": False,
        **{name: invoice[name] for name in _HEAD if name in invoice},
    }
    lines, taxes = _lines(invoice, amount, note["id"], with_tax=kind != "store")
    return note | {
        "line_items": lines,
        "line_item_taxes": taxes,
        "taxes": [],
        "discounts": [],
        "line_item_discounts": [],
    }


def _lines(invoice: Document, amount: int, note_id: str, *, with_tax: bool) -> tuple[list[Document], list[Document]]:
    """The invoice's lines in proportion, so that their sum with tax is `amount` to the unit."""
    lines = invoice["line_items"]
    grosses = [_gross(invoice, line) if with_tax else line["amount"] - line["discount_amount"] for line in lines]
    copies: list[Document] = []
    taxes: list[Document] = []
    for line, gross, part in zip(lines, grosses, share(amount, grosses), strict=True):
        if not part:
            continue
        new_id = f"li_{note_id}_{len(copies) + 1}"
        rows = (
            [row for row in invoice.get("line_item_taxes", []) if row["line_item_id"] == line["id"]] if with_tax else []
        )
        tax_parts = [row["tax_amount"] * part // gross for row in rows]
        net = part - (sum(tax_parts) if invoice["price_type"] == "tax_exclusive" else 0)
        copies.append(
            {"object": "line_item", **{name: line[name] for name in _COPIED if name in line}, "id": new_id,
             "reference_line_item_id": line["id"], "unit_amount": net, "quantity": 1, "amount": net,
             "pricing_model": "flat_fee", "is_taxed": bool(rows), "tax_amount": sum(tax_parts), "discount_amount": 0,
             "item_level_discount_amount": 0}
        )  # fmt: skip
        taxable = part - sum(tax_parts)
        taxes += [
            {
                **row,
                "line_item_id": new_id,
                "tax_amount": tax,
                "taxable_amount": taxable,
                "prorated_taxable_amount": taxable,
            }
            for row, tax in zip(rows, tax_parts, strict=True)
        ]
    return copies, taxes


def _gross(invoice: Document, line: Document) -> int:
    net: int = line["amount"] - line["discount_amount"]
    return net + (line["tax_amount"] if invoice["price_type"] == "tax_exclusive" else 0)


def _allocate(note: Document, invoice: Document, amount: int) -> None:
    note.setdefault("allocations", []).append(
        {"invoice_id": invoice["id"], "allocated_amount": amount, "allocated_at": note["date"],
         "invoice_date": invoice["date"], "invoice_status": invoice["status"]}
    )  # fmt: skip
    settle_credit_note(note)


def _link(note: Document) -> Document:
    return {
        "cn_id": note["id"],
        "cn_reason_code": note["reason_code"],
        "cn_create_reason_code": note["create_reason_code"],
        "cn_date": note["date"],
        "cn_total": note["total"],
        "cn_status": note["status"],
    }
