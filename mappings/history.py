"""Every change of a mapping, read from the audit trail, and the change that would undo one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from connector.errors import Problem, clause
from mappings import cells
from mappings.kinds import KIND_OF_MODEL, Kind
from mappings.planning import Change, plan
from mappings.saving import Saved, delete_rows, save_rows
from tenants import audit
from tenants.models import AuditEntry

KIND_OF_NAME: dict[str, Kind] = {str(model._meta.model_name): kind for model, kind in KIND_OF_MODEL.items()}


@dataclass(frozen=True, slots=True)
class Undo:
    """What undoes an entry: a row as it should be again, or the row to delete; or why it cannot be undone."""

    change: Change | None = None
    row: Any = None
    problem: Problem | None = None


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


def undo_of(entry: AuditEntry) -> Undo:
    """What would make the row again what it was before this change; later changes of other columns stay."""
    kind = kind_of(entry)
    row = kind.model._default_manager.filter(tenant_id=entry.tenant_id, pk=_pk(entry)).first()
    verb = entry.action.partition(".")[2]
    if verb == "added":
        return Undo(row=row) if row is not None else _impossible(entry, "the row is gone already")
    values = _read(kind, {**_blank(kind), **(entry.before or {})} if verb == "deleted" else entry.before or {})
    if isinstance(values, Undo):
        return values
    if verb == "deleted":
        return _added_again(entry, Change(kind.name, values))
    if row is None:
        return _impossible(entry, "the row was deleted later; undo the deletion first")
    return Undo(change=Change(kind.name, {**kind.values_of(row), **values}, pk=row.pk))


def undo(entry: AuditEntry, *, actor: str, now: dt.datetime) -> Saved | Problem:
    """Undo one change, with an audit line that names it; the problem where that cannot be done."""
    tenant_id = entry.tenant_id
    if tenant_id is None:
        raise ValueError("A mapping belongs to a tenant.")
    wanted = undo_of(entry)
    if wanted.problem is not None:
        return wanted.problem
    with transaction.atomic():
        if wanted.change is None:
            saved = delete_rows(tenant_id, [wanted.row], actor=actor, now=now)
        else:
            saved = save_rows(tenant_id, [wanted.change], actor=actor, now=now)
        if saved.refusals:
            return saved.refusals[0].problem
        line = audit.Line("mapping.reverted", entry.subject, reason=f"Undoes audit entry {entry.pk}: {entry.reason}")
        audit.record(tenant_id, [line], actor=actor, now=now)
    return saved


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
