"""Chargebee's newest events every few minutes: what reading has passed over, or no webhook told, is read by its id.

A pass reads a hundred documents with one call and this reads one, so a flood of changes is left to the next pass.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from connector.chargebee import cursor as arithmetic
from connector.chargebee.client import ChargebeeClient
from syncs.models import Cursor, WebhookCredential
from syncs.notices import notice
from syncs.proving_events import behind, heal, listen
from tenants import calendar
from tenants.models import Tenant

NEWEST = "newest_event"  # a cursor of its own: the nightly sweep looks at the whole day once more
EVERY = dt.timedelta(minutes=5)
MOST_PAGES = 20
MOST_BY_ID = 100
NAMED = 10


def is_due(tenant: Tenant, now: dt.datetime) -> bool:
    """Not before the first pass over invoices is over, and not in a blackout."""
    if not Cursor.objects.filter(tenant=tenant, kind="invoice", watermark__isnull=False).exists():
        return False
    lately = Cursor.objects.filter(tenant=tenant, kind=NEWEST, finished_at__gt=now - EVERY, finished_at__lte=now)
    return not lately.exists() and calendar.open_until(tenant, now) is None


def witness(tenant: Tenant, client: ChargebeeClient, *, clock: Callable[[], dt.datetime]) -> int:
    """Says how many documents were read; harmless to run twice or at once. Raises ConnectorError.

    What is newer than the last pass is read only for who set up webhooks: for others the billing calendar says when.
    """
    cursor, _ = Cursor.objects.get_or_create(tenant=tenant, kind=NEWEST)
    began = cursor.watermark or Cursor.objects.get(tenant=tenant, kind="invoice").watermark
    after = arithmetic.since(began, arithmetic.SHORTEST_OVERLAP)
    if after is None:
        return 0
    told = listen(client, after, lambda rows: None, MOST_PAGES)
    found = list(behind(tenant, told.named))
    late, fresh = [one for one in found if one.is_late], [one for one in found if not one.is_late]
    is_told = WebhookCredential.objects.filter(tenant=tenant, retired_at=None).exists()
    read = late[:MOST_BY_ID] + (fresh if is_told and len(fresh) <= MOST_BY_ID else [])
    missing, stale = heal(tenant, client, read, clock=clock, alive=lambda rows: None)
    if missing or stale:
        _say(tenant, missing, stale, clock())
    is_whole = told.began_at is not None and len(late) <= MOST_BY_ID
    moved = {"watermark": told.began_at, "started_at": clock()} if is_whole else {}
    Cursor.objects.filter(pk=cursor.pk).update(**moved, finished_at=clock())
    return len(read)


def _say(tenant: Tenant, missing: list[str], stale: list[str], now: dt.datetime) -> None:
    named = [f"missing {name}" for name in missing] + [f"stale {name}" for name in stale]
    more = f" and {len(named) - NAMED} more" if len(named) > NAMED else ""
    sentence = (
        f"Reading had left documents wrong: {len(missing)} missing, {len(stale)} stale. Chargebee's events told of "
        f"them, and they are healed: {', '.join(named[:NAMED])}{more}."
    )
    fix = "The nightly sweep proves that nothing else is missing; look at its figures."
    notice(tenant, "passed-over", "Reading Chargebee", sentence, fix, now=now)
