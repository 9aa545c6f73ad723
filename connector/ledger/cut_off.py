"""How close a document's moment is to the end of a period, seen from the site's clock and from the books'."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from connector.ledger.calendar import Calendar
from connector.periods import business_date

NEAR = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Reading:
    """One moment on both clocks; `edge` is the first day of a period whose beginning is less than an hour away."""

    moment: dt.datetime
    at_site: dt.datetime
    in_books: dt.datetime
    edge: dt.date | None

    @property
    def differs(self) -> bool:
        """Whether the site's own date is another day than the books' date."""
        return self.at_site.date() != self.in_books.date()


def read(moment: dt.datetime, *, site_zone: str, books_zone: str, calendar: Calendar | None) -> Reading:
    """`site_zone` '' means the same clock as the books."""
    day = business_date(moment, books_zone)
    starts = first_days(calendar, day - dt.timedelta(days=2), day + dt.timedelta(days=2))
    near = (start for start in starts if abs(moment - midnight(start, books_zone)) < NEAR)
    at_site, in_books = (moment.astimezone(ZoneInfo(zone)) for zone in (site_zone or books_zone, books_zone))
    return Reading(moment, at_site, in_books, next(near, None))


def windows(days: Iterable[dt.date], *, site_zone: str, books_zone: str) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    """For each first day of a period: from an hour before the earlier midnight until an hour after the later one."""
    for day in days:
        edges = [midnight(day, zone) for zone in {site_zone or books_zone, books_zone}]
        yield min(edges) - NEAR, max(edges) + NEAR


def first_days(calendar: Calendar | None, since: dt.date, until: dt.date) -> list[dt.date]:
    """First days of periods in this span; of months, where nobody knows QAD's calendar."""
    if calendar is not None:
        return [period.first for period in calendar.periods if since <= period.first <= until]
    months = range(since.year * 12 + since.month - 1, until.year * 12 + until.month)
    starts = (dt.date(month // 12, month % 12 + 1, 1) for month in months)
    return [start for start in starts if since <= start <= until]


def midnight(day: dt.date, zone: str) -> dt.datetime:
    """The first moment of a day in a zone, in UTC; where a clock change skips midnight, the moment of the change."""
    return dt.datetime.combine(day, dt.time.min, ZoneInfo(zone)).astimezone(dt.UTC)
