"""Waiting: bounded whatever the other side writes."""

from __future__ import annotations

import datetime as dt
from random import Random

import pytest

from connector.http.retry import LONGEST_WAIT, delay, parse_http_date, parse_retry_after

NOW = dt.datetime(2026, 11, 30, 12, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("30", 30.0),
        (" 7 ", 7.0),
        ("999999999999999999999999999999", LONGEST_WAIT),
        ("Mon, 30 Nov 2026 12:01:30 GMT", 90.0),
        ("Monday, 30-Nov-26 12:00:10 GMT", 10.0),
        ("Mon, 30 Nov 2026 11:00:00 GMT", 0.0),
        ("Mon, 30 Nov 2999 11:00:00 GMT", LONGEST_WAIT),
        (None, None),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("٣٠", None),
        ("Mon, 99 Nov 2026 12:00:00 GMT", None),
        ("9" * 100_000, LONGEST_WAIT),
        ("x" * 100_000, None),
    ],
)
def test_it_reads_both_forms_of_retry_after_and_bounds_them(text: str | None, seconds: float | None):
    assert parse_retry_after(text, NOW) == seconds


def test_it_reads_a_date_header():
    assert parse_http_date("Mon, 30 Nov 2026 12:00:00 GMT") == NOW
    assert parse_http_date(None) is None


@pytest.mark.parametrize("attempt", [-1, 0, 1, 5, 40, 10_000])
def test_it_never_waits_longer_than_the_cap(attempt: int):
    rng = Random(7)
    assert all(0 <= delay(attempt, 0.5, 20.0, rng) <= min(20.0, 0.5 * 2 ** min(max(attempt, 0), 40)) for _ in range(50))


def test_it_spreads_the_waits_over_the_whole_span():
    rng = Random(7)
    waits = [delay(3, 1.0, 60.0, rng) for _ in range(400)]
    assert min(waits) < 0.5 and max(waits) > 7.5
