"""Builders for tests of the audit trail."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management import call_command
from django.db import connection

from tenants import audit, guards
from tenants.models import AuditEntry

NOW = dt.datetime(2026, 11, 23, 9, 30, tzinfo=dt.UTC)


def entries(tenant: Any, count: int, *, at: dt.datetime = NOW, **line: Any) -> list[int]:
    """So many audit entries; returns their ids."""
    lines = [audit.Line("prepared", f"posting:{n}", after={"total": f"{n}.50"}, **line) for n in range(count)]
    audit.record(tenant and tenant.pk, lines, actor="schedule", now=at)
    return sorted(AuditEntry.objects.order_by("-pk").values_list("pk", flat=True)[:count])


def about(tenant: Any, subject: str, **line: Any) -> int:
    """One audit entry about a subject; returns its id."""
    audit.record(tenant.pk, [audit.Line("changed", subject, **line)], actor="mira", now=NOW)
    return AuditEntry.objects.latest("pk").pk


@contextmanager
def guards_dropped() -> Iterator[None]:
    """What somebody can do who may alter the database's schema."""
    guards.remove(connection)
    try:
        yield
    finally:
        guards.install(connection)


def run(name: str, *arguments: object) -> str:
    out = io.StringIO()
    call_command(name, *map(str, arguments), stdout=out, stderr=out)
    return out.getvalue()
