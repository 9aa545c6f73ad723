"""What the overview shows of one tenant, as values for its template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils import timezone

from mappings import usage
from syncs import health
from syncs.admin import equations, figures, links, notices, runs, words
from syncs.admin.figures import Cause, Figure
from syncs.models import Kind, Posting, Purpose, ReadBack, Run, RunState, SourceDocument
from syncs.permission import why_not_posting
from syncs.states import Disposition, PostingState
from tenants import calendar
from tenants.access import Access, Action
from tenants.models import CalendarRule, Circuit, Tenant

CAUSES_SHOWN = 12
DOCUMENT_KINDS = tuple(kind for kind in Kind if kind == Kind.CUSTOMER or words.has_money(kind))


@dataclass(frozen=True, slots=True)
class Attention:
    """One cause with the list of its documents and the screen that mends it."""

    cause: Cause
    url: str
    button: links.Button | None
    may_retry: bool  # Replay would do something about it


def board(tenant: Tenant, access: Access) -> dict[str, Any]:
    """A fixed number of queries, whatever the number of documents."""
    run = Run.objects.filter(tenant=tenant, purpose=Purpose.SYNC).select_related("tenant").first()
    rows = SourceDocument.objects.filter(tenant=tenant)
    found = figures.breakdown(rows.filter(kind__in=Kind.values))
    causes = figures.causes(tenant)
    return {
        "tenant": tenant,
        "run": equations.shown(run) | {"badge": runs.state_badge(run), "url": _run_url(run)} if run else None,
        "matrix": figures.matrix([one for one in found if one.kind in DOCUMENT_KINDS]),
        "catalogue": _catalogue(found),
        "attention": [_attention(cause, access) for cause in causes[:CAUSES_SHOWN]],
        "more_causes": max(0, len(causes) - CAUSES_SHOWN),
        "notices": notices.of(tenant, access),
        "not_posting": why_not_posting(tenant),
        "next_run": _next_run(tenant),
        "queue_silent": health.sentence(timezone.now()),
        "circuits": list(Circuit.objects.filter(tenant=tenant).order_by("side")),
        "ready": Posting.objects.filter(tenant=tenant, state=PostingState.READY).count(),
        "read_back": _read_back(tenant),
        "is_posting_on": tenant.is_posting_on,
        "may_replay": access.may(Action.REPLAY),
        "lost_codes": len(usage.of_lost_codes(tenant)),
        "may_run": access.may(Action.RUN),
        "may_test": access.may(Action.MANAGE_CONNECTIONS),
        "may_switch": access.may(Action.SWITCH_POSTING),
        "is_running": run is not None and run.state == RunState.RUNNING and run.lease_until > timezone.now(),
    }


def _read_back(tenant: Tenant) -> ReadBack | None:
    """Where somebody should look at it: in restore mode, or while a list proves nothing."""
    odd = Q(restoring_since__isnull=False) | Q(is_proved=False)
    return ReadBack.objects.filter(odd, tenant=tenant).first()


def _next_run(tenant: Tenant) -> str:
    """What the billing calendar starts next, or why it starts nothing."""
    now = timezone.now()
    rule = (
        CalendarRule.objects.filter(tenant=tenant, is_paused=False, next_at__isnull=False).order_by("next_at").first()
    )
    held_until = calendar.open_until(tenant, now)
    if held_until is not None:
        return f"A blackout holds every run until {words.minute(held_until, tenant.time_zone)}."
    if rule is None:
        return "Nothing starts by itself: the billing calendar has no rule that comes."
    if rule.next_at is not None and rule.next_at <= now:
        return f"Due by the calendar: {rule}."
    return f"Next by the calendar: {rule}, {words.minute(rule.next_at, tenant.time_zone)}."


def _run_url(run: Run) -> str:
    return links.url("admin:syncs_run_change", run.pk)


def _attention(cause: Cause, access: Access) -> Attention:
    problem = {**cause.problem, "code": "" if len(cause.subjects) > 1 else cause.problem.get("code", "")}
    may_retry = cause.code not in (Disposition.CONFLICT, Disposition.UNCERTAIN)
    return Attention(cause, links.documents_url(**cause.query), links.fix(problem, access), may_retry)


def _catalogue(found: list[Figure]) -> str:
    """'10 items, 72 item prices' of Chargebee's catalogue in one line."""
    counts: dict[str, int] = {}
    for one in found:
        if one.kind not in DOCUMENT_KINDS:
            counts[one.kind] = counts.get(one.kind, 0) + one.count
    names = {
        Kind.ITEM_FAMILY: ("item family", "item families"),
        Kind.ITEM: ("item", ""),
        Kind.ITEM_PRICE: ("item price", ""),
    }
    return ", ".join(words.counted(counts[kind], *name) for kind, name in names.items() if kind in counts)
