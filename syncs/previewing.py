"""What a run would post, by the same steps as preparing, without saving anything."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from connector.errors import Problem
from connector.ledger.currency_rates import BaseLine, in_base
from connector.ledger.documents import JournalLine, LedgerDocument
from connector.ledger.journals import journal
from connector.ledger.stored import restore
from syncs.batch import Batch
from syncs.books import receivable_account
from syncs.desk import Desk
from syncs.foresight import dry
from syncs.models import Posting, SourceDocument
from syncs.preparing import BATCH, POSTED_KINDS
from syncs.states import PostingState, SourceState

Totals = dict[tuple[str, str], list[Decimal]]  # (account, currency) -> [debit, credit]


@dataclass(frozen=True, slots=True)
class Previewed:
    """One document as QAD would get it, or why it gets none. `why` tells about its date, `fx` about its rate."""

    source: SourceDocument
    reference: str = ""
    document: LedgerDocument | None = None
    lines: tuple[JournalLine, ...] = ()
    base: tuple[BaseLine, ...] = ()
    period: str = ""
    why: str = ""
    fx: dict[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    stands: str = ""  # of what is there already: its state

    @property
    def mappings(self) -> list[str]:
        """The mapping rows used, as 'item:12@3'."""
        found = (line.coding.source for line in self.lines if line.coding is not None)
        return sorted({source for source in found if source})


def upcoming(desk: Desk, now: dt.datetime, kinds: Collection[str] = POSTED_KINDS) -> Iterator[Previewed]:
    """Everything that would go out now: what is ready, then what is new, kind by kind in the order of a run.

    What leans on one of these follows only after it is posted, and is told as waiting.
    """
    receivable = receivable_account(desk.tenant)
    for kind in (one for one in POSTED_KINDS if one in kinds):
        ready = Posting.objects.filter(tenant=desk.tenant, source__kind=kind, state=PostingState.READY)
        for posting in ready.exclude(source__state=SourceState.NEW).select_related("source").order_by("pk").iterator():
            yield _of_posting(desk, posting, receivable)
        new = SourceDocument.objects.filter(tenant=desk.tenant, kind=kind, state=SourceState.NEW)
        for rows in _batches(new):
            yield from _of_batch(desk, rows, dry(desk, rows, now=now), receivable)


def of_documents(desk: Desk, rows: Sequence[SourceDocument], now: dt.datetime) -> list[Previewed]:
    """These documents: what preparing would make of them now, and what stands already."""
    receivable, found = receivable_account(desk.tenant), []
    for row in rows:
        made = list(_of_batch(desk, [row], dry(desk, [row], now=now), receivable))
        shown = {one.reference for one in made}
        standing = Posting.objects.filter(tenant=desk.tenant, source=row).exclude(reference__in=shown).order_by("pk")
        found += [_of_posting(desk, posting, receivable) for posting in standing.select_related("source")] + made
    return found


def totals(previewed: Iterator[Previewed] | Sequence[Previewed]) -> Totals:
    """Debit and credit by account and currency, of what is not there already."""
    found: Totals = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for one in previewed:
        add(found, one)
    return dict(sorted(found.items()))


def add(found: Totals, one: Previewed) -> None:
    for line in one.lines if not one.stands else ():
        sides = found[line.account, line.debit.currency]
        sides[0] += line.debit.amount
        sides[1] += line.credit.amount


def rate_words(currency: str, fx: dict[str, str]) -> str:
    """'1 EUR is 1.0825 USD (QAD's list of exchange rates, since 2026-11-01), 108.25 USD in all'."""
    if "rate" not in fx:
        return fx.get("source", "")
    whole = f", {fx['total']} {fx['base']} in all" if "total" in fx else ""
    return f"1 {currency} is {fx['rate']} {fx['base']} ({fx['source']}, since {fx['on']}){whole}"


def _batches(rows: QuerySet[SourceDocument]) -> Iterator[list[SourceDocument]]:
    after = 0
    while found := list(rows.filter(pk__gt=after).order_by("pk")[:BATCH]):
        yield found
        after = found[-1].pk


def _of_batch(desk: Desk, rows: Sequence[SourceDocument], batch: Batch, receivable: str) -> Iterator[Previewed]:
    by_pk = {row.pk: row for row in rows}
    for posting in batch.fresh:
        yield _shown(desk, posting.source, posting.reference, posting.document, posting.evidence, receivable)
    for move in batch.moves:
        if "document" in move.values:
            row = by_pk[move.posting.source_id]
            yield _shown(
                desk, row, move.posting.reference, move.values["document"], move.values.get("evidence"), receivable
            )
    for row, _, problems in batch.told:
        yield Previewed(row, problems=tuple(problems))


def _of_posting(desk: Desk, posting: Posting, receivable: str) -> Previewed:
    stands = "" if posting.state == PostingState.READY else posting.get_state_display()
    return _shown(
        desk, posting.source, posting.reference, posting.document, posting.evidence, receivable, stands=stands
    )


def _shown(
    desk: Desk,
    row: SourceDocument,
    reference: str,
    stored: dict[str, Any],
    evidence: dict[str, Any] | None,
    receivable: str,
    *,
    stands: str = "",
) -> Previewed:
    document, evidence = restore(stored), evidence or {}
    lines, fx = journal(document, receivable), evidence.get("fx", {})
    calendar = desk.table.known.calendar
    period = calendar.at(document.posting_date) if calendar is not None else None
    base = in_base(lines, Decimal(fx["rate"]), fx["base"], _rounding(desk, document)) if fx.get("rate") else []
    return Previewed(
        source=row,
        reference=reference,
        document=document,
        lines=lines,
        base=tuple(base) if isinstance(base, list) else (),
        period=period.name if period is not None else "",
        why=evidence.get("date", {}).get("reason", ""),
        fx=fx,
        problems=() if isinstance(base, list) else (base,),
        stands=stands,
    )


def _rounding(desk: Desk, document: LedgerDocument) -> str:
    """The account that takes the penny of the base currency."""
    coding = desk.table.role("round_off", document.posting_date)
    return coding.gl_account if coding else "rounding account"
