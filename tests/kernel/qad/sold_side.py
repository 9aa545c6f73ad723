"""Documents beside invoices for the tests of this folder, named by what matters in them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from connector.ledger.documents import (
    Adjustment,
    Application,
    Coding,
    CustomerCreditNote,
    CustomerPayment,
    CustomerRefund,
    DocumentLine,
    JournalEntry,
    Posted,
    TaxLine,
    Unapplication,
)
from tests.kernel.qad.cases import a_line, usd

DAY = dt.date(2026, 11, 10)
CLEARING = Coding("1090")


def posted(reference: str, number: str = "", kind: str = "invoice") -> Posted:
    return Posted(reference, number, DAY, "C0000001", kind)


def to(reference: str, amount: str, kind: str = "invoice", number: str = "") -> Application:
    return Application(reference, number, usd(amount), kind)


def a_note(**changes: Any) -> CustomerCreditNote:
    """One line and a tax taken back: 60.00 in all, 45.00 of it applied."""
    return CustomerCreditNote(
        **{
            **_head("CB-CN-7", "Credit note 7"),
            "lines": (a_line("50.00"),),
            "taxes": (TaxLine("VAT", Decimal("20"), usd("50.00"), usd("10.00"), "GB", Coding("2200")),),
            "total": usd("60.00"),
            "applications": (to("CB-INV-1042", "45.00"),),
            **changes,
        },
    )


def a_payment(**changes: Any) -> CustomerPayment:
    return CustomerPayment(**{**_head("CB-PAY-p1", "Payment p1"), **_cash("100.00"), **changes})


def a_refund(**changes: Any) -> CustomerRefund:
    return CustomerRefund(**{**_head("CB-REF-r1", "Refund r1"), **_cash("15.00"), **changes})


def an_adjustment(*applications: Application, credit: Posted, **changes: Any) -> Adjustment:
    return Adjustment(**{**_head("CB-APP-p1", "p1 to invoice"), **changes}, credit=credit, applications=applications)


def an_unapplication(*applications: Application, credit: Posted, **changes: Any) -> Unapplication:
    head = {**_head("CB-APP-p1-1", "p1 off invoice"), **changes}
    return Unapplication(**head, credit=credit, applications=applications)


def a_journal(**changes: Any) -> JournalEntry:
    """Cash against on account."""
    lines = (
        DocumentLine("cash", "Payment p1", usd("100.00"), CLEARING),
        DocumentLine("on_account", "Payment p1", usd("-100.00"), Coding("2460")),
    )
    return JournalEntry(**{**_head("CB-PAY-j1", "Payment j1"), "lines": lines, **changes})


def _head(reference: str, description: str) -> dict[str, Any]:
    return {
        "reference": reference,
        "source_id": reference.rsplit("-", 1)[-1],
        "customer": "C0000001",
        "description": description,
        "currency": "USD",
        "document_date": DAY,
        "posting_date": DAY,
    }


def _cash(amount: str) -> dict[str, Any]:
    return {
        "account": CLEARING,
        "total": usd(amount),
        "payment_method": "card",
        "payment_reference": "ch_1",
    }
