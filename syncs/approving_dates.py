"""An accountant lets a document go out on its own date although the period was closed: with a reason, audited."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from connector.ledger.dating import Dated
from connector.ledger.stored import restore
from syncs import dating, redating
from syncs.desk import Desk, open_desk
from syncs.foresight import dry
from syncs.models import DateApproval, SourceDocument
from syncs.preparing import DECIDE, decide
from syncs.states import SourceState
from syncs.turns import in_turn
from tenants import audit
from tenants.models import Tenant

CODE = "date-needs-approval"
LONGEST_REASON = 500


def approve(tenant: Tenant, row: SourceDocument, reason: str, *, now: dt.datetime, actor: str) -> str:
    """Approve the dates that a document waits for; returns '' or one sentence that says why that may not be."""
    reason = reason.strip()
    if not reason:
        return "Give a reason: it is kept with the approval."
    if len(reason) > LONGEST_REASON:
        return f"The reason has {len(reason)} characters. Use {LONGEST_REASON} at most."
    with transaction.atomic():
        in_turn(tenant.pk)
        fresh = SourceDocument.objects.filter(tenant=tenant, pk=row.pk).select_for_update().get()
        desk = open_desk(tenant.pk)
        days = sorted(set(awaited(desk, fresh, now)))
        if not days:
            return f"{fresh} does not wait for the approval of a date."
        for day in days:
            _store(tenant, fresh, day, reason, now, actor)
        if fresh.state == SourceState.HELD:
            decide(desk, [fresh], now=now, actor=actor)
        redating.redate_of(desk, fresh, now, actor=actor)
    return ""


def awaited(desk: Desk, row: SourceDocument, now: dt.datetime) -> list[dt.date]:
    """The days that a document or what follows it waits for."""
    held = redating.waiting(desk.tenant).filter(source=row)
    found: list[Dated] = [dating.dated(desk, restore(posting.document)) for posting in held]
    if row.state == SourceState.HELD and row.kind in DECIDE:
        found += dry(desk, [row], now=now).awaited
    return [one.day for one in found if one.problem is not None and one.problem.code == CODE]


def _store(tenant: Tenant, row: SourceDocument, day: dt.date, reason: str, now: dt.datetime, actor: str) -> None:
    values = {"reason": reason, "approved_by": actor[:150], "approved_at": now}
    _, is_new = DateApproval.objects.get_or_create(
        tenant=tenant, source=row, wanted_date=day, spent_at=None, defaults=values
    )
    if is_new:
        line = audit.Line(
            "date-approved", f"{row.kind}:{row.source_id}", after={"date": day.isoformat()}, reason=reason
        )
        audit.record(tenant.pk, [line], actor=actor, now=now)
