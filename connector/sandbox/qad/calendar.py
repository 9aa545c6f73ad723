"""Periods of one entity: months, open or closed as a whole or for one daybook."""

from __future__ import annotations

import datetime as dt
from calendar import monthrange
from typing import Any

from connector.sandbox.qad.masters import ENTITY


class Calendar:
    """Open from January of the year before `today` until the end of the third year after; a person may lock more."""

    def __init__(self, today: dt.date) -> None:
        self._first, self._last = today.year - 4, today.year + 3
        self._open_from = (today.year - 1, 1)
        self._closed: set[tuple[int, int]] = set()
        self._reopened: set[tuple[int, int]] = set()
        self._locks: set[tuple[str, int, int]] = set()

    def lock(self, year: int, period: int) -> None:
        self._closed.add((year, period))
        self._reopened.discard((year, period))

    def unlock(self, year: int, period: int) -> None:
        self._closed.discard((year, period))
        self._reopened.add((year, period))

    def lock_daybook(self, daybook: str, year: int, period: int) -> None:
        self._locks.add((daybook, year, period))

    def unlock_daybook(self, daybook: str, year: int, period: int) -> None:
        self._locks.discard((daybook, year, period))

    def is_open(self, year: int, period: int) -> bool:
        if (year, period) in self._reopened:
            return True
        in_range = (year, period) >= self._open_from and year <= self._last
        return in_range and (year, period) not in self._closed

    def is_locked(self, daybook: str, year: int, period: int) -> bool:
        return (daybook, year, period) in self._locks

    def first_open(self, date: dt.date, daybook: str) -> dt.date | None:
        """`date` itself, or the first day of the next period that takes this daybook."""
        year, month = date.year, date.month
        while year <= self._last:
            if self.is_open(year, month) and not self.is_locked(daybook, year, month):
                return date if (year, month) == (date.year, date.month) else dt.date(year, month, 1)
            year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        return None

    def rows(self) -> list[dict[str, Any]]:
        return [self._row(year, month) for year in range(self._first, self._last + 1) for month in range(1, 13)]

    def _row(self, year: int, month: int) -> dict[str, Any]:
        return {
            "year": year,
            "period": month,
            "start_date": dt.date(year, month, 1),
            "end_date": dt.date(year, month, monthrange(year, month)[1]),
            "is_open": self.is_open(year, month),
            "entity": ENTITY,
            "locked_daybooks": ",".join(sorted(book for book, y, m in self._locks if (y, m) == (year, month))),
        }
