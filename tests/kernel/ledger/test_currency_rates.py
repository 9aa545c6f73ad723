"""One named rate for a document, and its journal in base currency with the penny where it belongs."""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal

import pytest

from connector.errors import Problem
from connector.ledger import credit_notes, invoices, payments, refunds
from connector.ledger.currency_rates import RatePolicy, in_base
from connector.ledger.documents import JournalLine
from connector.ledger.invoices import InvoiceRules
from connector.ledger.reference_data import ReferenceData
from connector.money import Money, total
from tests.kernel.ledger.cases import (
    NOTE_RULES,
    RULES,
    ZONE,
    a_payment,
    a_plain_note,
    a_refund,
    a_table,
    an_invoice,
    posted,
)

BY_DOCUMENT = RatePolicy("document", "USD")
PARENTS = refunds.RefundParents(
    a_payment(), posted("txn_1", kind="payment"), {"CN-1": posted("CN-1", kind="credit_note")}
)


def every_kind(table, fx, **changes):
    """An invoice, a credit note, a payment and a refund in euro, translated."""
    given = {"exchange_rate": Decimal("1.0825"), "base_currency": "USD", **changes}
    records = [replace(make(), **given) for make in (an_invoice, lambda: a_plain_note(1000), a_payment, a_refund)]
    yield invoices.translate(records[0], table, InvoiceRules(ZONE, fx=fx), "R1")
    yield credit_notes.translate(records[1], table, replace(NOTE_RULES, fx=fx), "R2", {})
    yield payments.translate(records[2], table, replace(RULES, fx=fx), "R3", {})
    yield refunds.translate(records[3], table, replace(RULES, fx=fx), "R4", PARENTS)


def codes(found):
    return {problem.code for problem in found} if isinstance(found, list) else set()


def test_the_documents_own_rate_goes_to_qad_only_where_the_tenant_wants_it():
    table = a_table()
    assert [made.exchange_rate for made in every_kind(table, RatePolicy("qad", "USD"))] == [None] * 4
    assert [made.exchange_rate for made in every_kind(table, BY_DOCUMENT)] == [Decimal("1.0825")] * 4
    assert [made.exchange_rate for made in every_kind(table, RatePolicy("document", "EUR"))] == [None] * 4


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"base_currency": "GBP"}, "base-currency-differs"), ({"exchange_rate": None}, "no-exchange-rate")],
)
def test_a_rate_that_leads_elsewhere_or_is_missing_holds_the_document(changes, code):
    assert all(code in codes(made) for made in every_kind(a_table(), BY_DOCUMENT, **changes))


@pytest.mark.parametrize("listed", [{"USD": True}, {"USD": True, "EUR": False}])
def test_a_currency_that_qad_cannot_post_in_holds_the_document(listed):
    table = a_table(known=ReferenceData({"currencies": listed}))
    assert all("currency-unknown" in codes(made) for made in every_kind(table, RatePolicy()))


def lines(*amounts, currency="EUR"):
    zero = Money.zero(currency)
    made = []
    for text in amounts:
        amount = Money(Decimal(text), currency)
        sides = (amount, zero) if amount > zero else (zero, -amount)
        made.append(JournalLine("4000", "Line", *sides))
    return made


def test_the_penny_of_the_base_currency_goes_to_a_named_account():
    found = in_base(lines("10.00", "-3.33", "-3.33", "-3.34"), Decimal("1.0825"), "USD", "6900")
    assert [str(line.amount) for line in found] == ["10.83 USD", "-3.60 USD", "-3.60 USD", "-3.62 USD", "-0.01 USD"]
    assert found[-1].account == "6900"


def test_any_balanced_journal_balances_in_base_within_a_unit_a_line():
    chance = random.Random(7)
    for _ in range(300):
        parts = [chance.randint(1, 10**7) for _ in range(chance.randint(1, 30))]
        amounts = [Decimal(sum(parts)) / 100, *(-Decimal(part) / 100 for part in parts)]
        rate = Decimal(chance.randint(1, 10**7)).scaleb(-chance.randint(2, 7))
        found = in_base(lines(*map(str, amounts)), rate, "USD", "6900")
        assert not isinstance(found, Problem)
        assert total([line.amount for line in found], "USD") == Money.zero("USD")
        assert sum(abs(line.amount.minor) for line in found if line.account == "6900") <= len(amounts)


def test_more_than_a_unit_a_line_is_no_rounding():
    found = in_base(lines("10.00", "-9.00"), Decimal("2"), "USD", "6900")
    assert isinstance(found, Problem)
    assert found.code == "base-unbalanced"
