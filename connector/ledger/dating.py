"""On which day a document is posted: its own, unless QAD's period is closed; then what the tenant decided."""

from __future__ import annotations

import datetime as dt
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
    """`wanted` is the day it would have without closed periods; `reason` is '' where the two are the same."""

    day: dt.date
    wanted: dt.date
    reason: str = ""

    @property
    def is_shifted(self) -> bool:
        return self.day != self.wanted


def date(
    name: str,
    wanted: dt.date,
    daybook: str,
    calendar: Calendar | None,
    *,
    policy: Policy,
    is_approved: bool = False,
) -> Dated | Problem:
    """The posting date, or why the document waits. Without a calendar nobody knows better than QAD."""
    refusal = calendar.refusal(wanted, daybook) if calendar is not None else ""
    if calendar is None or not refusal:
        return Dated(wanted, wanted)
    if policy == "original_after_approval":
        if is_approved:
            return Dated(wanted, wanted, f"An accountant approved this date although {refusal}.")
        return problems.date_needs_approval(name, wanted, refusal)
    if policy == "hold":
        return problems.period_closed(name, wanted, refusal)
    day = calendar.next_open(wanted, daybook)
    if day is None:
        return problems.no_open_period(name, wanted, refusal)
    return Dated(day, wanted, f"It belongs on {wanted}, but {refusal}: posted on the first open day after it.")


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
