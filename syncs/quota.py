"""How many calls of Chargebee's limit are still needed, and when they will be done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from connector.chargebee.plans import minutes_for
from connector.chargebee.resources import PAGE
from syncs.models import EventState, Purpose, Run, RunState, SweepWindow, WebhookEvent
from syncs.proving_copies import COPIES
from tenants import connections
from tenants.models import ChargebeeConnection, Tenant

CALLS_OF_AN_EVENT = 2  # the event, then what it names


@dataclass(frozen=True, slots=True)
class Forecast:
    """`minutes` at the allowed calls a minute, if nothing else on the site uses them up."""

    calls: int
    a_minute: float
    minutes: int


def forecast(tenant: Tenant) -> Forecast | None:
    """None without a connection or where nothing is left to be read."""
    row = ChargebeeConnection.objects.filter(tenant=tenant).first()
    calls = sum(count(tenant) for count in BACKLOGS) if row is not None else 0
    if row is None or not calls:
        return None
    a_minute = connections.site_limit(row)
    return Forecast(calls, a_minute, minutes_for(calls, a_minute))


def _windows(tenant: Tenant) -> int:
    """Pages of the windows that a sweep has still to read."""
    last = Run.objects.filter(tenant=tenant, purpose=Purpose.SWEEP).first()
    if last is None or last.state in (RunState.COMPLETE, RunState.RED):
        return 0
    reading = SweepWindow.objects.filter(run=last, done_at=None).exclude(kind=COPIES)
    expected = reading.values_list("expected", flat=True)
    return sum(documents // PAGE + 1 for documents in expected)


def _events(tenant: Tenant) -> int:
    return (
        CALLS_OF_AN_EVENT
        * WebhookEvent.objects.filter(tenant=tenant, state__in=(EventState.RECEIVED, EventState.FAILED)).count()
    )


BACKLOGS: tuple[Callable[[Tenant], int], ...] = (_windows, _events)
