"""What went right and still deserves a look: said once, counted when it comes again, cleared by a clean sweep."""

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


def clear_before(tenant: Tenant, moment: dt.datetime, *, now: dt.datetime, reason: str) -> int:
    """Close what was not said again since `moment`; returns how many there were."""
    with transaction.atomic():
        rows = list(Notice.objects.select_for_update().filter(tenant=tenant, cleared_at=None, last_at__lt=moment))
        Notice.objects.filter(pk__in=[row.pk for row in rows]).update(cleared_at=now)
        lines = [audit.Line("notice-cleared", row.subject, before={"code": row.code}, reason=reason) for row in rows]
        audit.record(tenant.pk, lines, actor="sweep", now=now)
    return len(rows)
