"""Recompute a tenant's hash chain from what the database holds now, and say where it does not fit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, Max, QuerySet, TextField
from django.db.models.functions import Cast

from tenants.chain import FIRST, Head, canonical, next_digest, personal_digest, text_of
from tenants.models import AuditEntry, AuditSeal
from tenants.sealing import COLUMNS, PAGE, facts_of, of_chain, without_seal

OVERDUE = dt.timedelta(minutes=10)  # sealing runs every minute
SHOWN = 20
_WALK = 20_000  # ids in one look for entries without a seal


@dataclass(frozen=True, slots=True)
class Break:
    """Where the chain does not fit, and in what way."""

    position: int
    sentence: str

    def __str__(self) -> str:
        return f"Position {self.position}: {self.sentence}"


@dataclass(slots=True)
class Report:
    """What a verification found. `head` is the last place as it is stored."""

    head: Head = field(default_factory=Head)
    checked: int = 0
    broken: int = 0
    breaks: list[Break] = field(default_factory=list)  # the first ones
    has_kept: bool = False  # the kept head was met on the way
    waiting: int = 0  # entries without a seal: nothing here says whether they were changed
    overdue: int = 0  # those of them that wait for too long
    first_overdue: int | None = None

    def add(self, position: int, sentence: str) -> None:
        self.broken += 1
        if len(self.breaks) < SHOWN:
            self.breaks.append(Break(position, sentence))


@dataclass(frozen=True, slots=True)
class Kept:
    """A head that somebody kept elsewhere; position 0 stands for any."""

    position: int
    digest: str

    @classmethod
    def read(cls, text: str) -> Kept | None:
        """From `POSITION:DIGEST` or `DIGEST`; None if it is neither."""
        position, _, digest = text.strip().lower().rpartition(":")
        is_digest = len(digest) == len(FIRST) and set(digest) <= set("0123456789abcdef")
        is_position = not position or (position.isascii() and position.isdigit())
        return cls(int(position or 0), digest) if is_digest and is_position else None

    def fits(self, head: Head) -> bool:
        return head.digest == self.digest and self.position in (0, head.position)


def verify(tenant_id: int | None, now: dt.datetime, kept: Kept | None = None) -> Report:
    """Walk the chain page by page; memory does not grow with its length."""
    report = Report()
    last = AuditSeal.objects.filter(of_chain(tenant_id)).aggregate(found=Max("position"))["found"] or 0
    for start in range(0, last, PAGE):
        for row in _page(tenant_id, start):
            _check(tenant_id, row, report, kept)
    if report.head.position < last:
        _report_gap(tenant_id, last + 1, report)
    _count_unsealed(tenant_id, now - OVERDUE, report)
    return report


def sealed_rows(tenant_id: int | None, start: int) -> QuerySet[AuditSeal]:
    """Seals of positions (start, start + PAGE] in their order; both bounds, so that each page costs the same."""
    return AuditSeal.objects.filter(of_chain(tenant_id), position__gt=start, position__lte=start + PAGE).order_by(
        "position"
    )


def entry_columns(seals: QuerySet[AuditSeal]) -> tuple[QuerySet[AuditSeal], list[str]]:
    """The seals with their entries' hashed columns, and the names of these."""
    texts: dict[str, Any] = {
        "before_text": Cast(F("entry__before"), TextField()),
        "after_text": Cast(F("entry__after"), TextField()),
    }
    return seals.annotate(**texts), [name if name in texts else f"entry__{name}" for name in COLUMNS]


def _page(tenant_id: int | None, start: int) -> Iterator[tuple[Any, ...]]:
    seals, columns = entry_columns(sealed_rows(tenant_id, start))
    personal = {
        "personal_before": Cast(F("entry__personal__before"), TextField()),
        "personal_after": Cast(F("entry__personal__after"), TextField()),
    }
    beside = ("entry__personal__pk", "entry__personal__salt", *personal, "entry__personal__erased_at")
    yield from seals.annotate(**personal).values_list("position", "digest", *beside, *columns)


def _check(tenant_id: int | None, row: tuple[Any, ...], report: Report, kept: Kept | None) -> None:
    position, digest, *beside = row[:7]
    entry = row[7:]
    previous: str | None = report.head.digest
    if position != report.head.position + 1:
        previous = _report_gap(tenant_id, position, report)
    facts = facts_of(entry)
    if previous is not None and next_digest(previous, text_of(facts)) != digest:
        what = f"{facts['action']} of {facts['subject']}, {facts['at']}"
        report.add(position, f"entry {facts['id']} ({what}) is not what was sealed: it, or its seal, was changed.")
    wrong = _personal_problem(facts["personal_digest"], *beside)
    if wrong:
        report.add(position, f"the personal values of entry {facts['id']} {wrong}")
    report.head = Head(position, digest, facts["id"])
    report.checked += 1
    report.has_kept = report.has_kept or (kept is not None and kept.fits(report.head))


def _personal_problem(
    sealed: str, pk: int | None, salt: str, before: str | None, after: str | None, erased: Any
) -> str:
    if not sealed:
        return "" if pk is None else "were added after it was sealed."
    if pk is None:
        return "are gone; erase_personal would have left an empty row."
    if erased is not None:
        return "" if before is None and after is None else "are there, though they were erased."
    matches = personal_digest(salt, canonical(before), canonical(after)) == sealed
    return "" if matches else "are not what was sealed: they were changed."


def _report_gap(tenant_id: int | None, until: int, report: Report) -> str | None:
    """Report what is missing before position `until`; returns the digest that `until` follows, if its seal is there."""
    first = report.head.position + 1
    seals = AuditSeal.objects.filter(of_chain(tenant_id), position__gte=first, position__lt=until)
    found = seals.order_by("position").values_list("position", "entry_id", "digest")
    left = found.first()
    if left and left[0] == first:
        report.add(first, f"entry {left[1]} is gone; its seal is still there.")
    else:
        report.add(first, f"the seal is gone ({until - first} missing up to position {until - 1}).")
    before = found.filter(position=until - 1).first()
    return before[2] if before else None


def _count_unsealed(tenant_id: int | None, before: dt.datetime, report: Report) -> None:
    ids = AuditEntry.objects.filter(of_chain(tenant_id)).order_by("pk").values_list("pk", flat=True)
    above = 0
    while page := list(ids.filter(pk__gt=above)[:_WALK]):
        waiting = without_seal(above, page[-1]).filter(of_chain(tenant_id)).order_by("pk")
        report.waiting += waiting.count()
        found = list(waiting.filter(at__lt=before).values_list("pk", flat=True))
        report.overdue += len(found)
        if found and report.first_overdue is None:
            report.first_overdue = found[0]
        above = page[-1]
