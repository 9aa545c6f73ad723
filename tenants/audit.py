"""The one way to write an audit line: in the transaction of the change that it records."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tenants.chain import personal_digest
from tenants.models import AuditEntry, AuditPersonal


@dataclass(frozen=True, slots=True)
class Line:
    """What happened to one subject. `personal_*` values may be erased later; put names and addresses there."""

    action: str
    subject: str
    before: Any = None
    after: Any = None
    reason: str = ""
    personal_before: Any = None
    personal_after: Any = None


def record(tenant_id: int | None, lines: Iterable[Line], *, actor: str, now: dt.datetime) -> int:
    """Append lines for one tenant; returns how many. Call it inside the transaction of the change."""
    triples = [_entry(tenant_id, line, actor, now) for line in lines]
    AuditEntry.objects.bulk_create([entry for entry, _, _ in triples], batch_size=500)
    personal = [
        AuditPersonal(
            entry=entry, tenant_id=tenant_id, before=line.personal_before, after=line.personal_after, salt=salt
        )
        for entry, line, salt in triples
        if salt
    ]
    AuditPersonal.objects.bulk_create(personal, batch_size=500)
    return len(triples)


def actor_name(user: Any) -> str:
    """How a user is named in the audit: the user name, which stays readable after the user is gone."""
    return str(user.get_username())[:150] if user is not None and user.is_authenticated else "nobody"


def _entry(tenant_id: int | None, line: Line, actor: str, now: dt.datetime) -> tuple[AuditEntry, Line, str]:
    is_personal = line.personal_before is not None or line.personal_after is not None
    salt = secrets.token_hex(16) if is_personal else ""
    entry = AuditEntry(
        tenant_id=tenant_id,
        at=now,
        actor=actor,
        action=line.action,
        subject=line.subject[:160],
        reason=line.reason,
        before=line.before,
        after=line.after,
        personal_digest=personal_digest(salt, line.personal_before, line.personal_after) if salt else "",
    )
    return entry, line, salt
