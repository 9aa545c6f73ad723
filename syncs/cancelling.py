"""A person stops a backfill, and has it go on. What it took up to then stays taken, the rest stays skipped.

running -> cancelled -> running. The batch under way ends before the cancel does: both hold the row of the backfill.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from connector.errors import Problem
from mappings import revision
from syncs.models import Backfill
from syncs.models.golive import BackfillState
from tenants import audit
from tenants.models import Tenant

SHORT = "Say in a few words why the backfill is stopped; the auditor will ask."
GONE = "There is no backfill {} of this tenant. Reload the page."


def cancel(tenant: Tenant, pk: int, *, reason: str, now: dt.datetime, actor: str) -> Backfill | Problem:
    """Stop it before its next batch."""
    if len(reason.strip()) < 5:
        return Problem("reason-missing", f"Backfill {pk}", SHORT, "")
    with transaction.atomic():
        row = _locked(tenant, pk)
        if row is None or row.state != BackfillState.RUNNING:
            return _not(pk, row, "cancelled")
        if row.done and row.reached_day is None:
            row.reached_day = row.last_day  # it began before the day was kept
        _move(row, BackfillState.CANCELLED, reason.strip(), now, actor)
    return row


def resume(tenant: Tenant, pk: int, *, now: dt.datetime, actor: str) -> Backfill | Problem:
    """Have a cancelled one go on with what is left of its range."""
    with transaction.atomic():
        row = _locked(tenant, pk)
        if row is None or row.state != BackfillState.CANCELLED:
            return _not(pk, row, "resumed")
        _move(row, BackfillState.RUNNING, row.reason, now, actor)
    return row


def _locked(tenant: Tenant, pk: int) -> Backfill | None:
    return Backfill.objects.select_for_update().filter(tenant=tenant, pk=pk).first()


def _not(pk: int, row: Backfill | None, what: str) -> Problem:
    sentence = GONE.format(pk) if row is None else f"{row} cannot be {what}: it is {row.get_state_display().lower()}."
    return Problem("backfill-not-moved", f"Backfill {pk}", sentence, "")


def _move(row: Backfill, state: BackfillState, reason: str, now: dt.datetime, actor: str) -> None:
    before, row.state, row.changed_at = row.state, state, now
    row.save(update_fields=["state", "reached_day", "changed_at"])
    revision.bump(row.tenant_id)  # which days are reopened is a part of what documents are decided by
    after = {"state": state.value, "done": row.done, "of": row.total, "reopened_until": str(row.reopened_until or "")}
    verb = "cancelled" if state == BackfillState.CANCELLED else "resumed"
    line = audit.Line(f"backfill.{verb}", f"backfill:{row.pk}", {"state": before}, after, reason=reason)
    audit.record(row.tenant_id, [line], actor=actor, now=now)
