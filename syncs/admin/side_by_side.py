"""Two states of one document beside each other, row by row, with what differs marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any

from connector.ledger.documents import Reversal
from connector.ledger.stored import restore
from connector.money import plain
from syncs.admin import journals
from syncs.admin.differences import Difference, differences
from syncs.admin.journals import Row, Table
from tenants.models import Tenant

HEADS = (
    ("customer", "QAD customer"),
    ("currency", "Currency"),
    ("document_date", "Document date"),
    ("posting_date", "Posting date"),
    ("due_date", "Due date"),
    ("total", "Total"),
    ("exchange_rate", "Exchange rate"),
    ("description", "Description"),
)
CELLS = ("account", "dimensions", "label", "debit", "credit")


@dataclass(frozen=True, slots=True)
class Head:
    name: str
    before: str
    after: str
    is_changed: bool


@dataclass(frozen=True, slots=True)
class Pair:
    """A journal line before and after; `changed` names the cells that differ, all of them where one is missing."""

    before: Row | None
    after: Row | None
    changed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`before` or `after` is None where there is no such document."""

    reference: str
    heads: list[Head]
    pairs: list[Pair]
    before: Table | None
    after: Table | None
    fields: list[Difference]  # every field of the document that differs, also those that no journal shows

    @property
    def is_changed(self) -> bool:
        return bool(self.fields)

    @property
    def changes(self) -> int:
        return len(self.fields)


def compare(tenant: Tenant, reference: str, stored: dict[str, Any] | None, anew: dict[str, Any] | None) -> Comparison:
    """Of the stored forms of a document: as it was sent or prepared, and as it would be now."""
    before, after = (None if one is None else restore(one) for one in (stored, anew))
    was = None if before is None else journals.table(tenant, before)
    now = None if after is None else journals.table(tenant, after)
    heads = list(_heads(before, after))
    pairs = list(_pairs(was.rows if was else [], now.rows if now else []))
    fields = differences(stored, anew) if stored is not None and anew is not None else []
    return Comparison(reference, heads, pairs, was, now, fields)


def _heads(before: Any, after: Any) -> Iterator[Head]:
    for name, label in HEADS:
        old, new = _text(before, name), _text(after, name)
        if old or new:
            yield Head(label, old, new, bool(before and after) and old != new)


def _text(document: Any, name: str) -> str:
    found = getattr(document, name, None)
    if found is None and isinstance(document, Reversal):
        found = getattr(document.original, name, None)
    if found is None:
        return ""
    return f"{plain(found)} {found.currency}" if name == "total" else str(found)


def _pairs(before: Sequence[Row], after: Sequence[Row]) -> Iterator[Pair]:
    """Lines that are the same stand together; what was replaced stands beside what replaced it."""
    matcher = SequenceMatcher(None, [_key(row) for row in before], [_key(row) for row in after], autojunk=False)
    for _, first, last, start, end in matcher.get_opcodes():
        for old, new in zip_longest(before[first:last], after[start:end]):
            yield Pair(old, new, _changed(old, new) if before and after else frozenset())


def _key(row: Row) -> tuple[str, ...]:
    return tuple(str(getattr(row, name)) for name in CELLS)


def _changed(old: Row | None, new: Row | None) -> frozenset[str]:
    if old is None or new is None:
        return frozenset(CELLS)
    return frozenset(name for name in CELLS if getattr(old, name) != getattr(new, name))
