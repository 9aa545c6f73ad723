"""One window of a sweep: what Chargebee lists against what the inbox has, healed, with every difference counted.

The document date does not move when a document changes, so no row slips over the edge of a page, however long it takes.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import QuerySet

from connector.chargebee.client import ChargebeeClient
from connector.chargebee.paging import pages
from connector.chargebee.resources import BY_KIND, dated_within
from connector.errors import Conflict
from syncs.intake import Clock, list_rows, whole_rows
from syncs.keeping import keep
from syncs.models import Cursor, Run, SourceDocument, SweepWindow
from syncs.refetch import Outcome, take_in
from syncs.rows import NAMELESS, Row, row_of
from tenants.models import Tenant

NAMED = 20
MOST_GONE = 50  # documents that may be gone at once before somebody should look at the site instead
LISTS_CATCH_UP = dt.timedelta(days=1)  # a list that shows an older state for longer than this is wrong


@dataclass(slots=True)
class Findings:
    """What polling had left wrong in one window, by id; and what the wire listed."""

    missing: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    wire: dict[str, Row] = field(default_factory=dict)
    doubtful: list[str] = field(default_factory=list)  # the list shows an older state than is stored


@dataclass(slots=True)
class Sitting:
    """Who sweeps what: everything that the steps of a window share. `alive` is called after each page."""

    tenant: Tenant
    run: Run
    window: SweepWindow
    client: ChargebeeClient
    clock: Clock
    alive: Callable[[int], None]
    number: int = 0

    def next_number(self) -> int:
        self.number += 1
        return self.number


def prove(sitting: Sitting) -> Findings:
    """Read, compare, heal and write down one window. Raises ConnectorError; then the window is done again."""
    began, window, found = sitting.clock(), sitting.window, Findings()
    settled = settled_before(sitting.tenant, window.kind)
    for rows in _listed(sitting):
        _store(sitting, rows, settled, found)
    _ask_for_doubtful(sitting, found)
    _ask_for_gone(sitting, began, found)
    named = [[what, name] for what in ("missing", "extra", "stale") for name in getattr(found, what)]
    SweepWindow.objects.filter(pk=window.pk).update(
        done_at=sitting.clock(),
        listed=len(found.wire),
        missing=len(found.missing),
        extra=len(found.extra),
        stale=len(found.stale),
        named=named[:NAMED],
        days=differing_days(_stored(sitting.tenant, window), found.wire),
    )
    return found


def settled_before(tenant: Tenant, kind: str) -> dt.datetime | None:
    """What changed before this should have been read by polling; what changed later is only not read yet."""
    cursor = Cursor.objects.filter(tenant=tenant, kind=kind).first()
    return cursor.watermark - cursor.overlap if cursor is not None and cursor.watermark is not None else None


def _listed(sitting: Sitting) -> Iterator[list[Row]]:
    window = sitting.window
    resource = BY_KIND[window.kind]
    first = int(window.starts_at.timestamp()) if window.starts_at else None
    last = int(window.ends_at.timestamp()) - 1 if window.ends_at else None
    for page in pages(sitting.client, resource.name, dated_within(resource, first, last)):
        yield [row_of(document) for document in whole_rows(sitting.client, window.kind, page)]


def _store(sitting: Sitting, rows: list[Row], settled: dt.datetime | None, found: Findings) -> None:
    window, now = sitting.window, sitting.clock()
    with transaction.atomic():
        list_rows(sitting.tenant, sitting.run, window.kind, sitting.next_number(), rows)
        kept = keep(sitting.tenant, window.kind, rows, now=now)
    found.missing += [row.source_id for row in kept.fresh if _is_settled(row, settled)]
    found.stale += [row.source_id for row in kept.changed if _is_settled(row, settled)]
    found.doubtful += [row.source_id for row in kept.older]
    found.wire.update((row.source_id, row) for row in rows)
    sitting.alive(len(rows))


def _is_settled(row: Row, settled: dt.datetime | None) -> bool:
    return settled is not None and (row.updated_at is None or row.updated_at < settled)


def _ask_for_doubtful(sitting: Sitting, found: Findings) -> None:
    """A list that has shown an older state for a day is asked by id which one is true."""
    if not found.doubtful:
        return
    rows = SourceDocument.objects.filter(tenant=sitting.tenant, kind=sitting.window.kind, source_id__in=found.doubtful)
    late = rows.filter(changed_at__lt=sitting.clock() - LISTS_CATCH_UP)
    for source_id in late.values_list("source_id", flat=True):
        if _take(sitting, source_id) is Outcome.CHANGED:
            found.stale.append(source_id)


def _ask_for_gone(sitting: Sitting, began: dt.datetime, found: Findings) -> None:
    """What is stored and was not listed is asked for by id; only then is it taken for deleted."""
    stored = _stored(sitting.tenant, sitting.window).filter(is_deleted=False, first_seen_at__lt=began)
    rows = list(stored.exclude(source_id__startswith=NAMELESS).values_list("source_id", "status"))
    gone = [(source_id, status) for source_id, status in rows if source_id not in found.wire]
    if len(gone) > MOST_GONE and len(gone) * 2 > len(rows):
        raise Conflict(
            f"Chargebee lists {len(rows) - len(gone)} of {len(rows)} stored documents of kind {sitting.window.kind}. "
            "Nothing was marked as deleted. Check that the connection leads to the same site as before."
        )
    for source_id, status in gone:
        outcome = _take(sitting, source_id)
        is_gone = stored.model.objects.filter(
            tenant=sitting.tenant, kind=sitting.window.kind, source_id=source_id, is_deleted=True
        ).exists()
        if status != "pending" and (outcome is Outcome.VANISHED or is_gone):  # a draft goes when it becomes a document
            found.extra.append(source_id)


def _take(sitting: Sitting, source_id: str) -> Outcome:
    taken = take_in(
        sitting.tenant,
        sitting.window.kind,
        source_id,
        sitting.client,
        clock=sitting.clock,
        run=sitting.run,
        number=sitting.next_number(),
    )
    sitting.alive(0)
    return taken.outcome


def _stored(tenant: Tenant, window: SweepWindow) -> QuerySet[SourceDocument]:
    rows = SourceDocument.objects.filter(tenant=tenant, kind=window.kind)
    if window.starts_at is not None:
        rows = rows.filter(dated_at__gte=window.starts_at)
    return rows.filter(dated_at__lt=window.ends_at) if window.ends_at is not None else rows


def differing_days(stored: QuerySet[SourceDocument], wire: dict[str, Row]) -> list[list[object]]:
    """[day, currency, listed, listed sum, stored, stored sum] of each day on which the two do not agree.

    A document that moved on while the window was read is left out on both sides.
    """
    listed: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    kept: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    names = ("source_id", "content_hash", "dated_at", "currency", "total_minor")
    left_out = set()
    for source_id, digest, dated_at, currency, total in stored.filter(vanished_at=None).values_list(*names).iterator():
        if source_id in wire and wire[source_id].digest != digest:
            left_out.add(source_id)
            continue
        if source_id in wire:
            kept[_day(dated_at), currency].update(count=1, total=total or 0)
    for source_id, row in wire.items():
        if source_id not in left_out:
            listed[_day(row.dated_at), row.currency].update(count=1, total=row.total or 0)
    return [
        [*key, listed[key]["count"], listed[key]["total"], kept[key]["count"], kept[key]["total"]]
        for key in sorted(listed.keys() | kept.keys())
        if (listed[key]["count"], listed[key]["total"]) != (kept[key]["count"], kept[key]["total"])
    ]


def _day(moment: dt.datetime | None) -> str:
    return moment.date().isoformat() if moment else ""
