"""Checks a document must pass before it may be coded; a breach holds it and shows both numbers.

I1–I8 are the identities that Chargebee's documents keep (verified on public samples of real payloads).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from connector.chargebee.records import Invoice
from connector.errors import Problem
from connector.ledger import problems
from connector.money import Money, total

TAX_TOLERANCE_MINOR_PER_LINE = 1  # tax may be rounded by line or by document


def invoice_problems(invoice: Invoice) -> list[Problem]:
    """Everything that is wrong with the arithmetic of an invoice, [] for a sound one."""
    found = [] if invoice.is_complete else [problems.lines_missing(_name(invoice))]
    for check in INVOICE_CHECKS:
        problem = check(invoice)
        if problem is not None:
            found.append(problem)
    return found


def sub_total_is_lines_less_discounts(invoice: Invoice) -> Problem | None:
    """I1."""
    lines = _sum(invoice, (line.amount - line.discount for line in invoice.lines))
    return _same(invoice, "I1", "its sub-total", invoice.sub_total, "the sum of its lines less discounts", lines)


def discounts_agree_with_their_lines(invoice: Invoice) -> Problem | None:
    """I1, second half: where line_item_discounts are given, they are the lines' discounts."""
    if not invoice.line_discounts:
        return None
    detailed = _sum(invoice, (discount.amount for discount in invoice.line_discounts))
    lines = _sum(invoice, (line.discount for line in invoice.lines))
    return _same(invoice, "I1", "the sum of its line discounts", detailed, "the discounts of its lines", lines)


def total_is_sub_total_tax_and_round_off(invoice: Invoice) -> Problem | None:
    """I2; with tax inclusive prices (I2') the tax is already inside."""
    parts = invoice.sub_total + invoice.round_off
    if invoice.price_type != "tax_inclusive":
        parts = parts + invoice.tax
    return _same(invoice, "I2", "its total", invoice.total, "sub-total, tax and round-off", parts)


def amount_due_is_what_nothing_has_settled(invoice: Invoice) -> Problem | None:
    """I3."""
    withheld = _sum(invoice, (tax.amount for tax in invoice.withheld_taxes))
    settled = invoice.amount_paid + invoice.amount_adjusted + invoice.credits_applied + withheld
    due = invoice.total - settled
    return _same(invoice, "I3", "its amount due", invoice.amount_due, "total less payments and credits", due)


def amount_paid_is_what_succeeded(invoice: Invoice) -> Problem | None:
    """I4."""
    paid = _sum(invoice, (p.applied for p in invoice.linked_payments if p.status == "success"))
    return _same(invoice, "I4", "its amount paid", invoice.amount_paid, "its successful payments", paid)


def amount_adjusted_is_live_adjustment_notes(invoice: Invoice) -> Problem | None:
    """I5."""
    notes = _sum(invoice, (n.total for n in invoice.adjustment_notes if n.status != "voided"))
    return _same(invoice, "I5", "its amount adjusted", invoice.amount_adjusted, "its adjustment notes", notes)


def credits_applied_is_applied_notes(invoice: Invoice) -> Problem | None:
    """I6."""
    credits = _sum(invoice, (credit.applied for credit in invoice.applied_credits))
    return _same(invoice, "I6", "its credits applied", invoice.credits_applied, "the credits applied to it", credits)


def amount_to_collect_leaves_out_what_is_on_its_way(invoice: Invoice) -> Problem | None:
    """I7; of a voided invoice nothing is collected, although its amount due stays as it was."""
    if invoice.amount_to_collect is None or invoice.status == "voided":
        return None
    on_its_way = _sum(invoice, (p.applied for p in invoice.linked_payments if p.status == "in_progress"))
    left = invoice.amount_due - on_its_way
    return _same(
        invoice, "I7", "its amount to collect", invoice.amount_to_collect, "what is due and not on its way", left
    )


def tax_agrees_everywhere(invoice: Invoice) -> Problem | None:
    """I8: per line, per tax and in total, within a minor unit for each line."""
    allowed = TAX_TOLERANCE_MINOR_PER_LINE * max(1, len(invoice.lines))
    views = [("the tax of its lines", _sum(invoice, (line.tax_amount for line in invoice.lines)))]
    if invoice.taxes:
        views.append(("the sum of its taxes", _sum(invoice, (tax.amount for tax in invoice.taxes))))
    if invoice.line_taxes:
        views.append(("the taxes by line", _sum(invoice, (tax.amount for tax in invoice.line_taxes))))
    for label, amount in views:
        if abs(amount - invoice.tax).minor > allowed:
            return _same(invoice, "I8", "its tax", invoice.tax, label, amount)
    return None


INVOICE_CHECKS: tuple[Callable[[Invoice], Problem | None], ...] = (
    sub_total_is_lines_less_discounts,
    discounts_agree_with_their_lines,
    total_is_sub_total_tax_and_round_off,
    amount_due_is_what_nothing_has_settled,
    amount_paid_is_what_succeeded,
    amount_adjusted_is_live_adjustment_notes,
    credits_applied_is_applied_notes,
    amount_to_collect_leaves_out_what_is_on_its_way,
    tax_agrees_everywhere,
)


def _name(invoice: Invoice) -> str:
    return f"Invoice {invoice.id}"


def _sum(invoice: Invoice, amounts: Iterable[Money]) -> Money:
    return total(amounts, invoice.currency)


def _same(
    invoice: Invoice, rule: str, left: str, left_amount: Money, right: str, right_amount: Money
) -> Problem | None:
    if left_amount == right_amount:
        return None
    return problems.not_equal(f"identity-{rule.lower()}", _name(invoice), left, left_amount, right, right_amount)
