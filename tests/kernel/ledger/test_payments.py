"""A payment becomes a document for QAD, is skipped by a named rule, or is held with all its problems."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from connector.ledger import payments
from connector.ledger.coding import BankRule
from connector.ledger.documents import Coding, CustomerPayment, JournalEntry
from connector.ledger.payments import TransactionRules, edges, projection
from tests.kernel.chargebee.cash_documents import a_linked_invoice
from tests.kernel.chargebee.documents import DAY
from tests.kernel.ledger.cases import (
    LATER,
    ON,
    RULES,
    START,
    ZONE,
    a_payment,
    a_table,
    eur,
    invoices,
    told,
    without,
)

TO_CLEARING = TransactionRules(ZONE, payment_mode="journal_to_clearing")
OFFLINE = {"gateway": "not_applicable", "payment_method": "check", "id_at_gateway": None, "reference_number": "C-77"}


def translated(payment, table=None, rules=RULES, posted=None, **options):
    posted = invoices("INV-1", "INV-2") if posted is None else posted
    return payments.translate(payment, table or a_table(), rules, "CB-PAY-1", posted, **options)


def test_it_settles_its_invoices_and_leaves_the_rest_on_account():
    document = translated(a_payment())
    assert isinstance(document, CustomerPayment)
    assert told(document) == ["Dr 1090 200.00", "Cr 1200 150.00", "Cr 2460 50.00"]
    assert [(row.reference, row.amount) for row in document.applications] == [
        ("CB-INV-1", eur("119")), ("CB-INV-2", eur("31")),
    ]  # fmt: skip
    assert (document.customer, document.posting_date, document.total) == ("C1", ON, eur("200"))
    assert (document.payment_method, document.payment_reference) == ("card", "ch_1")


def test_without_an_account_for_it_the_rest_stays_on_the_receivable():
    document = translated(a_payment(), without("on_account"))
    assert told(document) == ["Dr 1090 200.00", "Cr 1200 150.00", "Cr 1200 50.00"]


@pytest.mark.parametrize(
    ("posted", "journal"),
    [
        ({}, ["Dr 1090 200.00", "Cr 2460 200.00"]),
        (invoices("INV-2"), ["Dr 1090 200.00", "Cr 1200 31.00", "Cr 2460 169.00"]),
        (invoices("INV-1", "INV-2", on=LATER), ["Dr 1090 200.00", "Cr 2460 200.00"]),
        (invoices("INV-1", "INV-2", customer="C2"), ["Dr 1090 200.00", "Cr 2460 200.00"]),
    ],
    ids=["held invoices", "one held", "posted later", "another customer's"],
)
def test_an_invoice_never_holds_up_cash(posted, journal):
    assert told(translated(a_payment(), posted=posted)) == journal


def test_it_is_a_journal_to_clearing_where_the_policy_says_so():
    document = translated(a_payment(), rules=TO_CLEARING)
    assert isinstance(document, JournalEntry)
    assert told(document) == ["Dr 1090 200.00", "Cr 2460 200.00"]
    assert (document.customer, document.description) == ("C1", "Chargebee payment txn_1")


def test_a_journal_never_touches_the_receivable():
    assert told(translated(a_payment(), without("on_account"), TO_CLEARING)) == ["role-not-mapped"]


def test_it_goes_where_the_bank_mapping_says_in_the_daybook_that_it_names():
    bank = BankRule("stripe", "card", "", START, Coding("1090"), "CPAY2")
    document = translated(a_payment(), replace(a_table(), banks=(bank,)))
    assert (document.account.gl_account, document.daybook) == ("1090", "CPAY2")


def test_it_says_which_bank_mapping_is_missing():
    (problem,) = translated(a_payment(gateway="paypal"))
    assert problem.code == "bank-not-mapped"
    assert "'paypal' by card in EUR" in problem.message
    assert "Mappings > Bank mappings" in problem.fix and problem.link == "bank_mappings"


@pytest.mark.parametrize(
    ("changes", "rules", "code"),
    [
        ({}, RULES, ["offline-in-qad"]),
        ({}, TransactionRules(ZONE, offline={"bank_transfer": "chargebee"}), ["offline-in-qad"]),
        ({}, TransactionRules(ZONE, offline={"": "chargebee", "check": "qad"}), ["offline-in-qad"]),
    ],
)
def test_an_offline_payment_waits_for_the_qad_receipt(changes, rules, code):
    found = translated(a_payment(**{**OFFLINE, **changes}), rules=rules)
    assert told(found) == code
    assert "check" in found[0].message and "Match it to the QAD receipt" in found[0].fix


@pytest.mark.parametrize("offline", [{"check": "chargebee"}, {"": "chargebee"}, {"": "qad", "check": "chargebee"}])
def test_an_offline_payment_is_posted_where_chargebee_is_the_origin(offline):
    document = translated(a_payment(**OFFLINE), rules=TransactionRules(ZONE, offline=offline))
    assert (document.account.gl_account, document.payment_reference) == ("1010", "C-77")


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({}, None),
        ({"type": "refund"}, None),
        ({"type": "authorization"}, "authorization"),
        ({"status": "failure"}, "payment-failed"),
        ({"status": "in_progress"}, "payment-in-progress"),
        ({"status": "timeout"}, "payment-timed-out"),
        ({"status": "needs_attention"}, "payment-needs-attention"),
        ({"status": "voided"}, "voided-before-posting"),
        ({"status": "late_failure"}, "late-failure-before-posting"),
        ({"deleted": True}, "deleted-before-posting"),
        ({"amount": 0}, "zero-amount"),
        ({"type": "payment_reversal", "status": "failure"}, "payment-failed"),
        ({"type": "payment_reversal"}, None),
    ],
)
def test_it_is_skipped_by_a_named_rule(changes, rule):
    skipped = payments.skip_rule(a_payment(**changes), RULES)
    assert (skipped.rule if skipped else None) == rule
    assert skipped is None or skipped.sentence.endswith(".")


def test_what_belongs_to_others_or_was_matched_is_skipped():
    own = TransactionRules(ZONE, business_entities=("own",))
    assert payments.skip_rule(a_payment(business_entity_id="other"), own).rule == "other-entity"
    assert payments.skip_rule(a_payment(business_entity_id="own"), own) is None
    assert payments.skip_rule(a_payment(**OFFLINE), RULES, {"txn_1"}).rule == "booked-in-qad"


def test_only_money_that_came_in_settles_anything():
    assert edges(a_payment()) == {"INV-1": eur("119"), "INV-2": eur("31")}
    for changes in ({"status": "failure"}, {"status": "in_progress"}, {"deleted": True}, {"type": "refund"}):
        assert edges(a_payment(**changes)) == {}


def test_it_takes_the_day_that_a_closed_period_moved_it_to():
    document = translated(a_payment(), posted=invoices("INV-1", on=LATER), posted_on=LATER)
    assert (document.document_date, document.posting_date) == (ON, LATER)
    assert [row.source_id for row in document.applications] == ["INV-1"]  # it rides by the new day


def test_it_takes_the_accounts_of_its_posting_date():
    moved = BankRule("stripe", "", "", LATER, Coding("1010"))
    table = replace(a_table(), banks=(*a_table().banks, moved))
    assert translated(a_payment(), table).account.gl_account == "1090"
    assert translated(a_payment(), table, posted_on=LATER).account.gl_account == "1010"


@pytest.mark.parametrize(
    ("changes", "table", "codes"),
    [
        ({"customer_id": None}, a_table(), ["customer-not-linked"]),
        ({"date": None, "settled_at": None}, a_table(), ["date-missing"]),
        ({}, a_table(accounts={}), ["account-unknown"]),
        ({"amount": 20_001, "gateway": "paypal"}, a_table(), ["identity-p1", "bank-not-mapped"]),
    ],
)
def test_it_tells_everything_that_holds_it(changes, table, codes):
    assert told(translated(a_payment(**changes), table)) == codes


def test_it_falls_back_to_the_day_on_which_it_became_final():
    assert translated(a_payment(date=None)).posting_date == ON


@pytest.mark.parametrize(
    "changes",
    [
        {"linked_invoices": [a_linked_invoice()], "amount_unused": 7_100},
        {"status": "late_failure"},
        {"updated_at": DAY + 99, "resource_version": 2, "reversal_transaction_id": "v"},
    ],
)
def test_an_application_that_changes_is_no_edit(changes):
    assert projection(a_payment(**changes)) == projection(a_payment())


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": 1},
        {"date": DAY + 86_400},
        {"gateway": "paypal"},
        {"payment_method": "check"},
        {"customer_id": "beta"},
    ],
)
def test_an_edit_changes_what_was_posted(changes):
    assert projection(a_payment(**changes)) != projection(a_payment())


def test_it_dates_by_the_accounting_zone():
    late = dt.datetime(2026, 5, 31, 22, 30, tzinfo=dt.UTC)
    assert translated(a_payment(date=int(late.timestamp()))).posting_date == dt.date(2026, 6, 1)


@pytest.mark.parametrize("kind", ["refund", "payment_reversal", "authorization"])
def test_nothing_but_a_payment_is_booked_as_money_in(kind):
    with pytest.raises(ValueError, match=kind):
        translated(a_payment(type=kind))
