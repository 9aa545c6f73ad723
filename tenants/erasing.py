"""Erase the personal values of a subject from the audit trail; what was done to it, by whom and when, stays."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db import transaction
from django.db.models import QuerySet

from tenants import audit
from tenants.models import AuditPersonal


def left(tenant_id: int, subject: str) -> QuerySet[AuditPersonal]:
    """Side rows of a subject that still hold values."""
    return AuditPersonal.objects.filter(
        tenant_id=tenant_id, entry__tenant_id=tenant_id, entry__subject=subject, erased_at=None
    )


def erase(
    tenant_id: int,
    subject: str,
    *,
    reason: str,
    actor: str,
    now: dt.datetime,
    elsewhere: Mapping[str, int] | None = None,
) -> int:
    """Empty the side rows of a subject and record it; returns how many there were. None: nothing is recorded.

    `elsewhere` counts what the same transaction erased in other tables, by their names.
    """
    with transaction.atomic():
        erased = left(tenant_id, subject).update(before=None, after=None, salt="", erased_at=now)
        if erased or any((elsewhere or {}).values()):
            after = {"entries": erased, **(elsewhere or {})}
            line = audit.Line("personal-erased", subject, after=after, reason=reason)
            audit.record(tenant_id, [line], actor=actor, now=now)
    return erased


def subjects_like(tenant_id: int, text: str) -> list[str]:
    """Some subjects with personal values whose name holds the text."""
    rows = AuditPersonal.objects.filter(tenant_id=tenant_id, erased_at=None, entry__subject__icontains=text)
    return list(rows.order_by("entry__subject").values_list("entry__subject", flat=True).distinct()[:5])
