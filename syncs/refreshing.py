"""Reading QAD's lists anew: by command, by button, by schedule, and as much as a sync needs before it begins."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection

from connector.errors import ConnectorError
from connector.qad.client import QadClient
from mappings import catalog, reference, table
from mappings.listed import ACCOUNTS, CUSTOMERS, LISTS, PERIODS
from mappings.models import MirrorState
from tenants import policies
from tenants.models import Tenant

BY_EVERY_SYNC = (ACCOUNTS, CUSTOMERS, PERIODS)
AFTER_FAILURE = dt.timedelta(hours=1)  # how long a list that could not be read is left alone by the schedule


def refresh(
    tenant: Tenant,
    qad: QadClient,
    names: Collection[str],
    now: dt.datetime,
    tell: Callable[[MirrorState], None] = lambda state: None,
) -> list[MirrorState]:
    """Read these lists. Raises what the client raises when QAD cannot be reached or refuses us."""
    states = []
    for state in catalog.refresh_configured(tenant, qad, names, now):
        tell(state)
        states.append(state)
    return states


def before_sync(tenant: Tenant, qad: QadClient, now: dt.datetime, tell: Callable[[str], None]) -> None:
    """What every sync reads, and, if older than the policy says, what mappings or locked periods name codes of.

    Nothing can be prepared by a wrong list of accounts or customers, so one that is set up wrongly stops the sync.
    """
    mapped = [name for name, codes in table.codes_in_use(tenant.pk).items() if codes]
    late = set(due(tenant, now))
    for name in BY_EVERY_SYNC:
        tell(LISTS[name].title)
        if name in (ACCOUNTS, CUSTOMERS) and qad.profile.list_of(name) is not None:
            catalog.refresh_mirror(tenant, qad, name, now)
        else:
            refresh(tenant, qad, [name], now)
    needed = {*mapped, *(["daybooks"] if reference.has_locked_daybooks(tenant.pk) else [])} & late
    for name in sorted(needed):
        tell(LISTS[name].title)
        refresh(tenant, qad, [name], now)


def due(tenant: Tenant, now: dt.datetime) -> list[str]:
    """Lists that were not read for as long as the policy lists_hours says, or whose last try failed an hour ago."""
    longest = dt.timedelta(hours=policies.read(tenant)["lists_hours"])
    rows = MirrorState.objects.filter(tenant=tenant).values_list("list_name", "asked_at", "refreshed_at")
    known = {name: (asked_at, refreshed_at) for name, asked_at, refreshed_at in rows}
    return [name for name in LISTS if _is_due(*known.get(name, (None, None)), longest, now)]


def _is_due(asked_at: dt.datetime | None, read_at: dt.datetime | None, longest: dt.timedelta, now: dt.datetime) -> bool:
    last = asked_at or read_at
    if last is None:
        return True
    return last + (longest if last == read_at else AFTER_FAILURE) <= now


def refresh_due(tenant: Tenant, qad: QadClient, now: dt.datetime) -> int:
    """What the schedule reads; returns how many lists. QAD that cannot be reached is left alone for a while."""
    names = due(tenant, now)
    try:
        return len(refresh(tenant, qad, names, now))
    except ConnectorError as error:
        for name in names:
            catalog.note_failure(tenant, name, error.message, now)
        raise
