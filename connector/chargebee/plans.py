"""How many calls a minute Chargebee's plans allow, and what the connector may use of them.

https://www.chargebee.com/docs/billing/2.0/kb/platform/what-are-the-chargebee-api-limits
"""

from __future__ import annotations

CUSTOM = "custom"
LIMITS = {"starter": 150, "performance": 1000, "enterprise": 3500}
TEST_SITE = 150  # on any plan


def calls_a_minute(plan: str, *, is_test: bool, share_percent: int, custom: int) -> float:
    """What may be called: `custom` as it stands for the custom plan, else the share of the plan's limit, at least 1."""
    if plan == CUSTOM:
        return float(custom)
    limit = TEST_SITE if is_test else LIMITS[plan]
    return max(1.0, limit * share_percent / 100)


def minutes_for(calls: int, a_minute: float) -> int:
    """Whole minutes that so many calls take at most, without a burst."""
    return 0 if calls <= 0 else max(1, -int(-calls // max(a_minute, 1.0)))
