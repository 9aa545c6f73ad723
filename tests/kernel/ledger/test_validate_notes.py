"""Each identity of a credit note holds alone: a breach is found by its own check and shows both numbers."""

from __future__ import annotations

import pytest

from connector.ledger.validate_notes import NOTE_CHECKS, note_problems
from tests.kernel.chargebee.cash_documents import an_allocation
from tests.kernel.chargebee.documents import a_line
from tests.kernel.ledger.cases import a_note, a_plain_note

TOTAL = {"total": 11_902, "amount_available": 2_902}
DISCOUNT = {"line_item_id": "li_1", "discount_type": "item_level_coupon", "discount_amount": 300}


def test_it_believes_a_sound_note():
    assert note_problems(a_note()) == []


@pytest.mark.parametrize(
    "changes",
    [
        {**TOTAL, "fractional_correction": 2},
        {**TOTAL, "round_off_amount": 2},
        {"price_type": "tax_inclusive", "total": 10_000, "amount_available": 1_000},
        {"taxes": []},  # by line only
        {"status": "voided", "amount_available": 11_900},  # keeps its whole total available
        {"amount_available": None, "amount_allocated": None, "amount_refunded": None},
        {"type": "store", "line_item_taxes": [], "taxes": [], "line_items": [a_line(tax_amount=0)], "total": 10_000,
         "amount_available": 1_000},
        {"linked_refunds": [{"txn_id": "r", "applied_amount": 5_000, "txn_status": "success"},
                            {"txn_id": "s", "applied_amount": 700, "txn_status": "failure"}]},
        {"linked_tax_withheld_refunds": [{"id": "w", "amount": 500}], "amount_refunded": 5_500,
         "amount_available": 2_400},
    ],
)  # fmt: skip
def test_it_believes_what_chargebee_makes(changes):
    assert note_problems(a_note(**changes)) == []


@pytest.mark.parametrize(
    ("changes", "code", "numbers"),
    [
        ({"sub_total": 9_999, "total": 11_899, "amount_available": 2_899}, "identity-c1", ("99.99", "100.00", "-0.01")),
        ({"line_item_discounts": [DISCOUNT]}, "identity-c1", ("3.00", "0.00")),
        (TOTAL, "identity-c2", ("119.02", "119.00", "0.02")),
        ({"amount_available": 2_899}, "identity-c3", ("119.00", "118.99")),
        ({"amount_allocated": 3_000, "amount_available": 3_900}, "identity-c4", ("30.00", "40.00")),
        ({"amount_refunded": 4_000, "amount_available": 3_900}, "identity-c5", ("40.00", "50.00")),
        ({"line_items": [a_line(tax_amount=1_500)]}, "identity-c6", ("19.00", "15.00", "4.00")),
        ({"type": "adjustment", "allocations": [an_allocation(invoice_id="INV-9")]}, "edge-of-another-invoice",
         ("INV-1", "INV-9")),
        ({"line_items_next_offset": "x"}, "lines-missing", ()),
    ],
)  # fmt: skip
def test_it_shows_what_differs(changes, code, numbers):
    (problem,) = note_problems(a_note(**changes))
    assert problem.code == code
    assert problem.message.startswith("Credit note CN-1")
    assert all(number in problem.message for number in numbers)


def test_it_allows_tax_a_unit_for_each_line():
    assert note_problems(a_note(line_items=[a_line(tax_amount=1_901)])) == []
    assert note_problems(a_note(line_items=[a_line(tax_amount=1_902)])) != []


@pytest.mark.parametrize("check", NOTE_CHECKS, ids=lambda check: check.__name__)
def test_each_check_lets_a_sound_note_pass(check):
    assert check(a_note()) is None
    assert check(a_plain_note(20_000, fractional_correction=0)) is None


def test_it_knows_the_real_fractional_correction():
    """Seen in a real payload: sub_total 19998, fractional_correction 2, total 20000."""
    lines = [a_line(amount=19_998, tax_amount=0)]
    note = a_plain_note(20_000, sub_total=19_998, fractional_correction=2, line_items=lines)
    assert note_problems(note) == []
