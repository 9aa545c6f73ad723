"""One document, asked for by kind and id and taken into the inbox: what a webhook, an event or a person points at."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import Enum
from typing import Any

from django.db import transaction

from connector.chargebee.client import ChargebeeClient
from connector.chargebee.paging import whole
from connector.chargebee.resources import BY_KIND, named
from syncs.intake import Clock, list_rows
from syncs.keeping import Kept, keep
from syncs.models import Kind, Run, SourceDocument
from syncs.rows import Row, row_of, tombstone
from tenants import audit
from tenants.models import Tenant


class Outcome(Enum):
    """What taking a document in did."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "unchanged"
    VANISHED = "vanished"  # it was stored, and Chargebee has it no more, not even among the deleted
    ABSENT = "absent"  # neither Chargebee nor the inbox has it


@dataclass(frozen=True, slots=True)
class Taken:
    """`listed` is the row that Chargebee showed, None where it showed none."""

    outcome: Outcome
    listed: Row | None


def take_in(
    tenant: Tenant,
    kind: str,
    source_id: str,
    client: ChargebeeClient,
    *,
    clock: Clock,
    run: Run | None = None,
    number: int = 0,
) -> Taken:
    """Ask for one document by id and store what Chargebee has now; a deleted or vanished one becomes a tombstone.

    Harmless to repeat, at once or late. With a `run`, what was shown counts in its completeness equation.
    Raises ConnectorError when Chargebee cannot be read, and ValueError for a kind that is none.
    """
    kind = Kind(kind).value
    seen = _stored_hashes(tenant, kind, source_id)
    document = _shown(client, kind, source_id)
    now = clock()
    with transaction.atomic():
        if document is None:
            return _gone(tenant, kind, source_id, seen, now)
        row = row_of(document)
        if run is not None:
            list_rows(tenant, run, kind, number, [row])
        kept = keep(tenant, kind, [row], now=now, seen=seen)
    return Taken(_outcome(kept), row)


def _shown(client: ChargebeeClient, kind: str, source_id: str) -> Any | None:
    """The document by its id, else from the list that shows deleted ones; a deleted note may have a longer id there."""
    resource = BY_KIND[kind]
    found: Any = client.retrieve(resource.name, source_id)
    if found is None:
        rows = client.list(resource.name, named(resource, source_id)).rows
        if not rows and kind == Kind.CREDIT_NOTE:
            longer = {**named(resource, ""), "id[starts_with]": f"{source_id}_"}
            del longer["id[is]"]
            rows = [row for row in client.list(resource.name, longer).rows if row.get("deleted") is True]
        found = rows[0] if rows else None
    return found if found is None else whole(client, found, resource.name)


def _stored_hashes(tenant: Tenant, kind: str, source_id: str) -> dict[str, str]:
    rows = SourceDocument.objects.filter(tenant=tenant, kind=kind, source_id=source_id)
    return dict(rows.values_list("source_id", "content_hash"))


def _outcome(kept: Kept) -> Outcome:
    if kept.fresh:
        return Outcome.NEW
    return Outcome.CHANGED if kept.changed else Outcome.SAME


def _gone(tenant: Tenant, kind: str, source_id: str, seen: dict[str, str], now: dt.datetime) -> Taken:
    """What Chargebee shows nowhere is taken for deleted: a decision that is written down, never a silent delete."""
    stored = SourceDocument.objects.filter(tenant=tenant, kind=kind, source_id=source_id, is_deleted=False).first()
    if stored is None:
        return Taken(Outcome.SAME if seen else Outcome.ABSENT, None)
    if seen.get(source_id) != stored.content_hash:
        return Taken(Outcome.SAME, None)  # it came back, or changed, while it was asked for
    keep(tenant, kind, [tombstone(row_of(stored.content), source_id, at=now)], now=now, seen=seen)
    SourceDocument.objects.filter(pk=stored.pk).update(vanished_at=now)
    reason = "Chargebee shows it no more, neither by its id nor among deleted ones: taken for deleted."
    audit.record(tenant.pk, [audit.Line("vanished", f"{kind}:{source_id}", reason=reason)], actor="sync", now=now)
    return Taken(Outcome.VANISHED, None)
