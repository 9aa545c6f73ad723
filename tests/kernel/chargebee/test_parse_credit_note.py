"""A credit note becomes a typed record or the list of all that is wrong with it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from connector.chargebee import parse
from connector.chargebee.records import CreditNote
from connector.errors import Problem
from connector.money import Money
from tests.kernel.chargebee.cash_documents import a_note, an_allocation
from tests.kernel.chargebee.documents import DAY, a_line


def parsed(row: Any) -> CreditNote:
    found = parse.credit_note(row, minor_units={})
    assert isinstance(found, CreditNote), [str(problem) for problem in found]
    return found


def problems(row: Any) -> list[Problem]:
    found = parse.credit_note(row, minor_units={})
    assert isinstance(found, list), "the document was believed"
    return found


def eur(text: str) -> Money:
    return Money(Decimal(text), "EUR")


def test_it_reads_every_part_of_a_credit_note():
    note = parsed(a_note(round_off_amount=-1, fractional_correction=2, voided_at=DAY + 9, refunded_at=DAY + 8))
    assert (note.id, note.type, note.status, note.customer_id) == ("CN-1", "refundable", "refund_due", "acme-1")
    assert (note.reference_invoice_id, note.create_reason_code, note.reason_code) == ("INV-1", "Goodwill", "other")
    assert (note.total, note.sub_total, note.lines[0].amount, note.taxes[0].amount) == (
        eur("119"), eur("100"), eur("100"), eur("19"),
    )  # fmt: skip
    assert (note.round_off, note.fractional_correction) == (eur("-0.01"), eur("0.02"))
    assert (note.amount_allocated, note.amount_refunded, note.amount_available) == (eur("40"), eur("50"), eur("29"))
    assert (note.allocations[0].invoice_id, note.allocations[0].allocated) == ("INV-1", eur("40"))
    assert (note.linked_refunds[0].transaction_id, note.linked_refunds[0].applied) == ("txn_r", eur("50"))
    assert note.voided_at == dt.datetime.fromtimestamp(DAY + 9, dt.UTC)
    assert note.is_complete and not note.deleted


def test_it_knows_what_chargebee_leaves_out():
    note = parsed(
        a_note(
            line_items=None, taxes=None, line_item_taxes=None, allocations=None, linked_refunds=None,
            amount_allocated=None, amount_refunded=None, amount_available=None, reference_invoice_id=None,
            create_reason_code=None,
        )
    )  # fmt: skip
    assert (note.lines, note.taxes, note.allocations, note.withheld_refunds) == ((), (), (), ())
    assert (note.amount_allocated, note.amount_refunded, note.amount_available) == (None, None, None)
    assert (note.reference_invoice_id, note.create_reason_code) == ("", "")


def test_it_reads_withheld_tax_that_goes_back():
    row = {"id": "tw_1", "amount": 500, "date": DAY, "reference_number": "W-1"}
    (withheld,) = parsed(a_note(linked_tax_withheld_refunds=[row])).withheld_refunds
    assert (withheld.amount, withheld.reference) == (eur("5"), "W-1")


def test_it_tells_an_unfinished_note():
    assert not parsed(a_note(line_items_next_offset="x")).is_complete


@pytest.mark.parametrize("field", ["id", "type", "status", "customer_id", "price_type", "date", "sub_total", "total"])
def test_it_misses_what_must_be_there(field: str):
    (problem,) = problems(a_note(**{field: None}))
    assert problem.code == "field-missing" and f"'{field}'" in problem.message


@pytest.mark.parametrize("kind", ["adjustment", "refundable", "store"])
def test_it_knows_every_type(kind: str):
    assert parsed(a_note(type=kind)).type == kind


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"type": "gift"}, "value-unknown"),
        ({"status": "paid"}, "value-unknown"),
        ({"total": "119.00"}, "field-wrong-type"),
        ({"total": -1}, "amount-negative"),
        ({"total": 2**53}, "amount-out-of-range"),
        ({"date": "today"}, "field-wrong-type"),
        ({"currency_code": "CLP"}, "currency-unconfirmed"),
        ({"allocations": [an_allocation(invoice_id=None)]}, "field-missing"),
        ({"allocations": [an_allocation(allocated_amount=1.5)]}, "field-wrong-type"),
        ({"allocations": {}}, "field-wrong-type"),
        ({"linked_refunds": [{"txn_id": "t", "applied_amount": 1, "txn_status": "maybe"}]}, "value-unknown"),
        ({"line_items": [a_line(entity_type="gift_card")]}, "value-unknown"),
    ],
)
def test_it_believes_nothing_wrong(changes: dict[str, Any], code: str):
    (problem,) = problems(a_note(**changes))
    assert problem.code == code
    assert problem.subject == "Credit note 'CN-1'"


def test_it_says_all_that_is_wrong_at_once():
    assert {problem.code for problem in problems(a_note(type="x", total=None, id=""))} == {
        "value-unknown", "field-missing",
    }  # fmt: skip
    assert [problem.code for problem in problems(["not", "an", "object"])] == ["document-not-an-object"]
