"""A credit note becomes a document for QAD, is skipped by a named rule, or is held with all its problems."""

from __future__ import annotations

import datetime as dt

import pytest

from connector.ledger import credit_notes
from connector.ledger.coding import CustomerFacts
from connector.ledger.credit_notes import CreditNoteRules, edges, is_invoice_void, is_write_off, parent, projection
from tests.kernel.chargebee.cash_documents import an_allocation
from tests.kernel.chargebee.documents import DAY, a_line
from tests.kernel.ledger.cases import (
    LATER,
    NOTE_RULES,
    ON,
    ZONE,
    a_note,
    a_plain_note,
    a_table,
    eur,
    invoices,
    told,
    without,
)

ADJUSTMENT = {"type": "adjustment", "status": "adjusted"}
WRITE_OFF = {**ADJUSTMENT, "create_reason_code": "Write Off"}


def translated(note, table=None, rules=NOTE_RULES, posted=None, **options):
    posted = invoices("INV-1") if posted is None else posted
    return credit_notes.translate(note, table or a_table(), rules, "CB-CN-1", posted, **options)


def test_it_takes_back_lines_and_taxes_and_rides_to_its_invoice():
    document = translated(a_note())
    assert told(document) == ["Cr 1200 119.00", "Dr 4000 100.00", "Dr 2230 19.00"]
    assert (document.customer, document.total, document.reference) == ("C1", eur("119"), "CB-CN-1")
    assert (document.document_date, document.posting_date) == (ON, ON)
    (application,) = document.applications
    assert (application.reference, application.number, application.amount) == ("CB-INV-1", "2026-INV-1", eur("40"))
    assert document.original_number == "2026-INV-1"


@pytest.mark.parametrize(
    ("changes", "journal"),
    [
        ({"price_type": "tax_inclusive", "total": 10_000, "amount_available": 1_000},
         ["Cr 1200 100.00", "Dr 4000 81.00", "Dr 2230 19.00"]),
        ({"total": 11_902, "amount_available": 2_902, "fractional_correction": 2},
         ["Cr 1200 119.02", "Dr 4000 100.00", "Dr 6900 0.02", "Dr 2230 19.00"]),
        ({"total": 11_899, "amount_available": 2_899, "round_off_amount": -3, "fractional_correction": 2},
         ["Cr 1200 118.99", "Dr 4000 100.00", "Cr 6900 0.01", "Dr 2230 19.00"]),
        ({"type": "store", "line_items": [a_line(tax_amount=0)], "line_item_taxes": [], "taxes": [], "total": 10_000,
          "amount_available": 1_000}, ["Cr 1200 100.00", "Dr 4000 100.00"]),
        ({"line_items": [a_line(amount=11_000, discount_amount=1_000)],
          "line_item_discounts": [{"line_item_id": "li_1", "discount_type": "promotional_credits",
                                   "discount_amount": 1_000}]},
         ["Cr 1200 119.00", "Dr 4000 110.00", "Cr 4850 10.00", "Dr 2230 19.00"]),
        (WRITE_OFF, ["Cr 1200 119.00", "Dr 6500 119.00"]),
    ],
)  # fmt: skip
def test_it_posts_what_the_note_says_and_computes_nothing(changes, journal):
    assert told(translated(a_note(**changes))) == journal


def test_a_rounding_line_says_why_it_is_there():
    document = translated(a_note(total=11_902, amount_available=2_902, fractional_correction=2))
    (cause,) = [line.cause for line in document.lines if line.kind == "rounding"]
    assert cause == "Chargebee corrected fractions by 0.02 EUR"


def test_a_write_off_never_needs_the_accounts_of_its_lines():
    assert told(translated(a_note(**WRITE_OFF), a_table(items=(), taxes=()))) == ["Cr 1200 119.00", "Dr 6500 119.00"]


def test_a_write_off_gives_its_tax_back_where_the_policy_says_so():
    relief = CreditNoteRules(ZONE, write_off_tax="relief")
    assert told(translated(a_note(**WRITE_OFF), rules=relief)) == ["Cr 1200 119.00", "Dr 6500 100.00", "Dr 2230 19.00"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (WRITE_OFF, True),
        ({**WRITE_OFF, "create_reason_code": "write off"}, True),
        ({**WRITE_OFF, "type": "refundable"}, False),
        ({**ADJUSTMENT, "create_reason_code": None, "reason_code": "write_off"}, True),
        ({**ADJUSTMENT, "create_reason_code": "Goodwill", "reason_code": "write_off"}, False),
    ],
)
def test_the_sites_own_reason_makes_a_write_off(changes, expected):
    assert is_write_off(a_note(**changes)) is expected


def test_it_knows_the_note_of_a_voided_invoice():
    assert is_invoice_void(a_note(create_reason_code="Invoice Void"))
    assert not is_invoice_void(a_note(create_reason_code="Order Change"))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (ADJUSTMENT, "INV-1"),
        ({"create_reason_code": "Invoice Void"}, "INV-1"),
        ({"type": "refundable"}, ""),
        ({"type": "store"}, ""),
    ],
)
def test_only_an_adjustment_waits_for_its_invoice(changes, expected):
    assert parent(a_note(**changes)) == expected


@pytest.mark.parametrize(
    ("changes", "rules", "rule"),
    [
        ({}, NOTE_RULES, None),
        ({"deleted": True}, NOTE_RULES, "deleted-before-posting"),
        ({"status": "voided"}, NOTE_RULES, "voided-before-posting"),
        ({"status": "voided"}, CreditNoteRules(ZONE, voided_before_posting="post_and_reverse"), None),
        ({"business_entity_id": "other"}, CreditNoteRules(ZONE, business_entities=("own",)), "other-entity"),
        ({"business_entity_id": "own"}, CreditNoteRules(ZONE, business_entities=("own",)), None),
    ],
)
def test_it_is_skipped_by_a_named_rule(changes, rules, rule):
    skipped = credit_notes.skip_rule(a_note(**changes), rules)
    assert (skipped.rule if skipped else None) == rule


def test_its_edges_are_the_sum_of_its_allocations():
    rows = [an_allocation(allocated_amount=1_000), an_allocation(invoice_id="INV-2", allocated_amount=2_000),
            an_allocation(allocated_amount=1_000), an_allocation(invoice_id="INV-3", allocated_amount=0)]  # fmt: skip
    assert edges(a_note(allocations=rows)) == {"INV-1": eur("20"), "INV-2": eur("20")}


@pytest.mark.parametrize("changes", [{"status": "voided"}, {"deleted": True}])
def test_a_note_that_is_gone_settles_nothing(changes):
    assert edges(a_note(**changes)) == {}


def test_it_is_never_dated_before_the_invoice_that_it_corrects():
    document = translated(a_note(), posted=invoices("INV-1", on=LATER))
    assert (document.document_date, document.posting_date) == (ON, LATER)
    assert len(document.applications) == 1


def test_it_takes_the_day_that_a_closed_period_moved_it_to():
    moved = dt.date(2026, 7, 1)
    assert translated(a_note(), posted_on=moved).posting_date == moved
    assert translated(a_note(), posted=invoices("INV-1", on=LATER), posted_on=ON).posting_date == LATER


@pytest.mark.parametrize(
    "posted", [{}, invoices("INV-2"), invoices("INV-1", customer="C2")], ids=["none", "another", "another customer's"]
)
def test_an_invoice_that_is_not_there_holds_up_no_note(posted):
    document = translated(a_note(), posted=posted)
    assert document.applications == ()
    assert told(document)[0] == "Cr 1200 119.00"


def test_it_dates_by_the_accounting_zone():
    late = dt.datetime(2026, 5, 31, 22, 30, tzinfo=dt.UTC)  # half past midnight in Berlin
    assert translated(a_note(date=int(late.timestamp()))).posting_date == dt.date(2026, 6, 1)


@pytest.mark.parametrize(
    ("changes", "table", "codes"),
    [
        ({}, a_table(items=()), ["item-not-mapped"]),
        ({}, a_table(taxes=()), ["tax-not-mapped"]),
        (WRITE_OFF, without("write_off"), ["role-not-mapped"]),
        ({"total": 11_902, "amount_available": 2_902, "fractional_correction": 2}, without("round_off"),
         ["role-not-mapped"]),
        ({}, a_table(accounts={}), ["account-unknown", "account-unknown"]),
        ({"customer_id": "nobody"}, a_table(), ["customer-not-linked"]),
        ({}, a_table(customers_known={"C1": CustomerFacts(is_active=False)}), ["customer-inactive"]),
        ({"amount_available": 1}, a_table(items=()), ["identity-c3", "item-not-mapped"]),
    ],
)  # fmt: skip
def test_it_tells_everything_that_holds_it(changes, table, codes):
    assert told(translated(a_note(**changes), table)) == codes


def test_without_taxes_by_line_it_posts_the_documents_own():
    assert told(translated(a_note(line_item_taxes=[]))) == ["Cr 1200 119.00", "Dr 4000 100.00", "Dr 2230 19.00"]


def test_it_holds_a_difference_that_nothing_explains():
    """The lines say one cent more of tax than the taxes do, inside prices that include it."""
    lines = [a_line(tax_amount=1_901)]
    note = a_note(price_type="tax_inclusive", total=10_000, amount_available=1_000, line_items=lines)
    assert told(translated(note))[2] == "Dr 6900 0.01"
    (problem,) = translated(note, rules=CreditNoteRules(ZONE, rounding_tolerance_minor=0))
    assert problem.code == "rounding-too-large" and "Credit note CN-1" in problem.message and "0.01" in problem.message


@pytest.mark.parametrize(
    "changes",
    [
        {"allocations": [], "amount_allocated": 0, "amount_available": 6_900},
        {"linked_refunds": [], "amount_refunded": 0, "amount_available": 7_900},
        {"status": "refunded", "updated_at": DAY + 99, "resource_version": 2},
        {"status": "voided", "voided_at": DAY + 99},
    ],
)
def test_what_happens_to_a_note_later_is_no_change_of_what_was_posted(changes):
    assert projection(a_note(**changes)) == projection(a_note())


@pytest.mark.parametrize(
    "changes",
    [
        {"total": 11_901}, {"date": DAY + 86_400}, {"customer_id": "beta"}, {"fractional_correction": 1},
        {"line_items": [a_line(entity_id="other")]}, {"taxes": [{"name": "GST", "amount": 1_900}]}, WRITE_OFF,
        {"price_type": "tax_inclusive"},
    ],
)  # fmt: skip
def test_an_edit_changes_what_was_posted(changes):
    assert projection(a_note(**changes)) != projection(a_note())


@pytest.mark.parametrize(("currency", "total", "shown"), [("JPY", 1_200, "1200"), ("KWD", 1_250, "12.50")])
def test_it_keeps_the_digits_of_the_currency(currency, total, shown):
    note = a_plain_note(total, currency_code=currency)
    assert told(translated(note)) == [f"Cr 1200 {shown}", f"Dr 4000 {shown}"]
