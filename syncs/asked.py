"""Sync now, as somebody asked for it: it waits as a row until no other run is under way, and is done once.

asked -> claimed -> gone. A run that ends, well or badly, ends its request: its sentence stands in the run. A worker
that dies leaves the claim, which is taken up again after a pause that grows; its run is found dead at once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.db.models import F, Q, QuerySet

from connector.errors import ConnectorError
from syncs import health, intake, running
from syncs.models import Purpose, Run, RunState, SyncRequest
from tenants import calendar
from tenants.models import Tenant

_FIRST_PAUSE, _LONGEST_PAUSE = dt.timedelta(minutes=5), dt.timedelta(hours=1)

Clock = Callable[[], dt.datetime]


def ask(tenant: Tenant, kind: str, source_id: str, *, actor: str, now: dt.datetime) -> SyncRequest:
    """The request, or the open one of the same."""
    wanted = {"tenant": tenant, "kind": kind, "source_id": source_id}
    return SyncRequest.objects.get_or_create(**wanted, defaults={"actor": actor, "asked_at": now})[0]


def due(tenant: Tenant, now: dt.datetime) -> QuerySet[SyncRequest]:
    """Requests that no worker has."""
    return SyncRequest.objects.filter(Q(not_before=None) | Q(not_before__lte=now), tenant=tenant).order_by("pk")


def may_start(tenant: Tenant, now: dt.datetime) -> bool:
    """Whether something is asked for and nothing keeps it from starting."""
    return due(tenant, now).exists() and calendar.open_until(tenant, now) is None and not _is_under_way(tenant, now)


def run(tenant: Tenant, request: SyncRequest, *, clock: Clock) -> running.Story | None:
    """The sync of a request; None while another run keeps it waiting, or a worker has it.

    Raises ConnectorError when the run could not be made, and then it is not asked for any more.
    """
    now = clock()
    if _is_under_way(tenant, now) or not _claim(request, now):
        return None
    mine = SyncRequest.objects.filter(pk=request.pk)
    try:
        story = _sync(tenant, request, clock)
    except running.Busy:
        mine.update(not_before=None, attempts=F("attempts") - 1)
        return None
    except ConnectorError:
        mine.delete()
        raise
    mine.delete()
    return story


def _sync(tenant: Tenant, request: SyncRequest, clock: Clock) -> running.Story:
    how: dict[str, Any] = {"trigger": "browser", "clock": clock, "tell": health.pulse(clock), "actor": request.actor}
    if request.source_id:
        return running.sync_one(tenant, request.kind, [request.source_id], **how)
    return running.sync(tenant, [request.kind] if request.kind else intake.PULL_ORDER, **how)


def _is_under_way(tenant: Tenant, now: dt.datetime) -> bool:
    running.bury(tenant, Purpose.SYNC, now)
    return Run.objects.filter(tenant=tenant, purpose=Purpose.SYNC, state=RunState.RUNNING).exists()


def _claim(request: SyncRequest, now: dt.datetime) -> bool:
    """Only one worker gets it, and not again before the pause is over."""
    pause = min(_FIRST_PAUSE * 2 ** min(request.attempts, 10), _LONGEST_PAUSE)
    seen = SyncRequest.objects.filter(pk=request.pk, not_before=request.not_before, attempts=request.attempts)
    return bool(seen.update(not_before=now + pause, attempts=F("attempts") + 1))
