"""What became of postings whose answer never came: looked up after the settle window, adopted or proved absent."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Greatest

from connector.errors import ConnectorError
from connector.qad.client import Found, QadClient
from syncs import forcing
from syncs.consequences import follow
from syncs.entities import entity_of
from syncs.following import recode_returned
from syncs.models import Posting
from syncs.models.attempt import Outcome
from syncs.sending import assert_no_transaction
from syncs.settling import Pace, Verdict, judge_found
from syncs.states import DONE, PostingState
from syncs.turns import in_turn
from tenants import audit
from tenants.models import Tenant

LOOK_APART = dt.timedelta(seconds=30)  # between the two look-ups that must both find nothing
ABSENCES_NEEDED = 2
BATCH = 100


def sweep(
    tenant: Tenant, client: QadClient, pace: Pace, *, clock: Callable[[], dt.datetime], actor: str = "sync"
) -> Counter[str]:
    """Turn overdue sendings into uncertain ones, then look up every uncertain one whose window is over."""
    expire(tenant, pace, now=clock(), actor=actor)
    counts: Counter[str] = Counter()
    for posting in _due(tenant, clock()):
        counts[look_up(tenant, client, pace, posting, now=clock(), actor=actor)] += 1
    return counts


def expire(tenant: Tenant, pace: Pace, *, now: dt.datetime, actor: str) -> int:
    """Sendings whose lease is over: their worker is gone or late, so QAD may have them. Never back to ready."""
    overdue = Posting.objects.filter(tenant=tenant, state=PostingState.SENDING, lease_until__lt=now)
    expired = 0
    for posting in overdue.order_by("pk")[:BATCH]:
        attempt = posting.tries.filter(number=posting.attempts).first()
        deadline = attempt.deadline_at if attempt else now
        with transaction.atomic():
            mine = Posting.objects.filter(pk=posting.pk, state=PostingState.SENDING, attempt_key=posting.attempt_key)
            moved = mine.update(
                state=PostingState.UNCERTAIN, settle_at=deadline + pace.settle, absences=0, changed_at=now
            )
            if moved:
                _record(tenant, posting, "uncertain", "No answer was recorded in time.", actor, now)
        expired += moved
    return expired


def _due(tenant: Tenant, now: dt.datetime) -> list[Posting]:
    due = Posting.objects.filter(tenant=tenant, state=PostingState.UNCERTAIN)
    due = due.filter(Q(settle_at__isnull=True) | Q(settle_at__lte=now) | Q(look_up_asked_at__isnull=False))
    return list(due.order_by("settle_at", "pk")[:BATCH])


def look_up(tenant: Tenant, client: QadClient, pace: Pace, posting: Posting, *, now: dt.datetime, actor: str) -> str:
    """Ask QAD for one uncertain posting and settle it; returns its new state, or 'waiting' if nothing is proved yet."""
    assert_no_transaction()
    try:
        found = client.look_up(entity_of(posting), posting.reference)
        is_trusted = bool(found) or _canary_is_found(tenant, client, posting, now)
    except ConnectorError as error:
        _postpone(posting, now, error.message)
        return "waiting"
    if found:
        return _settle(tenant, posting, judge_found(posting, found), found, actor, now)
    if posting.settle_at is not None and now < posting.settle_at:
        Posting.objects.filter(pk=posting.pk).update(look_up_asked_at=None)
        return "waiting"  # asked for early: only a find counts before the settle window is over
    if not is_trusted:
        _postpone(posting, now, "QAD's look-up could not be proved to work, so nothing is sent again by the machine.")
        return "waiting"
    return _absent(tenant, pace, posting, actor, now)


def _canary_is_found(tenant: Tenant, client: QadClient, posting: Posting, now: dt.datetime) -> bool:
    """Whether the look-up finds a document that QAD is known to have; without one only two people's word proves it."""
    known = Posting.objects.filter(tenant=tenant, kind=posting.kind, state__in=DONE, accepted__isnull=True)
    canary = known.exclude(qad_number="").order_by("-pk").first()
    if canary is None:
        return forcing.is_approved(posting, now)
    return bool(client.look_up(entity_of(canary), canary.reference))


def _absent(tenant: Tenant, pace: Pace, posting: Posting, actor: str, now: dt.datetime) -> str:
    """Not found: once more after a while, and then it is proved that QAD does not have it."""
    if posting.absences + 1 < ABSENCES_NEEDED:
        mine = Posting.objects.filter(pk=posting.pk, state=PostingState.UNCERTAIN, absences=posting.absences)
        with transaction.atomic():
            if mine.update(absences=F("absences") + 1, settle_at=now + LOOK_APART):
                said = "QAD does not show it. It is looked up once more before that is believed."
                line = audit.Line("looked-up", f"posting:{posting.reference}", reason=said)
                audit.record(tenant.pk, [line], actor=actor, now=now)
        return "waiting"
    sentence = "Looked up twice after the settle window: QAD does not have it."
    values: dict[str, Any] = {"settle_at": None, "lease_until": None, "not_before": None, "problems": [], "absences": 0}
    state = PostingState.READY
    is_forced = forcing.is_approved(posting, now)
    values["must_look_up"] = is_forced
    if not is_forced and posting.tries.exclude(outcome=Outcome.NOT_SENT).count() >= pace.attempt_budget:
        state, sentence = PostingState.PARKED, f"Sent {posting.attempts} times, and it never arrived in QAD."
        values["problems"] = [problem_of("parked", posting, sentence, "Find out why QAD loses it, then press Replay.")]
    return _settle(tenant, posting, Verdict(state, Outcome.ABSENT, sentence, values), (), actor, now)


def _settle(
    tenant: Tenant, posting: Posting, verdict: Verdict, found: tuple[Found, ...], actor: str, now: dt.datetime
) -> str:
    with transaction.atomic():
        in_turn(tenant.pk)
        rows = Posting.objects.filter(pk=posting.pk, state=PostingState.UNCERTAIN, attempt_key=posting.attempt_key)
        if not rows.update(state=verdict.state, changed_at=now, **verdict.values):
            return "late"
        if verdict.state == PostingState.POSTED:
            follow(tenant.pk, [posting], now)
        forcing.use_up(posting, now)
        posting.tries.filter(number=posting.attempts).update(
            outcome=verdict.outcome, finished_at=now, sentence=verdict.sentence
        )
        _record(tenant, posting, verdict.state.value, verdict.sentence, actor, now, [one.number for one in found])
        recode_returned(tenant, posting.tries.filter(number=posting.attempts), now=now, actor=actor)
    return verdict.state.value


def _postpone(posting: Posting, now: dt.datetime, why: str) -> None:
    fix = "Nothing to do if QAD is only away; else look for it in QAD and mark it as posted by hand."
    problem = problem_of("uncertain", posting, f"It may be in QAD already. {why}", fix)
    Posting.objects.filter(pk=posting.pk, state=PostingState.UNCERTAIN).update(
        settle_at=Greatest(F("settle_at"), now + LOOK_APART), look_up_asked_at=None, problems=[problem]
    )


def problem_of(code: str, posting: Posting, message: str, fix: str) -> dict[str, str]:
    """A problem of one posting, as it is stored."""
    return {"code": code, "subject": posting.reference, "message": message, "fix": fix, "link": "document"}


def _record(
    tenant: Tenant,
    posting: Posting,
    state: str,
    sentence: str,
    actor: str,
    now: dt.datetime,
    numbers: list[str] | None = None,
) -> None:
    after = {"state": state, "qad": numbers} if numbers else {"state": state}
    line = audit.Line(
        state, f"posting:{posting.reference}", before={"state": posting.state}, after=after, reason=sentence
    )
    audit.record(tenant.pk, [line], actor=actor, now=now)
