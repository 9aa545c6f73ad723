"""A transaction becomes a typed record or the list of all that is wrong with it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from connector.chargebee import parse
from connector.chargebee.records import Transaction
from connector.errors import Problem
from connector.money import Money
from tests.kernel.chargebee.cash_documents import a_linked_invoice, a_payment, a_refund
from tests.kernel.chargebee.documents import DAY


def parsed(row: Any, **minor_units: int) -> Transaction:
    found = parse.transaction(row, minor_units=minor_units)
    assert isinstance(found, Transaction), [str(problem) for problem in found]
    return found


def problems(row: Any) -> list[Problem]:
    found = parse.transaction(row, minor_units={})
    assert isinstance(found, list), "the document was believed"
    return found


def eur(text: str) -> Money:
    return Money(Decimal(text), "EUR")


def test_it_reads_every_part_of_a_payment():
    payment = parsed(a_payment(reversal_transaction_id="txn_v", reference_number="C-1", voided_at=DAY + 7))
    assert (payment.id, payment.type, payment.status) == ("txn_1", "payment", "success")
    assert (payment.amount, payment.amount_unused) == (eur("200"), eur("40"))
    assert (payment.gateway, payment.gateway_account_id, payment.payment_method) == ("stripe", "gw_1", "card")
    assert (payment.id_at_gateway, payment.reference_number) == ("ch_1", "C-1")
    assert payment.settled_at == dt.datetime.fromtimestamp(DAY + 60, dt.UTC)
    assert [(row.invoice_id, row.applied) for row in payment.linked_invoices] == [
        ("INV-1", eur("119")), ("INV-2", eur("31")),
    ]  # fmt: skip
    assert [(row.transaction_id, row.applied) for row in payment.linked_refunds] == [("txn_r", eur("10"))]
    assert (payment.reversal_transaction_id, payment.exchange_rate) == ("txn_v", Decimal("1.0875"))


def test_it_reads_a_refund():
    refund = parsed(a_refund(reference_transaction_id="txn_2"))
    (note,) = refund.linked_notes
    assert (note.credit_note_id, note.applied, note.reason_code) == ("CN-1", eur("50"), "Goodwill")
    assert (refund.refunded_transaction_id, refund.reference_transaction_id) == ("txn_1", "txn_2")
    assert (refund.amount_unused, refund.linked_invoices) == (None, ())


def test_it_reads_what_an_authorization_lacks():
    held = parsed(a_payment(type="authorization", status="voided", date=None, customer_id=None, updated_at=None,
                            linked_invoices=None, linked_refunds=None, amount_unused=None))  # fmt: skip
    assert (held.date, held.customer_id, held.updated_at, held.linked_refunds) == (None, "", None, ())


@pytest.mark.parametrize(
    "status", ["success", "in_progress", "failure", "timeout", "needs_attention", "voided", "late_failure"]
)
def test_it_knows_every_status(status: str):
    assert parsed(a_payment(status=status)).status == status


@pytest.mark.parametrize("kind", ["payment", "refund", "payment_reversal", "authorization"])
def test_it_knows_every_type(kind: str):
    assert parsed(a_payment(type=kind)).type == kind


@pytest.mark.parametrize("method", ["card", "chargeback", "invented_next_year"])
def test_it_takes_any_payment_method(method: str):
    assert parsed(a_payment(payment_method=method)).payment_method == method


def test_it_counts_as_the_currency_counts():
    assert parsed(a_payment(currency_code="JPY")).amount == Money(Decimal("20000"), "JPY")
    assert parsed(a_payment(currency_code="CLP"), CLP=0).amount == Money(Decimal("20000"), "CLP")


@pytest.mark.parametrize("field", ["id", "type", "status", "currency_code", "amount"])
def test_it_misses_what_must_be_there(field: str):
    assert "field-missing" in [problem.code for problem in problems(a_payment(**{field: None}))]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"type": "gift"}, "value-unknown"),
        ({"status": "done"}, "value-unknown"),
        ({"amount": -5}, "amount-negative"),
        ({"amount": 1.5}, "field-wrong-type"),
        ({"amount": True}, "field-wrong-type"),
        ({"amount_unused": "0"}, "field-wrong-type"),
        ({"linked_invoices": [a_linked_invoice(applied_amount=None)]}, "field-missing"),
        ({"linked_invoices": [a_linked_invoice(invoice_id=7)]}, "field-wrong-type"),
        ({"linked_credit_notes": [{"cn_id": "CN-1"}]}, "field-missing"),
        ({"linked_refunds": [{"txn_id": "t", "txn_amount": 1, "txn_status": "?"}]}, "value-unknown"),
    ],
)
def test_it_believes_nothing_wrong(changes: dict[str, Any], code: str):
    (problem,) = problems(a_payment(**changes))
    assert problem.code == code
    assert problem.subject == "Transaction 'txn_1'"


def test_it_refuses_what_is_no_object():
    assert [problem.code for problem in problems("txn_1")] == ["document-not-an-object"]
