"""The journal of an invoice or credit note: revenue gross of discounts, discounts, taxes, rounding, receivable."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from . import lookup
from .books import Line, line, without_zeros
from .checks import total_of
from .currencies import money
from .model import Document, Mapping
from .outcome import held


@dataclass(frozen=True)
class Part:
    """One amount in minor units; what the customer owes for it is positive."""

    coding: lookup.Coding
    amount: int
    cause: str


def invoice_lines(invoice: Document, mapping: Mapping, day: date) -> tuple[Line, ...]:
    return journal(invoice, mapping, day, sign=1)


def note_lines(note: Document, mapping: Mapping, day: date) -> tuple[Line, ...]:
    return journal(note, mapping, day, sign=-1)


def journal(document: Document, mapping: Mapping, day: date, sign: int) -> tuple[Line, ...]:
    currency = document["currency_code"]
    receivable = lookup.role(mapping, "accounts_receivable", day)
    lines = [line(receivable, money(sign * document["total"], currency), "receivable")]
    for part in parts(document, mapping, day):
        lines.append(line(part.coding, money(-sign * part.amount, currency), part.cause))
    return without_zeros(lines)


def parts(document: Document, mapping: Mapping, day: date) -> list[Part]:
    listed = [*revenue(document, mapping, day), *discounts(document, mapping, day), *taxes(document, mapping, day)]
    difference = document["total"] - sum(part.amount for part in listed)
    return [*listed, *rounding(document, mapping, day, difference)]


def revenue(document: Document, mapping: Mapping, day: date) -> Iterator[Part]:
    for each in document.get("line_items") or []:
        inside = line_tax(document, each) if document.get("price_type") == "tax_inclusive" else 0
        if each["amount"] - inside:
            yield Part(lookup.item(mapping, each, day), each["amount"] - inside, "revenue")


def line_tax(document: Document, each: Document) -> int:
    rows = document.get("line_item_taxes")
    if not rows:
        return each.get("tax_amount") or 0
    return total_of((row for row in rows if row.get("line_item_id") == each.get("id")), "tax_amount")


def discounts(document: Document, mapping: Mapping, day: date) -> Iterator[Part]:
    """Only line_item_discounts: what stands in `discounts` is in them already."""
    for row in document.get("line_item_discounts") or []:
        if row["discount_amount"]:
            name = discount_role(row, mapping)
            yield Part(lookup.role(mapping, name, day), -row["discount_amount"], name)


def discount_role(row: Document, mapping: Mapping) -> str:
    if row["discount_type"] == "promotional_credits":
        return f"promotional_{mapping.policies.promotional_credits}"
    return "discount"


def taxes(document: Document, mapping: Mapping, day: date) -> Iterator[Part]:
    """Each row of line_item_taxes; without them each of `taxes`. As given: nothing is computed from a rate."""
    if document.get("line_item_taxes"):
        rows = [(row, row["tax_amount"]) for row in document["line_item_taxes"]]
    else:
        rows = [(row, row["amount"]) for row in document.get("taxes") or []]
    for row, amount in rows:
        if amount:
            yield Part(lookup.tax(mapping, row, day), amount, "tax")


def rounding(document: Document, mapping: Mapping, day: date, difference: int) -> Iterator[Part]:
    """total - (lines - discounts + taxes), split by cause; more than the document declares holds it."""
    declared = [(name, document.get(name) or 0) for name in ("round_off_amount", "fractional_correction")]
    unexplained = difference - sum(amount for _, amount in declared)
    if abs(unexplained) > mapping.policies.rounding_tolerance:
        raise held(f"{document['id']}: total differs from its parts by {unexplained} with no source")
    for cause, amount in [*declared, ("tax_rounding", unexplained)]:
        if amount:
            yield Part(lookup.role(mapping, "round_off", day), amount, cause)
