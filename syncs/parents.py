"""What QAD has of the documents that others lean on: invoices, credit notes and payments, as the ledger names them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Q, Sum

from connector.chargebee.records import CreditNote, Transaction
from connector.ledger.documents import Posted
from connector.ledger.validate_transactions import payment_id
from connector.money import Money
from syncs import older
from syncs.batch import Batch, read
from syncs.chains import MAIN, as_posted
from syncs.models import Edge, Kind, Posting, SourceDocument
from syncs.states import STANDING, PostingState

Held = dict[str, Posted]  # Chargebee id -> as QAD holds it


@dataclass(slots=True)
class Parents:
    """By Chargebee id; `states` are the source states of invoices that are known here.

    What is `ending` stands in QAD and is to be taken back: what is applied to it comes off, and nothing is added.
    """

    standing: Held = field(default_factory=dict)  # invoices
    invoices: Held = field(default_factory=dict)  # those of them that are not ending
    totals: dict[str, int] = field(default_factory=dict)  # minor units of the invoices that stand
    currencies: dict[str, str] = field(default_factory=dict)  # of the invoices that stand
    room: dict[str, int] = field(default_factory=dict)  # minor units that QAD has left to settle of an invoice
    notes: Held = field(default_factory=dict)
    payments: Held = field(default_factory=dict)
    ending: dict[str, set[str]] = field(default_factory=dict)  # kind of source -> ids
    gone: set[str] = field(default_factory=set)  # invoices that are voided or deleted, and not in QAD
    payment_records: dict[str, Transaction] = field(default_factory=dict)
    known_payments: dict[str, str] = field(default_factory=dict)  # payment -> state of its source
    refunds: dict[str, dict[str, Money]] = field(default_factory=dict)  # payment -> what its refunds give back
    reversals: dict[str, list[Transaction]] = field(default_factory=dict)  # payment -> its payment_reversals
    states: dict[str, str] = field(default_factory=dict)
    older: dict[str, set[str]] = field(default_factory=dict)  # kind -> ids from before the cut-off
    on_account: set[int] = field(default_factory=set)  # sources whose part of older documents stays on account

    def is_of_its_currency(self, invoice_id: str, amount: Money) -> bool:
        return self.currencies.get(invoice_id, amount.currency) == amount.currency

    def has_room(self, invoice_id: str, amount: Money) -> bool:
        """Whether so much of an invoice is left to settle; of an opening item only QAD knows."""
        if not self.is_of_its_currency(invoice_id, amount):
            return False
        return invoice_id not in self.room or amount.minor <= self.room[invoice_id]

    def take(self, invoice_id: str, minor: int) -> None:
        if invoice_id in self.room:
            self.room[invoice_id] -= minor


def of_notes(batch: Batch, notes: Iterable[CreditNote], settled: set[str]) -> Parents:
    """What these credit notes lean on; `settled` are invoices that QAD has them applied to."""
    notes = list(notes)
    ids = settled | {row.invoice_id for note in notes for row in note.allocations}
    ids |= {note.reference_invoice_id for note in notes if note.reference_invoice_id}
    parents = Parents(states=_states(batch, Kind.INVOICE, ids))
    _add_invoices(batch, parents, ids)
    parents.gone = _gone(batch, ids - parents.standing.keys())
    _add_older(batch, parents, {Kind.INVOICE: ids})
    return parents


def of_transactions(batch: Batch, transactions: Iterable[Transaction], settled: set[str]) -> Parents:
    """What these payments and refunds lean on; `settled` are invoices that QAD has them applied to."""
    transactions = list(transactions)
    invoices = settled | {row.invoice_id for one in transactions for row in one.linked_invoices}
    notes = {row.credit_note_id for one in transactions for row in one.linked_notes}
    payments = {payment_id(one) for one in transactions if payment_id(one)}
    parents = Parents(
        payment_records=_records(batch, payments),
        known_payments=_states(batch, Kind.TRANSACTION, payments),
        refunds=_refunds(batch, payments),
        reversals=_reversals(batch, {one.id for one in transactions if one.type == "payment"}),
        states=_states(batch, Kind.INVOICE, invoices),
    )
    _add_invoices(batch, parents, invoices)
    parents.notes = _posted(batch, parents, Kind.CREDIT_NOTE, notes)
    parents.payments = _posted(batch, parents, Kind.TRANSACTION, payments)
    _add_older(batch, parents, {Kind.INVOICE: invoices, Kind.CREDIT_NOTE: notes, Kind.TRANSACTION: payments})
    return parents


def _add_older(batch: Batch, parents: Parents, asked: dict[str, set[str]]) -> None:
    found = {kind: older.older_ids(batch, kind, ids) for kind, ids in asked.items()}
    parents.older = {kind: ids for kind, ids in found.items() if ids}


def _add_invoices(batch: Batch, parents: Parents, ids: set[str]) -> None:
    parents.standing = _posted(batch, parents, Kind.INVOICE, ids)
    ending = parents.ending[Kind.INVOICE]
    parents.invoices = {key: posted for key, posted in parents.standing.items() if key not in ending}
    settled = Edge.objects.filter(tenant=batch.desk.tenant, invoice_id__in=parents.invoices).values("invoice_id")
    for invoice_id, applied in settled.annotate(applied=Sum("applied_minor")).values_list("invoice_id", "applied"):
        if invoice_id in parents.room:
            parents.room[invoice_id] -= applied


def _posted(batch: Batch, parents: Parents, kind: str, ids: set[str]) -> Held:
    rows = Posting.objects.filter(
        tenant=batch.desk.tenant, source__kind=kind, source__source_id__in=ids, state__in=STANDING, kind__in=MAIN[kind]
    )
    found = {posting.source.source_id: posting for posting in rows.select_related("source")}
    parents.ending[kind] = {key for key, posting in found.items() if posting.is_ending}
    if kind == Kind.INVOICE:
        parents.totals = {key: posting.total_minor for key, posting in found.items()}
        parents.room = dict(parents.totals)
        parents.currencies = {key: posting.currency for key, posting in found.items()}
    return {**older.opening_items(batch, kind, ids - found.keys()), **{k: as_posted(one) for k, one in found.items()}}


def _gone(batch: Batch, ids: set[str]) -> set[str]:
    rows = SourceDocument.objects.filter(tenant=batch.desk.tenant, kind=Kind.INVOICE, source_id__in=ids)
    ended = rows.filter(Q(status="voided") | Q(is_deleted=True), postings__state=PostingState.REVERSED)
    return set(ended.values_list("source_id", flat=True))


def _states(batch: Batch, kind: str, ids: set[str]) -> dict[str, str]:
    rows = SourceDocument.objects.filter(tenant=batch.desk.tenant, kind=kind, source_id__in=ids)
    return dict(rows.values_list("source_id", "state"))


def _records(batch: Batch, ids: set[str]) -> dict[str, Transaction]:
    rows = SourceDocument.objects.filter(tenant=batch.desk.tenant, kind=Kind.TRANSACTION, source_id__in=ids)
    return {row.source_id: record for row in rows if isinstance(record := _read(batch, row), Transaction)}


def _refunds(batch: Batch, payments: set[str]) -> dict[str, dict[str, Money]]:
    """What Chargebee gave back of these payments, by payment and refund; what failed gave nothing back."""
    rows = SourceDocument.objects.filter(
        tenant=batch.desk.tenant, kind=Kind.TRANSACTION, parent_id__in=payments, status="success", is_deleted=False
    )
    found: dict[str, dict[str, Money]] = {}
    for row in rows:
        record = _read(batch, row)
        if isinstance(record, Transaction) and record.type == "refund":
            found.setdefault(row.parent_id, {})[record.id] = record.amount
    return found


def _reversals(batch: Batch, payments: set[str]) -> dict[str, list[Transaction]]:
    """What takes these payments back; a reversal that Chargebee deleted takes nothing back any more."""
    rows = SourceDocument.objects.filter(
        tenant=batch.desk.tenant, kind=Kind.TRANSACTION, parent_id__in=payments, is_deleted=False
    )
    found: dict[str, list[Transaction]] = {}
    for row in rows:
        record = _read(batch, row)
        if isinstance(record, Transaction) and record.type == "payment_reversal":
            found.setdefault(row.parent_id, []).append(record)
    return found


def _read(batch: Batch, row: SourceDocument) -> object:
    return read(batch.desk, row.kind, row.content)
