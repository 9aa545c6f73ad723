"""What a save changed, as values for the audit line. Secrets appear as the word "changed"."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.http import HttpRequest

from tenants.audit import actor_name
from tenants.fields import SecretField

_LEFT_OUT = frozenset({"tenant", "password", "last_login", "changed_at"})


def actor_of(request: HttpRequest) -> str:
    return actor_name(request.user)


def stored_values(obj: Model) -> dict[str, Any]:
    """Field name -> value that JSON can hold. Keys, the tenant and secrets are left out."""
    return {
        field.name: _plain(field.value_from_object(obj))
        for field in obj._meta.concrete_fields
        if not (field.primary_key or field.name in _LEFT_OUT or isinstance(field, SecretField))
    }


def changed_values(old: Model | None, new: Model) -> tuple[dict[str, Any], dict[str, Any]]:
    """Before and after of the fields that differ."""
    after = stored_values(new)
    before = stored_values(old) if old is not None else {}
    names = [name for name in after if old is None or before[name] != after[name]]
    secrets = [
        field.name
        for field in new._meta.concrete_fields
        if isinstance(field, SecretField) and _secret_changed(old, new, field.attname)
    ]
    return (
        {name: before[name] for name in names if name in before},
        {name: after[name] for name in names} | dict.fromkeys(secrets, "changed"),
    )


def _secret_changed(old: Model | None, new: Model, name: str) -> bool:
    mine, theirs = getattr(new, name), getattr(old, name, None)
    if mine is None or theirs is None:
        return mine is not theirs
    return not mine.is_stored


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | str | list | dict) else str(value)
