"""On which day a document is posted: its own, unless QAD's period is closed; then what the tenant decided."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from connector.errors import Problem
from connector.ledger import qad_problems as problems
from connector.ledger.calendar import Calendar
from connector.ledger.documents import CustomerPayment, LedgerDocument, Reversal

Policy = Literal["hold", "next_open_period", "original_after_approval"]

# Kind of document -> the type of its daybook as QAD names them, without what differs between instances.
_TYPES = {
    "invoice": "customerinvoice",
    "credit_note": "customercreditnote",
    "payment": "customerpayment",
    "refund": "customerpayment",
    "application": "customeradjustment",
    "unapplication": "customeradjustment",
    "journal": "journalentry",
}


@dataclass(frozen=True, slots=True)
class Dated:
    """`day` is when the document is posted, and `problem` is None; or the day that it waits for, and why it waits.

    `own` is the document's own date; `reason` is '' where it is posted on that.
    """

    day: dt.date
    own: dt.date
    reason: str = ""
    problem: Problem | None = None

    @property
    def is_shifted(self) -> bool:
        return self.day != self.own


def posting_day(
    document: LedgerDocument,
    daybook: str,
    calendar: Calendar | None,
    *,
    policy: Policy,
    not_before: dt.date | None = None,
    is_approved: Callable[[dt.date], bool] = lambda day: False,
) -> Dated:
    """The posting date, never before what the document leans on (`not_before`, and its own posting date so far).

    Without a calendar nobody knows better than QAD. `is_approved` is asked only where an approval counts.
    """
    own, name = document.document_date, name_of(document)
    earliest = max(document.posting_date, not_before or document.posting_date)
    later = f"It is dated {own}; what it leans on is posted on {earliest}, and it cannot go before." * (earliest > own)
    refusal = calendar.refusal(earliest, daybook) if calendar is not None else ""
    if calendar is None or not refusal:
        return Dated(earliest, own, later)
    if policy == "hold":
        return Dated(earliest, own, problem=problems.period_closed(name, earliest, refusal))
    if policy == "original_after_approval":
        if is_approved(earliest):
            return Dated(earliest, own, f"An accountant approved {earliest} although {refusal}.")
        return Dated(earliest, own, problem=problems.date_needs_approval(name, earliest, refusal))
    day = calendar.next_open(earliest, daybook)
    if day is None:
        return Dated(earliest, own, problem=problems.no_open_period(name, earliest, refusal))
    return Dated(day, own, f"It belongs on {earliest}, but {refusal}: posted on the first open day after it.")


def on_day(document: LedgerDocument, day: dt.date) -> LedgerDocument:
    """The same document posted on another day; its own date stays."""
    return document if document.posting_date == day else replace(document, posting_date=day)


def daybook_type(document: LedgerDocument) -> str:
    """The type of daybook that QAD posts it in, folded: 'customerinvoicecorrection'."""
    if isinstance(document, Reversal):
        return f"{_TYPES[document.original.kind]}correction"
    return _TYPES[document.kind]


def own_daybook(document: LedgerDocument) -> str:
    """The daybook that the document itself names, '' if it leaves it to QAD."""
    return document.daybook if isinstance(document, CustomerPayment) else ""


def folded(type_in_qad: str) -> str:
    """'Customer Invoices' and 'customer_invoice' are the same type."""
    words = "".join(letter if letter.isalpha() else " " for letter in type_in_qad.casefold()).split()
    return "".join(f"{word[:-3]}y" if word.endswith("ies") else word.removesuffix("s") for word in words)


def name_of(document: LedgerDocument) -> str:
    """What a person calls it: 'Credit note CN-1', 'Reversal of payment TXN-1'."""
    if isinstance(document, Reversal):
        return f"Reversal of {_spoken(document.original.kind)} {document.source_id}"
    return f"{_spoken(document.kind).capitalize()} {document.source_id}"


def _spoken(kind: str) -> str:
    return kind.replace("_", " ")
