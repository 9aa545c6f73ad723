"""Business dates: a moment becomes a date once, in the tenant's accounting zone."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo


def business_date(moment: dt.datetime, zone: str) -> dt.date:
    """The calendar date of an aware moment in `zone` (an IANA name)."""
    if moment.tzinfo is None:
        raise ValueError("A moment needs its time zone before it can become a business date.")
    return moment.astimezone(ZoneInfo(zone)).date()


def year_and_period(date: dt.date) -> str:
    """The calendar period a business date falls into, as '2026-11'."""
    return f"{date.year:04d}-{date.month:02d}"
