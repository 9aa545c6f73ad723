"""What went right and still deserves a look: said once, counted when it comes again, cleared by a person."""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, transaction
from django.db.models import F

from syncs.models import Notice
from tenants import audit
from tenants.models import Tenant


def notice(tenant: Tenant, code: str, subject: str, sentence: str, fix: str, *, now: dt.datetime) -> None:
    """Open a notice, or count the open one on and let it say the newest."""
    wide = {"tenant": tenant, "code": code, "subject": subject[:160]}
    said = {"sentence": sentence, "fix": fix, "last_at": now}
    while not Notice.objects.filter(**wide, cleared_at=None).update(**said, times=F("times") + 1):
        try:
            with transaction.atomic():
                Notice.objects.create(**wide, **said, first_at=now)
                audit.record(tenant.pk, [audit.Line(code, subject, reason=sentence)], actor="sync", now=now)
            return
        except IntegrityError:
            continue  # another worker opened it meanwhile


def clear(row: Notice, *, now: dt.datetime, actor: str) -> bool:
    """Close a notice that was read; False if somebody did already."""
    with transaction.atomic():
        if not Notice.objects.filter(pk=row.pk, cleared_at=None).update(cleared_at=now):
            return False
        line = audit.Line("notice-cleared", row.subject, reason=row.sentence)
        audit.record(row.tenant_id, [line], actor=actor, now=now)
    return True
