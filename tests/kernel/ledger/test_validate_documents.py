"""What is about to be frozen is sound whatever it was made from: each rule has a document that breaks it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from connector.ledger import credit_notes, payments
from connector.ledger.documents import Coding, DocumentLine, JournalEntry
from connector.ledger.invoices import InvoiceRules, translate
from connector.ledger.reversals import reversal
from connector.ledger.validate_documents import document_problems
from connector.money import LARGEST_MINOR, Money
from tests.kernel.ledger.cases import (
    NOTE_RULES,
    ON,
    RULES,
    ZONE,
    a_note,
    a_payment,
    a_table,
    an_invoice,
    eur,
    invoices,
)

INVOICE = translate(an_invoice(), a_table(), InvoiceRules(ZONE), "CB-INV-1")
NOTE = credit_notes.translate(a_note(), a_table(), NOTE_RULES, "CB-CN-1", invoices("INV-1"))
PAYMENT = payments.translate(a_payment(), a_table(), RULES, "CB-PAY-1", invoices("INV-1", "INV-2"))
REVERSAL = reversal(PAYMENT, "CB-REV-1", on=ON, number="1", applications=PAYMENT.applications)


def a_journal(debit: str, credit: str) -> JournalEntry:
    lines = (
        DocumentLine("cash", "in", eur(debit), Coding("1090")),
        DocumentLine("on_account", "", eur(credit), Coding("2460")),
    )
    return JournalEntry("CB-PAY-2", "t", "C1", "", "EUR", ON, ON, lines)


@pytest.mark.parametrize("document", [INVOICE, NOTE, PAYMENT, REVERSAL, a_journal("5", "-5")])
def test_a_sound_document_has_no_problem(document):
    assert document_problems(document) == []


def twice(document, **changes):
    """The document with its first application changed."""
    first, *others = document.applications
    return replace(document, applications=(replace(first, **changes), *others))


@pytest.mark.parametrize(
    ("document", "code", "numbers"),
    [
        (a_journal("5", "-4.99"), "invariant-a1", ("5.00 EUR", "4.99 EUR", "0.01 EUR")),
        (replace(INVOICE, total=INVOICE.total + eur("0.01")), "invariant-a1", ("0.01 EUR",)),
        (twice(PAYMENT, amount=eur("900")), "invariant-a7", ("its amount is 200.00 EUR",)),
        (twice(PAYMENT, amount=eur("0")), "invariant-a7", ("0.00 EUR",)),
        (twice(PAYMENT, amount=Money(Decimal(1), "USD")), "invariant-a19", ("1.00 USD", "EUR")),
        (replace(REVERSAL, posting_date=ON - dt.timedelta(days=1)), "invariant-a10", (str(ON),)),
        (a_journal("0.001", "-0.001"), "invariant-a20", ("0.001 EUR",)),
        (a_journal("90071992547409.92", "-90071992547409.92"), "invariant-a20", ("90071992547409.92 EUR",)),
    ],
)
def test_a_breach_is_named_with_its_numbers(document, code, numbers):
    problem = document_problems(document)[0]
    assert problem.code == code
    assert all(number in problem.message for number in numbers)


def test_the_largest_amount_that_chargebee_has_passes():
    largest = Money.of_minor(LARGEST_MINOR, "EUR")
    assert document_problems(a_journal(str(largest.amount), str(-largest.amount))) == []


def test_an_invoice_whose_lines_miss_its_total_names_that_too():
    found = document_problems(replace(INVOICE, total=INVOICE.total + eur("0.01")))
    assert [problem.code for problem in found] == ["invariant-a1", "invariant-a3"]
