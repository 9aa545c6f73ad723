"""Chargebee's own list of events as a second witness: what an event names and the inbox has not, is read by its id."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from connector.chargebee import cursor as arithmetic
from connector.chargebee.client import ChargebeeClient
from connector.chargebee.paging import pages
from connector.chargebee.resources import BY_KIND, PAGE, Params
from connector.chargebee.webhook import documents
from syncs.intake import Clock
from syncs.models import Cursor, Run, SourceDocument, SweepWindow
from syncs.refetch import Outcome, take_in
from syncs.rows import Row, row_of
from tenants.models import Tenant

EVENT = "event"
OVERLAP_SECONDS = 3600
FIRST_REACH = dt.timedelta(days=7)
Named = dict[tuple[str, str], Row]


@dataclass(slots=True)
class Told:
    """What events name, with the newest snapshot of each; `began_at` is Chargebee's time when the listing began."""

    named: Named = field(default_factory=dict)
    listed: int = 0
    began_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Behind:
    """A document to be read by its id; `is_late`: a pass that is over should have had it."""

    kind: str
    source_id: str
    is_late: bool


def prove_events(
    tenant: Tenant,
    run: Run,
    window: SweepWindow,
    client: ChargebeeClient,
    *,
    clock: Clock,
    alive: Callable[[int], None],
) -> None:
    """Every event since the last whole pass over them; before any pull has finished there is nothing to witness."""
    cursor, _ = Cursor.objects.get_or_create(tenant=tenant, kind=EVENT, defaults={"overlap_seconds": OVERLAP_SECONDS})
    after = arithmetic.since(_since(tenant, cursor, clock()), cursor.overlap)
    told = Told() if after is None else listen(client, after, alive)
    missing, stale = heal(tenant, client, list(behind(tenant, told.named)), clock=clock, alive=alive, run=run)
    names = [["missing", name] for name in missing] + [["stale", name] for name in stale]
    SweepWindow.objects.filter(pk=window.pk).update(
        done_at=clock(), listed=told.listed, missing=len(missing), stale=len(stale), named=names[:20]
    )
    if told.began_at is not None:
        Cursor.objects.filter(pk=cursor.pk).update(watermark=told.began_at, started_at=clock(), finished_at=clock())


def listen(client: ChargebeeClient, after: int, alive: Callable[[int], None], most_pages: int | None = None) -> Told:
    """Every event later than `after` (Unix seconds), newest first; only the newest `most_pages` of them if given."""
    resource, told = BY_KIND[EVENT], Told()
    params: Params = {"limit": PAGE, "sort_by[desc]": resource.sort_by, f"{resource.sort_by}[after]": after}
    for page in islice(pages(client, resource.name, params), most_pages):
        told.began_at = told.began_at or page.server_time
        told.listed += len(page.rows)
        for event in page.rows:
            _note(told.named, event)
        alive(0)
    return told


def _since(tenant: Tenant, cursor: Cursor, now: dt.datetime) -> dt.datetime | None:
    """Where the last pass over events began, or when the first document was read, at most a week ago."""
    if cursor.watermark is not None:
        return cursor.watermark
    first = SourceDocument.objects.filter(tenant=tenant).order_by("pk").values_list("first_seen_at", flat=True).first()
    return None if first is None else max(first, now - FIRST_REACH)


def _note(named: Named, event: Any) -> None:
    """The newest snapshot that events hold of each document."""
    if not isinstance(event, dict):
        return
    for kind, source_id in documents(event):
        row = row_of(_snapshot(event, kind, source_id))
        known = named.get((kind, source_id))
        if known is None or (row.resource_version or 0) > (known.resource_version or 0):
            named[kind, source_id] = row


def _snapshot(event: dict[str, Any], kind: str, source_id: str) -> dict[str, Any]:
    content = event["content"]
    several = content.get(BY_KIND[kind].name)
    candidates = [content.get(kind), *(several if isinstance(several, list) else ())]
    found = next(one for one in candidates if isinstance(one, dict) and one.get("id") == source_id)
    gone = {"deleted": True} if event.get("event_type") == f"{kind}_deleted" else {}
    return {**found, **gone}


def behind(tenant: Tenant, named: Named) -> Iterator[Behind]:
    """What the inbox has not as late as an event tells it."""
    settled = {
        cursor.kind: cursor.watermark - cursor.overlap
        for cursor in Cursor.objects.filter(tenant=tenant)
        if cursor.watermark is not None
    }
    for (kind, source_id), row in sorted(named.items(), key=lambda item: item[0]):
        stored = SourceDocument.objects.filter(tenant=tenant, kind=kind, source_id=source_id).first()
        if stored is None or _is_behind(stored, row):
            is_late = kind in settled and row.updated_at is not None and row.updated_at < settled[kind]
            yield Behind(kind, source_id, is_late)


def heal(
    tenant: Tenant,
    client: ChargebeeClient,
    found: Sequence[Behind],
    *,
    clock: Clock,
    alive: Callable[[int], None],
    run: Run | None = None,
) -> tuple[list[str], list[str]]:
    """Read these by their ids; which of them polling should have had: never read, and read too early."""
    missing, stale = [], []
    for number, one in enumerate(found):
        outcome = take_in(tenant, one.kind, one.source_id, client, clock=clock, run=run, number=number).outcome
        alive(0)
        if one.is_late and outcome is Outcome.NEW:
            missing.append(f"{one.kind} {one.source_id}")
        elif one.is_late and outcome in (Outcome.CHANGED, Outcome.VANISHED):
            stale.append(f"{one.kind} {one.source_id}")
    return missing, stale


def _is_behind(stored: SourceDocument, snapshot: Row) -> bool:
    if snapshot.is_deleted and not stored.is_deleted:
        return True
    return (stored.resource_version or 0) < (snapshot.resource_version or 0)
