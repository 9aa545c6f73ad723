"""Replay: rebuild from the current source and mapping, or send again as it was; what QAD may have is only looked up."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence

from django.db import transaction

from syncs.desk import open_desk
from syncs.models import CustomerCreation, Kind, Posting, SourceDocument
from syncs.models.creation import Step
from syncs.preparing import BATCH, POSTED_KINDS, decide
from syncs.states import DONE, IN_FLIGHT, PostingState, SourceState
from tenants import audit
from tenants.models import Tenant

RESENDABLE = (PostingState.REJECTED, PostingState.PARKED)

# What happened to one document when Replay was pressed, as a reader sees it.
REBUILT, RESENT, LOOKED_UP, LEFT = "rebuilt", "sent again", "looked up", "left as it is"


def rebuild(tenant: Tenant, rows: Sequence[SourceDocument], *, now: dt.datetime, actor: str) -> Counter[str]:
    """Prepare documents again from what Chargebee and the mappings say now; returns counts of what happened."""
    counts: Counter[str] = Counter()
    desk = open_desk(tenant.pk)
    for start in range(0, len(rows), BATCH):
        keys = [row.pk for row in rows[start : start + BATCH]]
        with transaction.atomic():
            fresh = list(SourceDocument.objects.filter(tenant=tenant, pk__in=keys).select_for_update().order_by("pk"))
            settled = _settled(fresh)
            again = [row for row in fresh if row.kind in POSTED_KINDS and row.pk not in settled]
            _note(tenant, again, "replay-rebuild", actor, now)
            for kind in POSTED_KINDS:
                decide(desk, [row for row in again if row.kind == kind], now=now, actor=actor)
            counts[REBUILT] += len(again)
            counts[LOOKED_UP] += _look_up_soon(settled, now)
            for row in fresh:
                if row.kind == Kind.CUSTOMER:
                    counts[_customer(row, now)] += 1
    return counts


def resend(tenant: Tenant, rows: Sequence[SourceDocument], *, now: dt.datetime, actor: str) -> Counter[str]:
    """Send rejected and parked postings again as they were, after a look whether QAD has them by now."""
    counts: Counter[str] = Counter()
    with transaction.atomic():
        fresh = list(SourceDocument.objects.filter(tenant=tenant, pk__in=[row.pk for row in rows]).select_for_update())
        settled = _settled(fresh)
        _note(tenant, [row for row in fresh if row.pk not in settled], "replay-resend", actor, now)
        waiting = Posting.objects.filter(tenant=tenant, source__in=fresh, state__in=RESENDABLE)
        counts[RESENT] = waiting.update(state=PostingState.READY, must_look_up=True, not_before=None, changed_at=now)
        counts[LOOKED_UP] = _look_up_soon(settled, now)
        counts[LEFT] = len(fresh) - counts[RESENT] - counts[LOOKED_UP]
    return counts


def _settled(rows: Sequence[SourceDocument]) -> set[int]:
    """Sources whose posting QAD has or may have."""
    postings = Posting.objects.filter(source__in=rows, state__in=(*IN_FLIGHT, *DONE))
    return set(postings.values_list("source_id", flat=True))


def _look_up_soon(sources: set[int], now: dt.datetime) -> int:
    """Have what is uncertain looked up at the next sweep; only a find counts before its window is over."""
    Posting.objects.filter(source__in=sources, state=PostingState.UNCERTAIN).update(look_up_asked_at=now)
    return len(sources)


def _customer(row: SourceDocument, now: dt.datetime) -> str:
    """A customer that was refused or held is decided anew."""
    if row.state not in (SourceState.HELD, SourceState.UNREADABLE):
        return LEFT
    CustomerCreation.objects.filter(source=row, step=Step.REJECTED).update(
        step=Step.UNCERTAIN_CUSTOMER, not_before=None
    )
    SourceDocument.objects.filter(pk=row.pk).update(state=SourceState.NEW, changed_at=now)
    return REBUILT


def _note(tenant: Tenant, rows: Sequence[SourceDocument], action: str, actor: str, now: dt.datetime) -> None:
    lines = [audit.Line(action, f"{row.kind}:{row.source_id}", before={"state": row.state}) for row in rows]
    audit.record(tenant.pk, lines, actor=actor, now=now)
