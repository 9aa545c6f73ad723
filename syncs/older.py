"""Documents from before the cut-off, and what leans on them: skipped, held for a person, or an opening item."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from connector.chargebee.records import CreditNote, Invoice, Transaction
from connector.errors import Problem
from connector.ledger import credit_notes, cutover, payments
from connector.ledger.cutover import RULE, Record
from connector.ledger.documents import Posted
from connector.ledger.skipping import Skipped
from connector.ledger.validate_transactions import payment_id
from syncs.batch import Batch, tell, withdraw
from syncs.models import Kind, OnAccount, OpeningItem, SourceDocument
from syncs.models.golive import OpeningState
from syncs.states import SourceState

_NEVER_SUCCEEDED = ("failure", "timeout", "in_progress", "needs_attention")
POSTED_KIND = {Kind.INVOICE: "invoice", Kind.CREDIT_NOTE: "credit_note", Kind.TRANSACTION: "payment"}


def decide(batch: Batch, row: SourceDocument, record: Record, ended: dt.date | None) -> bool:
    """True if the cut-off has decided this document: it is older, so the books before have it. Nothing is posted."""
    rule = batch.desk.cut_over.skipped(record)
    if rule is None:
        return False
    if isinstance(record, Transaction) and (record.type != "payment" or record.status in _NEVER_SUCCEEDED):
        ended = None  # it was never in any books
    first = batch.desk.cut_over.first_days[cutover.kind_of(record)]
    opened = opening_items(batch, row.kind, {row.source_id})
    if ended is not None and ended >= first:
        how = "deleted" if record.deleted else "undone"
        tell(batch, row, SourceState.HELD, [cutover.ended_since(_name(row), how, ended, first)])
    else:
        posted = opened.get(row.source_id)
        known = Skipped(RULE, f"{rule.sentence} QAD has it as opening item {posted.number}.") if posted else rule
        tell(batch, row, SourceState.SKIPPED, [Problem(known.rule, _name(row), known.sentence, "")])
    return True


def opening_items(batch: Batch, kind: str, ids: Iterable[str]) -> dict[str, Posted]:
    """Older documents that QAD was found to have, as others name them."""
    if kind not in batch.desk.cut_over.first_days:
        return {}
    rows = OpeningItem.objects.filter(
        tenant=batch.desk.tenant, kind=kind, source_id__in=list(ids), state=OpeningState.VERIFIED
    )
    return {
        row.source_id: Posted(
            row.qad_reference, row.qad_number, row.qad_posting_date or _before(batch, kind), row.qad_customer,
            POSTED_KIND[Kind(kind)],
        )
        for row in rows
    }  # fmt: skip


def _before(batch: Batch, kind: str) -> dt.date:
    """The last day of the old books, for an item of which QAD shows no date."""
    return batch.desk.cut_over.first_days[kind] - dt.timedelta(days=1)


def older_ids(batch: Batch, kind: str, ids: Iterable[str]) -> set[str]:
    """Those of the documents that are skipped as older than the cut-off."""
    if kind not in batch.desk.cut_over.first_days:
        return set()
    rows = SourceDocument.objects.filter(
        tenant=batch.desk.tenant, kind=kind, source_id__in=list(ids), state__in=(SourceState.SKIPPED, SourceState.HELD)
    )
    marks = (f"|{RULE}|", "|ended-after-cut-off|")
    return {source_id for source_id, codes in rows.values_list("source_id", "codes") if any(m in codes for m in marks)}


def on_account(rows: Iterable[SourceDocument]) -> set[int]:
    """Sources of which somebody decided that what they settle of older documents stays on account."""
    return set(OnAccount.objects.filter(source__in=list(rows)).values_list("source_id", flat=True))


def hold_child(
    batch: Batch, row: SourceDocument, record: Record, older: dict[str, set[str]], known: dict[str, set[str]]
) -> bool:
    """True if the document leans on older ones that are not listed, so that a person must choose.

    `older` and `known` (opening items, and what QAD has) are ids by kind of document.
    """
    missing = [
        f"{_NAMES[kind]} {source_id}"
        for kind, ids in leans_on(record).items()
        for source_id in sorted(ids & older.get(kind, set()) - known.get(kind, set()))
    ]
    if not missing:
        return False
    may_stay = not (isinstance(record, Transaction) and record.type != "payment")
    problem = cutover.older_parents(_name(row), tuple(missing), may_stay_on_account=may_stay)
    tell(batch, row, SourceState.HELD, [problem])
    for posting in row.postings.all():
        withdraw(batch, posting)
    return True


_NAMES: dict[str, str] = {Kind.INVOICE: "invoice", Kind.CREDIT_NOTE: "credit note", Kind.TRANSACTION: "payment"}


def leans_on(record: Record) -> dict[str, set[str]]:
    """What a document settles or gives back, as ids by kind."""
    if isinstance(record, Invoice):
        return {}
    if isinstance(record, CreditNote):
        invoices = set(credit_notes.edges(record))
        return {Kind.INVOICE: invoices | ({credit_notes.parent(record)} - {""})}
    if record.type == "payment":
        return {Kind.INVOICE: set(payments.edges(record))}
    notes = {one.credit_note_id for one in record.linked_notes if one.applied}
    return {Kind.CREDIT_NOTE: notes, Kind.TRANSACTION: {payment_id(record)} - {""}}


def _name(row: SourceDocument) -> str:
    return str(row)
