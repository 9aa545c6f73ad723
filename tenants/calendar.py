"""A tenant's billing calendar as values: what is wrong with a rule, when it comes, and which blackout holds it."""

from __future__ import annotations

import datetime as dt
from itertools import islice
from zoneinfo import ZoneInfo

from connector import slots
from connector.errors import Configuration, Problem
from connector.slots import Window
from tenants.models import Blackout, CalendarRule, Tenant

SHOWN = 10
TIMED_BY = ("pattern", "day", "weekday", "at", "cron", "time_zone", "is_paused")


def problems(rule: CalendarRule) -> list[Problem]:
    """What is wrong with a rule, [] if it may be saved; each subject names a field."""
    found = slots.problems(rule.timing)
    unknown = [kind for kind in rule.kinds if kind not in slots.KINDS]
    if unknown:
        fix = f"Use any of: {', '.join(slots.KINDS)}."
        found.append(Problem("calendar-rule", "kinds", f"There is no kind '{unknown[0]}'.", fix))
    return found


def schedule(rule: CalendarRule, now: dt.datetime) -> CalendarRule:
    """Set the next slot anew: for a rule that is new, whose time was changed, or that goes on after a pause."""
    rule.next_at = None if rule.is_paused else slots.after(rule.timing, now)
    rule.not_before, rule.attempts = None, 0
    return rule


def reschedule(tenant: Tenant, now: dt.datetime) -> None:
    """After the tenant's own zone was changed: rules without a zone follow it."""
    for rule in CalendarRule.objects.filter(tenant=tenant, time_zone=""):
        rule.tenant = tenant
        schedule(rule, now).save(update_fields=["next_at", "not_before", "attempts"])


def windows(tenant: Tenant, now: dt.datetime) -> list[Window]:
    """Blackouts that are open or to come."""
    rows = Blackout.objects.filter(tenant=tenant, ends_at__gt=now)
    return list(rows.order_by("begins_at").values_list("begins_at", "ends_at"))


def open_until(tenant: Tenant, now: dt.datetime) -> dt.datetime | None:
    """The end of the blackout that holds at `now`, None if none does."""
    end = slots.moved(now, windows(tenant, now))
    return None if end == now else end


def refuse_in_blackout(tenant: Tenant, now: dt.datetime) -> None:
    """Raises Configuration while a blackout is open."""
    end = open_until(tenant, now)
    if end is None:
        return
    row = Blackout.objects.filter(tenant=tenant, begins_at__lte=now, ends_at__gt=now).first()
    until = f"{end.astimezone(ZoneInfo(tenant.time_zone)):%Y-%m-%d %H:%M %Z}"
    raise Configuration(
        f"No run of {tenant} starts before {until}: the blackout '{row}' holds it. What is due runs right after it; "
        "to run now, end the blackout under Tenants & connections > Blackouts."
    )


def upcoming(rule: CalendarRule, now: dt.datetime, closed: list[Window], count: int = SHOWN) -> list[dt.datetime]:
    """The next starts of a rule in UTC; one that is due comes first, as now or the end of the blackout."""
    if rule.is_paused or slots.problems(rule.timing):
        return []
    found = list(islice(slots.starts(rule.timing, now, closed), count))
    if rule.next_at is not None and rule.next_at <= now:
        start = slots.moved(now, closed)
        found = [start, *(one for one in found if one > start)]
    return found[:count]


def described(rule: CalendarRule) -> str:
    """'Monthly on day 1 at 02:30, Europe/Berlin'."""
    at = f" at {rule.at:%H:%M}" if rule.at else ""
    said = {
        "monthly": f"Monthly on day {rule.day}{at}",
        "month_end": f"On the last day of each month{at}",
        "weekly": f"Every {rule.get_weekday_display()}{at}" if rule.weekday is not None else "Weekly",
        "daily": f"Daily{at}",
        "cron": f"Cron {rule.cron}",
    }[rule.pattern]
    return f"{said}, {rule.time_zone or rule.tenant.time_zone}"
