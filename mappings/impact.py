"""What a change of mappings does to documents that are not posted yet. Pure: outcomes before and after in, sums out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Amounts = Mapping[tuple[str, str], int]  # (account, currency) -> debit less credit, in minor units


@dataclass(frozen=True, slots=True)
class Outcome:
    """What preparing makes of one document: held, or its journal by account.

    `marks` tell its documents apart by everything that a mapping decides: dimensions, tax codes and customers too.
    """

    is_held: bool
    amounts: Amounts = field(default_factory=dict)
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One open document before and after the change; `minor` is what it is worth."""

    before: Outcome
    after: Outcome
    currency: str
    minor: int


@dataclass(slots=True)
class Tally:
    """How many documents, and their worth by currency in minor units."""

    count: int = 0
    minor: Counter[str] = field(default_factory=Counter)

    def add(self, case: Case) -> None:
        self.count += 1
        self.minor[case.currency] += case.minor


@dataclass(slots=True)
class Impact:
    """`moved` is what each account gains (debit positive) over documents that were not held before.

    `gained` is what each account gets from documents that are released.
    """

    released: Tally = field(default_factory=Tally)
    rerouted: Tally = field(default_factory=Tally)
    newly_held: Tally = field(default_factory=Tally)
    still_held: Tally = field(default_factory=Tally)
    moved: Counter[tuple[str, str]] = field(default_factory=Counter)
    gained: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __bool__(self) -> bool:
        return bool(self.released.count or self.rerouted.count or self.newly_held.count)


def weigh(cases: Iterable[Case]) -> Impact:
    """Every case in exactly one tally; a document that stays the same is in none."""
    found = Impact()
    for case in cases:
        if case.before.is_held and case.after.is_held:
            found.still_held.add(case)
        elif case.before.is_held:
            found.released.add(case)
            found.gained.update(case.after.amounts)
        elif case.after.is_held:
            found.newly_held.add(case)
        elif case.before != case.after:
            found.rerouted.add(case)
            found.moved.update(case.after.amounts)
            found.moved.subtract(case.before.amounts)
    for sums in (found.moved, found.gained):
        for key in [key for key, minor in sums.items() if not minor]:
            del sums[key]
    return found
