"""When a rule of the billing calendar comes: wall-clock rules in, moments in UTC out. No clock in here."""

from __future__ import annotations

import calendar
import datetime as dt
import heapq
import re
import zoneinfo
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from croniter import croniter
from croniter.croniter import CroniterBadCronError, CroniterBadDateError, CroniterNotAlphaError

from connector.errors import Problem

PATTERNS = ("monthly", "month_end", "weekly", "daily", "cron")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
KINDS = ("customer", "item_family", "item", "item_price", "invoice", "credit_note", "transaction")
# what each pattern needs beside its zone; what it does not need must be left out
NEEDS: dict[str, frozenset[str]] = {
    "monthly": frozenset({"day", "at"}),
    "month_end": frozenset({"at"}),
    "weekly": frozenset({"weekday", "at"}),
    "daily": frozenset({"at"}),
    "cron": frozenset({"cron"}),
}
_CRON_FIELD = re.compile(r"[0-9A-Za-z*,/\-#]+\Z")
_RANDOM = re.compile(r"(?:^|,)[RrHh](?:[/(]|$|,)")  # croniter would roll dice for these
_MARGIN = dt.timedelta(hours=4)  # no zone sets its clocks back by more
_NAMES = {"day": "a day of the month", "weekday": "a weekday", "at": "a time of day", "cron": "a cron expression"}

Window = tuple[dt.datetime, dt.datetime]  # from, until (not included), both in UTC


@dataclass(frozen=True, slots=True)
class Timing:
    """`weekday` counts from Monday = 0. A day that a month does not have is its last day."""

    pattern: str
    zone: str
    at: dt.time | None = None
    day: int | None = None
    weekday: int | None = None
    cron: str = ""


def problems(timing: Timing) -> list[Problem]:
    """What is wrong with a rule, [] if it comes; the subject of each is the name of a field."""
    if timing.pattern not in PATTERNS:
        return [_problem("pattern", f"The rule comes '{timing.pattern}'.", f"Use one of: {', '.join(PATTERNS)}.")]
    found = [*_needs(timing), *_zone(timing.zone)]
    if timing.day is not None and not 1 <= timing.day <= 31:
        found.append(_problem("day", f"Day {timing.day} does not exist.", "Use 1 to 31, or the last day of the month."))
    if timing.weekday is not None and not 0 <= timing.weekday <= 6:
        found.append(_problem("weekday", f"Weekday {timing.weekday} does not exist.", "Use monday to sunday."))
    if timing.pattern == "cron" and timing.cron:
        found += _cron(timing.cron)
    return found


def after(timing: Timing, moment: dt.datetime) -> dt.datetime | None:
    """The first slot later than `moment`, in UTC; None if there is none."""
    return next(slots(timing, moment), None)


def slots(timing: Timing, moment: dt.datetime) -> Iterator[dt.datetime]:
    """Every slot later than `moment`, in UTC, in order, each once.

    A wall-clock time that a spring day leaves out comes when the clocks have jumped; one that an autumn day has twice
    comes the first time only, except in a cron rule for every hour, whose hour is then run twice.
    """
    zone = zoneinfo.ZoneInfo(timing.zone)
    comes_twice = timing.pattern == "cron" and timing.cron.split()[1].startswith("*")
    waiting: list[dt.datetime] = []
    last = moment
    for wall in _walls(timing, moment.astimezone(zone).replace(tzinfo=None) - _MARGIN):
        moments = _moments(wall, zone, comes_twice=comes_twice)
        while waiting and waiting[0] <= moments[0]:
            if (found := heapq.heappop(waiting)) > last:
                last = found
                yield found
        for one in moments:
            heapq.heappush(waiting, one)
    while waiting:
        if (found := heapq.heappop(waiting)) > last:
            last = found
            yield found


def starts(timing: Timing, moment: dt.datetime, windows: Sequence[Window]) -> Iterator[dt.datetime]:
    """When runs start: slots inside a blackout become one run at its end."""
    last = None
    for slot in slots(timing, moment):
        start = moved(slot, windows)
        if start != last:
            last = start
            yield start


def moved(moment: dt.datetime, windows: Sequence[Window]) -> dt.datetime:
    """The first moment from `moment` on that lies in no window."""
    for begins, ends in sorted(windows):
        if begins <= moment < ends:
            moment = ends
    return moment


def window_problems(begins: dt.datetime, ends: dt.datetime) -> list[Problem]:
    if ends > begins:
        return []
    return [_problem("ends_at", "The blackout ends before it begins.", "Enter a later end.")]


def _walls(timing: Timing, start: dt.datetime) -> Iterator[dt.datetime]:
    """Wall-clock times from `start` on, in order."""
    if timing.pattern == "cron":
        yield from _cron_walls(timing.cron, start)
        return
    at = timing.at or dt.time()
    for day in _days(timing, start.date()):
        yield dt.datetime.combine(day, at)


def _days(timing: Timing, first: dt.date) -> Iterator[dt.date]:
    if timing.pattern in ("monthly", "month_end"):
        for month in range(first.year * 12 + first.month - 1, dt.MAXYEAR * 12):
            year, number = month // 12, month % 12 + 1
            last = calendar.monthrange(year, number)[1]
            yield dt.date(year, number, min(timing.day or 31, last) if timing.pattern == "monthly" else last)
    day = first if timing.weekday is None else first + dt.timedelta(days=(timing.weekday - first.weekday()) % 7)
    step = dt.timedelta(days=1 if timing.weekday is None else 7)
    while day.year < dt.MAXYEAR:
        yield day
        day += step


def _cron_walls(expression: str, start: dt.datetime) -> Iterator[dt.datetime]:
    comes = croniter(expression, start - dt.timedelta(minutes=1))
    while True:
        try:
            yield comes.get_next(dt.datetime)
        except CroniterBadDateError:  # it never comes (again)
            return


def _moments(wall: dt.datetime, zone: zoneinfo.ZoneInfo, *, comes_twice: bool) -> tuple[dt.datetime, ...]:
    """The moments of a wall-clock time: one, or both where the clocks are set back and both are asked for."""
    first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(dt.UTC) for fold in (0, 1))
    if first.astimezone(zone).replace(tzinfo=None) != wall:
        return (_jump(second, first, zone),)
    return (first, second) if comes_twice and second > first else (first,)


def _jump(before: dt.datetime, behind: dt.datetime, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """The moment between two at which the clocks of the zone change, to the second."""
    offset = before.astimezone(zone).utcoffset()
    while behind - before > dt.timedelta(seconds=1):
        middle = before + dt.timedelta(seconds=int((behind - before).total_seconds()) // 2)
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            behind = middle
    return behind


def _needs(timing: Timing) -> list[Problem]:
    given = {
        name
        for name, value in (("day", timing.day), ("weekday", timing.weekday), ("at", timing.at), ("cron", timing.cron))
        if value is not None and value != ""
    }
    wanted = NEEDS[timing.pattern]
    words = timing.pattern.replace("_", " ")
    lacking = [_problem(name, f"A {words} rule needs {_NAMES[name]}.", "Enter one.") for name in sorted(wanted - given)]
    surplus = [
        _problem(name, f"A {words} rule has no use for {_NAMES[name]}.", "Leave it out.")
        for name in sorted(given - wanted)
    ]
    return lacking + surplus


def _zone(zone: str) -> list[Problem]:
    if zone in zoneinfo.available_timezones():
        return []
    return [_problem("time_zone", f"There is no time zone '{zone}'.", "Use a name such as Europe/Berlin or UTC.")]


def _cron(expression: str) -> list[Problem]:
    fields = expression.split()
    example = "Use five: minute, hour, day, month, weekday, such as 30 2 1 * * for 02:30 on the first of each month."
    if len(fields) != 5:
        return [_problem("cron", f"The cron expression '{expression}' has {len(fields)} fields.", example)]
    wrong = [field for field in fields if not _CRON_FIELD.match(field) or _RANDOM.search(field)]
    if not wrong:
        try:
            comes = croniter(expression, dt.datetime(2026, 1, 1)).get_next(dt.datetime)  # noqa: DTZ001 - wall clock
        except CroniterBadDateError:
            return [_problem("cron", f"The cron expression '{expression}' never comes.", "Name a day that exists.")]
        except (CroniterBadCronError, CroniterNotAlphaError, ValueError, KeyError):
            comes = None
        if comes is not None:
            return []
    place = f"its part '{wrong[0]}'" if wrong else "one of its parts"
    return [_problem("cron", f"The cron expression '{expression}' cannot be read: {place} is not known.", example)]


def _problem(field: str, message: str, fix: str) -> Problem:
    return Problem("calendar-rule", field, message, fix)
