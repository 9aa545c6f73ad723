"""The comparison sees every seeded fault, and nothing where there is none."""

from dataclasses import replace
from decimal import Decimal

import pytest

from .books import Books, Line
from .cases import (
    a_discount,
    a_line,
    a_note,
    a_refund,
    a_reversal,
    a_tax,
    allocated,
    an_invoice,
    folded,
    journal,
    paying,
    posted,
    still_open,
)
from .compare import differences, gross_differences
from .faults import FAULTS


def a_month() -> Books:
    """One document of each kind that a fault needs; the first is dated by the zone on the first of December."""
    return folded(
        an_invoice(10829, a_line(10000, "pro", "l1"), date="2026-12-01", sub_total=9100, tax=1729,
                   line_item_discounts=[a_discount(900, "document_level_coupon")], line_item_taxes=[a_tax(1729)]),
        paying(10829, I1=10829),
        a_note(4000),
        a_refund(4000),
        an_invoice(5000, id="I2"),
        a_note(5000, id="CN2", type="adjustment", status="adjusted", reference_invoice_id="I2",
               create_reason_code="Write Off", **allocated(5000, "I2")),
        an_invoice(1200, id="I3", currency_code="JPY"),
        an_invoice(12345, id="I4", currency_code="KWD"),
        {**paying(1200), "id": "T2", "currency_code": "JPY"},
        a_reversal(1200, currency_code="JPY", reference_transaction_id="T2"),
        an_invoice(12000, id="I5", linked_taxes_withheld=[{"id": "w", "amount": 1000}]),
        a_note(2000, id="CN3", type="adjustment", status="adjusted", reference_invoice_id="I5",
               **allocated(2000, "I5")),
        **posted("invoice", an_invoice(10000, id="I5")),
    )  # fmt: skip


def test_the_month_is_what_it_should_be():
    books = a_month()
    assert {state for state, _ in books.states.values()} == {"posted"}
    assert journal(books, "invoice", "I1") == [
        "2026-12-01 document: Dr 1200 108.29, Dr 4900 9.00, Cr 2200 17.29, Cr 4000 100.00"
    ]
    assert still_open(books) == {"C1 invoice I3 JPY": "1200", "C1 invoice I4 KWD": "123.45",
                                 "C1 invoice I5 EUR": "90.00"}  # fmt: skip
    assert journal(books, "payment", "T2")[1] == "2026-12-20 reversal: Dr 2100 1200, Cr 1051 1200"


def test_true_books_have_no_differences():
    assert differences(a_month(), a_month()) == []
    assert gross_differences(a_month(), a_month()) == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_the_comparison_sees_the_fault(fault):
    books = a_month()
    false = fault(books)
    assert false != books
    assert any("oracle" in text for text in differences(books, false))


def test_the_difference_names_the_document_and_the_residual():
    books = a_month()
    found = differences(books, FAULTS[5](books))
    assert "trial balance 6000 EUR 2026-12: oracle 50.00, ledger 0, residual -50.00" in found
    assert "document credit_note CN2 6000 () EUR 2026-12: oracle 50.00, ledger 0, residual -50.00" in found


def test_an_unbalanced_journal_is_named():
    books = a_month()
    first = books.entries[0]
    spoiled = replace(first, lines=(*first.lines, Line("4000", Decimal("0.01"), Decimal(0))))
    assert any(text.startswith("unbalanced") for text in differences(books, replace(books, entries=(spoiled,))))


def test_only_the_gross_comparison_sees_a_document_posted_and_reversed_in_one_period():
    voided = an_invoice(10000, status="voided", voided_at="2026-11-30")
    skipped, reversed_ = folded(voided), folded(voided, voided_before_posting="post_and_reverse")
    assert differences(skipped, reversed_) == []
    assert gross_differences(skipped, reversed_) != []


def test_a_ledger_without_open_items_or_document_names_is_compared_by_its_balances():
    books = a_month()
    bare = Books(tuple(replace(entry, kind="", id="") for entry in books.entries))
    assert differences(books, bare) == []


def test_every_journal_balances_and_agrees_with_the_open_items():
    for entry in a_month().entries:
        assert sum(each.debit - each.credit for each in entry.lines) == 0
        owed = sum(each.debit - each.credit for each in entry.lines if each.account in {"1200", "2100"})
        assert owed == sum(move.amount for move in entry.moves)
