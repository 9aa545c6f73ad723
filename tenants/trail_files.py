"""The audit trail as a file: JSON Lines from which the chain can be recomputed, or CSV to read in a spreadsheet."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

from django.db.models import Max, OuterRef, Q, Subquery

from tenants.chain import FIRST, text_of
from tenants.models import AuditEntry, AuditSeal
from tenants.sealing import PAGE, facts_of, hashed_columns, of_chain, without_seal
from tenants.verifying import entry_columns, sealed_rows

FACTS = ("id", "tenant", "at", "actor", "action", "subject", "reason", "before", "after", "personal_digest")
CSV_COLUMNS = ("position", *FACTS, "previous", "digest")
_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")  # what a spreadsheet program might run as a formula


@dataclass(frozen=True, slots=True)
class Range:
    """Entries written in [start, end); None is open."""

    start: dt.datetime | None = None
    end: dt.datetime | None = None

    def on(self, column: str) -> Q:
        found = Q()
        if self.start is not None:
            found &= Q(**{f"{column}__gte": self.start})
        if self.end is not None:
            found &= Q(**{f"{column}__lt": self.end})
        return found


@dataclass(frozen=True, slots=True)
class Sealed:
    """One entry with its place; position None is an entry that waits for its seal."""

    position: int | None
    previous: str | None
    digest: str | None
    facts: dict[str, Any]


@dataclass(slots=True)
class Written:
    """What a file holds; kept beside it, it shows a later change of the file."""

    rows: int = 0
    unsealed: int = 0
    first_position: int | None = None
    last_position: int | None = None
    sha256: str = ""

    def count(self, row: Sealed) -> None:
        self.rows += 1
        if row.position is None:
            self.unsealed += 1
            return
        self.first_position = self.first_position or row.position
        self.last_position = row.position

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def write_json_lines(out: BinaryIO, tenant_id: int | None, within: Range) -> Written:
    """A line an entry: {"position", "previous", "digest", "entry"}; SHA-256 of previous + entry is the digest."""
    return _write(out, tenant_id, within, lambda file: lambda row: file.write(f"{_json_line(row)}\n"))


def write_csv(out: BinaryIO, tenant_id: int | None, within: Range) -> Written:
    """A row an entry, in UTF-8 with a mark for spreadsheet programs; texts that they would run are defused."""

    def rows_into(file: _Hashing) -> Callable[[Sealed], object]:
        file.write("\ufeff")
        writer = csv.writer(file)
        writer.writerow(CSV_COLUMNS)
        return lambda row: writer.writerow(_cells(row))

    return _write(out, tenant_id, within, rows_into)


WRITERS = {".jsonl": write_json_lines, ".csv": write_csv}


class _Hashing:
    """A text file that keeps the SHA-256 of what it is given."""

    def __init__(self, out: BinaryIO) -> None:
        self.out = out
        self.sha256 = hashlib.sha256()

    def write(self, text: str) -> int:
        content = text.encode("utf-8", "backslashreplace")
        self.sha256.update(content)
        return self.out.write(content)


def _write(
    out: BinaryIO, tenant_id: int | None, within: Range, into: Callable[[_Hashing], Callable[[Sealed], object]]
) -> Written:
    file, written = _Hashing(out), Written()
    write_row = into(file)
    for row in _rows(tenant_id, within):
        write_row(row)
        written.count(row)
    written.sha256 = file.sha256.hexdigest()
    return written


def _rows(tenant_id: int | None, within: Range) -> Iterator[Sealed]:
    """Sealed entries by position, then those that wait for their seal by id; a page in memory at a time."""
    last = AuditSeal.objects.filter(of_chain(tenant_id)).aggregate(found=Max("position"))["found"] or 0
    for start in range(0, last, PAGE):
        yield from _sealed(tenant_id, start, within)
    ids = AuditEntry.objects.filter(of_chain(tenant_id)).order_by("pk").values_list("pk", flat=True)
    above = 0
    while page := list(ids.filter(pk__gt=above)[:PAGE]):
        waiting = without_seal(above, page[-1]).filter(of_chain(tenant_id), within.on("at")).order_by("pk")
        yield from (Sealed(None, None, None, facts_of(row)) for row in hashed_columns(waiting))
        above = page[-1]


def _sealed(tenant_id: int | None, start: int, within: Range) -> Iterator[Sealed]:
    before = AuditSeal.objects.filter(of_chain(tenant_id), position=OuterRef("position") - 1).values("digest")[:1]
    seals, columns = entry_columns(sealed_rows(tenant_id, start).filter(within.on("entry__at")))
    for row in seals.annotate(previous=Subquery(before)).values_list("position", "previous", "digest", *columns):
        position, previous, digest = row[:3]
        yield Sealed(position, FIRST if position == 1 else previous, digest, facts_of(row[3:]))


def _json_line(row: Sealed) -> str:
    place = json.dumps({"position": row.position, "previous": row.previous, "digest": row.digest})
    return f'{place[:-1]}, "entry": {text_of(row.facts)}}}'


def _cells(row: Sealed) -> list[Any]:
    facts = {**row.facts, **{name: _json(row.facts[name]) for name in ("before", "after")}}
    values = [row.position, *(facts[name] for name in FACTS), row.previous, row.digest]
    return [defused(value) if isinstance(value, str) else value for value in values]


def _json(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)


def defused(text: str) -> str:
    """Text that no spreadsheet program runs: an apostrophe goes before what it might take for a formula."""
    start = text.lstrip(" \ufeff")[:1]
    return f"'{text}" if start and start in _RISKY else text
