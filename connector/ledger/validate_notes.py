"""Checks a credit note must pass before it may be coded; a breach holds it and shows both numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from connector.chargebee.records import CreditNote
from connector.errors import Problem
from connector.ledger import problems
from connector.ledger.validate import TAX_TOLERANCE_MINOR_PER_LINE
from connector.money import Money, total

REFUND_COUNTS = frozenset({"", "success", "in_progress"})  # refunds that take something of their note or payment


def note_problems(note: CreditNote) -> list[Problem]:
    """Everything that is wrong with the arithmetic of a credit note, [] for a sound one."""
    found = [] if note.is_complete else [problems.lines_missing(_name(note))]
    for check in NOTE_CHECKS:
        problem = check(note)
        if problem is not None:
            found.append(problem)
    return found


def sub_total_is_lines_less_discounts(note: CreditNote) -> Problem | None:
    """C1, as A2 of an invoice."""
    lines = _sum(note, (line.amount - line.discount for line in note.lines))
    return _same(note, "c1", "its sub-total", note.sub_total, "the sum of its lines less discounts", lines)


def discounts_agree_with_their_lines(note: CreditNote) -> Problem | None:
    """C1, second half: where line_item_discounts are given, they are the lines' discounts."""
    if not note.line_discounts:
        return None
    detailed = _sum(note, (discount.amount for discount in note.line_discounts))
    lines = _sum(note, (line.discount for line in note.lines))
    return _same(note, "c1", "the sum of its line discounts", detailed, "the discounts of its lines", lines)


def total_is_its_parts(note: CreditNote) -> Problem | None:
    """C2: a note has no tax field of its own, and its total holds the fractional_correction."""
    parts = note.sub_total + note.round_off + note.fractional_correction
    if note.price_type != "tax_inclusive":
        parts = parts + _tax(note)
    return _same(note, "c2", "its total", note.total, "sub-total, taxes, round-off and fractional correction", parts)


def total_is_used_or_available(note: CreditNote) -> Problem | None:
    """C3 (A8): a voided note keeps its whole total available and is not judged."""
    if note.status == "voided" or note.amount_available is None:
        return None
    parts = [note.amount_available, *(part for part in (note.amount_allocated, note.amount_refunded) if part)]
    used = _sum(note, parts)
    return _same(note, "c3", "its total", note.total, "what is allocated, refunded and available", used)


def amount_allocated_is_its_allocations(note: CreditNote) -> Problem | None:
    """C4 (A8)."""
    if note.status == "voided" or note.amount_allocated is None:
        return None
    rows = _sum(note, (row.allocated for row in note.allocations))
    return _same(note, "c4", "its amount allocated", note.amount_allocated, "the sum of its allocations", rows)


def amount_refunded_is_its_refunds(note: CreditNote) -> Problem | None:
    """C5 (A8). Not judged with withheld tax that goes back: Chargebee does not say whether it counts as refunded."""
    if note.status == "voided" or note.amount_refunded is None or note.withheld_refunds:
        return None
    rows = _sum(note, (row.applied for row in note.linked_refunds if row.status in REFUND_COUNTS))
    return _same(note, "c5", "its amount refunded", note.amount_refunded, "the sum of its refunds", rows)


def tax_agrees_everywhere(note: CreditNote) -> Problem | None:
    """C6: per line, per tax and in total, within a minor unit for each line."""
    if not note.taxes:
        return None
    allowed = TAX_TOLERANCE_MINOR_PER_LINE * max(1, len(note.lines))
    tax = _sum(note, (row.amount for row in note.taxes))
    views = [("the tax of its lines", _sum(note, (line.tax_amount for line in note.lines)))]
    if note.line_taxes:
        views.append(("the taxes by line", _sum(note, (row.amount for row in note.line_taxes))))
    for label, amount in views:
        if abs(amount - tax).minor > allowed:
            return _same(note, "c6", "its tax", tax, label, amount)
    return None


def an_adjustment_reduces_its_own_invoice(note: CreditNote) -> Problem | None:
    """C7 (A8): an adjustment note is applied to the invoice it refers to and to no other."""
    if note.type != "adjustment" or note.status == "voided":
        return None
    for row in note.allocations:
        if row.allocated and row.invoice_id != note.reference_invoice_id:
            return problems.edge_of_another_invoice(_name(note), note.reference_invoice_id, row.invoice_id)
    return None


NOTE_CHECKS: tuple[Callable[[CreditNote], Problem | None], ...] = (
    sub_total_is_lines_less_discounts,
    discounts_agree_with_their_lines,
    total_is_its_parts,
    total_is_used_or_available,
    amount_allocated_is_its_allocations,
    amount_refunded_is_its_refunds,
    tax_agrees_everywhere,
    an_adjustment_reduces_its_own_invoice,
)


def _name(note: CreditNote) -> str:
    return f"Credit note {note.id}"


def _sum(note: CreditNote, amounts: Iterable[Money]) -> Money:
    return total(amounts, note.currency)


def _tax(note: CreditNote) -> Money:
    """As the total has it: `taxes`, or the taxes by line where those are not given."""
    rows = note.taxes or note.line_taxes
    return _sum(note, (row.amount for row in rows))


def _same(
    note: CreditNote, rule: str, left: str, left_amount: Money, right: str, right_amount: Money
) -> Problem | None:
    if left_amount == right_amount:
        return None
    return problems.not_equal(f"identity-{rule}", _name(note), left, left_amount, right, right_amount)
