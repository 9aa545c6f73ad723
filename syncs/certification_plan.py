"""The documents of a certification: one of each kind, each small, each about the ones before it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from connector.ledger.documents import (
    Adjustment,
    Application,
    Coding,
    CustomerCreditNote,
    CustomerInvoice,
    CustomerPayment,
    CustomerRefund,
    DocumentLine,
    JournalEntry,
    LedgerDocument,
    Posted,
    Reversal,
    Unapplication,
)
from connector.money import Money


@dataclass(frozen=True, slots=True)
class Codes:
    """Codes of the test workspace that the documents name; `head` is what every reference begins with."""

    head: str
    customer: str
    currency: str
    revenue: Coding
    bank: Coding
    on: dt.date


@dataclass(frozen=True, slots=True)
class Done:
    """A step that QAD took: its document and the number that it got."""

    document: LedgerDocument
    number: str


Made = Mapping[str, Done]
Step = tuple[str, str, Callable[[Codes, Made], LedgerDocument]]


def steps() -> Iterator[Step]:
    """(name, what it is in words, its document from the codes and the steps before). A step that needs one that QAD
    did not take raises KeyError.
    """
    yield "INV-A", "Post an invoice", lambda codes, made: _invoice(codes, "INV-A", "100.00")
    yield "INV-B", "Post a second invoice", lambda codes, made: _invoice(codes, "INV-B", "50.00")
    yield "INV-C", "Post a third invoice", lambda codes, made: _invoice(codes, "INV-C", "15.00")
    yield "PAY", "Pay: settle the first, keep 20.00 on account", _payment
    yield "APP", "Apply the 20.00 to the second", lambda codes, made: _adjusted(Adjustment, codes, made, "APP")
    yield "UNA", "Take that back", lambda codes, made: _adjusted(Unapplication, codes, made, "UNA")
    yield "REF", "Refund the 20.00", _refund
    yield "CN", "Credit 30.00 of the second", _note
    yield "REV-CN", "Reverse the credit note", lambda codes, made: _reversal(codes, made, "REV-CN", "CN")
    yield "PAY-B", "Pay 10.00 of the second", _part_payment
    yield "REV-PAY", "Reverse that payment", lambda codes, made: _reversal(codes, made, "REV-PAY", "PAY-B")
    yield "REV-INV", "Reverse the third invoice", lambda codes, made: _reversal(codes, made, "REV-INV", "INV-C")
    yield "JE", "Post a journal", _journal


def _head(codes: Codes, name: str) -> dict[str, Any]:
    return {
        "reference": f"{codes.head}{name}",
        "source_id": name,
        "customer": codes.customer,
        "description": f"Certification {name}",
        "currency": codes.currency,
        "document_date": codes.on,
        "posting_date": codes.on,
    }


def _money(codes: Codes, amount: str) -> Money:
    return Money(Decimal(amount), codes.currency)


def _line(codes: Codes, amount: str, coding: Coding | None = None) -> DocumentLine:
    return DocumentLine("sale", "Certification", _money(codes, amount), coding or codes.revenue)


def _to(codes: Codes, made: Made, name: str, amount: str) -> Application:
    done = made[name]
    return Application(done.document.reference, done.number, _money(codes, amount), done.document.kind, name)


def _invoice(codes: Codes, name: str, amount: str) -> CustomerInvoice:
    lines = (_line(codes, amount),)
    return CustomerInvoice(**_head(codes, name), due_date=codes.on, lines=lines, taxes=(), total=_money(codes, amount))


def _cash(codes: Codes, amount: str) -> dict[str, Any]:
    return {"account": codes.bank, "total": _money(codes, amount), "payment_reference": "certification"}


def _payment(codes: Codes, made: Made) -> LedgerDocument:
    settled = (_to(codes, made, "INV-A", "100.00"),)
    return CustomerPayment(**_head(codes, "PAY"), **_cash(codes, "120.00"), applications=settled)


def _part_payment(codes: Codes, made: Made) -> LedgerDocument:
    settled = (_to(codes, made, "INV-B", "10.00"),)
    return CustomerPayment(**_head(codes, "PAY-B"), **_cash(codes, "10.00"), applications=settled)


def _refund(codes: Codes, made: Made) -> LedgerDocument:
    payment = made["PAY"]
    given_back = (_to(codes, made, "PAY", "20.00"),)
    return CustomerRefund(
        **_head(codes, "REF"),
        **_cash(codes, "20.00"),
        applications=given_back,
        original_reference=payment.document.reference,
        original_number=payment.number,
    )


def _adjusted(kind: type[Adjustment], codes: Codes, made: Made, name: str) -> LedgerDocument:
    payment = made["PAY"]
    credit = Posted(payment.document.reference, payment.number, codes.on, codes.customer, "payment")
    return kind(**_head(codes, name), credit=credit, applications=(_to(codes, made, "INV-B", "20.00"),))


def _note(codes: Codes, made: Made) -> LedgerDocument:
    return CustomerCreditNote(
        **_head(codes, "CN"),
        lines=(_line(codes, "30.00"),),
        taxes=(),
        total=_money(codes, "30.00"),
        applications=(_to(codes, made, "INV-B", "30.00"),),
        original_number=made["INV-B"].number,
    )


def _reversal(codes: Codes, made: Made, name: str, of: str) -> LedgerDocument:
    done: Any = made[of]
    return Reversal(f"{codes.head}{name}", codes.on, codes.on, replace(done.document), done.number)


def _journal(codes: Codes, made: Made) -> LedgerDocument:
    lines = (_line(codes, "5.00", codes.bank), _line(codes, "-5.00"))
    return JournalEntry(**_head(codes, "JE"), lines=lines)
