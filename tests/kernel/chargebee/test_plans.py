"""How many calls a plan leaves the connector, and how long a backlog takes."""

from __future__ import annotations

import pytest

from connector.chargebee.plans import calls_a_minute, minutes_for


@pytest.mark.parametrize(
    ("plan", "is_test", "share", "calls"),
    [
        ("starter", False, 50, 75),
        ("performance", False, 50, 500),
        ("enterprise", False, 20, 700),
        ("enterprise", True, 50, 75),
        ("performance", True, 100, 150),
        ("custom", True, 50, 42),
        ("starter", False, 1, 1.5),
    ],
)
def test_a_share_of_the_plans_limit_may_be_called(plan: str, is_test: bool, share: int, calls: float):
    assert calls_a_minute(plan, is_test=is_test, share_percent=share, custom=42) == calls


@pytest.mark.parametrize(
    ("calls", "a_minute", "minutes"), [(0, 75, 0), (1, 75, 1), (75, 75, 1), (76, 75, 2), (5, 0, 5)]
)
def test_a_backlog_takes_whole_minutes(calls: int, a_minute: float, minutes: int):
    assert minutes_for(calls, a_minute) == minutes
