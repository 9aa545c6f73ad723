"""Who owns which field of customers, as one page: what it shows and how it is saved."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from connector.errors import ConnectorError
from connector.ledger.party_fields import FIELDS, PartyField
from connector.qad.profile_shape import Profile
from syncs.alignment.setting import mode_of, why_not
from syncs.models import AlignedCustomer, FieldRule
from tenants import audit, connections
from tenants.models import Tenant

NAMES = {"chargebee": "Chargebee", "qad": "QAD", "shared": "Shared", "none": "Nobody"}


@dataclass(slots=True)
class Told:
    """How many fields changed, or why none did."""

    changed: int = 0
    problems: list[str] = field(default_factory=list)


def shown(tenant: Tenant) -> dict[str, Any]:
    """Context of the page: each field with its owner and what stands in the way."""
    stored = {row.field: row for row in FieldRule.objects.filter(tenant=tenant)}
    profile = _profile(tenant)
    return {
        "mode": mode_of(tenant),
        "pairs": AlignedCustomer.objects.filter(tenant=tenant).count(),
        "fields": [_row(one, stored.get(name), profile) for name, one in FIELDS.items()],
    }


def _row(one: PartyField, stored: FieldRule | None, profile: Profile | None) -> dict[str, Any]:
    owner = stored.owner if stored else one.owner
    return {
        "name": one.name,
        "label": one.label,
        "owner": owner,
        "owner_name": NAMES[owner],
        "choices": [(value, NAMES[value], value == owner) for value in (*one.may_own, "none")],
        "blank_erases": bool(stored and stored.blank_erases),
        "default": NAMES[one.owner],
        "why_not": why_not(profile, one.name, owner) if profile is not None and owner != "none" else "",
    }


def _profile(tenant: Tenant) -> Profile | None:
    try:
        return connections.qad_profile(tenant)
    except ConnectorError:
        return None


def save(tenant: Tenant, entered: Mapping[str, Any], *, actor: str, now: dt.datetime) -> Told:
    """All of the form or nothing; only what differs from what is stored is written."""
    told, rows = Told(), []
    stored = {row.field: row for row in FieldRule.objects.filter(tenant=tenant)}
    for name, one in FIELDS.items():
        owner = entered.get(f"owner-{name}")
        if owner is None:
            continue
        if owner not in (*one.may_own, "none"):
            told.problems.append(f"{one.label} cannot be owned by '{str(owner)[:20]}'. Choose one of the list.")
            continue
        erases = f"erases-{name}" in entered
        row = stored.get(name)
        before = (row.owner, row.blank_erases) if row else (one.owner, False)
        if before != (owner, erases):
            rows.append((name, before, (owner, erases)))
    if not told.problems:
        told.changed = _store(tenant, rows, actor=actor, now=now)
    return told


def _store(tenant: Tenant, rows: list[Any], *, actor: str, now: dt.datetime) -> int:
    with transaction.atomic():
        for name, _, (owner, erases) in rows:
            FieldRule.objects.update_or_create(
                tenant=tenant, field=name, defaults={"owner": owner, "blank_erases": erases}
            )
        lines = [
            audit.Line(
                "field-owner.changed",
                f"field:{name}",
                before={"owner": before[0], "blank_erases": before[1]},
                after={"owner": after[0], "blank_erases": after[1]},
            )
            for name, before, after in rows
        ]
        audit.record(tenant.pk, lines, actor=actor, now=now)
    return len(rows)
