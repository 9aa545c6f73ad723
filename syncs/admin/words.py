"""How amounts, moments and states are shown: one way for every screen."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.utils.html import format_html
from django.utils.safestring import SafeString

from connector.money import Money, UnknownCurrency, plain
from syncs.models import Kind, RunState
from syncs.states import Disposition, PostingState

NONE = "—"
_WITHOUT_MONEY = frozenset({Kind.CUSTOMER, Kind.ITEM_FAMILY, Kind.ITEM, Kind.ITEM_PRICE})
UNKNOWN = "unknown"  # a document whose pair of states the table of dispositions does not have

# good: done. quiet: nothing to do. wait: the connector goes on by itself. warn, bad: a person must look.
_TONES: dict[str, str] = {
    Disposition.POSTED: "good",
    Disposition.LINKED: "good",
    Disposition.KEPT: "quiet",
    Disposition.SKIPPED: "quiet",
    Disposition.IGNORED: "quiet",
    Disposition.WAITING: "wait",
    Disposition.HELD: "warn",
    Disposition.UNCERTAIN: "warn",
    Disposition.PARKED: "warn",
    Disposition.REJECTED: "bad",
    Disposition.CONFLICT: "bad",
    Disposition.UNREADABLE: "bad",
    PostingState.READY: "wait",
    PostingState.SENDING: "wait",
    PostingState.VERIFIED: "good",
    PostingState.REVERSED: "quiet",
    PostingState.DUPLICATE: "bad",
    RunState.RUNNING: "wait",
    RunState.COMPLETE: "good",
    RunState.RED: "bad",
    RunState.STOPPED: "bad",
    RunState.INTERRUPTED: "bad",
    UNKNOWN: "bad",
}


def has_money(kind: str) -> bool:
    """Whether documents of a kind are posted with an amount, unlike customers and the catalogue."""
    return kind not in _WITHOUT_MONEY


def grouped(amount: Decimal) -> str:
    """Digits with a comma at each thousand; the number of places is kept."""
    return f"{amount:,f}"


def digits(minor: int | None, currency: str) -> str:
    """Stored minor units as an amount without its currency."""
    if minor is None or not currency:
        return NONE
    try:
        return grouped(Decimal(plain(Money.of_minor(minor, currency))))
    except UnknownCurrency:
        return f"{minor} minor units"


def money(minor: int | None, currency: str) -> str:
    """'1,234.50 EUR' from stored minor units."""
    amount = digits(minor, currency)
    return amount if amount == NONE else f"{amount} {currency}"


def amount_of(value: Money) -> str:
    """An amount in its currency's own places, '' for nothing."""
    return grouped(Decimal(plain(value))) if value else ""


def tone(state: str) -> str:
    return _TONES.get(state, "quiet")


def badge(state: str, label: str) -> SafeString:
    """A state as a coloured word; the colour never says what the word does not."""
    return format_html('<span class="badge badge-{}">{}</span>', tone(state), label)


def disposition_label(name: str) -> str:
    return Disposition(name).label if name in Disposition.values else "Not accounted for"


def moment(at: dt.datetime | None, zone: str) -> str:
    """A moment in the tenant's accounting zone, with the zone's short name."""
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S %Z}" if at else NONE


def minute(at: dt.datetime | None, zone: str) -> str:
    """A moment in a list: to the minute, in the zone that the list names."""
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}" if at else NONE


def counted(count: int, one: str, many: str = "") -> str:
    """'1 document', '1,234 documents'."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
