"""An invoice that ended or was edited in Chargebee after it was posted: what settles it comes off, then it is reversed.

An end leaves it there. An edit has its new version posted under the next place of its chain, and what settled the old
one settles that. Every step is a posting, and the next one follows from what stands: after a crash, deciding again
goes on, and adds nothing that is there.
"""

from __future__ import annotations

import datetime as dt

from connector.chargebee.records import CreditNote, Invoice
from connector.errors import Problem
from connector.ledger.credit_notes import is_gone, is_invoice_void
from syncs import settlements, sides
from syncs.batch import Batch, end, mark, read, tell, wait
from syncs.chains import Chain, reverse
from syncs.models import Cursor, Kind, Posting, SourceDocument
from syncs.states import SourceState


def take_back(batch: Batch, row: SourceDocument, chain: Chain, posting: Posting, *, on: dt.date, why: str) -> None:
    """Reverse an invoice that QAD has, once nothing settles it any more."""
    end(batch, posting)
    is_alone, problems = sides.take_off(batch, row, chain)
    owners = settlements.of_invoice(row)
    if not problems and is_alone and not owners:
        problems = reverse(batch, row, chain, posting, on=on)
    if problems:
        tell(batch, row, SourceState.HELD, problems)
    elif owners:
        batch.renewed |= owners
        hold_on(batch, row, why, "what settles it in QAD to be taken off", f"edges:{row.source_id}")
    else:
        mark(batch, row, SourceState.CODED)


def hold_on(batch: Batch, row: SourceDocument, why: str, what: str, waits_for: str) -> None:
    """It goes on by itself when `waits_for` has come."""
    message = f"{row} was posted and has {why} in Chargebee since; its reversal waits for {what}."
    problem = Problem("reversal-waits", str(row), message, "Nothing to do here: it follows by itself.")
    wait(batch, row, problem, waits_for)


def has_void_note(batch: Batch, row: SourceDocument) -> bool:
    """Whether Chargebee books the void of an invoice as a credit note: then that is posted, and no reversal."""
    notes = SourceDocument.objects.filter(tenant=batch.desk.tenant, kind=Kind.CREDIT_NOTE, parent_id=row.source_id)
    records = [read(batch.desk, note.kind, note.content) for note in notes]
    return any(isinstance(one, CreditNote) and not is_gone(one) and is_invoice_void(one) for one in records)


def are_notes_read(batch: Batch, invoice: Invoice) -> bool:
    """Whether credit notes have been read at least up to the end of the invoice, so that its void note is known."""
    cursor = Cursor.objects.filter(tenant=batch.desk.tenant, kind=Kind.CREDIT_NOTE).first()
    ended_at = invoice.voided_at or invoice.updated_at
    return cursor is not None and cursor.watermark is not None and (ended_at is None or cursor.watermark >= ended_at)
