"""A token bucket as plain arithmetic: who stores it (a row, a test, a process) is the caller's business."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bucket:
    """`tokens` that were left at the moment `at` (seconds on any clock that the caller keeps to)."""

    tokens: float
    at: float


def refill(bucket: Bucket, now: float, per_minute: float, burst: float) -> Bucket:
    """The bucket as it stands at `now`: never above `burst`, and a clock that went back adds nothing."""
    grown = bucket.tokens + max(0.0, now - bucket.at) * per_minute / 60.0
    return Bucket(min(max(burst, 1.0), grown), max(now, bucket.at))


def take(bucket: Bucket, now: float, per_minute: float, burst: float) -> tuple[Bucket, float]:
    """Take one token: (the bucket after it, 0.0), or (the bucket unspent, seconds until a token is there).

    A wait grants nothing: sleep, then take again.
    """
    full = refill(bucket, now, per_minute, burst)
    if full.tokens >= 1.0:
        return Bucket(full.tokens - 1.0, full.at), 0.0
    if per_minute <= 0:
        return full, 60.0
    return full, (1.0 - full.tokens) * 60.0 / per_minute
