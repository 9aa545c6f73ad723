"""The one way to write an audit line: in the transaction of the change that it records."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tenants.appending import append
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
    told = list(lines)
    if any(map(_is_personal, told)):
        _record_personal(tenant_id, told, actor, now)
    else:
        append(AuditEntry, _COLUMNS, [(tenant_id, *_values(line, actor, now)) for line in told])
    return len(told)


def actor_name(user: Any) -> str:
    """How a user is named in the audit: the user name, which stays readable after the user is gone."""
    return str(user.get_username())[:150] if user is not None and user.is_authenticated else "nobody"


_COLUMNS = ("tenant_id", "at", "actor", "action", "subject", "reason", "before", "after")


def _values(line: Line, actor: str, now: dt.datetime) -> tuple[Any, ...]:
    """What stands in _COLUMNS after the tenant."""
    return now, actor, line.action, line.subject[:160], line.reason, line.before, line.after


def _is_personal(line: Line) -> bool:
    return line.personal_before is not None or line.personal_after is not None


def _record_personal(tenant_id: int | None, lines: list[Line], actor: str, now: dt.datetime) -> None:
    """Slower, since a side row needs the key of its entry; together, so that the entries keep their order."""
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


def _entry(tenant_id: int | None, line: Line, actor: str, now: dt.datetime) -> tuple[AuditEntry, Line, str]:
    salt = secrets.token_hex(16) if _is_personal(line) else ""
    digest = personal_digest(salt, line.personal_before, line.personal_after) if salt else ""
    values = dict(zip(_COLUMNS, (tenant_id, *_values(line, actor, now)), strict=True))
    return AuditEntry(**values, personal_digest=digest), line, salt
