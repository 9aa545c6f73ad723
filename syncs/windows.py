"""Stretches of document dates, cut so that each is read in one sitting. Pure: counts in, windows out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

MOST_DOCUMENTS = 2000  # in a window: twenty pages
MOST_DAYS = 31


@dataclass(frozen=True, slots=True)
class Window:
    """From `starts_at` to just before `ends_at` (UTC); None leaves an end open. `expected` documents are stored."""

    starts_at: dt.datetime | None
    ends_at: dt.datetime | None
    expected: int


def cut(counts: Mapping[dt.date, int], since: dt.date | None) -> list[Window]:
    """Windows over every date from `since` on (None: from the first), without a gap; the last one has no end."""
    days = sorted(day for day in counts if since is None or day >= since)
    windows: list[Window] = []
    start, expected = since, 0
    first = start or (days[0] if days else None)
    for day in days:
        is_full = expected and expected + counts[day] > MOST_DOCUMENTS
        if first is not None and (is_full or (day - first).days >= MOST_DAYS):
            windows.append(Window(_midnight(start), _midnight(day), expected))
            start, first, expected = day, day, 0
        expected += counts[day]
    return [*windows, Window(_midnight(start), None, expected)]


def _midnight(day: dt.date | None) -> dt.datetime | None:
    return None if day is None else dt.datetime.combine(day, dt.time(), dt.UTC)
