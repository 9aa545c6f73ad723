"""The rules of the billing calendar in a tenant file: `[[calendar]]`, a table for each rule."""

from __future__ import annotations

import datetime as dt
import difflib
from typing import Any

from connector.errors import Problem
from connector.slots import WEEKDAYS
from tenants import calendar
from tenants.models import CalendarRule, Tenant

# key in the file -> field of the row
KEYS = {
    "name": "name",
    "comes": "pattern",
    "at": "at",
    "day": "day",
    "weekday": "weekday",
    "cron": "cron",
    "time_zone": "time_zone",
    "kinds": "kinds",
    "paused": "is_paused",
}
_NOTHING: dict[str, Any] = {
    "at": None, "day": None, "weekday": None, "cron": "", "time_zone": "", "kinds": [], "is_paused": False,
}  # fmt: skip
Values = dict[str, Any]


def read(given: Any) -> tuple[list[Values], list[Problem]]:
    """The rows that the tables describe, each whole, and every problem of them."""
    if not isinstance(given, list) or not all(isinstance(table, dict) for table in given):
        return [], [_problem("", "[calendar] is not a list of rules.", "Write each rule as a table [[calendar]].")]
    rows, problems = [], []
    names: set[str] = set()
    for number, table in enumerate(given, 1):
        name = table.get("name")
        subject = f"rule '{name}'" if isinstance(name, str) and name else f"rule {number}"
        if name in names:
            problems.append(_problem(subject, f"[[calendar]] {subject} stands in it twice.", "Give each its own name."))
        names.add(str(name))
        values, wrong = _values(table)
        rows.append(values)
        problems += [_problem(subject, f"[[calendar]] {subject}: {message}", fix) for message, fix in wrong]
        problems += [] if wrong else _together(values, subject)
    return rows, problems


def written(rule: CalendarRule) -> Values:
    """The table of a stored rule; read again it gives the same row."""
    found: Values = {}
    for key, field in KEYS.items():
        value = getattr(rule, field)
        if field not in _NOTHING or value != _NOTHING[field]:
            found[key] = _text(field, value)
    return found


def _text(field: str, value: Any) -> Any:
    if field == "at":
        return f"{value:%H:%M}"
    return WEEKDAYS[value] if field == "weekday" else value


def _values(table: Values) -> tuple[Values, list[tuple[str, str]]]:
    """Field -> value of one table, and what is wrong with it as (message, fix)."""
    values = dict(_NOTHING)
    wrong = []
    for key, value in table.items():
        if key not in KEYS:
            near = difflib.get_close_matches(key, KEYS, n=1)
            fix = f"Did you mean '{near[0]}'?" if near else f"Use any of: {', '.join(KEYS)}."
            wrong.append((f"'{key}' is not a key of a rule.", fix))
            continue
        taken, wanted = _value(key, value)
        if wanted:
            wrong.append((f"{key} is {value!r}.", wanted))
        values[KEYS[key]] = taken
    for key in ("name", "comes"):
        if key not in table:
            wrong.append((f"it has no {key}.", f'Add {key} = "…".'))
    return values, wrong


def _value(key: str, value: Any) -> tuple[Any, str]:
    """(the value, '') or (None, what would do)."""
    match key:
        case "at":
            return _time(value)
        case "day":
            is_whole = isinstance(value, int) and not isinstance(value, bool)
            return (value, "") if is_whole else (None, "Use a whole number from 1 to 31.")
        case "weekday":
            is_one = isinstance(value, str) and value.lower() in WEEKDAYS
            return (WEEKDAYS.index(value.lower()), "") if is_one else (None, "Use monday to sunday.")
        case "kinds":
            is_list = isinstance(value, list) and all(isinstance(one, str) for one in value)
            return (value, "") if is_list else (None, 'Use a list such as ["invoice", "credit_note"].')
        case "paused":
            return (value, "") if isinstance(value, bool) else (None, "Use true or false.")
    longest = {"name": 60, "cron": 100}.get(key, 64)
    is_text = isinstance(value, str) and len(value) <= longest and (key in ("time_zone", "cron") or value.strip())
    return (value.strip(), "") if is_text else (None, f"Use a text of 1 to {longest} characters.")


def _time(value: Any) -> tuple[Any, str]:
    try:
        at = value if isinstance(value, dt.time) else dt.time.fromisoformat(value)
    except (TypeError, ValueError):
        return None, 'Use a time such as "02:30".'
    return at.replace(second=0, microsecond=0, tzinfo=None), ""


def _together(values: Values, subject: str) -> list[Problem]:
    draft = CalendarRule(tenant=Tenant(time_zone="UTC"), **values)
    return [_problem(subject, f"[[calendar]] {subject}: {one.message}", one.fix) for one in calendar.problems(draft)]


def _problem(subject: str, message: str, fix: str) -> Problem:
    return Problem("file", f"[[calendar]] {subject}".strip(), message, fix)
