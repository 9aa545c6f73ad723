"""Saves a set-up: everything in one transaction with its audit lines, or nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import models, transaction

from connector.errors import Problem
from tenants import audit, calendar, setup_blackouts
from tenants.answers import connection_changed
from tenants.changes import changed_values
from tenants.models import (
    Blackout,
    CalendarRule,
    ChargebeeConnection,
    ChargebeeCredential,
    PolicySetting,
    QadConnection,
    QadCredential,
    Tenant,
)
from tenants.origins import chargebee_origin, qad_origin
from tenants.setup_file import Setup, profile_parts

_CREDENTIAL_KEYS = ("client_id", "username", "password", "token")
_BOUND: tuple[tuple[str, type[models.Model], type[models.Model], Callable[[Any], str], tuple[str, ...]], ...] = (
    ("chargebee", ChargebeeConnection, ChargebeeCredential, chargebee_origin, ("api_key",)),
    ("qad", QadConnection, QadCredential, qad_origin, ("password", "token")),
)


@dataclass(frozen=True, slots=True)
class Applied:
    """`changed` names the parts that differ now, e.g. 'qadconnection'; secrets are not in it, nor anywhere else."""

    tenant: Tenant
    is_new: bool
    changed: tuple[str, ...]


def apply(setup: Setup, *, actor: str, now: dt.datetime) -> Applied | list[Problem]:
    """Create or update a tenant. What the file does not name stays as it is, or takes its default in a new tenant."""
    with transaction.atomic():
        stored = Tenant.objects.select_for_update().filter(slug=setup.tenant["slug"]).first()
        problems = _conflicts(stored, setup)
        if problems:
            return problems
        tenant = stored or Tenant(slug=setup.tenant["slug"], name=setup.tenant["slug"])
        zone = tenant.time_zone
        lines = _save(tenant, setup.tenant)
        if tenant.time_zone != zone:
            calendar.reschedule(tenant, now)
        lines += _calendar(tenant, setup.calendar, now) + _blackouts(tenant, setup.blackouts)
        lines += _chargebee(tenant, setup.chargebee) + _qad(tenant, setup.qad) + _policies(tenant, setup.policies)
        audit.record(tenant.pk, lines, actor=actor, now=now)
    changed = tuple(dict.fromkeys(line.action.partition(".")[0] for line in lines))
    return Applied(tenant, stored is None, changed)


def _conflicts(stored: Tenant | None, setup: Setup) -> list[Problem]:
    """What only the database can tell."""
    found = []
    slug, mode = setup.tenant["slug"], setup.tenant.get("mode")
    if stored is not None and mode is not None and stored.mode != mode:
        message = (
            f"[tenant] mode is '{mode}', but '{slug}' is a {stored.mode} tenant, and a tenant's mode never changes."
        )
        found.append(Problem("file", "[tenant] mode", message, "Give the other tenant a slug of its own."))
    if setup.qad is not None:
        found += _prefix_conflict(slug, setup.qad, stored)
    if stored is not None:
        found += _secrets_of_another_address(stored, setup)
    zone = setup.tenant.get("time_zone") or (stored or Tenant()).time_zone
    return found + setup_blackouts.moments(setup.blackouts, zone)[1]


def _secrets_of_another_address(tenant: Tenant, setup: Setup) -> list[Problem]:
    """A stored secret stays with the address that it was entered for."""
    found = []
    for section, connection, credential, origin_of, names in _BOUND:
        given = getattr(setup, section)
        row: Any = connection._base_manager.filter(tenant=tenant).first()
        secrets = credential._base_manager.filter(tenant=tenant).first()
        if given is None or row is None or any(name in given for name in names):
            continue
        old = origin_of(row)
        for name, value in given.items():
            setattr(row, name, value)
        if origin_of(row) != old:
            found += [
                Problem(
                    "file",
                    f"[{section}] {name}",
                    f"[{section}] has another address now, and the stored {name} was entered for {old}.",
                    f"Give the {name} for {origin_of(row)} in the file.",
                )
                for name in names
                if getattr(secrets, name, None) is not None
            ]
    return found


def _prefix_conflict(slug: str, given: dict[str, Any], stored: Tenant | None) -> list[Problem]:
    own = QadConnection.objects.filter(tenant=stored).first() if stored else None
    prefix = given.get("reference_prefix", own.reference_prefix if own else "CB")
    taken = QadConnection.objects.filter(base_url=given["base_url"], entity=given["entity"], reference_prefix=prefix)
    other = taken.exclude(tenant__slug=slug).select_related("tenant").first()
    if other is None:
        return []
    message = f"[qad] reference_prefix '{prefix}' is used by tenant '{other.tenant.slug}' for entity '{other.entity}'."
    return [Problem("file", "[qad] reference_prefix", message, "Choose another of two to six letters or digits.")]


def _chargebee(tenant: Tenant, given: dict[str, Any] | None) -> list[audit.Line]:
    if given is None:
        return []
    values = {key: item for key, item in given.items() if key != "api_key"}
    row = ChargebeeConnection.objects.filter(tenant=tenant).first() or ChargebeeConnection(tenant=tenant)
    lines = _save(row, values)
    key = {"api_key": given["api_key"]} if "api_key" in given else {}
    credential = ChargebeeCredential.objects.filter(tenant=tenant).first() or ChargebeeCredential(tenant=tenant)
    return lines + _save(credential, key)


def _qad(tenant: Tenant, given: dict[str, Any] | None) -> list[audit.Line]:
    if given is None:
        return []
    values = {key: item for key, item in given.items() if key not in (*_CREDENTIAL_KEYS, "profile")}
    if "profile" in given:
        values["preset"], values["profile_override"] = profile_parts(given["profile"])
    row = QadConnection.objects.filter(tenant=tenant).first() or QadConnection(tenant=tenant)
    lines = _save(row, values)
    secrets = {key: given[key] for key in _CREDENTIAL_KEYS if key in given}
    if "token" in secrets:  # one way in at a time: the other one's secret is forgotten
        secrets["password"] = None
    elif "password" in secrets:
        secrets["token"] = None
    credential = QadCredential.objects.filter(tenant=tenant).first() or QadCredential(tenant=tenant)
    return lines + _save(credential, secrets)


def _policies(tenant: Tenant, given: dict[str, Any]) -> list[audit.Line]:
    lines = []
    stored = {row.key: row for row in PolicySetting.objects.filter(tenant=tenant)}
    for key, value in given.items():
        row = stored.get(key) or PolicySetting(tenant=tenant, key=key)
        if row.pk is None or row.value != value:
            before = row.value if row.pk else None
            row.value = value
            row.save()
            lines.append(audit.Line("policysetting.changed", f"policy:{key}", before={key: before}, after={key: value}))
    return lines


def _calendar(tenant: Tenant, given: list[dict[str, Any]], now: dt.datetime) -> list[audit.Line]:
    """Rules by their names; those that the file does not name stay."""
    lines = []
    for values in given:
        row = CalendarRule.objects.filter(tenant=tenant, name=values["name"]).first() or CalendarRule(tenant=tenant)
        row.tenant = tenant
        is_other = row.pk is None or any(getattr(row, name) != values[name] for name in calendar.TIMED_BY)
        lines += _save(row, values)
        if is_other:
            calendar.schedule(row, now).save()
    return lines


def _blackouts(tenant: Tenant, given: list[dict[str, Any]]) -> list[audit.Line]:
    """By their reason and beginning; those that the file does not name stay."""
    lines = []
    for values in setup_blackouts.moments(given, tenant.time_zone)[0]:
        same = {"tenant": tenant, "reason": values["reason"], "begins_at": values["begins_at"]}
        lines += _save(Blackout.objects.filter(**same).first() or Blackout(tenant=tenant), values)
    return lines


def _save(row: models.Model, values: dict[str, Any]) -> list[audit.Line]:
    """Save a row if it is new or differs; its audit line, or none."""
    old = type(row)._base_manager.filter(pk=row.pk).first() if row.pk else None
    for name, value in values.items():
        setattr(row, name, value)
    if old is not None:
        connection_changed(old, row)
    before, after = changed_values(old, row)
    if old is not None and not after:
        return []
    row.save()
    name = str(row._meta.model_name)
    return [
        audit.Line(f"{name}.{'changed' if old else 'added'}", f"{name}:{row.pk}", before=before or None, after=after)
    ]
