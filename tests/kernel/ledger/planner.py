"""A planner over the kernel for tests: Chargebee's raw documents become books that the oracle can be held against.

It decides only what the kernel leaves to its caller: what was posted before, what waits, and where edges go.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from connector.chargebee import parse
from connector.errors import Problem
from connector.ledger import credit_notes, invoices, payments, refunds
from connector.ledger.applications import adjustment, application, riding
from connector.ledger.coding import MappingTable
from connector.ledger.credit_notes import CreditNoteRules
from connector.ledger.documents import (
    Adjustment,
    CustomerCreditNote,
    CustomerInvoice,
    CustomerPayment,
    CustomerRefund,
    JournalEntry,
    LedgerDocument,
    Posted,
    Reversal,
    Unapplication,
)
from connector.ledger.invoices import InvoiceRules
from connector.ledger.journals import journal
from connector.ledger.payments import TransactionRules
from connector.ledger.refunds import RefundParents
from connector.ledger.reversals import ended_on, payment_ended_on, reversal, reversed_payment_id
from connector.ledger.stored import restore, to_json
from connector.ledger.validate_transactions import payment_id
from connector.ledger.withheld import withheld_returned
from tests.oracle.books import Books, Entry, Line, Move, open_items

RECEIVABLE = "1200"
Key = tuple[str, str]
Raw = dict[str, Any]


@dataclass
class Planner:
    """`before`: the version of a document that was posted, for those that have ended since."""

    table: MappingTable
    notes: CreditNoteRules
    transactions: TransactionRules
    before: dict[Key, Raw] = field(default_factory=dict)
    posted: dict[str, dict[str, Posted]] = field(default_factory=lambda: defaultdict(dict))
    standing: dict[str, Posted] = field(default_factory=dict)  # the invoices among them that nothing took back
    entries: list[Entry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    payments: dict[str, Any] = field(default_factory=dict)

    def books(self, documents: dict[str, list[Raw]]) -> Books:
        for row in documents["invoices"]:
            self._invoice(row)
        for row in documents["credit_notes"]:
            self._note(row)
        by_type: dict[str, list[Any]] = {"payment": [], "refund": [], "payment_reversal": [], "authorization": []}
        for row in documents["transactions"]:
            by_type[row["type"]].append(read(parse.transaction(row, minor_units={})))
        by_link = {one.reversal_transaction_id: one.id for one in by_type["payment"]}
        self.payments = {one.id: one for one in by_type["payment"]}
        for payment in by_type["payment"]:
            mine = [r for r in by_type["payment_reversal"] if reversed_payment_id(r, by_link) == payment.id]
            self._payment(payment, mine)
        for refund in by_type["refund"]:
            self._refund(refund)
        return Books(tuple(self.entries), open_items(self.entries))

    def _invoice(self, row: Raw) -> None:
        rules = InvoiceRules(zone=self.transactions.zone, rounding_tolerance_minor=0)
        record = read(parse.invoice(self.before.get(("invoice", row["id"]), row), minor_units={}))
        if invoices.skip_rule(record, rules):
            return
        document = self._enter("invoice", invoices.translate(record, self.table, rules, f"INV-{record.id}"))
        if ("invoice", row["id"]) in self.before and document:
            ended = ended_on(read(parse.invoice(row, minor_units={})), rules.zone)
            self._take_back("invoice", document, ended, ())

    def _note(self, row: Raw) -> None:
        standing = self.before.get(("credit_note", row["id"]), row)
        record = read(parse.credit_note(standing, minor_units={}))
        parent, targets = credit_notes.parent(record), self.posted["invoice"]
        if credit_notes.skip_rule(record, self.notes) or (parent and parent not in targets):
            return
        document = self._enter(
            "credit_note", credit_notes.translate(record, self.table, self.notes, f"CN-{record.id}", targets)
        )
        if document is None:
            return
        self._later("credit_note", document, credit_notes.edges(record), self.standing)
        if standing is not row:
            applied = tuple(
                application(key, targets[key], amount) for key, amount in credit_notes.edges(record).items()
            )
            ended = ended_on(read(parse.credit_note(row, minor_units={})), self.notes.zone)
            self._take_back("credit_note", document, ended, applied)
        else:
            held = self.posted["credit_note"][record.id]
            back = withheld_returned(record, self.table, self.notes.zone, f"WHT-{record.id}", held)
            if back is not None:
                self._enter("credit_note", back, is_item=False)

    def _payment(self, current: Any, reversals: list[Any]) -> None:
        rules, key = self.transactions, ("payment", current.id)
        record = read(parse.transaction(self.before[key], minor_units={})) if key in self.before else current
        if payments.skip_rule(record, rules):
            return
        ended = payment_ended_on(current, reversals, rules.zone)
        targets = self.posted["invoice"] if ended else self.standing
        document = self._enter("payment", payments.translate(record, self.table, rules, f"PAY-{current.id}", targets))
        if isinstance(document, CustomerPayment):
            self._later("payment", document, payments.edges(record), targets)
        if document is not None and ended:
            edges = payments.edges(record) if isinstance(document, CustomerPayment) else {}
            applied = tuple(application(one, targets[one], edges[one]) for one in edges if one in targets)
            self._take_back("payment", document, ended, applied)

    def _refund(self, refund: Any) -> None:
        paid = payment_id(refund)
        parents = RefundParents(self.payments.get(paid), self.posted["payment"].get(paid), self.posted["credit_note"])
        waits = paid in self.payments and parents.payment_posted is None
        if payments.skip_rule(refund, self.transactions) or waits:
            return
        self._enter(
            "refund",
            refunds.translate(refund, self.table, self.transactions, f"REF-{refund.id}", parents),
            is_item=False,
        )

    def _later(self, kind: str, document: Any, edges: Any, targets: dict[str, Posted]) -> None:
        """Edges that could not ride, as adjustments."""
        ride = riding(edges, targets, customer=document.customer, on=document.posting_date)
        for invoice_id in edges.keys() & targets.keys() - {one.source_id for one in ride}:
            credit = self.posted[kind][document.source_id]
            made = adjustment(edges[invoice_id], credit, targets[invoice_id], "APP", owner_id=document.source_id,
                              invoice_id=invoice_id, table=self.table)  # fmt: skip
            self._enter(kind, made, is_item=False)

    def _enter(self, kind: str, made: Any, *, is_item: bool = True) -> Any:
        """Books a document as it comes back from its stored form; None if it is held."""
        if isinstance(made, list):
            self.problems += made
            return None
        assert restore(to_json(made)) == made
        if is_item:
            of = "journal" if isinstance(made, JournalEntry) else kind
            held = Posted(made.reference, "", made.posting_date, made.customer, of)
            self.posted[kind][made.source_id] = held
            if kind == "invoice":
                self.standing[made.source_id] = held
        self.entries.append(entry(kind, made))
        return made

    def _take_back(self, kind: str, document: Any, on: dt.date, applied: Any) -> None:
        if kind == "invoice":
            del self.standing[document.source_id]
        self._enter(kind, reversal(document, "REV", on=on, number="", applications=applied), is_item=False)


def read(found: Any) -> Any:
    assert not isinstance(found, list), [str(problem) for problem in found]
    return found


def entry(kind: str, document: LedgerDocument) -> Entry:
    """A document's journal and open items as the oracle writes them."""
    lines = tuple(Line(line.account, line.debit.amount, line.credit.amount) for line in journal(document, RECEIVABLE))
    return Entry(kind, document.source_id, document.kind, document.posting_date, document.currency, lines,
                 tuple(moves(kind, document)))  # fmt: skip


def moves(kind: str, document: LedgerDocument) -> Iterator[Move]:
    if isinstance(document, Reversal):
        yield from (replace(move, amount=-move.amount) for move in moves(kind, document.original))
        return
    if isinstance(document, JournalEntry):
        return
    own, sign = document.source_id, -1
    if isinstance(document, CustomerInvoice):
        yield Move(document.customer, "invoice", own, document.total.amount)
        return
    if isinstance(document, CustomerRefund):
        sign = 1
    elif isinstance(document, CustomerCreditNote | CustomerPayment):
        yield Move(document.customer, kind, own, -document.total.amount)
    elif isinstance(document, Unapplication):
        sign = 1
    for row in document.applications:
        yield Move(document.customer, row.kind, row.source_id, sign * row.amount.amount)
        if isinstance(document, Adjustment | CustomerCreditNote) or document.kind == "payment":
            yield Move(document.customer, kind, own, -sign * row.amount.amount)
