"""How long to wait before trying again: arithmetic only, the caller sleeps."""

from __future__ import annotations

import datetime as dt
import email.utils
from random import Random

LONGEST_WAIT = 3600.0  # seconds; no other side may silence us for longer, whatever it writes in Retry-After


def delay(attempt: int, base: float, cap: float, rng: Random) -> float:
    """Seconds before retry number `attempt` (0 is the first): exponential with full jitter, never above `cap`."""
    return rng.uniform(0.0, min(cap, base * 2.0 ** min(max(attempt, 0), 32)))


def parse_retry_after(text: str | None, now: dt.datetime, longest: float = LONGEST_WAIT) -> float | None:
    """Seconds, 0 to `longest`, from a Retry-After header in either form (RFC 9110 10.2.3); None if it is unreadable."""
    words = (text or "").strip()
    if words.isascii() and words.isdigit():
        return min(float(words[:12]), longest)
    moment = parse_http_date(words)
    return None if moment is None else min(max((moment - now).total_seconds(), 0.0), longest)


def parse_http_date(text: str | None) -> dt.datetime | None:
    """An aware UTC moment from an HTTP date (Date, Retry-After), None if the text is none."""
    try:
        moment = email.utils.parsedate_to_datetime((text or "")[:64])
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)
