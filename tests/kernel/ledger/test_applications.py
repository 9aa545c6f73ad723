"""Edges: what rides in a document, what is applied later, and what is taken back."""

from __future__ import annotations

import datetime as dt

import pytest

from connector.ledger.applications import adjustment, edge_changes, edge_id, riding
from connector.ledger.documents import Adjustment, Unapplication
from tests.kernel.ledger.cases import LATER, ON, a_table, eur, invoices, posted, told, without

PAYMENT = posted("txn_1", kind="payment")
NOTE = posted("CN-1", kind="credit_note")


def applied(change, credit=PAYMENT, invoice=None, table=None, **options):
    return adjustment(
        eur(change), credit, invoice or posted("INV-1", LATER), "CB-APP-1", owner_id="txn_1", invoice_id="INV-1",
        table=table or a_table(), **options,
    )  # fmt: skip


def test_an_edge_rides_once_its_invoice_is_posted_by_that_day():
    known = {**invoices("A"), **invoices("B", on=LATER), **invoices("C", customer="C2")}
    wanted = {name: eur("1") for name in "ABCD"}
    assert [row.source_id for row in riding(wanted, known, customer="C1", on=ON)] == ["A"]
    assert [row.source_id for row in riding(wanted, known, customer="C1", on=LATER)] == ["A", "B"]


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ({}, {}, {}),
        ({}, {"A": "5"}, {"A": "5"}),
        ({"A": "5"}, {"A": "5"}, {}),
        ({"A": "5"}, {}, {"A": "-5"}),
        ({"A": "5"}, {"A": "7"}, {"A": "2"}),
        ({"A": "5"}, {"A": "2"}, {"A": "-3"}),
        ({"A": "5"}, {"B": "5"}, {"A": "-5", "B": "5"}),
    ],
)
def test_changes_lead_from_what_qad_has_to_what_chargebee_has(before, after, changes):
    def amounts(rows):
        return {name: eur(amount) for name, amount in rows.items()}

    assert edge_changes(amounts(before), amounts(after)) == amounts(changes)


def test_what_is_taken_back_comes_first():
    changes = edge_changes({"Z": eur("5")}, {"A": eur("5")})
    assert list(changes) == ["Z", "A"]


def test_a_late_application_is_dated_by_the_later_document():
    document = applied("5")
    assert type(document) is Adjustment
    assert (document.posting_date, document.customer, document.description) == (LATER, "C1", "txn_1 to invoice INV-1")
    assert told(document) == ["Dr 2460 5.00", "Cr 1200 5.00"]
    assert applied("5", invoice=posted("INV-1", ON - dt.timedelta(days=9))).posting_date == ON


def test_an_application_that_is_gone_is_taken_back_on_its_day():
    gone = LATER + dt.timedelta(days=3)
    document = applied("-5", on=gone)
    assert type(document) is Unapplication
    assert (document.posting_date, document.applications[0].amount) == (gone, eur("5"))
    assert told(document) == ["Cr 2460 5.00", "Dr 1200 5.00"]


def test_only_open_items_move_where_on_account_has_no_account_of_its_own():
    assert told(applied("5", table=without("on_account"))) == []
    assert told(applied("5", credit=NOTE)) == []
    assert told(applied("-5", credit=NOTE)) == []


def test_an_edge_between_two_customers_is_held_alone():
    found = applied("5", invoice=posted("INV-1", customer="C2"))
    assert told(found) == ["edge-of-another-customer"]
    assert "Payment txn_1 of QAD customer C1 settles invoice INV-1 of QAD customer C2" in found[0].message


def test_an_edge_has_a_name_of_its_own():
    assert edge_id("txn_1", "INV-1") == "txn_1/INV-1"
