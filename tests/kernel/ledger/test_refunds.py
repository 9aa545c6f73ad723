"""A refund is money out once: against credit notes, or what a payment left unused, the way its payment was posted."""

from __future__ import annotations

import datetime as dt

import pytest

from connector.ledger import refunds
from connector.ledger.documents import CustomerRefund, JournalEntry
from connector.ledger.payments import TransactionRules, projection
from connector.ledger.refunds import RefundParents
from connector.ledger.withheld import withheld_returned
from tests.kernel.chargebee.documents import DAY
from tests.kernel.ledger.cases import (
    LATER,
    ON,
    RULES,
    ZONE,
    a_note,
    a_payment,
    a_refund,
    a_table,
    eur,
    posted,
    told,
    without,
)

NOTE = posted("CN-1", kind="credit_note")
PAYMENT = posted("txn_1", kind="payment")
PARENTS = RefundParents(a_payment(), PAYMENT, {"CN-1": NOTE})
CHEQUE = {"gateway": "not_applicable", "payment_method": "check"}


def translated(refund, table=None, rules=RULES, parents=PARENTS, **options):
    return refunds.translate(refund, table or a_table(), rules, "CB-REF-1", parents, **options)


def test_it_pays_a_credit_note_out():
    document = translated(a_refund())
    assert isinstance(document, CustomerRefund)
    assert told(document) == ["Cr 1090 50.00", "Dr 1200 50.00"]
    (application,) = document.applications
    assert (application.reference, application.kind, application.amount) == ("CB-CN-1", "credit_note", eur("50"))
    assert (document.original_reference, document.original_number) == ("CB-txn_1", "2026-txn_1")


def test_it_gives_back_what_a_payment_left_unused():
    document = translated(a_refund(linked_credit_notes=None))
    assert told(document) == ["Cr 1090 50.00", "Dr 2460 50.00"]
    assert [(row.reference, row.kind) for row in document.applications] == [("CB-txn_1", "payment")]


def test_what_its_note_does_not_cover_comes_from_the_payment():
    assert told(translated(a_refund(amount=6_000))) == ["Cr 1090 60.00", "Dr 1200 50.00", "Dr 2460 10.00"]


@pytest.mark.parametrize(
    ("changes", "payment", "account"),
    [
        ({}, {}, "1090"),
        (CHEQUE, {}, "1010"),
        ({"gateway": "paypal"}, {}, "1090"),  # its payment's
        ({"gateway": "paypal"}, {"gateway": "paypal"}, "1099"),  # refund clearing
        ({"payment_method": "chargeback"}, {}, "1090"),
        ({**CHEQUE, "payment_method": "chargeback"}, {}, "1090"),
        ({"payment_method": "chargeback"}, CHEQUE, "1010"),
        ({"payment_method": "chargeback"}, {"gateway": "paypal"}, "1090"),  # its own
    ],
)
def test_money_leaves_where_it_should(changes, payment, account):
    parents = RefundParents(a_payment(**payment), PAYMENT, {"CN-1": NOTE})
    assert translated(a_refund(**changes), parents=parents).account.gl_account == account


def test_all_refunds_leave_through_clearing_where_the_policy_says_so():
    rules = TransactionRules(ZONE, refund_account="refund_clearing")
    assert translated(a_refund(), rules=rules).account.gl_account == "1099"
    assert told(translated(a_refund(), without("refund_clearing"), rules)) == ["role-not-mapped"]


def test_it_says_which_bank_mapping_is_missing():
    parents = RefundParents(None, PAYMENT, {"CN-1": NOTE})
    found = translated(a_refund(gateway="paypal"), without("refund_clearing"), parents=parents)
    assert told(found) == ["bank-not-mapped"] and "Refund txn_r" in found[0].message


@pytest.mark.parametrize(
    ("mode", "kind", "document"),
    [
        ("customer_payment", "payment", CustomerRefund),
        ("customer_payment", "journal", JournalEntry),
        ("journal_to_clearing", "payment", CustomerRefund),
        ("journal_to_clearing", "journal", JournalEntry),
    ],
)
def test_it_follows_the_way_its_payment_was_posted(mode, kind, document):
    parents = RefundParents(a_payment(), posted("txn_1", kind=kind), {"CN-1": NOTE})
    assert isinstance(
        translated(a_refund(), rules=TransactionRules(ZONE, payment_mode=mode), parents=parents), document
    )


def test_a_journal_gives_the_cash_back_from_on_account():
    parents = RefundParents(a_payment(), posted("txn_1", kind="journal"), {})
    assert told(translated(a_refund(), parents=parents)) == ["Cr 1090 50.00", "Dr 2460 50.00"]
    assert told(translated(a_refund(), without("on_account"), parents=parents)) == ["role-not-mapped"]


def test_an_offline_refund_of_a_payment_that_we_post_is_posted():
    assert told(translated(a_refund(**CHEQUE))) == ["Cr 1010 50.00", "Dr 1200 50.00"]


def test_an_offline_refund_alone_waits_for_qad():
    alone = RefundParents(notes={"CN-1": NOTE})
    assert told(translated(a_refund(**CHEQUE), parents=alone)) == ["offline-in-qad"]
    ours = TransactionRules(ZONE, offline={"check": "chargebee"})
    assert told(translated(a_refund(**CHEQUE), rules=ours, parents=alone)) == ["Cr 1010 50.00", "Dr 1200 50.00"]


@pytest.mark.parametrize(
    ("changes", "parents", "codes"),
    [
        ({}, RefundParents(a_payment(), PAYMENT), ["parent-not-posted"]),
        ({"linked_credit_notes": None}, RefundParents(a_payment()), ["parent-not-posted"]),
        ({"linked_credit_notes": None, "refunded_txn_id": None}, PARENTS, ["refund-without-payment"]),
        ({"amount": 4_999}, PARENTS, ["identity-r1"]),
        ({"customer_id": "beta"}, PARENTS, ["edge-of-another-customer"]),
        ({"date": None, "settled_at": None}, PARENTS, ["date-missing"]),
    ],
)
def test_it_tells_everything_that_holds_it(changes, parents, codes):
    assert told(translated(a_refund(**changes), parents=parents)) == codes


@pytest.mark.parametrize(
    "parents",
    [RefundParents(None, PAYMENT, {"CN-1": posted("CN-1", LATER, kind="credit_note")}),
     RefundParents(None, posted("txn_1", LATER, kind="payment"), {"CN-1": NOTE})],
)  # fmt: skip
def test_it_is_never_dated_before_what_it_gives_back(parents):
    document = translated(a_refund(), parents=parents, posted_on=ON)
    assert (document.document_date, document.posting_date) == (ON, LATER)


def test_it_takes_the_day_that_a_closed_period_moved_it_to():
    assert translated(a_refund(), posted_on=LATER).posting_date == LATER


def test_what_its_notes_take_is_part_of_what_was_posted():
    other = [{"cn_id": "CN-2", "applied_amount": 5_000}]
    assert projection(a_refund(linked_credit_notes=other)) != projection(a_refund())
    assert projection(a_refund(status="late_failure")) == projection(a_refund())


def test_withheld_tax_goes_back_with_its_note():
    rows = [{"id": "w1", "amount": 500, "date": DAY + 10 * 86_400}, {"id": "w2", "amount": 100}]
    document = withheld_returned(a_note(linked_tax_withheld_refunds=rows), a_table(), ZONE, "CB-WHT-1", NOTE)
    assert told(document) == ["Cr 1250 6.00", "Dr 1200 6.00"]
    assert document.posting_date == ON + dt.timedelta(days=10)
    assert document.applications[0].reference == "CB-CN-1"


def test_most_notes_return_no_withheld_tax():
    assert withheld_returned(a_note(), a_table(), ZONE, "R", NOTE) is None
    rows = [{"id": "w1", "amount": 500}]
    found = withheld_returned(a_note(linked_tax_withheld_refunds=rows), without("withheld_tax"), ZONE, "R", NOTE)
    assert told(found) == ["role-not-mapped"]


def test_nothing_but_a_refund_is_booked_as_money_out():
    with pytest.raises(ValueError, match="payment"):
        translated(a_payment())
