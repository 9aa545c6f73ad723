"""Chargebee's own arithmetic: a document that contradicts itself is held; a field that it lacks is not judged."""

from collections.abc import Iterable

from .model import Document, Mapping
from .outcome import held

REFUND_COUNTS = {None, "success", "in_progress"}


def total_of(rows: Iterable[Document] | None, name: str) -> int:
    return sum(row.get(name) or 0 for row in rows or [])


def agree(document: Document, name: str, expected: int, tolerance: int = 0) -> None:
    given = document.get(name)
    if given is not None and abs(given - expected) > tolerance:
        raise held(f"{document['id']}: {name} is {given}, its parts make {expected}, difference {given - expected}")


def check_billed(document: Document, mapping: Mapping) -> None:
    """What invoices and credit notes have in common."""
    if document.get("line_items_next_offset"):
        raise held(f"{document['id']}: not all lines were fetched")
    lines = total_of(document.get("line_items"), "amount")
    agree(document, "sub_total", lines - total_of(document.get("line_item_discounts"), "discount_amount"))
    if document.get("line_item_taxes"):
        taxes = total_of(document["line_item_taxes"], "tax_amount")
        agree(document, "tax", taxes, mapping.policies.rounding_tolerance)
        if document.get("taxes"):
            agree({"id": document["id"], "taxes": total_of(document["taxes"], "amount")}, "taxes", taxes,
                  mapping.policies.rounding_tolerance)  # fmt: skip


def check_invoice(invoice: Document, mapping: Mapping) -> None:
    check_billed(invoice, mapping)
    payments = invoice.get("linked_payments") or []
    if all(row.get("txn_status") for row in payments):
        paid = [row for row in payments if row["txn_status"] == "success"]
        agree(invoice, "amount_paid", total_of(paid, "applied_amount"))
    notes = [row for row in invoice.get("adjustment_credit_notes") or [] if row.get("cn_status") != "voided"]
    agree(invoice, "amount_adjusted", total_of(notes, "cn_total"))
    agree(invoice, "credits_applied", total_of(invoice.get("applied_credits"), "applied_amount"))
    settled = sum(invoice.get(name) or 0 for name in ("amount_paid", "amount_adjusted", "credits_applied"))
    withheld = total_of(invoice.get("linked_taxes_withheld"), "amount")
    agree(invoice, "amount_due", invoice["total"] - settled - withheld)


def check_note(note: Document, mapping: Mapping) -> None:
    check_billed(note, mapping)
    agree(note, "amount_allocated", total_of(note.get("allocations"), "allocated_amount"))
    if note.get("amount_available") is not None:
        used = sum(note.get(name) or 0 for name in ("amount_allocated", "amount_refunded"))
        agree(note, "total", used + note["amount_available"])


def check_payment(payment: Document) -> None:
    if payment.get("amount_unused") is None:
        return
    refunds = [row for row in payment.get("linked_refunds") or [] if row.get("txn_status") in REFUND_COUNTS]
    applied = total_of(payment.get("linked_invoices"), "applied_amount")
    agree(payment, "amount", applied + payment["amount_unused"] + total_of(refunds, "txn_amount"))
