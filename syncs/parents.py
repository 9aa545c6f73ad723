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
    known_payments: dict[str, str] = field(default_factory=dict)  # payment -> state of its source
    reversals: dict[str, list[Transaction]] = field(default_factory=dict)  # payment -> its payment_reversals
    states: dict[str, str] = field(default_factory=dict)


def of_notes(batch: Batch, notes: Iterable[CreditNote], settled: set[str]) -> Parents:
    """What these credit notes lean on; `settled` are invoices that QAD has them applied to."""
    notes = list(notes)
    ids = settled | {row.invoice_id for note in notes for row in note.allocations}
    ids |= {note.reference_invoice_id for note in notes if note.reference_invoice_id}
    return Parents(invoices=_posted(batch, Kind.INVOICE, ids), states=_states(batch, Kind.INVOICE, ids))


def of_transactions(batch: Batch, transactions: Iterable[Transaction], settled: set[str]) -> Parents:
    """What these payments and refunds lean on; `settled` are invoices that QAD has them applied to."""
    transactions = list(transactions)
    invoices = settled | {row.invoice_id for one in transactions for row in one.linked_invoices}
    notes = {row.credit_note_id for one in transactions for row in one.linked_notes}
    payments = {payment_id(one) for one in transactions if payment_id(one)}
    return Parents(
        invoices=_posted(batch, Kind.INVOICE, invoices),
        notes=_posted(batch, Kind.CREDIT_NOTE, notes),
        payments=_posted(batch, Kind.TRANSACTION, payments),
        payment_records=_records(batch, payments),
        known_payments=_states(batch, Kind.TRANSACTION, payments),
        reversals=_reversals(batch, {one.id for one in transactions if one.type == "payment"}),
        states=_states(batch, Kind.INVOICE, invoices),
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
    return Posted(posting.qad_reference, posting.qad_number, day, posting.customer_code, posting.kind)


def _states(batch: Batch, kind: str, ids: set[str]) -> dict[str, str]:
    rows = SourceDocument.objects.filter(tenant=batch.desk.tenant, kind=kind, source_id__in=ids)
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
