"""The one way to change mappings: checked, saved, versioned and audited in one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Model

from mappings import revision
from mappings.kinds import KIND_OF_MODEL, KINDS, Kind
from mappings.models import CustomerKind, CustomerMapping
from mappings.planning import Change, Planned, Refusal, moved, plan, refusals_of
from tenants import audit

_BATCH = 400


@dataclass(frozen=True, slots=True)
class Saved:
    """What a save did. `keys` are the natural keys that changed, as ('items', 'item_price', 'pro-EUR'), without dates.

    `refusals` are the rows that were not saved; `actor` is who saved the others.
    """

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    deleted: int = 0
    keys: frozenset[tuple[str, ...]] = frozenset()
    refusals: tuple[Refusal, ...] = ()
    actor: str = field(default="", compare=False)

    def __bool__(self) -> bool:
        return bool(self.created or self.changed or self.deleted)


def save_rows(tenant_id: int, changes: Sequence[Change], *, actor: str, now: dt.datetime, seen: str = "") -> Saved:
    """Save all of the changes or, if one is refused, none; unchanged rows are left alone.

    `seen` is the fingerprint of the stored rows as they were shown: if they are others by now, nothing is saved.
    """
    with transaction.atomic():
        planned = plan(tenant_id, changes, lock=True)
        refusals = moved(planned, seen) or refusals_of(tenant_id, planned)
        if refusals:
            return Saved(refusals=tuple(refusals))
        return _apply(tenant_id, planned, (), actor=actor, now=now)


def save_correct_rows(
    tenant_id: int, changes: Sequence[Change], *, actor: str, now: dt.datetime, seen: str = ""
) -> Saved:
    """Save what is not refused; `refusals` says what was left out and why. `seen` as in `save_rows`."""
    refused: list[Refusal] = []
    with transaction.atomic():
        planned = plan(tenant_id, changes, lock=True)
        if stale := moved(planned, seen):
            return Saved(refusals=tuple(stale))
        while found := refusals_of(tenant_id, planned):  # leaving a row out may put another in its way
            refused += found
            out = {id(refusal.change) for refusal in found}
            planned = [one for one in planned if id(one.change) not in out]
        return _apply(tenant_id, planned, tuple(refused), actor=actor, now=now)


def _apply(
    tenant_id: int, planned: Sequence[Planned], refused: tuple[Refusal, ...], *, actor: str, now: dt.datetime
) -> Saved:
    touched = [one for one in planned if not one.is_unchanged]
    lines = _create(tenant_id, [one for one in touched if one.is_new])
    lines += _update([one for one in touched if not one.is_new])
    audit.record(tenant_id, lines, actor=actor, now=now)
    if touched:
        revision.bump(tenant_id)
    created = sum(one.is_new for one in touched)
    return Saved(
        created=created,
        changed=len(touched) - created,
        unchanged=len(planned) - len(touched),
        keys=_keys(touched),
        refusals=refused,
        actor=actor,
    )


def delete_rows(tenant_id: int, rows: Iterable[Model], *, actor: str, now: dt.datetime) -> Saved:
    """Delete mapping rows of this tenant; rows of another are left alone."""
    with transaction.atomic():
        owned = [row for row in rows if row.tenant_id == tenant_id]  # type: ignore[attr-defined]
        lines = [_line(row, "deleted", KIND_OF_MODEL[type(row)].values_of(row), None) for row in owned]
        keys = frozenset(_key(_kind(row), _kind(row).values_of(row)) for row in owned)
        for model in {type(row) for row in owned}:
            pks = [row.pk for row in owned if type(row) is model]
            model._default_manager.filter(tenant_id=tenant_id, pk__in=pks).delete()
        audit.record(tenant_id, lines, actor=actor, now=now)
        revision.bump(tenant_id)
    return Saved(deleted=len(owned), keys=keys, actor=actor)


def _create(tenant_id: int, planned: Sequence[Planned]) -> list[audit.Line]:
    lines = []
    for name, kind in KINDS.items():
        rows = [kind.model(tenant_id=tenant_id, **one.change.values) for one in planned if one.change.kind == name]
        made = kind.model._default_manager.bulk_create(rows, batch_size=_BATCH)
        lines += [_line(row, "added", None, kind.values_of(row)) for row in made]
    return lines


def _update(planned: Sequence[Planned]) -> list[audit.Line]:
    lines = []
    for name, kind in KINDS.items():
        mine = [one for one in planned if one.change.kind == name]
        if not mine:
            continue
        _free_customers(mine)
        for one in mine:
            for column, value in one.change.values.items():
                setattr(one.row, column, value)
            if kind.is_versioned:
                one.row.version += 1
            lines.append(_line(one.row, "changed", one.before, one.change.values))
        fields = [*kind.fields, *(["version"] if kind.is_versioned else [])]
        kind.model._default_manager.bulk_create(  # an upsert by primary key: forty times as fast as bulk_update
            [one.row for one in mine],
            batch_size=_BATCH,
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=fields,
        )
    return lines


def _free_customers(planned: Sequence[Planned]) -> None:
    """Two customers may swap their QAD codes: for a moment neither row is direct, so none is in the other's way."""
    direct = [one.row.pk for one in planned if one.change.kind == "customers" and one.row.kind == CustomerKind.DIRECT]
    for start in range(0, len(direct), _BATCH):
        CustomerMapping.objects.filter(pk__in=direct[start : start + _BATCH]).update(kind=CustomerKind.ALIAS)


def _line(row: Any, action: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> audit.Line:
    """Before and after of what differs; a customer's note may name a person, so it can be erased."""
    names = [name for name in (after or before or {}) if before is None or after is None or before[name] != after[name]]
    private = [name for name in names if name == "note"]
    open_ = [name for name in names if name != "note"]
    model = row._meta.model_name
    return audit.Line(
        action=f"{model}.{action}",
        subject=f"{model}:{row.pk}",
        reason=_kind(row).subject(after or before or {}),
        before=_plain(before, open_),
        after=_plain(after, open_),
        personal_before=_plain(before, private),
        personal_after=_plain(after, private),
    )


def _plain(values: Mapping[str, Any] | None, names: Sequence[str]) -> dict[str, str] | None:
    if values is None or not names:
        return None
    return {name: str(values[name]) for name in names}


def _kind(row: Model) -> Kind:
    return KIND_OF_MODEL[type(row)]


def _keys(planned: Sequence[Planned]) -> frozenset[tuple[str, ...]]:
    found = set()
    for one in planned:
        kind = KINDS[one.change.kind]
        found.add(_key(kind, one.change.values))
        if one.before is not None:
            found.add(_key(kind, one.before))
    return frozenset(found)


def _key(kind: Kind, values: Mapping[str, Any]) -> tuple[str, ...]:
    return (kind.name, *(str(values[field]) for field in kind.key if field != "valid_from"))
