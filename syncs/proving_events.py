"""Chargebee's own list of events as a second witness: what an event names and the inbox has not, is read by its id."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
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
    theirs: dt.datetime | None = None
    named: Named = {}
    listed = 0
    if after is not None:
        resource = BY_KIND[EVENT]
        params: Params = {"limit": PAGE, "sort_by[desc]": resource.sort_by, f"{resource.sort_by}[after]": after}
        for page in pages(client, resource.name, params):
            theirs = theirs or page.server_time
            listed += len(page.rows)
            for event in page.rows:
                _note(named, event)
            alive(0)
    missing, stale = _heal(tenant, run, client, named, clock=clock, alive=alive)
    names = [["missing", name] for name in missing] + [["stale", name] for name in stale]
    SweepWindow.objects.filter(pk=window.pk).update(
        done_at=clock(), listed=listed, missing=len(missing), stale=len(stale), named=names[:20]
    )
    if theirs is not None:
        Cursor.objects.filter(pk=cursor.pk).update(watermark=theirs, started_at=clock(), finished_at=clock())


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


def _heal(
    tenant: Tenant, run: Run, client: ChargebeeClient, named: Named, *, clock: Clock, alive: Callable[[int], None]
) -> tuple[list[str], list[str]]:
    """Read again what the inbox has not as late as an event tells it; ids that polling should have had, by kind."""
    missing, stale = [], []
    settled = {
        cursor.kind: cursor.watermark - cursor.overlap
        for cursor in Cursor.objects.filter(tenant=tenant)
        if cursor.watermark is not None
    }
    for number, ((kind, source_id), row) in enumerate(sorted(named.items(), key=lambda item: item[0])):
        stored = SourceDocument.objects.filter(tenant=tenant, kind=kind, source_id=source_id).first()
        if stored is not None and not _is_behind(stored, row):
            continue
        outcome = take_in(tenant, kind, source_id, client, clock=clock, run=run, number=number).outcome
        alive(0)
        is_late = kind in settled and row.updated_at is not None and row.updated_at < settled[kind]
        if is_late and outcome is Outcome.NEW:
            missing.append(f"{kind} {source_id}")
        elif is_late and outcome in (Outcome.CHANGED, Outcome.VANISHED):
            stale.append(f"{kind} {source_id}")
    return missing, stale


def _is_behind(stored: SourceDocument, snapshot: Row) -> bool:
    if snapshot.is_deleted and not stored.is_deleted:
        return True
    return (stored.resource_version or 0) < (snapshot.resource_version or 0)
