"""The rounding line: the difference between a document's total and its parts, posted with its cause."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from connector.chargebee.records import CreditNote, Invoice
from connector.errors import Problem
from connector.ledger import problems
from connector.ledger.coding import MappingTable
from connector.ledger.documents import DocumentLine
from connector.money import Money, total

ROUNDED = "Chargebee rounded the total by"


def rounding_line(
    invoice: Invoice, difference: Money, table: MappingTable, *, on: dt.date, tolerance_minor: int
) -> DocumentLine | Problem | None:
    """A line for `difference` (total less lines and taxes); None when there is nothing to explain.

    Chargebee's own round_off_amount needs no tolerance. Anything beyond it must stay within `tolerance_minor` minor
    units (policy `rounding_tolerance_minor`), else the document is held and never plugged.
    """
    declared = {ROUNDED: invoice.round_off}
    return _line(f"Invoice {invoice.id}", declared, difference, table, on=on, tolerance_minor=tolerance_minor)


def note_rounding_line(
    note: CreditNote, difference: Money, table: MappingTable, *, on: dt.date, tolerance_minor: int
) -> DocumentLine | Problem | None:
    """The same for a credit note, whose total may hold a fractional_correction besides."""
    declared = {ROUNDED: note.round_off, "Chargebee corrected fractions by": note.fractional_correction}
    return _line(f"Credit note {note.id}", declared, difference, table, on=on, tolerance_minor=tolerance_minor)


def _line(
    name: str,
    declared: Mapping[str, Money],
    difference: Money,
    table: MappingTable,
    *,
    on: dt.date,
    tolerance_minor: int,
) -> DocumentLine | Problem | None:
    if not difference:
        return None
    unexplained = difference - total(declared.values(), difference.currency)
    if abs(unexplained).minor > tolerance_minor:
        return problems.rounding_too_large(name, unexplained, tolerance_minor)
    coding = table.role("round_off", on)
    if coding is None:
        return problems.role_not_mapped("round_off", on)
    causes = {**declared, "tax rounded by line differs from the document's by": unexplained}
    cause = "; ".join(f"{words} {amount}" for words, amount in causes.items() if amount)
    return DocumentLine("rounding", "Rounding", difference, coding, cause=cause)
