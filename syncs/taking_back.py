"""An invoice that ended in Chargebee after it was posted: one reversal, unless a credit note says the same."""

from __future__ import annotations

from connector.chargebee.records import CreditNote, Invoice
from connector.errors import Problem
from connector.ledger import problems as say
from connector.ledger.credit_notes import is_invoice_void
from connector.ledger.documents import CustomerInvoice
from connector.ledger.reversals import ended_on, reversal
from connector.ledger.stored import restore
from syncs.batch import REBUILDABLE, Batch, add_posting, fits, mark, name_for, read, rebuild, tell, wait
from syncs.models import Cursor, Edge, Kind, Posting, SourceDocument
from syncs.states import SourceState


def take_back(batch: Batch, row: SourceDocument, invoice: Invoice, posting: Posting) -> None:
    """Reverse a voided or deleted invoice once nothing settles it any more.

    A site that voids invoices with a credit note books the void there: that note is posted, and no reversal. So it
    waits until the credit notes have been read at least up to the void.
    """
    if _has_void_note(batch, row):
        mark(batch, row, SourceState.CODED)
    elif not _are_notes_read(batch, invoice):
        _wait(batch, row, "the credit notes to be read up to its void", f"{Kind.CREDIT_NOTE}:*")
    elif Edge.objects.filter(tenant=batch.desk.tenant, invoice_id=row.source_id).exclude(applied_minor=0).exists():
        _wait(batch, row, "what settles it in QAD to be taken off", f"edges:{row.source_id}")
    else:
        _reverse(batch, row, invoice, posting)


def _wait(batch: Batch, row: SourceDocument, what: str, waits_for: str) -> None:
    name = f"Invoice {row.source_id}"
    message = f"{name} was posted and has ended in Chargebee since; its reversal waits for {what}."
    wait(batch, row, Problem("reversal-waits", name, message, "Nothing to do here: it follows by itself."), waits_for)


def _has_void_note(batch: Batch, row: SourceDocument) -> bool:
    notes = SourceDocument.objects.filter(tenant=batch.desk.tenant, kind=Kind.CREDIT_NOTE, parent_id=row.source_id)
    records = [read(batch.desk, note.kind, note.content) for note in notes]
    live = [one for one in records if isinstance(one, CreditNote) and one.status != "voided" and not one.deleted]
    return any(is_invoice_void(note) for note in live)


def _are_notes_read(batch: Batch, invoice: Invoice) -> bool:
    cursor = Cursor.objects.filter(tenant=batch.desk.tenant, kind=Kind.CREDIT_NOTE).first()
    ended_at = invoice.voided_at or invoice.updated_at
    return cursor is not None and cursor.watermark is not None and (ended_at is None or cursor.watermark >= ended_at)


def _reverse(batch: Batch, row: SourceDocument, invoice: Invoice, posting: Posting) -> None:
    earlier = Posting.objects.filter(reverses=posting).order_by("-pk").first()
    if earlier is not None and earlier.state not in REBUILDABLE:
        mark(batch, row, SourceState.CODED)
        return
    original = restore(posting.document)
    if not isinstance(original, CustomerInvoice):
        raise TypeError(f"{posting} is no invoice.")
    name = earlier.reference if earlier else name_for(batch, "reversal", row.source_id)
    day = ended_on(invoice, batch.desk.rules.zone)
    document = fits(batch, reversal(original, name, on=day, number=posting.qad_number))
    if isinstance(document, list):
        tell(
            batch,
            row,
            SourceState.HELD,
            [*document, say.voided_after_posting(f"Invoice {row.source_id}", invoice.status)],
        )
        return
    if earlier is None:
        add_posting(batch, row, document, posting.order_key, posting.projection, reverses=posting)
    else:
        rebuild(batch, earlier, document, posting.projection)
    mark(batch, row, SourceState.CODED)
