"""Every change of a mapping, read from the audit trail, and the change that would undo one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from connector.errors import Problem, clause
from mappings import cells
from mappings.kinds import KIND_OF_MODEL, KINDS, Kind
from mappings.planning import Change, Planned, fingerprint, plan
from mappings.saving import Saved, delete_rows, save_rows
from tenants import audit
from tenants.models import AuditEntry

KIND_OF_NAME: dict[str, Kind] = {str(model._meta.model_name): kind for model, kind in KIND_OF_MODEL.items()}


@dataclass(frozen=True, slots=True)
class Undo:
    """What undoes an entry: a row as it should be again, or the row to delete; or why it cannot be undone.

    `later` are columns that were changed again since, from what the entry made them to what they are: undoing takes
    that away. `mark` is another one as soon as the row is changed once more.
    """

    change: Change | None = None
    row: Any = None
    problem: Problem | None = None
    later: tuple[Difference, ...] = ()
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """One column of a row, as text."""

    column: str
    before: str
    after: str


def entries(rows: QuerySet[Any], kinds: tuple[str, ...] = tuple(KIND_OF_NAME)) -> QuerySet[Any]:
    """The audit lines of mappings; ranges of the subject, which an index holds."""
    found = Q()
    for name in kinds:
        found |= Q(subject__gte=f"{name}:", subject__lt=f"{name};")
    return rows.filter(found)


def kind_of(entry: AuditEntry) -> Kind:
    return KIND_OF_NAME[entry.subject.partition(":")[0]]


def differences(entry: AuditEntry) -> list[Difference]:
    """What the change did, column by column; a note that was erased or is personal is not shown."""
    before, after = entry.before or {}, entry.after or {}
    columns = {column.field: column.name for column in kind_of(entry).columns}
    names = [field for field in columns if field in before or field in after]
    found = [Difference(columns[name], str(before.get(name, "")), str(after.get(name, ""))) for name in names]
    return [one for one in found if one.before != one.after]


def undo_of(entry: AuditEntry, *, lock: bool = False) -> Undo:
    """What would make the row again what it was before this change; later changes of other columns stay."""
    kind = kind_of(entry)
    rows = kind.model._default_manager.filter(tenant_id=entry.tenant_id, pk=_pk(entry))
    row = (rows.select_for_update() if lock else rows).first()
    verb = entry.action.partition(".")[2]
    if verb == "added":
        return _deletion(kind, entry, row) if row is not None else _impossible(entry, "the row is gone already")
    values = _read(kind, {**_blank(kind), **(entry.before or {})} if verb == "deleted" else entry.before or {})
    if isinstance(values, Undo):
        return values
    if verb == "deleted":
        return _added_again(entry, Change(kind.name, values))
    if row is None:
        return _impossible(entry, "the row was deleted later; undo the deletion first")
    change = Change(kind.name, {**kind.values_of(row), **values}, pk=row.pk)
    return Undo(change=change, later=_later(kind, entry, row, values), mark=_mark(change, row))


def _deletion(kind: Kind, entry: AuditEntry, row: Any) -> Undo:
    as_it_is = Change(kind.name, kind.values_of(row), pk=row.pk)
    return Undo(row=row, later=_later(kind, entry, row, {}), mark=_mark(as_it_is, row))


def _later(kind: Kind, entry: AuditEntry, row: Any, wanted: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Columns of an entry that are neither as it made them nor as they are wanted."""
    made, now = _read(kind, entry.after or {}), kind.values_of(row)
    if isinstance(made, Undo):
        return ()
    names = {column.field: column.name for column in kind.columns}
    moved = [field for field in made if now[field] not in (made[field], wanted.get(field, made[field]))]
    return tuple(Difference(names[field], str(made[field]), str(now[field])) for field in moved)


def _mark(change: Change, row: Any) -> str:
    return fingerprint([Planned(change, row, KINDS[change.kind].values_of(row))])


def undo(entry: AuditEntry, *, actor: str, now: dt.datetime, taking: str = "") -> Saved | Problem:
    """Undo one change, with an audit line that names it; the problem where that cannot be done.

    Later changes of the same columns are taken away only if `taking` is the mark of the row that showed them.
    """
    tenant_id = entry.tenant_id
    if tenant_id is None:
        raise ValueError("A mapping belongs to a tenant.")
    with transaction.atomic():
        wanted = undo_of(entry, lock=True)
        if wanted.problem is not None:
            return wanted.problem
        if wanted.later and taking != wanted.mark:
            return _changed_later(entry, wanted)
        if wanted.change is None:
            saved = delete_rows(tenant_id, [wanted.row], actor=actor, now=now)
        else:
            saved = save_rows(tenant_id, [wanted.change], actor=actor, now=now)
        if saved.refusals:
            return saved.refusals[0].problem
        line = audit.Line("mapping.reverted", entry.subject, reason=f"Undoes audit entry {entry.pk}: {entry.reason}")
        audit.record(tenant_id, [line], actor=actor, now=now)
    return saved


def _changed_later(entry: AuditEntry, wanted: Undo) -> Problem:
    subject = entry.reason or entry.subject
    message = f"{subject} was changed again later, which undoing would take away: {told(wanted.later)}."
    return Problem("changed-later", subject, message, "Nothing was changed. Look at it, then decide again.", "mappings")


def told(later: Sequence[Difference]) -> str:
    """'gl_account 4100 is 4200 now'."""
    return ", ".join(f"{one.column} {one.before or '(empty)'} is {one.after or '(empty)'} now" for one in later)


def _added_again(entry: AuditEntry, change: Change) -> Undo:
    """A row of the same key that was made since is somebody's newer decision."""
    if entry.tenant_id is None or plan(entry.tenant_id, [change])[0].is_new:
        return Undo(change=change)
    return _impossible(entry, "a row of the same key was added since; change that row instead")


def _pk(entry: AuditEntry) -> int:
    return int(entry.subject.partition(":")[2] or 0)


def _blank(kind: Kind) -> dict[str, str]:
    return dict.fromkeys(kind.fields, "")


def _read(kind: Kind, texts: Mapping[str, Any]) -> dict[str, Any] | Undo:
    """Values from the texts of the trail, by the rules of the spreadsheet."""
    parsers = {column.field: column.parse for column in kind.columns}
    try:
        return {field: parsers[field](text) for field, text in texts.items() if field in parsers}
    except cells.CellError as error:
        problem = Problem("cannot-undo", kind.title, f"{kind.title}: {error}", "Enter the row by hand.", "mappings")
        return Undo(problem=problem)


def _impossible(entry: AuditEntry, why: str) -> Undo:
    subject = clause(entry.reason or entry.subject)
    return Undo(problem=Problem("cannot-undo", subject, f"{subject}: {why}.", "Nothing was changed.", "mappings"))
