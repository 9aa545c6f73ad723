"""Journals and what follows from them: the trial balance and the open items."""

import datetime
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal

from .model import Key

Balance = dict[tuple[str, str, str], tuple[Decimal, Decimal]]
OpenItems = dict[tuple[str, str, str, str], Decimal]
ZERO = Decimal(0)


@dataclass(frozen=True)
class Line:
    account: str
    debit: Decimal
    credit: Decimal
    dims: tuple[tuple[str, str], ...] = ()
    cause: str = ""


@dataclass(frozen=True)
class Move:
    """A change of one open item: what customers owe is positive, what is owed to them negative."""

    customer: str
    kind: str
    id: str
    amount: Decimal


@dataclass(frozen=True)
class Entry:
    """One journal of a document. `part`: document, correction, reversal, application, withheld_tax, opening."""

    kind: str
    id: str
    part: str
    date: datetime.date
    currency: str
    lines: tuple[Line, ...]
    moves: tuple[Move, ...] = ()
    own_day: datetime.date | None = None  # the document's date, where the posting date may differ from it

    @property
    def period(self) -> str:
        return f"{self.date:%Y-%m}"


@dataclass(frozen=True)
class Books:
    """`open_items` is None where a ledger does not keep them; `states` says what became of each document."""

    entries: tuple[Entry, ...]
    open_items: OpenItems | None = None
    states: dict[Key, tuple[str, str]] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    @property
    def trial_balance(self) -> Balance:
        return trial_balance(self.entries)

    def journal(self, kind: str, document: str) -> list[Entry]:
        return [entry for entry in self.entries if (entry.kind, entry.id) == (kind, document)]


def line(target: tuple[str, tuple[tuple[str, str], ...]], amount: Decimal, cause: str) -> Line:
    """A positive amount is a debit, a negative one a credit."""
    account, dims = target
    return Line(account, max(amount, ZERO), max(-amount, ZERO), dims, cause)


def without_zeros(lines: Iterable[Line]) -> tuple[Line, ...]:
    return tuple(each for each in lines if each.debit or each.credit)


def mirrored(entry: Entry, day: datetime.date) -> Entry:
    """The reversal: sides swapped, open items moved back, never dated before what it reverses."""
    lines = tuple(replace(each, debit=each.credit, credit=each.debit) for each in entry.lines)
    moves = tuple(replace(move, amount=-move.amount) for move in entry.moves)
    return replace(entry, part="reversal", date=max(day, entry.date), lines=lines, moves=moves)


def trial_balance(entries: Iterable[Entry]) -> Balance:
    sums: dict[tuple[str, str, str], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    for entry in entries:
        for each in entry.lines:
            both = sums[each.account, entry.currency, entry.period]
            both[0] += each.debit
            both[1] += each.credit
    return {key: (debit, credit) for key, (debit, credit) in sorted(sums.items())}


def open_items(entries: Iterable[Entry]) -> OpenItems:
    """What is left of each item; items that are used up are left out."""
    sums: OpenItems = defaultdict(Decimal)
    for entry in entries:
        for move in entry.moves:
            sums[move.customer, move.kind, move.id, entry.currency] += move.amount
    return {key: amount for key, amount in sorted(sums.items()) if amount}
