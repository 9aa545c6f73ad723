"""A document that a person entered in QAD and of which nothing could be made here: no more than what was compared.

Its chain and its children know it like any other. Where its amounts went only QAD knows: it has one line without an
account, and is never sent, corrected or reversed from here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connector.errors import Problem
from connector.ledger.documents import (
    Coding,
    CustomerCreditNote,
    CustomerInvoice,
    CustomerPayment,
    CustomerRefund,
    DocumentLine,
)
from connector.money import Money

DESCRIPTION = "Entered in QAD by hand"
UNKNOWN = Coding(gl_account="")
ByHand = CustomerInvoice | CustomerCreditNote | CustomerPayment


@dataclass(frozen=True, slots=True)
class Told:
    """What Chargebee says at least of a document; `customer` is QAD's code."""

    source_id: str
    reference: str
    customer: str
    total: Money
    day: dt.date


def invoice(told: Told) -> CustomerInvoice:
    return CustomerInvoice(**_head(told), due_date=None, lines=(_line(told.total),), taxes=(), total=told.total)


def credit_note(told: Told) -> CustomerCreditNote:
    return CustomerCreditNote(**_head(told), lines=(_line(-told.total),), taxes=(), total=told.total)


def payment(told: Told) -> CustomerPayment:
    return CustomerPayment(**_head(told), account=UNKNOWN, total=told.total)


def refund(told: Told) -> CustomerRefund:
    return CustomerRefund(**_head(told), account=UNKNOWN, total=told.total)


BUILD: dict[str, Callable[[Told], ByHand]] = {
    "invoice": invoice,
    "credit_note": credit_note,
    "payment": payment,
    "refund": refund,
}


def cannot_be_reversed(name: str, number: str) -> Problem:
    return Problem(
        "entered-by-hand",
        name,
        f"{name} was entered in QAD by hand as {number}, so its journal is not known here and cannot be reversed.",
        f"Reverse {number} in QAD; if another version is wanted, enter that there, too. Then ignore this document.",
        "document",
    )


def changed(name: str, number: str, before: Money, now: Money) -> Problem:
    return Problem(
        "changed-after-entered-by-hand",
        name,
        f"{name} was entered in QAD by hand as {number} with {before}, and Chargebee has changed it since; "
        f"it now totals {now}.",
        f"Compare {number} in QAD with Chargebee and correct it there if it differs. Then ignore this document.",
        "document",
    )


def _head(told: Told) -> dict[str, Any]:
    return {
        "reference": told.reference,
        "source_id": told.source_id,
        "customer": told.customer,
        "description": DESCRIPTION,
        "currency": told.total.currency,
        "document_date": told.day,
        "posting_date": told.day,
    }


def _line(amount: Money) -> DocumentLine:
    return DocumentLine("by_hand", DESCRIPTION, amount, UNKNOWN)
