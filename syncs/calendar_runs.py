"""Starts what the billing calendar says is due: one run for all due rules of a tenant, never two at a time.

A rule stays due until a run for it has come to its end. The claim (`not_before`) keeps a second worker away and is the
pause after a failure, so a killed or failed run is made up for, and slots missed meanwhile become one run.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.db import transaction
from django.db.models import F, Q, QuerySet

from connector import slots
from connector.errors import ConnectorError
from syncs import health, intake, running
from syncs.models import Run, RunState
from syncs.models.run import Purpose
from tenants import calendar
from tenants.models import CalendarRule, Tenant

_FIRST_PAUSE, _LONGEST_PAUSE = dt.timedelta(minutes=5), dt.timedelta(hours=1)
_CLOCK_WAS_WRONG = dt.timedelta(hours=2)

Clock = Callable[[], dt.datetime]


def due(tenant: Tenant, now: dt.datetime) -> QuerySet[CalendarRule]:
    """Rules whose slot has come and that no run was started for lately."""
    free = Q(not_before=None) | Q(not_before__lte=now)
    return CalendarRule.objects.filter(free, tenant=tenant, is_paused=False, next_at__lte=now)


def is_due(tenant: Tenant, now: dt.datetime) -> bool:
    """Whether a run may start for the calendar now."""
    return due(tenant, now).exists() and not is_running(tenant, now) and calendar.open_until(tenant, now) is None


def is_running(tenant: Tenant, now: dt.datetime) -> bool:
    runs = Run.objects.filter(tenant=tenant, purpose=Purpose.SYNC, state=RunState.RUNNING)
    return runs.filter(lease_until__gte=now).exists()


def run_due(tenant: Tenant, *, clock: Clock, actor: str) -> int:
    """One run for everything that is due; says for how many rules. Raises ConnectorError when it could not be made."""
    now = clock()
    if is_running(tenant, now) or calendar.open_until(tenant, now) is not None:
        return 0
    claimed = [rule for rule in due(tenant, now).order_by("next_at", "id") if _claim(rule, now)]
    if not claimed:
        return 0
    try:
        story = running.sync(
            tenant, _kinds(claimed), trigger="calendar", clock=clock, tell=health.pulse(clock), actor=actor
        )
    except ConnectorError as error:
        for rule in claimed:
            CalendarRule.objects.filter(pk=rule.pk).update(last_sentence=error.message)
        raise
    for rule in claimed:
        _done(rule, story.run, clock())
    return len(claimed)


def heal(tenant: Tenant, now: dt.datetime) -> int:
    """Bring back rules that ran while the clock was far ahead: else they would sleep until that time comes."""
    healed = 0
    for rule in CalendarRule.objects.filter(tenant=tenant, is_paused=False, last_at__gt=now + _CLOCK_WAS_WRONG):
        rule.tenant, rule.last_at = tenant, None
        calendar.schedule(rule, now).save(update_fields=["next_at", "not_before", "attempts", "last_at"])
        healed += 1
    return healed


def _claim(rule: CalendarRule, now: dt.datetime) -> bool:
    """Only one worker gets a slot, and not again before the pause is over."""
    pause = min(_FIRST_PAUSE * 2 ** min(rule.attempts, 10), _LONGEST_PAUSE)
    seen = CalendarRule.objects.filter(
        pk=rule.pk, next_at=rule.next_at, not_before=rule.not_before, attempts=rule.attempts, is_paused=False
    )
    return bool(seen.update(not_before=now + pause, attempts=F("attempts") + 1))


def _done(rule: CalendarRule, run: Run, now: dt.datetime) -> None:
    """The slot is over; whoever changed the rule meanwhile has set the next one already."""
    following = slots.after(rule.timing, max(now, rule.next_at or now))
    with transaction.atomic():
        CalendarRule.objects.filter(pk=rule.pk).update(last_at=now, last_sentence=run.sentence)
        CalendarRule.objects.filter(pk=rule.pk, next_at=rule.next_at).update(
            next_at=following, not_before=None, attempts=0
        )


def _kinds(rules: list[CalendarRule]) -> list[str]:
    """What any of the rules reads, in the order of a run."""
    wanted = {kind for rule in rules for kind in rule.kinds or slots.KINDS}
    return [kind for kind in intake.PULL_ORDER if kind in wanted]
