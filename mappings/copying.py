"""Mappings of one tenant for another, such as from test to live: the difference first, then all or nothing."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from mappings.kinds import KINDS
from mappings.planning import Change, Planned, Refusal, fingerprint, plan, refusals_of
from tenants.models import Tenant

USUAL = ("items", "taxes", "banks", "account_roles", "credit_terms")  # customers are others on a live site


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a copy would do. `only_here` counts the target's rows, by kind, that the source does not have; they stay.

    `seen` is the mark of the target's rows, `mark` the one of the whole difference.
    """

    changes: tuple[Change, ...]
    fresh: tuple[Planned, ...]
    different: tuple[Planned, ...]
    unchanged: int
    refusals: tuple[Refusal, ...]
    only_here: Counter[str]
    seen: str
    mark: str


def compare(source: Tenant, target: Tenant, kinds: Sequence[str] = USUAL) -> Comparison:
    """Every row of the source beside the target's, without saving anything."""
    changes = _changes(source, kinds)
    planned = plan(target.pk, changes)
    seen = fingerprint(planned)
    wanted = sorted(repr(sorted(change.values.items())) for change in changes)
    return Comparison(
        changes=tuple(changes),
        fresh=tuple(one for one in planned if one.is_new),
        different=tuple(one for one in planned if not one.is_new and not one.is_unchanged),
        unchanged=sum(one.is_unchanged for one in planned),
        refusals=tuple(refusals_of(target.pk, planned)),
        only_here=_only_here(target, kinds, planned),
        seen=seen,
        mark=hashlib.sha256("\n".join([seen, *wanted]).encode()).hexdigest(),
    )


def _changes(source: Tenant, kinds: Sequence[str]) -> list[Change]:
    found = []
    for name in kinds:
        kind = KINDS[name]
        rows = kind.model._default_manager.filter(tenant_id=source.pk)
        found += [Change(name, kind.values_of(row), place=source.slug) for row in rows]
    return found


def _only_here(target: Tenant, kinds: Sequence[str], planned: Sequence[Planned]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for name in kinds:
        found = {one.row.pk for one in planned if one.row is not None and one.change.kind == name}
        counts[name] = KINDS[name].model._default_manager.filter(tenant_id=target.pk).count() - len(found)
    return +counts


def told(one: Planned) -> str:
    """'gl_account 4000 -> 4100' for each column that differs."""
    before, after = one.before or {}, one.change.values
    names = {column.field: column.name for column in KINDS[one.change.kind].columns}
    return ", ".join(
        f"{names[field]} {before[field] or '(empty)'} -> {after[field] or '(empty)'}"
        for field in names
        if before[field] != after[field]
    )
