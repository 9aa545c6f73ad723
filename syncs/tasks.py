"""What the queue runs: primary keys in, one call, a small dict out; harmless to run twice, at once or late."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable

from django.db.models import Q
from django.utils import timezone
from django_q.tasks import async_task

from connector.errors import ConnectorError
from connector.ledger.compare import Period
from mappings import uploading
from mappings.saving import Saved
from mappings.screens import SavingScreen
from syncs import (
    asked,
    backfilling,
    belonging,
    calendar_runs,
    forcing,
    health,
    ignoring,
    opening,
    parallel,
    proving,
    recovering,
    redating,
    refreshing,
    replay_jobs,
    restoring,
    running,
    seeking,
    twice,
    verifying,
    webhooks,
    witnessing,
)
from syncs.alignment.passing import align
from syncs.alignment.passing import has_work as has_alignment_work
from syncs.creating import create_customers
from syncs.customers import prepare_customers
from syncs.models import CustomerCreation, Kind, Posting, SourceDocument
from syncs.models.creation import OPEN_STEPS
from syncs.permission import why_not_posting
from syncs.posting import drain, may_send
from syncs.preparing import POSTED_KINDS, prepare_catalogue, prepare_documents
from syncs.reconciling import reconcile as compare
from syncs.releasing import CURES, follow, release
from syncs.states import PostingState, SourceState
from syncs.sweeping import sweep
from tenants import calendar, connections, sealing
from tenants.models import QadConnection, Side, Tenant

_log = logging.getLogger(__name__)
RUNS = ("calendar", "asked")  # lanes in which a whole sync is made
OF_CHARGEBEE = ("calendar", "webhooks", "events", "prove")
SLICE_SECONDS = 60.0  # a tenant's turn, so that none starves another
RUN_SECONDS = 4 * 3600  # a whole sync may take longer than a slice; a second copy of its task finds it running


def dispatch() -> dict[str, int]:
    """Once a minute: a sign of life; seal the audit trail; give each lane that has work a turn.

    A lost task is only late: what it was to do is still due in the next minute.
    """
    now = timezone.now()
    health.beat(now)
    sealing.seal_all(now)
    started = 0
    for tenant in Tenant.objects.all():
        try:
            started += _give_turns(tenant, now)
        except Exception:  # noqa: BLE001 - what is broken at one tenant must not stop all others
            _log.exception("The turns of tenant '%s' could not be given.", tenant.slug)
    return {"started": started}


def _give_turns(tenant: Tenant, now: dt.datetime) -> int:
    calendar_runs.heal(tenant, now)
    webhooks.forget_old(tenant, now)
    lanes = [lane for lane, has_work in WORK.items() if not _is_barred(tenant, lane, now) and has_work(tenant)]
    for lane in lanes:
        give_a_turn(tenant, lane)
    return len(lanes)


def _is_barred(tenant: Tenant, lane: str, now: dt.datetime) -> bool:
    """A lane that reads Chargebee waits while its circuit is open; Sync now tries it all the same."""
    return lane in OF_CHARGEBEE and connections.is_stopped(tenant, Side.CHARGEBEE, now=now)


def give_a_turn(tenant: Tenant, lane: str) -> None:
    longer = {"timeout": RUN_SECONDS} if lane in RUNS else {}
    async_task("syncs.tasks.work", tenant.pk, lane, **longer)


def work(tenant_id: int, lane: str) -> dict[str, int | str]:
    """One lane of one tenant for a slice of time; asks for another turn while it gets on and work is left."""
    tenant = Tenant.objects.get(pk=tenant_id)
    try:
        done = LANES[lane](tenant)
    except ConnectorError as error:
        return {"lane": lane, "done": 0, "stopped": error.message[:200]}
    if done and not _is_barred(tenant, lane, timezone.now()) and WORK[lane](tenant):
        give_a_turn(tenant, lane)
    return {"lane": lane, "done": done}


def ask_for_sync(tenant: Tenant, kind: str, source_id: str, actor: str) -> None:
    """Keep Sync now until it is done, and put it into the queue: of one document, of a kind, or ('') of everything."""
    asked.ask(tenant, kind, source_id, actor=actor, now=timezone.now())
    async_task("syncs.tasks.sync", tenant.pk, actor, kind, source_id, timeout=RUN_SECONDS)


def sync(tenant_id: int, actor: str, kind: str = "", source_id: str = "") -> dict[str, int | str]:
    """Sync now, as asked for in the browser. What another run keeps waiting is done by the lane `asked` after it."""
    tenant = Tenant.objects.get(pk=tenant_id)
    request = asked.due(tenant, timezone.now()).filter(kind=kind, source_id=source_id).first()
    try:
        calendar.refuse_in_blackout(tenant, timezone.now())
        story = asked.run(tenant, request, clock=timezone.now) if request else None
    except ConnectorError as error:
        return {"stopped": error.message[:200]}
    return {"run": story.run.pk, "state": story.run.state} if story else {"waits": str(request or "")}


def _asked(tenant: Tenant) -> int:
    """The oldest Sync now that waits."""
    request = asked.due(tenant, timezone.now()).first()
    return int(request is not None and asked.run(tenant, request, clock=timezone.now) is not None)


def ask_for_parallel(tenant: Tenant, period: str, actor: str) -> None:
    """Put a comparison of a parallel run into the queue."""
    async_task("syncs.tasks.compare_parallel", tenant.pk, period, actor)


def compare_parallel(tenant_id: int, period: str, actor: str) -> dict[str, int | str]:
    """What would be posted of a period ('2026-11') beside what people keyed into QAD."""
    tenant = Tenant.objects.get(pk=tenant_id)
    try:
        with connections.qad_client(tenant) as qad:
            row = parallel.compare(tenant, qad, Period.named(period), clock=timezone.now, actor=actor)
    except ConnectorError as error:
        return {"stopped": error.message[:200]}
    return {"comparison": row.pk}


def reconcile(tenant_id: int, period: str, actor: str) -> dict[str, int | str]:
    """Compare a period ('2026-11') as asked for in the browser or by a schedule."""
    tenant = Tenant.objects.get(pk=tenant_id)
    try:
        with connections.qad_client(tenant) as qad:
            pace = running.pace_of(tenant)
            row = compare(tenant, qad, Period.named(period), pace, clock=timezone.now, actor=actor)
    except ConnectorError as error:
        return {"stopped": error.message[:200]}
    return {"reconciliation": row.pk, "balanced": str(row.is_balanced)}


def _calendar(tenant: Tenant) -> int:
    return calendar_runs.run_due(tenant, clock=timezone.now, actor="calendar")


def _webhooks(tenant: Tenant) -> int:
    end = time.monotonic() + SLICE_SECONDS
    with connections.chargebee_client(tenant) as client:
        return webhooks.drain(tenant, client, clock=timezone.now, until=lambda: time.monotonic() < end).total()


def _events(tenant: Tenant) -> int:
    with connections.chargebee_client(tenant) as client:
        return witnessing.witness(tenant, client, clock=timezone.now)


def _prepare(tenant: Tenant) -> int:
    belonging.follow(tenant, clock=timezone.now, actor="schedule")
    done = prepare_catalogue(tenant, now=timezone.now(), actor="schedule")
    people = prepare_customers(tenant, clock=timezone.now, actor="schedule")
    done += people.total()
    if people[SourceState.LINKED.value]:
        release(tenant, ("customers",), now=timezone.now(), actor="schedule")
    for kind in POSTED_KINDS:
        done += prepare_documents(tenant, kind, clock=timezone.now, actor="schedule").total()
    return done


def _customers(tenant: Tenant) -> int:
    if why_not_posting(tenant):
        return 0
    with connections.qad_client(tenant) as qad:
        if not may_send(tenant, qad, clock=timezone.now, actor="schedule"):
            return 0
        until = time.monotonic() + SLICE_SECONDS
        pace = running.pace_of(tenant)
        done = create_customers(tenant, qad, pace, clock=timezone.now, until=until, actor="schedule").total()
    release(tenant, ("customers",), now=timezone.now(), actor="schedule")
    return done


def _seek(tenant: Tenant) -> int:
    with connections.qad_client(tenant) as qad:
        return seeking.seek(tenant, qad, clock=timezone.now, actor="schedule")


def _is_seeking(tenant: Tenant) -> bool:
    return seeking.is_due(tenant, timezone.now()) and not connections.is_stopped(tenant, Side.QAD)


def _align(tenant: Tenant) -> int:
    if why_not_posting(tenant):
        return 0
    with connections.qad_client(tenant) as qad, connections.chargebee_client(tenant) as chargebee:
        until = time.monotonic() + SLICE_SECONDS
        done = align(tenant, qad, chargebee, clock=timezone.now, until=until, actor="schedule")
    return sum(count for name, count in done.counts.items() if name not in ("unchanged", "put off", "busy"))


def _post(tenant: Tenant) -> int:
    if why_not_posting(tenant):
        return 0
    with connections.qad_client(tenant) as qad:
        until = time.monotonic() + SLICE_SECONDS
        return drain(tenant, qad, running.pace_of(tenant), clock=timezone.now, until=until, actor="schedule").total()


def _sweep(tenant: Tenant) -> int:
    with connections.qad_client(tenant) as qad:
        return sweep(tenant, qad, running.pace_of(tenant), clock=timezone.now, actor="schedule").total()


def _verify(tenant: Tenant) -> int:
    with connections.qad_client(tenant) as qad:
        until = time.monotonic() + SLICE_SECONDS
        pace = running.pace_of(tenant)
        return verifying.verify(tenant, qad, pace, clock=timezone.now, until=until, actor="schedule").total()


def _decisions(tenant: Tenant) -> int:
    """What people decided and time ends or a worker does: ignores that are over, requests too old, large replays."""
    done = ignoring.expire(tenant, now=timezone.now()) + forcing.expire(tenant, now=timezone.now())
    return done + replay_jobs.work(tenant, clock=timezone.now, until=time.monotonic() + SLICE_SECONDS)


def _is_decided(tenant: Tenant) -> bool:
    now = timezone.now()
    return replay_jobs.has_work(tenant) or ignoring.has_work(tenant, now) or forcing.has_work(tenant, now)


def _uploads(tenant: Tenant) -> int:
    """Large spreadsheets of mappings; what waited for a mapping is prepared again when one is saved."""

    def after_save(saved: Saved) -> None:
        follow(tenant, {key[0] for key in saved.keys}, now=timezone.now(), actor=saved.actor)

    impact_of = SavingScreen.impact_of
    return uploading.work(tenant, clock=timezone.now, after_save=after_save, impact_of=impact_of)


def _has_uploads(tenant: Tenant) -> bool:
    return uploading.due(tenant, timezone.now()).exists()


def _opening(tenant: Tenant) -> int:
    with connections.qad_client(tenant) as qad:
        counts = opening.verify(tenant, qad, clock=timezone.now, actor="schedule")
    return counts["verified"] + counts["refused"]


def _has_opening(tenant: Tenant) -> bool:
    return opening.due(tenant).exists()


def _backfill(tenant: Tenant) -> int:
    end = time.monotonic() + SLICE_SECONDS
    return backfilling.work(tenant, clock=timezone.now, is_over=lambda: time.monotonic() >= end, actor="backfill")


def _has_backfill(tenant: Tenant) -> bool:
    return backfilling.running(tenant).exists()


def _refresh(tenant: Tenant) -> int:
    with connections.qad_client(tenant) as qad:
        done = refreshing.refresh_due(tenant, qad, timezone.now())
        redating.catch_up(tenant, qad, timezone.now(), actor="schedule")
    release(tenant, CURES, now=timezone.now(), actor="schedule")
    redating.redate(tenant, timezone.now(), actor="schedule")
    return done


def _has_late_lists(tenant: Tenant) -> bool:
    if not QadConnection.objects.filter(tenant=tenant).exists() or connections.is_stopped(tenant, Side.QAD):
        return False
    return bool(refreshing.due(tenant, timezone.now())) or redating.refused(tenant).exists()


def _is_due(tenant: Tenant) -> bool:
    return calendar_runs.is_due(tenant, timezone.now())


def _has_events(tenant: Tenant) -> bool:
    now = timezone.now()
    return webhooks.due(tenant, now).exists() and calendar.open_until(tenant, now) is None


def _restore(tenant: Tenant) -> int:
    with connections.qad_client(tenant) as qad:
        until = time.monotonic() + SLICE_SECONDS
        pace = running.pace_of(tenant)
        return recovering.work(tenant, qad, pace, clock=timezone.now, until=until, actor="schedule")


def _twice(tenant: Tenant) -> int:
    with connections.qad_client(tenant) as qad:
        until = time.monotonic() + SLICE_SECONDS
        return twice.sweep(tenant, qad, running.pace_of(tenant), clock=timezone.now, until=until).total()


def _is_restoring(tenant: Tenant) -> bool:
    if restoring.mode_of(tenant) is None:
        return False
    return recovering.is_left(tenant, running.pace_of(tenant), timezone.now())


def _is_twice_due(tenant: Tenant) -> bool:
    return twice.is_due(tenant, timezone.now()) and not connections.is_stopped(tenant, Side.QAD)


def _is_new(tenant: Tenant) -> bool:
    return SourceDocument.objects.filter(tenant=tenant, kind__in=Kind.values, state=SourceState.NEW).exists()


def _has_creations(tenant: Tenant) -> bool:
    due = Q(not_before=None) | Q(not_before__lte=timezone.now())
    return CustomerCreation.objects.filter(due, tenant=tenant, step__in=OPEN_STEPS).exists()


def _is_ready(tenant: Tenant) -> bool:
    due = Q(not_before=None) | Q(not_before__lte=timezone.now())
    return Posting.objects.filter(due, tenant=tenant, state=PostingState.READY).exists()


def _is_unsettled(tenant: Tenant) -> bool:
    now = timezone.now()
    late = Q(state=PostingState.SENDING, lease_until__lt=now)
    asked = Q(settle_at__lte=now) | Q(settle_at=None) | Q(look_up_asked_at__isnull=False)
    return Posting.objects.filter(late | (Q(state=PostingState.UNCERTAIN) & asked), tenant=tenant).exists()


def _is_unverified(tenant: Tenant) -> bool:
    return verifying.due(tenant, timezone.now()).exists()


def _prove(tenant: Tenant) -> int:
    """A slice of the nightly sweep over Chargebee's lists; the windows that are left wait for the next slice."""
    is_due, since = proving.due(tenant, timezone.now())
    if not is_due:
        return 0
    end = time.monotonic() + SLICE_SECONDS
    proof = proving.sweep(
        tenant,
        since=since,
        trigger="schedule",
        clock=timezone.now,
        tell=lambda step: None,
        until=lambda: time.monotonic() < end,
    )
    return sum(proof.counts.values())


def _is_proof_due(tenant: Tenant) -> bool:
    return proving.due(tenant, timezone.now())[0]


LANES: dict[str, Callable[[Tenant], int]] = {
    "asked": _asked,
    "uploads": _uploads,
    "opening": _opening,
    "backfill": _backfill,
    "decisions": _decisions,
    "calendar": _calendar,
    "webhooks": _webhooks,
    "events": _events,
    "sweep": _sweep,
    "prepare": _prepare,
    "customers": _customers,
    "seek": _seek,
    "align": _align,
    "post": _post,
    "verify": _verify,
    "refresh": _refresh,
    "restore": _restore,
    "twice": _twice,
    "prove": _prove,
}
WORK: dict[str, Callable[[Tenant], bool]] = {
    "asked": lambda tenant: asked.may_start(tenant, timezone.now()),
    "uploads": _has_uploads,
    "opening": _has_opening,
    "backfill": _has_backfill,
    "decisions": _is_decided,
    "calendar": _is_due,
    "webhooks": _has_events,
    "events": lambda tenant: witnessing.is_due(tenant, timezone.now()),
    "sweep": _is_unsettled,
    "prepare": lambda tenant: _is_new(tenant) or belonging.has_work(tenant),
    "customers": _has_creations,
    "seek": _is_seeking,
    "align": lambda tenant: has_alignment_work(tenant, timezone.now()),
    "post": _is_ready,
    "verify": _is_unverified,
    "refresh": _has_late_lists,
    "restore": _is_restoring,
    "twice": _is_twice_due,
    "prove": _is_proof_due,
}
