"""The rounding line: the difference between a document's total and its parts, posted with its cause."""

from __future__ import annotations

import datetime as dt

from connector.chargebee.records import Invoice
from connector.errors import Problem
from connector.ledger import problems
from connector.ledger.coding import MappingTable
from connector.ledger.documents import DocumentLine
from connector.money import Money


def rounding_line(
    invoice: Invoice, difference: Money, table: MappingTable, *, on: dt.date, tolerance_minor: int
) -> DocumentLine | Problem | None:
    """A line for `difference` (total less lines and taxes); None when there is nothing to explain.

    Chargebee's own round_off_amount needs no tolerance. Anything beyond it must stay within `tolerance_minor` minor
    units (policy `rounding_tolerance_minor`), else the document is held and never plugged.
    """
    if not difference:
        return None
    unexplained = difference - invoice.round_off
    if abs(unexplained).minor > tolerance_minor:
        return problems.rounding_too_large(f"Invoice {invoice.id}", unexplained, tolerance_minor)
    coding = table.role("round_off", on)
    if coding is None:
        return problems.role_not_mapped("round_off", on)
    return DocumentLine("rounding", "Rounding", difference, coding, cause=_cause(invoice.round_off, unexplained))


def _cause(round_off: Money, unexplained: Money) -> str:
    causes = []
    if round_off:
        causes.append(f"Chargebee rounded the total by {round_off}")
    if unexplained:
        causes.append(f"tax rounded by line differs from the document's by {unexplained}")
    return "; ".join(causes)
