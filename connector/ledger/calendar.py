"""QAD's GL calendar as a value: which day falls into which period, and where the next open one begins."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Period:
    """One period of the own entity; `locked` are the daybooks that cannot be posted to while it is open."""

    name: str  # as QAD's users call it: '2026/11'
    first: dt.date
    last: dt.date
    is_open: bool = True
    locked: frozenset[str] = frozenset()

    def takes(self, daybook: str) -> bool:
        """A daybook that nobody knows ('') is refused by no lock."""
        return self.is_open and daybook.casefold() not in {code.casefold() for code in self.locked}


@dataclass(frozen=True, slots=True)
class Calendar:
    """Periods in the order of their first days."""

    periods: tuple[Period, ...]
    _starts: tuple[dt.date, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_starts", tuple(period.first for period in self.periods))

    def at(self, day: dt.date) -> Period | None:
        """The period that a day falls into, None where the calendar has none."""
        place = bisect_right(self._starts, day)
        return next((period for period in reversed(self.periods[:place]) if period.last >= day), None)

    def refusal(self, day: dt.date, daybook: str) -> str:
        """Why nothing can be posted on a day in a daybook, as half a sentence; '' if it can."""
        period = self.at(day)
        if period is None:
            return f"QAD's calendar has no period for {day}"
        if not period.is_open:
            return f"period {period.name} is closed in QAD"
        return "" if period.takes(daybook) else f"daybook {daybook} is locked in period {period.name}"

    def next_open(self, day: dt.date, daybook: str) -> dt.date | None:
        """The day itself, or the first day of the next period that takes this daybook; None if none does."""
        if not self.refusal(day, daybook):
            return day
        return next((period.first for period in self._after(day) if period.takes(daybook)), None)

    def _after(self, day: dt.date) -> Iterator[Period]:
        yield from self.periods[bisect_right(self._starts, day) :]


def calendar(periods: Iterable[Period]) -> Calendar:
    return Calendar(tuple(sorted(periods, key=lambda period: (period.first, period.last))))
