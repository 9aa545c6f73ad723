"""An invoice's copy of its applications is judged against each credit note and payment that is known."""

from __future__ import annotations

import pytest

from connector.ledger.copies import copy_problems, named_notes, named_payments
from tests.kernel.chargebee import documents as raw
from tests.kernel.ledger.cases import a_note, a_payment, an_invoice

OPEN = {"linked_payments": [], "amount_paid": 0, "amount_due": 11_900, "status": "payment_due"}


def test_copies_that_agree_say_nothing_and_an_unread_owner_is_not_judged():
    assert copy_problems(an_invoice(), [a_payment()]) == []
    assert copy_problems(an_invoice(), []) == []


def test_an_owner_that_does_not_name_the_invoice_disagrees_with_one_that_names_it():
    (problem,) = copy_problems(an_invoice(), [a_payment(linked_invoices=[], amount_unused=19_000)])
    assert problem.code == "identity-e1" and "0.00 EUR" in problem.message and "119.00 EUR" in problem.message


def test_an_owner_says_one_thing_about_an_invoice_that_has_no_copy():
    (problem,) = copy_problems(an_invoice(**OPEN), [a_payment()])
    assert "is 119.00 EUR" in problem.message and "is 0.00 EUR" in problem.message


@pytest.mark.parametrize("status", ["failure", "late_failure", "in_progress", "timeout", "voided"])
def test_a_payment_that_did_not_succeed_settles_nothing_on_either_side(status):
    row = raw.a_payment(txn_status=status)
    assert copy_problems(an_invoice(**{**OPEN, "linked_payments": [row]}), [a_payment(status=status)]) == []


@pytest.mark.parametrize("name", ["applied_credits", "adjustment_credit_notes"])
def test_a_voided_note_settles_nothing_on_either_side(name):
    kind = "adjustment" if name == "adjustment_credit_notes" else "refundable"
    row = {"cn_id": "CN-1", "applied_amount": 4_000, "cn_total": 4_000, "cn_status": "voided"}
    assert copy_problems(an_invoice(**OPEN, **{name: [row]}), [a_note(type=kind, status="voided")]) == []


def test_it_names_what_an_invoice_leans_on():
    rows = {"applied_credits": [{"cn_id": "A", "applied_amount": 1, "cn_status": "refunded"}],
            "adjustment_credit_notes": [{"cn_id": "B", "cn_total": 1, "cn_status": "adjusted"}]}  # fmt: skip
    assert named_notes(an_invoice(**rows)) == {"A", "B"}
    assert named_payments(an_invoice()) == {a_payment().id}
