"""Have documents looked at again: back to new, each with its line in the audit trail."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import QuerySet

from syncs.models import SourceDocument
from syncs.states import SourceState
from tenants import audit


def renew(tenant_id: int, rows: QuerySet[SourceDocument], why: str, *, now: dt.datetime, actor: str = "sync") -> int:
    """Inside the caller's transaction; returns how many will be prepared again."""
    locked = rows.exclude(state=SourceState.NEW).order_by("pk").select_for_update()
    found = list(locked.values_list("pk", "kind", "source_id", "state"))
    if not found:
        return 0
    fresh: dict[str, Any] = {"state": SourceState.NEW, "waits_for": "", "changed_at": now}
    SourceDocument.objects.filter(pk__in=[pk for pk, *_ in found]).update(**fresh)
    lines = [
        audit.Line("looked-at-again", f"{kind}:{source_id}", {"state": state}, {"state": "new"}, reason=why)
        for _, kind, source_id, state in found
    ]
    audit.record(tenant_id, lines, actor=actor, now=now)
    return len(found)
