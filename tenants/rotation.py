"""Encrypts stored credentials with the newest key: row by row, resumable, harmless to repeat."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.apps import apps
from django.db import models, transaction

from tenants.fields import CredentialUnreadable, Secret, SecretField


@dataclass(frozen=True, slots=True)
class Tally:
    """How many secrets stand under which key; `unreadable` names tenant and field of each that no key opens."""

    newest: int
    older: int
    unreadable: tuple[str, ...]


def count() -> Tally:
    """Look only."""
    return _tally(change=False)


def rotate() -> Tally:
    """Encrypt anew what stands under an older key; `older` counts what was changed."""
    return _tally(change=True)


def _tally(*, change: bool) -> Tally:
    newest = older = 0
    unreadable: list[str] = []
    for model, field in secret_fields():
        for pk in model._default_manager.order_by("pk").values_list("pk", flat=True).iterator():
            outcome = _one(model, field, pk, change=change)
            newest += outcome == "newest"
            older += outcome == "older"
            unreadable += [] if outcome in ("newest", "older", "") else [outcome]
    return Tally(newest, older, tuple(unreadable))


def secret_fields() -> Iterator[tuple[type[models.Model], str]]:
    """Every encrypted field of the installed apps."""
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, SecretField):
                yield model, field.attname


def _one(model: type[models.Model], field: str, pk: int, *, change: bool) -> str:
    """'newest', 'older', '' if nothing is set or the row is gone, else the words for what cannot be read."""
    with transaction.atomic():
        row = model._default_manager.select_for_update().filter(pk=pk).first()
        secret: Secret | None = getattr(row, field, None)
        if row is None or secret is None:
            return ""
        if secret.has_newest_key():
            return "newest"
        try:
            renewed = secret.renewed()
        except CredentialUnreadable:
            return f"{row.tenant.slug}: {model._meta.verbose_name}, {field.replace('_', ' ')}"  # type: ignore[attr-defined]
        if change:
            setattr(row, field, renewed)
            row.save(update_fields=[field])
        return "older"
