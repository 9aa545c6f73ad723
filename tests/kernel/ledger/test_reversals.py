"""One reversal for each document, whichever signal comes first; it says the opposite of what stands."""

from __future__ import annotations

import datetime as dt

import pytest

from connector.ledger import credit_notes, invoices, payments
from connector.ledger.applications import application
from connector.ledger.reversals import ended_on, payment_ended_on, reversal, reversed_payment_id
from tests.kernel.chargebee.documents import DAY
from tests.kernel.ledger.cases import (
    LATER,
    NOTE_RULES,
    ON,
    RULES,
    ZONE,
    a_note,
    a_payment,
    a_table,
    an_invoice,
    eur,
    posted,
    told,
)

LINK = {"refunded_txn_id": "txn_1"}


def day(days: int) -> int:
    return DAY + days * 86_400


def a_reversal(days: int, **changes):
    return a_payment(**{"id": "txn_v", "type": "payment_reversal", "date": day(days), **LINK, **changes})


@pytest.mark.parametrize(
    ("changes", "reversals", "after"),
    [
        ({}, [], None),
        ({}, [a_reversal(5)], 5),
        ({}, [a_reversal(5, status="failure")], None),
        ({"status": "late_failure", "updated_at": day(9)}, [], 9),
        ({"status": "late_failure", "updated_at": day(3)}, [a_reversal(5)], 5),  # updated_at counts only alone
        ({"status": "voided", "voided_at": day(3), "updated_at": day(9)}, [], 3),
        ({"status": "voided", "voided_at": day(3)}, [a_reversal(5)], 3),
        ({"status": "voided", "voided_at": day(7)}, [a_reversal(5)], 5),
        ({"deleted": True, "updated_at": day(4)}, [], 4),
    ],
)
def test_a_payment_goes_back_on_the_first_day_that_says_so(changes, reversals, after):
    expected = ON + dt.timedelta(days=after) if after is not None else None
    assert payment_ended_on(a_payment(**changes), reversals, ZONE) == expected


def test_a_reversal_is_of_the_payment_that_names_it_or_that_it_names():
    assert reversed_payment_id(a_reversal(1), {}) == "txn_1"
    assert reversed_payment_id(a_reversal(1, refunded_txn_id=None, reference_transaction_id="txn_2"), {}) == "txn_2"
    assert reversed_payment_id(a_reversal(1), {"txn_v": "txn_3"}) == "txn_3"
    assert reversed_payment_id(a_reversal(1, refunded_txn_id=None), {}) == ""


def test_a_document_ends_when_it_was_voided_else_when_it_changed():
    assert ended_on(a_note(voided_at=day(2), updated_at=day(6)), ZONE) == ON + dt.timedelta(days=2)
    assert ended_on(a_note(updated_at=day(6)), ZONE) == ON + dt.timedelta(days=6)
    assert ended_on(an_invoice(updated_at=None), ZONE) == ON


def test_it_takes_a_payment_back_with_all_that_stands():
    document = payments.translate(a_payment(), a_table(), RULES, "CB-PAY-1", {"INV-1": posted("INV-1")})
    late = application("INV-2", posted("INV-2", LATER), eur("31"))
    standing = (*document.applications, late)
    taken = reversal(document, "CB-REV-1", on=LATER, number="2026-1", applications=standing)
    assert told(taken) == ["Cr 1090 200.00", "Dr 1200 150.00", "Dr 2460 50.00"]
    assert (taken.reference, taken.original.reference, taken.original_number) == ("CB-REV-1", "CB-PAY-1", "2026-1")
    assert (taken.customer, taken.currency, taken.source_id, taken.kind) == ("C1", "EUR", "txn_1", "reversal")


def test_it_takes_a_note_and_an_invoice_back():
    note = credit_notes.translate(a_note(), a_table(), NOTE_RULES, "CB-CN-1", {})
    assert told(reversal(note, "R", on=LATER, number="")) == ["Dr 1200 119.00", "Cr 4000 100.00", "Cr 2230 19.00"]
    invoice = invoices.translate(an_invoice(), a_table(), invoices.InvoiceRules(ZONE), "CB-INV-1")
    assert told(reversal(invoice, "R", on=LATER, number="")) == ["Cr 1200 119.00", "Dr 4000 100.00", "Dr 2230 19.00"]


def test_it_is_never_dated_before_what_it_takes_back():
    note = credit_notes.translate(a_note(), a_table(), NOTE_RULES, "CB-CN-1", {}, posted_on=LATER)
    assert reversal(note, "R", on=ON, number="").posting_date == LATER
