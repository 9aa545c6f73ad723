"""Checks that what QAD is to be told must pass, whatever it was made from; a breach holds it and shows both numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from connector.errors import Problem
from connector.ledger import problems
from connector.ledger.documents import (
    Adjustment,
    CustomerCreditNote,
    CustomerInvoice,
    CustomerPayment,
    JournalEntry,
    LedgerDocument,
    Reversal,
    applied_total,
    line_total,
)
from connector.ledger.journals import journal
from connector.money import LARGEST_MINOR, Money, minor_digits, total

Check = Callable[[LedgerDocument], Problem | None]


def document_problems(document: LedgerDocument) -> list[Problem]:
    """Everything that is wrong with a document that is about to be frozen, [] for a sound one."""
    mixed = it_has_one_currency(document)
    if mixed is not None:
        return [mixed]  # amounts of two currencies cannot be added up
    return [problem for check in DOCUMENT_CHECKS if (problem := check(document)) is not None]


def it_has_one_currency(document: LedgerDocument) -> Problem | None:
    """A19: every amount is in the document's own currency."""
    for amount in _amounts(document):
        if amount.currency != document.currency:
            return problems.mixed_currencies(_name(document), document.currency, amount)
    return None


def debit_equals_credit(document: LedgerDocument) -> Problem | None:
    """A1, in the document's currency; in base currency `currency_rates.in_base` sees to it once a rate is known."""
    lines = journal(document, "receivable")
    debit = total((line.debit for line in lines), document.currency)
    credit = total((line.credit for line in lines), document.currency)
    return _same(document, "a1", "its debit", debit, "its credit", credit)


def lines_make_its_total(document: LedgerDocument) -> Problem | None:
    """A2, A3: what QAD adds up is what Chargebee has."""
    if not isinstance(document, CustomerInvoice | CustomerCreditNote):
        return None
    return _same(document, "a3", "its total", document.total, "the sum of its lines and taxes", line_total(document))


def it_settles_no_more_than_it_has(document: LedgerDocument) -> Problem | None:
    """A7, A8: a payment, refund or credit note is not applied beyond its own amount."""
    if not isinstance(document, CustomerCreditNote | CustomerPayment):
        return None
    applied = applied_total(document)
    if not applied > document.total:
        return None
    return _same(document, "a7", "its amount", document.total, "what it settles", applied)


def it_settles_something_each_time(document: LedgerDocument) -> Problem | None:
    """A7: an application is an amount above zero; taking one back is a document of its own."""
    for row in getattr(document, "applications", ()):
        if not row.amount > Money.zero(document.currency):
            return problems.empty_application(_name(document), row.source_id or row.reference, row.amount)
    return None


def a_reversal_follows_its_original(document: LedgerDocument) -> Problem | None:
    """A10."""
    if isinstance(document, Reversal) and document.posting_date < document.original.posting_date:
        return problems.reversal_too_early(_name(document), document.posting_date, document.original.posting_date)
    return None


def its_amounts_are_exact(document: LedgerDocument) -> Problem | None:
    """A20: whole minor units, within Chargebee's own ceiling."""
    for amount in _amounts(document):
        scaled = amount.amount.scaleb(minor_digits(amount.currency))
        if scaled != scaled.to_integral_value() or abs(scaled) > LARGEST_MINOR:
            return problems.amount_not_exact(_name(document), amount)
    return None


DOCUMENT_CHECKS: tuple[Check, ...] = (
    debit_equals_credit,
    lines_make_its_total,
    it_settles_no_more_than_it_has,
    it_settles_something_each_time,
    a_reversal_follows_its_original,
    its_amounts_are_exact,
)


def _amounts(document: LedgerDocument) -> Iterator[Money]:
    if isinstance(document, Reversal):
        yield from _amounts(document.original)
        return
    if not isinstance(document, Adjustment | JournalEntry):
        yield document.total
    for group in ("lines", "taxes", "applications"):
        yield from (row.amount for row in getattr(document, group, ()))


def _name(document: LedgerDocument) -> str:
    kind = document.kind.replace("_", " ").capitalize()
    return f"{kind} {document.source_id}"


def _same(
    document: LedgerDocument, rule: str, left: str, left_amount: Money, right: str, right_amount: Money
) -> Problem | None:
    if left_amount == right_amount:
        return None
    return problems.not_equal(f"invariant-{rule}", _name(document), left, left_amount, right, right_amount)
