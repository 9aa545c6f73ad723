"""A token bucket never lets more through than the rate and the burst."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.http.pacing import Bucket, take


def test_it_gives_the_burst_at_once_and_then_makes_one_wait():
    bucket = Bucket(3, 0.0)
    for _ in range(3):
        bucket, wait = take(bucket, 0.0, 60, 3)
        assert wait == 0
    bucket, wait = take(bucket, 0.0, 60, 3)
    assert wait == pytest.approx(1.0) and bucket.tokens == 0
    assert take(bucket, 1.0, 60, 3)[1] == 0


def test_it_gains_nothing_from_a_clock_that_goes_back():
    bucket, _ = take(Bucket(1, 100.0), 100.0, 60, 1)
    bucket, wait = take(bucket, 10.0, 60, 1)
    assert wait == 1.0 and bucket.at == 100.0


def test_it_waits_a_minute_at_a_time_when_nothing_is_allowed():
    assert take(Bucket(0, 0.0), 1000.0, 0, 1)[1] == 60.0


@given(st.lists(st.floats(0, 5), max_size=80), st.integers(1, 600), st.integers(1, 20))
def test_it_never_grants_more_than_burst_and_rate(steps: list[float], per_minute: int, burst: int):
    bucket, now, granted = Bucket(burst, 0.0), 0.0, 0
    for step in steps:
        now += step
        bucket, wait = take(bucket, now, per_minute, burst)
        granted += wait == 0
    assert granted <= burst + now * per_minute / 60 + 1e-6
