"""Every document comes back from its stored form as it was, and keeps its hash."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, get_args

import pytest

from connector.ledger import credit_notes, invoices, payments, refunds
from connector.ledger.applications import adjustment
from connector.ledger.documents import LedgerDocument
from connector.ledger.invoices import InvoiceRules
from connector.ledger.payments import TransactionRules
from connector.ledger.refunds import RefundParents
from connector.ledger.reversals import reversal
from connector.ledger.stored import _CLASSES, content_hash, from_json, restore, to_json
from tests.kernel.ledger.cases import (
    LATER,
    NOTE_RULES,
    RULES,
    ZONE,
    a_note,
    a_payment,
    a_refund,
    a_table,
    an_invoice,
    eur,
    posted,
)

TABLE = a_table()
KNOWN = {"INV-1": posted("INV-1"), "INV-2": posted("INV-2")}
CREDIT = posted("txn_1", kind="payment")
EDGE: dict[str, Any] = {"owner_id": "txn_1", "invoice_id": "INV-1", "table": TABLE}
INVOICE: Any = invoices.translate(an_invoice(), TABLE, InvoiceRules(ZONE), "CB-INV-1")
PAYMENT: Any = payments.translate(a_payment(), TABLE, RULES, "CB-PAY-1", KNOWN)
DOCUMENTS: dict[str, Any] = {
    "invoice": INVOICE,
    "credit_note": credit_notes.translate(a_note(), TABLE, NOTE_RULES, "CB-CN-1", KNOWN),
    "payment": PAYMENT,
    "refund": refunds.translate(
        a_refund(),
        TABLE,
        RULES,
        "CB-REF-1",
        RefundParents(a_payment(), CREDIT, {"CN-1": posted("CN-1", kind="credit_note")}),
    ),
    "application": adjustment(eur("5"), CREDIT, KNOWN["INV-1"], "CB-APP-1", **EDGE),
    "unapplication": adjustment(eur("-5"), CREDIT, KNOWN["INV-1"], "CB-APP-2", **EDGE),
    "journal": payments.translate(
        a_payment(), TABLE, TransactionRules(ZONE, payment_mode="journal_to_clearing"), "CB-PAY-2", {}
    ),
    "reversal": reversal(PAYMENT, "CB-REV-1", on=LATER, number="2026-1", applications=PAYMENT.applications),
}


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_it_comes_back_as_it_was(kind):
    document = DOCUMENTS[kind]
    stored = json.loads(json.dumps(to_json(document)))
    assert stored["kind"] == document.kind == kind
    assert restore(stored) == document
    assert content_hash(to_json(restore(stored))) == content_hash(stored)


def test_no_document_class_is_forgotten():
    classes = {type(document) for document in DOCUMENTS.values()}
    assert classes == {*_CLASSES.values(), type(INVOICE)}
    assert set(get_args(LedgerDocument)) <= classes


def test_a_reversed_invoice_comes_back_whole():
    taken = reversal(INVOICE, "CB-REV-2", on=LATER, number="2026-2")
    assert restore(json.loads(json.dumps(to_json(taken)))) == taken


def test_an_invoice_is_stored_as_before():
    stored = to_json(INVOICE)
    assert from_json(stored) == INVOICE
    assert list(stored)[:4] == ["kind", "reference", "source_id", "customer"]


def test_digits_are_kept():
    document = DOCUMENTS["payment"]
    stored = to_json(document)
    assert stored["total"] == str(document.total.amount) and Decimal(stored["total"]) == 200
