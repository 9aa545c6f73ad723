"""The blackouts of the billing calendar in a tenant file: `[[blackouts]]`, a table for each."""

from __future__ import annotations

import datetime as dt
import difflib
from typing import Any
from zoneinfo import ZoneInfo

from connector import slots
from connector.errors import Problem
from tenants.models import Blackout

KEYS = ("reason", "begins", "ends")
_LONGEST = 100
_EXAMPLE = 'Use a moment such as "2026-12-01 18:00", by the clock of the tenant.'
Values = dict[str, Any]


def read(given: Any) -> tuple[list[Values], list[Problem]]:
    """The tables with moments as they are written, and every problem of them."""
    if not isinstance(given, list) or not all(isinstance(table, dict) for table in given):
        return [], [_problem("", "[blackouts] is not a list.", "Write each blackout as a table [[blackouts]].")]
    rows, problems = [], []
    for number, table in enumerate(given, 1):
        subject = _subject(table, number)
        values, wrong = _values(table)
        rows.append(values)
        problems += [_problem(subject, f"[[blackouts]] {subject}: {message}", fix) for message, fix in wrong]
    return rows, problems


def moments(rows: list[Values], zone: str) -> tuple[list[Values], list[Problem]]:
    """The rows as they are stored: wall-clock times in `zone` become moments in UTC."""
    found, problems = [], []
    for number, row in enumerate(rows, 1):
        subject = _subject(row, number)
        begins, ends = (_moment(row[key], zone) for key in ("begins", "ends"))
        for key, moment in (("begins", begins), ("ends", ends)):
            if moment is None:
                message = f"[[blackouts]] {subject}: the clocks of {zone} skip {row[key]}, or show it twice."
                problems.append(
                    _problem(subject, message, 'Add the offset from UTC, such as "2026-11-01 01:30-06:00".')
                )
        if begins is not None and ends is not None:
            wrong = slots.window_problems(begins, ends)
            problems += [_problem(subject, f"[[blackouts]] {subject}: {one.message}", one.fix) for one in wrong]
            found.append({"reason": row["reason"], "begins_at": begins, "ends_at": ends})
    return found, problems


def written(row: Blackout, zone: str) -> Values:
    """The table of a stored blackout; read again it gives the same row."""
    begins, ends = (moment.astimezone(ZoneInfo(zone)).isoformat(" ") for moment in (row.begins_at, row.ends_at))
    return {"reason": row.reason, "begins": begins, "ends": ends}


def _values(table: Values) -> tuple[Values, list[tuple[str, str]]]:
    values: Values = {}
    wrong = [(f"'{key}' is not a key of a blackout.", _near(key)) for key in table if key not in KEYS]
    wrong += [(f"it has no {key}.", f'Add {key} = "…".') for key in KEYS if key not in table]
    for key in KEYS:
        value = table.get(key)
        values[key] = _reason(value) if key == "reason" else _written(value)
        if key in table and values[key] is None:
            wrong.append(
                (f"{key} is {value!r}.", f"Use a text of 1 to {_LONGEST} characters." if key == "reason" else _EXAMPLE)
            )
    return values, wrong


def _near(key: str) -> str:
    near = difflib.get_close_matches(key, KEYS, n=1)
    return f"Did you mean '{near[0]}'?" if near else f"Use any of: {', '.join(KEYS)}."


def _reason(value: Any) -> str | None:
    return value.strip() if isinstance(value, str) and value.strip() and len(value) <= _LONGEST else None


def _written(value: Any) -> dt.datetime | None:
    if isinstance(value, dt.datetime):
        return value
    try:
        return dt.datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None


def _moment(written: dt.datetime, zone: str) -> dt.datetime | None:
    """None for a time that the clocks of the zone skip or show twice."""
    if written.tzinfo is not None:
        return written.astimezone(dt.UTC)
    first, second = (written.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(dt.UTC) for fold in (0, 1))
    return first if first == second else None


def _subject(table: Values, number: int) -> str:
    reason = table.get("reason")
    return f"blackout '{reason}'" if isinstance(reason, str) and reason else f"blackout {number}"


def _problem(subject: str, message: str, fix: str) -> Problem:
    return Problem("file", f"[[blackouts]] {subject}".strip(), message, fix)
