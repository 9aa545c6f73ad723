"""Takes one document in by its kind and id, as it is in Chargebee now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.db import IntegrityError, transaction

from connector.chargebee.client import ChargebeeClient, Row
from connector.chargebee.paging import all_lines
from connector.errors import Transient
from syncs import intake
from tenants.models import Tenant

TAKEN, GONE = "taken", "gone"


def take(
    tenant: Tenant, kind: str, source_id: str, client: ChargebeeClient, *, clock: Callable[[], dt.datetime]
) -> str:
    """Read it and store it if that is news; says `taken`, or `gone` where Chargebee has no such document at all."""
    document = _read(kind, source_id, client)
    if document is None:
        return GONE
    try:
        with transaction.atomic():
            intake.keep(tenant, kind, [intake._row(document)], now=clock())
    except IntegrityError:  # a sync has stored the same new document in this moment
        raise Transient(f"{kind} '{source_id}' is being read elsewhere at the same time.") from None
    return TAKEN


def _read(kind: str, source_id: str, client: ChargebeeClient) -> Row | None:
    reading = intake.READINGS[kind]
    found = client.retrieve(reading.resource, source_id)
    if found is None and reading.has_deleted:  # a deleted one is found by list only
        rows = client.list(reading.resource, {"id[is]": source_id, "include_deleted": True}).rows
        found = next((row for row in rows if row.get("id") == source_id), None)
    if found is not None and found.get("line_items_next_offset"):
        return all_lines(client, found, reading.resource)
    return found
