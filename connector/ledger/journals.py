"""Debit and credit of every document, before QAD says its own: one function for each class."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from connector.ledger.documents import (
    Adjustment,
    Coding,
    CustomerCreditNote,
    CustomerInvoice,
    CustomerPayment,
    CustomerRefund,
    JournalEntry,
    JournalLine,
    LedgerDocument,
    Reversal,
    Unapplication,
    applied_total,
)
from connector.ledger.documents import journal as invoice_journal
from connector.money import Money, total

CASH_LABEL = "Clearing or bank account"


def journal(document: LedgerDocument, receivable: str) -> tuple[JournalLine, ...]:
    """Debit and credit of a document; `receivable` is the customer control account (QAD decides it at posting)."""
    if isinstance(document, Reversal):
        return mirrored(journal(document.original, receivable))
    lines = _JOURNALS[type(document)](document, receivable)
    return tuple(line for line in lines if line.debit or line.credit)


def mirrored(lines: tuple[JournalLine, ...]) -> tuple[JournalLine, ...]:
    """The same lines with their sides exchanged."""
    return tuple(replace(line, debit=line.credit, credit=line.debit) for line in lines)


def _note_journal(note: CustomerCreditNote, receivable: str) -> list[JournalLine]:
    return [_control(receivable, -note.total), *_billed_lines(note)]


def _payment_journal(payment: CustomerPayment, receivable: str) -> list[JournalLine]:
    rest = payment.total - applied_total(payment)
    return [
        _debit(payment.account.gl_account, CASH_LABEL, payment.total, payment.account),
        _control(receivable, -applied_total(payment)),
        _rest(payment.on_account, receivable, -rest),
    ]


def _refund_journal(refund: CustomerRefund, receivable: str) -> list[JournalLine]:
    """Credit notes are paid out of the receivable; all else comes from what payments left on account."""
    notes = total((row.amount for row in refund.applications if row.kind == "credit_note"), refund.currency)
    return [
        _debit(refund.account.gl_account, CASH_LABEL, -refund.total, refund.account),
        _control(receivable, notes),
        _rest(refund.on_account, receivable, refund.total - notes),
    ]


def _adjustment_journal(adjustment: Adjustment, receivable: str) -> list[JournalLine]:
    """Only open items move, unless what is on account has an account of its own."""
    if adjustment.on_account is None or adjustment.credit.kind != "payment":
        return []
    moved = applied_total(adjustment)
    return [_rest(adjustment.on_account, receivable, moved), _control(receivable, -moved)]


def _unapplication_journal(adjustment: Unapplication, receivable: str) -> list[JournalLine]:
    return list(mirrored(tuple(_adjustment_journal(adjustment, receivable))))


def _entry_journal(entry: JournalEntry, receivable: str) -> list[JournalLine]:
    return [_debit(line.coding.gl_account, line.description, line.amount, line.coding) for line in entry.lines]


_JOURNALS: dict[type, Callable[[Any, str], Iterable[JournalLine]]] = {
    CustomerInvoice: invoice_journal,
    CustomerCreditNote: _note_journal,
    CustomerPayment: _payment_journal,
    CustomerRefund: _refund_journal,
    Adjustment: _adjustment_journal,
    Unapplication: _unapplication_journal,
    JournalEntry: _entry_journal,
}


def _billed_lines(note: CustomerCreditNote) -> Iterator[JournalLine]:
    for line in note.lines:
        yield _debit(line.coding.gl_account, line.description, line.amount, line.coding)
    for tax in note.taxes:
        yield _debit(tax.coding.gl_account, f"{tax.name} {tax.rate.normalize():f} %", tax.amount, tax.coding)


def _control(receivable: str, amount: Money) -> JournalLine:
    return _debit(receivable, "Customer control account", amount)


def _rest(on_account: Coding | None, receivable: str, amount: Money) -> JournalLine:
    if on_account is None:
        return _control(receivable, amount)
    return _debit(on_account.gl_account, "Payments on account", amount, on_account)


def _debit(account: str, label: str, amount: Money, coding: Coding | None = None) -> JournalLine:
    """A negative amount is a credit."""
    zero = Money.zero(amount.currency)
    debit, credit = (amount, zero) if amount > zero else (zero, -amount)
    return JournalLine(account, label, debit, credit, coding)
