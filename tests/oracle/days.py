"""Posting dates: moments become days in the accounting zone, once."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from .model import Document, Mapping
from .outcome import held


def local_day(seconds: int, zone: str) -> date:
    return datetime.fromtimestamp(seconds, UTC).astimezone(ZoneInfo(zone)).date()


def document_day(document: Document, mapping: Mapping) -> date:
    return local_day(document["date"], mapping.zone)


def open_day(day: date, mapping: Mapping) -> date:
    """The day itself in an open period; in a closed one what the policy says."""
    if f"{day:%Y-%m}" not in mapping.closed_periods or mapping.policies.closed_period == "original":
        return day
    if mapping.policies.closed_period == "hold":
        raise held(f"period {day:%Y-%m} is closed")
    while f"{day:%Y-%m}" in mapping.closed_periods:
        day = first_of_next_month(day)
    return day


def first_of_next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def end_day(document: Document, mapping: Mapping) -> date:
    """The day on which a voided, deleted or failed document ceased to stand."""
    for name in ("voided_at", "updated_at", "date"):
        if document.get(name) is not None:
            return local_day(document[name], mapping.zone)
    raise held("nothing says when it ended")
