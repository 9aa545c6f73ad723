"""What QAD has of the documents that others lean on: invoices, credit notes and payments, as the ledger names them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from connector.chargebee.records import CreditNote, Transaction
from connector.ledger.documents import Posted
from connector.ledger.validate_transactions import payment_id
from syncs.batch import Batch, read
from syncs.models import Kind, Posting, SourceDocument
from syncs.states import DONE, PostingState

STANDING = tuple(state for state in DONE if state != PostingState.REVERSED)


@dataclass(slots=True)
class Parents:
    """By Chargebee id; `states` are the source states of invoices that are known here."""

    invoices: dict[str, Posted] = field(default_factory=dict)
    notes: dict[str, Posted] = field(default_factory=dict)
    payments: dict[str, Posted] = field(default_factory=dict)
    payment_records: dict[str, Transaction] = field(default_factory=dict)
    reversals: dict[str, list[Transaction]] = field(default_factory=dict)  # payment -> its payment_reversals
    states: dict[str, str] = field(default_factory=dict)


def of_notes(batch: Batch, notes: Iterable[CreditNote]) -> Parents:
    """What these credit notes lean on."""
    notes = list(notes)
    ids = {row.invoice_id for note in notes for row in note.allocations}
    ids |= {note.reference_invoice_id for note in notes if note.reference_invoice_id}
    return Parents(invoices=_posted(batch, Kind.INVOICE, ids), states=_states(batch, ids))


def of_transactions(batch: Batch, transactions: Iterable[Transaction]) -> Parents:
    """What these payments and refunds lean on."""
    transactions = list(transactions)
    invoices = {row.invoice_id for one in transactions for row in one.linked_invoices}
    notes = {row.credit_note_id for one in transactions for row in one.linked_notes}
    payments = {payment_id(one) for one in transactions if payment_id(one)}
    return Parents(
        invoices=_posted(batch, Kind.INVOICE, invoices),
        notes=_posted(batch, Kind.CREDIT_NOTE, notes),
        payments=_posted(batch, Kind.TRANSACTION, payments),
        payment_records=_records(batch, payments),
        reversals=_reversals(batch, {one.id for one in transactions if one.type == "payment"}),
        states=_states(batch, invoices),
    )


def _posted(batch: Batch, kind: str, ids: set[str]) -> dict[str, Posted]:
    rows = Posting.objects.filter(
        tenant=batch.desk.tenant,
        source__kind=kind,
        source__source_id__in=ids,
        state__in=STANDING,
        kind__in=("invoice", "credit_note", "payment", "refund", "journal"),
    )
    return {posting.source.source_id: as_posted(posting) for posting in rows.select_related("source")}


def as_posted(posting: Posting) -> Posted:
    """A posting as another document names it."""
    day = posting.qad_posting_date or posting.posting_date
    return Posted(posting.reference, posting.qad_number, day, posting.customer_code, posting.kind)


def _states(batch: Batch, ids: set[str]) -> dict[str, str]:
    rows = SourceDocument.objects.filter(tenant=batch.desk.tenant, kind=Kind.INVOICE, source_id__in=ids)
    return dict(rows.values_list("source_id", "state"))


def _records(batch: Batch, ids: set[str]) -> dict[str, Transaction]:
    rows = SourceDocument.objects.filter(tenant=batch.desk.tenant, kind=Kind.TRANSACTION, source_id__in=ids)
    return {row.source_id: record for row in rows if isinstance(record := _read(batch, row), Transaction)}


def _reversals(batch: Batch, payments: set[str]) -> dict[str, list[Transaction]]:
    rows = SourceDocument.objects.filter(tenant=batch.desk.tenant, kind=Kind.TRANSACTION, parent_id__in=payments)
    found: dict[str, list[Transaction]] = {}
    for row in rows:
        record = _read(batch, row)
        if isinstance(record, Transaction) and record.type == "payment_reversal":
            found.setdefault(row.parent_id, []).append(record)
    return found


def _read(batch: Batch, row: SourceDocument) -> object:
    return read(batch.desk, row.kind, row.content)
