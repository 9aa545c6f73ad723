"""Answers of an earlier test that a change of the connection makes worthless."""

from __future__ import annotations

from typing import Any

from tenants.models import ChargebeeConnection, ProbeResult, QadConnection, Side

_SITE = ("site", "region", "base_url")
_INSTANCE = ("base_url", "domain", "entity", "workspace", "shared_set", "preset", "profile_override")


def connection_changed(old: Any, new: Any) -> None:
    """Call it before a changed connection is saved: another site is not pinned, another instance is not tested."""
    if isinstance(new, ChargebeeConnection) and _differ(old, new, _SITE):
        new.pinned_host = ""
        _forget(new, Side.CHARGEBEE)
    if isinstance(new, QadConnection) and _differ(old, new, _INSTANCE):
        if _differ(old, new, ("preset", "profile_override")):
            new.profile_version = old.profile_version + 1
        _forget(new, Side.QAD)


def _differ(old: Any, new: Any, names: tuple[str, ...]) -> bool:
    return any(getattr(old, name) != getattr(new, name) for name in names)


def _forget(row: Any, side: Side) -> None:
    ProbeResult.objects.filter(tenant_id=row.tenant_id, side=side).delete()
