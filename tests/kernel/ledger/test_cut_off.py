"""A document at the midnight between two periods, on both clocks, also on the nights when a clock is moved."""

from __future__ import annotations

import datetime as dt

import pytest

from connector.ledger.calendar import Period, calendar
from connector.ledger.cut_off import first_days, midnight, read, windows

FOUR_WEEKS = calendar([Period("2026/11", dt.date(2026, 10, 26), dt.date(2026, 11, 22))])


def at(text):
    return dt.datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("moment", "site", "books", "edge", "differs"),
    [
        ("2026-11-01T05:00:01+00:00", "", "America/Denver", "2026-11-01", False),
        ("2026-11-01T04:59:59+00:00", "", "America/Denver", None, False),
        ("2026-11-01T06:59:59+00:00", "", "America/Denver", "2026-11-01", False),
        ("2026-11-01T07:00:00+00:00", "", "America/Denver", None, False),
        ("2026-11-01T05:30:00+00:00", "UTC", "America/Denver", "2026-11-01", True),
        ("2026-10-15T05:30:00+00:00", "UTC", "America/Denver", None, True),
        ("2027-01-01T00:30:00+00:00", "Asia/Tokyo", "UTC", "2027-01-01", False),
        ("2026-12-31T16:00:00+00:00", "Asia/Tokyo", "UTC", None, True),
    ],
)
def test_both_clocks_and_the_edge_of_a_period_are_told(moment, site, books, edge, differs):
    found = read(at(moment), site_zone=site, books_zone=books, calendar=None)
    assert (found.edge and found.edge.isoformat(), found.differs) == (edge, differs)


def test_the_periods_of_qad_count_and_not_the_months():
    found = read(at("2026-10-26T00:10:00+00:00"), site_zone="", books_zone="UTC", calendar=FOUR_WEEKS)
    assert found.edge == dt.date(2026, 10, 26)
    assert read(at("2026-11-01T00:10:00+00:00"), site_zone="", books_zone="UTC", calendar=FOUR_WEEKS).edge is None
    assert first_days(None, dt.date(2025, 12, 2), dt.date(2026, 2, 1)) == [dt.date(2026, 1, 1), dt.date(2026, 2, 1)]


@pytest.mark.parametrize(
    ("day", "zone", "expected"),
    [
        ("2026-11-01", "America/Denver", "2026-11-01T06:00"),  # the clock goes back two hours later
        ("2026-11-02", "America/Denver", "2026-11-02T07:00"),
        ("2026-09-06", "America/Santiago", "2026-09-06T04:00"),  # midnight is skipped: the day begins at one
        ("2026-01-01", "Pacific/Kiritimati", "2025-12-31T10:00"),
    ],
)
def test_a_day_begins_at_its_first_moment(day, zone, expected):
    assert midnight(dt.date.fromisoformat(day), zone) == at(f"{expected}+00:00")


def test_the_windows_reach_from_the_earlier_midnight_to_the_later_one():
    ((since, until),) = windows([dt.date(2026, 11, 1)], site_zone="UTC", books_zone="America/Denver")
    assert (since, until) == (at("2026-10-31T23:00:00+00:00"), at("2026-11-01T07:00:00+00:00"))
