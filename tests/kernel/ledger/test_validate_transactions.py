"""Each identity of a payment and a refund holds alone, and an edge agrees with its invoice."""

from __future__ import annotations

import pytest

from connector.ledger.validate_transactions import (
    edge_problems,
    payment_problems,
    refund_problems,
    refunds_are_within_the_payment,
)
from tests.kernel.chargebee import documents as raw
from tests.kernel.chargebee.cash_documents import a_linked_invoice
from tests.kernel.ledger.cases import a_note, a_payment, a_refund, an_invoice, eur

REFUND = {"txn_id": "r", "txn_amount": 1_000}


def test_it_believes_a_sound_payment_and_a_sound_refund():
    assert payment_problems(a_payment()) == []
    assert refund_problems(a_refund()) == []


def test_a_payment_is_applied_unused_and_refunded():
    (problem,) = payment_problems(a_payment(amount_unused=4_001))
    assert problem.code == "identity-p1"
    assert "200.00 EUR" in problem.message and "200.01 EUR" in problem.message and "-0.01" in problem.message


@pytest.mark.parametrize("status", ["failure", "voided", "late_failure", "timeout"])
def test_a_refund_that_failed_takes_nothing_of_its_payment(status):
    assert payment_problems(a_payment(linked_refunds=[{**REFUND, "txn_status": status}], amount_unused=5_000)) == []


def test_a_payment_is_not_used_twice():
    rows = [a_linked_invoice(applied_amount=20_001)]
    (problem,) = payment_problems(a_payment(amount_unused=None, linked_invoices=rows, linked_refunds=[]))
    assert problem.code == "identity-p2" and "200.01" in problem.message
    assert payment_problems(a_payment(amount_unused=None)) == []


def test_refunds_stay_within_their_payment():
    assert refunds_are_within_the_payment(a_payment(), {"r": eur("150"), "s": eur("50")}) is None
    problem = refunds_are_within_the_payment(a_payment(), {"r": eur("150"), "s": eur("51")})
    assert problem.code == "identity-p3" and "201.00" in problem.message


def test_credit_notes_take_no_more_than_their_refund():
    (problem,) = refund_problems(a_refund(amount=4_999))
    assert problem.code == "identity-r1" and "50.00" in problem.message and "49.99" in problem.message


def test_what_no_note_covers_needs_a_payment():
    assert refund_problems(a_refund(amount=6_000)) == []
    (problem,) = refund_problems(a_refund(amount=6_000, refunded_txn_id=None))
    assert problem.code == "refund-without-payment" and "10.00 EUR" in problem.message
    assert refund_problems(a_refund(amount=6_000, refunded_txn_id=None, reference_transaction_id="txn_1")) == []


def test_an_edge_agrees_with_its_invoice():
    assert edge_problems(a_payment(), eur("119"), an_invoice()) == []


@pytest.mark.parametrize(("amount", "codes"), [("119.01", ["identity-e1", "identity-e1"]), ("118", ["identity-e1"])])
def test_an_edge_shows_where_it_differs_from_the_invoices_copy(amount, codes):
    found = edge_problems(a_payment(), eur(amount), an_invoice())
    assert [problem.code for problem in found] == codes
    assert all(amount in problem.message and "119.00 EUR" in problem.message for problem in found)


def test_an_edge_is_in_one_currency():
    (problem,) = edge_problems(a_payment(), eur("119"), an_invoice(currency_code="USD"))
    assert problem.code == "edge-in-another-currency" and "EUR" in problem.message and "USD" in problem.message


def test_an_edge_of_a_note_is_compared_with_its_own_copy():
    credit = {"cn_id": "CN-1", "applied_amount": 4_000, "cn_status": "refund_due"}
    adjusted = {"cn_id": "CN-1", "cn_total": 4_000, "cn_status": "adjusted"}
    paid = [raw.a_payment(applied_amount=7_900)]
    rest = {"linked_payments": paid, "amount_paid": 7_900}
    by_credit = an_invoice(applied_credits=[credit], credits_applied=4_000, **rest)
    by_adjustment = an_invoice(adjustment_credit_notes=[adjusted], amount_adjusted=4_000, **rest)
    assert edge_problems(a_note(), eur("40"), by_credit) == []
    assert edge_problems(a_note(type="adjustment"), eur("40"), by_adjustment) == []
    assert edge_problems(a_note(), eur("40"), an_invoice()) != []
