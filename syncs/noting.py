"""Notes at a document, and who looks after it."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from syncs.models import Assignment, Remark, SourceDocument
from tenants import audit
from tenants.models import Membership, Tenant


def remark(tenant: Tenant, row: SourceDocument, text: str, *, now: dt.datetime, actor: str) -> str:
    """Add a note; returns '' or why not."""
    if not text.strip():
        return "Write something first."
    with transaction.atomic():
        note = Remark.objects.create(tenant=tenant, source=row, author=actor, text=text.strip()[:2000], noted_at=now)
        line = audit.Line("noted", f"{row.kind}:{row.source_id}", after={"note": note.pk})
        audit.record(tenant.pk, [line], actor=actor, now=now)
    return ""


def assign(tenant: Tenant, row: SourceDocument, who: str, *, now: dt.datetime, actor: str) -> str:
    """Give a document to somebody of the tenant, or to nobody; returns '' or why not."""
    if who and not Membership.objects.filter(tenant=tenant, user__username=who, user__is_active=True).exists():
        return f"'{who}' does not belong to {tenant}."
    with transaction.atomic():
        mine = Assignment.objects.filter(tenant=tenant, source=row)
        old = mine.values_list("assigned_to", flat=True).first() or ""
        if old == who:
            return ""
        mine.delete()
        if who:
            Assignment.objects.create(tenant=tenant, source=row, assigned_to=who, assigned_at=now)
        before, after = {"looked after by": old or None}, {"looked after by": who or None}
        line = audit.Line("assigned", f"{row.kind}:{row.source_id}", before=before, after=after)
        audit.record(tenant.pk, [line], actor=actor, now=now)
    return ""
