"""Documents that a person sets aside, with a reason, an owner and the day on which they come back by themselves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.db.models import QuerySet

from connector.errors import Problem
from connector.periods import business_date
from syncs.batch import Batch, as_json, codes, tell
from syncs.models import Ignore, Kind, Posting, SourceDocument
from syncs.states import DONE, IN_FLIGHT, PostingState, SourceState
from tenants import audit
from tenants.models import Membership, Tenant

LONGEST = dt.timedelta(days=366)
KINDS = (Kind.INVOICE, Kind.CREDIT_NOTE, Kind.TRANSACTION)
SET_ASIDE = (PostingState.READY, PostingState.REJECTED, PostingState.PARKED)
UNDECIDED = (PostingState.CONFLICT, PostingState.DUPLICATE)
CAME_BACK = "came-back"


def ignore(
    tenant: Tenant, row: SourceDocument, *, reason: str, owner: str, until: dt.date, now: dt.datetime, actor: str
) -> str:
    """Set a document aside; returns '' or one sentence that says why that may not be."""
    wrong = _wrong_words(tenant, reason, owner, until, now)
    if wrong:
        return wrong
    with transaction.atomic():
        fresh = SourceDocument.objects.filter(tenant=tenant, pk=row.pk).select_for_update().get()
        postings = list(Posting.objects.filter(source=fresh).select_for_update())
        wrong = why_not(fresh, [posting.state for posting in postings])
        if wrong:
            return wrong
        decision = Ignore.objects.create(
            tenant=tenant,
            source=fresh,
            reason=reason.strip(),
            owner=owner,
            expires_on=until,
            decided_by=actor,
            decided_at=now,
        )
        _put_source(fresh, SourceState.IGNORED, [said(decision)], now)
        lines = _put_postings(postings, SET_ASIDE, PostingState.IGNORED, [], now)
        after = {"state": "ignored", "owner": owner, "until": until.isoformat()}
        lines.append(audit.Line("ignored", _subject(fresh), {"state": fresh.state}, after, reason=reason.strip()))
        audit.record(tenant.pk, lines, actor=actor, now=now)
    return ""


def why_not(row: SourceDocument, states: Sequence[str]) -> str:
    """One sentence why this document may not be ignored, '' if it may."""
    if row.kind not in KINDS:
        return f"{row} cannot be ignored: only invoices, credit notes and transactions are posted."
    if row.state == SourceState.IGNORED:
        return f"{row} is ignored already."
    if row.state == SourceState.SKIPPED:
        return f"{row} is skipped by a rule already; there is nothing to ignore."
    if any(state in IN_FLIGHT for state in states):
        return f"{row} may be in QAD already. Wait until it has been looked up."
    if any(state in UNDECIDED for state in states):
        return f"QAD has something else or too much of {row}. Settle that first; it may not be hidden."
    if states and row.state == SourceState.CODED and all(state in DONE for state in states):
        return f"{row} is posted; there is nothing to ignore. What is wrong in QAD is corrected there."
    return ""


def _wrong_words(tenant: Tenant, reason: str, owner: str, until: dt.date, now: dt.datetime) -> str:
    today = business_date(now, tenant.time_zone)
    if len(reason.strip()) < 5:
        return "Say in a few words why it is ignored; the auditor will ask."
    if not Membership.objects.filter(tenant=tenant, user__username=owner, user__is_active=True).exists():
        return f"'{owner}' does not belong to {tenant}. Name the login of somebody who does."
    if not today < until <= today + LONGEST:
        return f"{until} is not a day it may come back on. Choose one after {today}, a year ahead at most."
    return ""


def said(decision: Ignore) -> Problem:
    """What an ignored document says of itself."""
    message = f"Ignored until {decision.expires_on} by {decision.decided_by}: {decision.reason}"
    fix = f"{decision.owner} answers for it. It comes back by itself on that day, or when somebody takes this back."
    return Problem("ignored", str(decision.source), message, fix)


def take_back(tenant: Tenant, row: SourceDocument, *, now: dt.datetime, actor: str) -> str:
    """End an ignore before its day; the document is held until somebody presses Replay."""
    decision = Ignore.objects.filter(tenant=tenant, source=row, ended_at=None).first()
    if decision is None:
        return f"{row} is not ignored."
    _end(decision, f"{actor} took back that it was ignored", now, actor)
    return ""


def expire(tenant: Tenant, *, now: dt.datetime) -> int:
    """Bring back every document whose day has come; returns how many."""
    due = list(overdue(tenant, now).select_related("source")[:500])
    return sum(_end(decision, f"The day has come: {decision.expires_on}", now, "schedule") for decision in due)


def has_work(tenant: Tenant, now: dt.datetime) -> bool:
    return overdue(tenant, now).exists()


def overdue(tenant: Tenant, now: dt.datetime) -> QuerySet[Ignore]:
    today = business_date(now, tenant.time_zone)
    return Ignore.objects.filter(tenant=tenant, ended_at=None, expires_on__lte=today).order_by("pk")


def _end(decision: Ignore, why: str, now: dt.datetime, actor: str) -> int:
    with transaction.atomic():
        if not Ignore.objects.filter(pk=decision.pk, ended_at=None).update(ended_at=now, ended_by=actor):
            return 0
        row = SourceDocument.objects.filter(pk=decision.source_id).select_for_update().get()
        message = f"{why}. It had been ignored by {decision.decided_by}: {decision.reason}"
        back = Problem(CAME_BACK, str(row), message, "Press Replay to post it, or ignore it again.", "document")
        postings = Posting.objects.filter(source=row, state=PostingState.IGNORED)
        lines = _put_postings(list(postings), (PostingState.IGNORED,), PostingState.HELD, [as_json(back)], now)
        if row.state != SourceState.HELD:
            _put_source(row, SourceState.HELD, [back], now)
            lines.append(
                audit.Line("ignore-ended", _subject(row), {"state": row.state}, {"state": "held"}, reason=message)
            )
        audit.record(decision.tenant_id, lines, actor=actor, now=now)
    return 1


def leave_out(batch: Batch, rows: Sequence[SourceDocument]) -> list[SourceDocument]:
    """Rows to decide: what is ignored stays so, also when Chargebee changes it meanwhile."""
    ignored = Ignore.objects.filter(tenant=batch.desk.tenant, source__in=rows, ended_at=None).select_related("source")
    found = {decision.source_id: decision for decision in ignored}
    for row in rows:
        if row.pk in found:
            tell(batch, row, SourceState.IGNORED, [said(found[row.pk])])
    return [row for row in rows if row.pk not in found]


def _put_source(row: SourceDocument, state: SourceState, found: list[Problem], now: dt.datetime) -> None:
    SourceDocument.objects.filter(pk=row.pk).update(
        state=state, codes=codes(found), problems=[as_json(one) for one in found], waits_for="", changed_at=now
    )


def _put_postings(
    postings: Sequence[Posting],
    old: Sequence[PostingState],
    new: PostingState,
    problems: list[dict[str, str]],
    now: dt.datetime,
) -> list[audit.Line]:
    moved = [one for one in postings if one.state in old]
    for one in moved:
        Posting.objects.filter(pk=one.pk, state=one.state).update(state=new, problems=problems, changed_at=now)
    return [
        audit.Line(new.value, f"posting:{one.reference}", {"state": one.state}, {"state": new.value}) for one in moved
    ]


def _subject(row: SourceDocument) -> str:
    return f"{row.kind}:{row.source_id}"
