"""A parallel run: what would be posted from here, held against what people keyed into QAD by hand."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from connector.ledger.compare import Copy, Sent

DAYS = 5  # between two dates of what may be the same document


@dataclass(frozen=True, slots=True)
class Pair:
    """Ours beside theirs; `reasons` is empty where they agree."""

    ours: Sent
    theirs: Copy
    reasons: tuple[str, ...] = ()


@dataclass(slots=True)
class Comparison:
    """Every document of both sides once."""

    agreed: list[Pair] = field(default_factory=list)
    differing: list[Pair] = field(default_factory=list)
    only_ours: list[Sent] = field(default_factory=list)
    only_theirs: list[Copy] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.differing or self.only_ours or self.only_theirs)


def matched(ours: Iterable[Sent], theirs: Iterable[Copy]) -> Comparison:
    """Pairs by customer, currency and total with the nearest date; then by customer, currency and nearest date alone.

    A document pairs with one other at most. Without a total on QAD's side nothing can be told, and nothing pairs.
    """
    found = Comparison()
    left, rest = list(ours), list(theirs)
    for same_total in (True, False):
        pairs, left, rest = _pairs(left, rest, same_total=same_total)
        for pair in pairs:
            (found.differing if pair.reasons else found.agreed).append(pair)
    found.only_ours, found.only_theirs = left, rest
    return found


def _pairs(left: list[Sent], rest: list[Copy], *, same_total: bool) -> tuple[list[Pair], list[Sent], list[Copy]]:
    """The nearest first, each document once; what found no partner comes back."""
    by_key: dict[tuple[str, str, Decimal | None], list[int]] = defaultdict(list)
    for place, copy in enumerate(rest):
        by_key[copy.customer, copy.currency, _amount(copy.total) if same_total else None].append(place)
    offers = sorted(
        (_apart(one, rest[place]), mine, place)
        for mine, one in enumerate(left)
        for place in by_key.get((one.customer, one.currency, _amount(one.total) if same_total else None), ())
        if rest[place].total is not None and _apart(one, rest[place]) <= DAYS
    )
    taken_ours: set[int] = set()
    taken_theirs: set[int] = set()
    pairs = []
    for _, mine, place in offers:
        if mine not in taken_ours and place not in taken_theirs:
            taken_ours.add(mine)
            taken_theirs.add(place)
            pairs.append(Pair(left[mine], rest[place], _reasons(left[mine], rest[place])))
    return (
        pairs,
        [one for place, one in enumerate(left) if place not in taken_ours],
        [one for place, one in enumerate(rest) if place not in taken_theirs],
    )


def _amount(value: Decimal | None) -> Decimal | None:
    return None if value is None else abs(value).normalize()


def _apart(one: Sent, other: Copy) -> int:
    """Days between the two dates; none where QAD shows no date."""
    day: dt.date | None = other.posting_date
    return 0 if day is None else abs((day - one.posting_date).days)


def _reasons(one: Sent, other: Copy) -> tuple[str, ...]:
    found = []
    if _amount(one.total) != _amount(other.total):
        found.append(f"total {one.total} here, {other.total} in QAD")
    if other.posting_date is not None and other.posting_date != one.posting_date:
        found.append(f"dated {one.posting_date} here, {other.posting_date} in QAD")
    return tuple(found)
