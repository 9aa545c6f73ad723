"""From Chargebee's pages to the inbox; the watermark moves only at the end of a whole pass."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q

from connector.chargebee import cursor as arithmetic
from connector.chargebee.client import ChargebeeClient, Page
from connector.chargebee.cursor import Reached
from connector.chargebee.paging import Void, pages, whole
from connector.chargebee.resources import BY_KIND, changed_since
from syncs.keeping import Kept, keep
from syncs.models import Cursor, Kind, Run, RunPage, SourceDocument
from syncs.notices import notice
from syncs.renewing import renew
from syncs.rows import Row, row_of
from syncs.states import SourceState
from tenants.models import Tenant

Clock = Callable[[], dt.datetime]
PULL_ORDER = (
    *(Kind.CUSTOMER, Kind.ITEM_FAMILY, Kind.ITEM, Kind.ITEM_PRICE),
    *(Kind.INVOICE, Kind.CREDIT_NOTE, Kind.TRANSACTION),
)
MOST_STARTS = 4  # of one pass: an offset that expired, a page that came twice, a clock that went back


class _ClockWentBack(Void):
    """Chargebee's clock lost time since the last pass, so this one must not be filtered by it."""


def pull(
    tenant: Tenant,
    run: Run,
    kind: str,
    client: ChargebeeClient,
    *,
    clock: Clock,
    on_page: Callable[[int], None] = lambda rows: None,
) -> int:
    """Read one kind to its end; returns how many rows were listed.

    Any error leaves the watermark where it was; what a broken pass has stored stays, and is read again.
    """
    listed = 0
    for rows in reading(tenant, run, kind, client, clock=clock):
        listed += rows
        on_page(rows)
    wake(tenant, f"{kind}:*", now=clock())
    return listed


def reading(tenant: Tenant, run: Run, kind: str, client: ChargebeeClient, *, clock: Clock) -> Iterator[int]:
    """A pull page by page: the number of rows of each page, after it is stored.

    The first pass has no updated_at filter, because rows without that field would be dropped silently. Later passes go
    newest first with an overlap, so that an edit between two pages can only show a row twice.
    """
    cursor, _ = Cursor.objects.get_or_create(tenant=tenant, kind=kind)
    is_whole = False
    for start in range(1, MOST_STARTS + 1):
        try:
            yield from _one_pass(tenant, run, cursor, client, clock=clock, is_whole=is_whole)
            return
        except _ClockWentBack as error:
            is_whole = True
            _widen_for_clock(tenant, cursor, error, clock())
        except Void:
            if start == MOST_STARTS:
                raise


def wake(tenant: Tenant, waits_for: str, *, now: dt.datetime) -> None:
    """Look again at what waited for a kind to be read."""
    waiting = SourceDocument.objects.filter(tenant=tenant, waits_for=waits_for, state=SourceState.WAITING)
    with transaction.atomic():
        renew(tenant.pk, waiting, "What it waited for has been read.", now=now)


def _one_pass(
    tenant: Tenant, run: Run, cursor: Cursor, client: ChargebeeClient, *, clock: Clock, is_whole: bool
) -> Iterator[int]:
    resource = BY_KIND[cursor.kind]
    after = None if is_whole else arithmetic.since(cursor.watermark, cursor.overlap)
    reached: Reached | None = None
    for number, page in enumerate(pages(client, resource.name, changed_since(resource, after))):
        if number == 0:
            reached = _beginning(cursor, page, clock(), is_whole=is_whole)
        kept = store_page(tenant, run, cursor.kind, number, whole_rows(client, cursor.kind, page), now=clock())
        if not is_whole:
            _learn(tenant, cursor, kept, clock())
        yield len(page.rows)
    _advance(tenant, cursor, reached, clock(), is_whole=is_whole)


def _beginning(cursor: Cursor, page: Page, ours: dt.datetime, *, is_whole: bool) -> Reached | None:
    """Where a pass that starts now will have read to; None where Chargebee does not tell its time."""
    theirs = page.server_time
    if theirs is None:
        return None
    Cursor.objects.filter(pk=cursor.pk).update(skew_seconds=int((theirs - ours).total_seconds()))
    before = None if cursor.watermark is None else Reached(cursor.watermark, cursor.started_at)
    if before is not None and not is_whole and arithmetic.went_back(before, theirs, ours):
        raise _ClockWentBack("Chargebee's clock went back since the last pass; everything is read once more.")
    return Reached(theirs, ours)


def _advance(tenant: Tenant, cursor: Cursor, reached: Reached | None, now: dt.datetime, *, is_whole: bool) -> None:
    """The end of a whole pass. Never back, unless a clock that went back had everything read anew."""
    rows = Cursor.objects.filter(pk=cursor.pk)
    if reached is None:
        sentence = f"Chargebee did not tell its time while {cursor.kind} was read; the next pass starts where this did."
        notice(tenant, "no-server-time", "Reading Chargebee", sentence, "Look whether a proxy drops headers.", now=now)
    else:
        behind = Q(watermark=None) | Q(watermark__lt=reached.watermark)
        movable = behind | Q(watermark=cursor.watermark) if is_whole else behind
        rows.filter(movable).update(watermark=reached.watermark, started_at=reached.ours)
    rows.update(finished_at=now)


def _learn(tenant: Tenant, cursor: Cursor, kept: Kept, now: dt.datetime) -> None:
    """How late changes become visible here; an overlap that was nearly too short is doubled and said."""
    lags = [arithmetic.lag(cursor.watermark, row.updated_at) for row in kept.news]
    longest = max(lags, default=dt.timedelta(0))
    if longest.total_seconds() <= cursor.lag_seconds:
        return
    before, cursor.lag_seconds = cursor.overlap, int(longest.total_seconds())
    cursor.overlap_seconds = int(arithmetic.widened(before, longest).total_seconds())
    Cursor.objects.filter(pk=cursor.pk).update(overlap_seconds=cursor.overlap_seconds, lag_seconds=cursor.lag_seconds)
    if longest > before / 2:
        sentence = (
            f"A change of kind {cursor.kind} showed {_minutes(longest)} after its stamp, more than half of the overlap "
            f"of {_minutes(before)}; passes now reach back {_minutes(cursor.overlap)}."
        )
        notice(tenant, "late-change", f"Reading {cursor.kind}", sentence, "The nightly sweep proves that nothing is "
               "missing; look at its figures.", now=now)  # fmt: skip


def _widen_for_clock(tenant: Tenant, cursor: Cursor, error: Void, now: dt.datetime) -> None:
    cursor.overlap_seconds = int(min(cursor.overlap * 2, arithmetic.LONGEST_OVERLAP).total_seconds())
    Cursor.objects.filter(pk=cursor.pk).update(overlap_seconds=cursor.overlap_seconds)
    fix = "Compare the clock of this machine with a time server; if it is right, tell Chargebee's support."
    notice(tenant, "clock-went-back", f"Reading {cursor.kind}", error.message, fix, now=now)


def _minutes(span: dt.timedelta) -> str:
    return f"{span.total_seconds() / 60:.0f} minutes"


def whole_rows(client: ChargebeeClient, kind: str, page: Page) -> list[Any]:
    """The documents themselves, with lines that did not fit the page fetched."""
    if kind not in (Kind.INVOICE, Kind.CREDIT_NOTE):
        return page.rows
    return [whole(client, row, BY_KIND[kind].name) for row in page.rows]


def store_page(tenant: Tenant, run: Run, kind: str, number: int, documents: Sequence[Any], *, now: dt.datetime) -> Kept:
    """Record what the page listed, then store what is new or newer, in one transaction."""
    rows = [row_of(document) for document in documents]
    with transaction.atomic():
        list_rows(tenant, run, kind, number, rows)
        return keep(tenant, kind, rows, now=now)


def list_rows(tenant: Tenant, run: Run, kind: str, number: int, rows: Sequence[Row]) -> None:
    """The ids on the wire, before anyone parses them."""
    listed = [[row.source_id, row.currency, row.total, row.resource_version] for row in rows]
    RunPage.objects.create(tenant=tenant, run=run, kind=kind, number=number, listed=listed)
