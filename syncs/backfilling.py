"""Older documents that are posted after all: a range, what it would do, and then its preparation in batches.

The skipped documents of the range are the queue: a batch is looked at again in one transaction, so that whatever dies
leaves the rest skipped, and the next turn goes on with it. A cancel (`cancelling`) is seen before each batch.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from django.db import transaction
from django.db.models import Count, Q, QuerySet, Sum

from connector.ledger.compare import Period
from connector.ledger.cutover import RULE, Reopened
from connector.periods import business_date
from syncs.desk import open_desk
from syncs.foresight import rehearse
from syncs.models import Backfill, SourceDocument
from syncs.models.golive import BackfillState
from syncs.preparing import BATCH
from syncs.renewing import renew
from syncs.states import SourceState
from tenants import audit
from tenants.models import Tenant

REHEARSED = 1000  # newest documents of a range that are prepared for the preview
SHORT = "Say in a few words why older documents are posted; the auditor will ask."


@dataclass(slots=True)
class Preview:
    """`money` is of all documents of the range, in minor units by currency; `outcomes` of the newest of them."""

    count: int = 0
    money: Counter[str] = field(default_factory=Counter)
    rehearsed: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    problems: Counter[str] = field(default_factory=Counter)  # sentence -> how many of the rehearsed it holds


def skipped(tenant: Tenant, kind: str, first: dt.date, last: dt.date) -> QuerySet[SourceDocument]:
    """Documents of a kind and range that the cut-off keeps out."""
    begins, ends = Period(first, last).moments(tenant.time_zone)
    kept_out = Q(state=SourceState.SKIPPED, codes__contains=f"|{RULE}|")
    return SourceDocument.objects.filter(kept_out, tenant=tenant, kind=kind, dated_at__gte=begins, dated_at__lt=ends)


def why_not(tenant: Tenant, kind: str, first: dt.date, last: dt.date) -> str:
    """One sentence why this range may not be posted, '' if it may."""
    cut = open_desk(tenant.pk).cut_over.first_days.get(kind)
    if first > last:
        return f"{first} is after {last}. Exchange the two days."
    if cut is None:
        return f"There is no cut-off for {kind.replace('_', ' ')}s: all of them are posted from here already."
    if last >= cut:
        return f"Documents from {cut} on are posted from here already. Choose a last day before it."
    return ""


def preview(tenant: Tenant, kind: str, first: dt.date, last: dt.date, *, now: dt.datetime) -> Preview:
    """What the range holds, and what would become of its newest documents. Reads only."""
    rows = skipped(tenant, kind, first, last)
    found = Preview()
    for currency, count, minor in rows.order_by().values_list("currency").annotate(Count("pk"), Sum("total_minor")):
        found.count += count
        found.money[currency] += minor or 0
    desk = open_desk(tenant.pk)
    opened = replace(desk.cut_over, reopened=(*desk.cut_over.reopened, Reopened(kind, first, last)))
    newest = list(rows.order_by("-dated_at", "-pk")[:REHEARSED])
    for start in range(0, len(newest), BATCH):
        for one in rehearse(replace(desk, cut_over=opened), newest[start : start + BATCH], now=now):
            found.rehearsed += 1
            found.outcomes["ready" if one.documents else one.state or "unchanged"] += 1
            if one.is_held and one.problems:
                found.problems[one.problems[0].message] += 1
    return found


def start(
    tenant: Tenant, kind: str, first: dt.date, last: dt.date, *, reason: str, now: dt.datetime, actor: str
) -> Backfill | str:
    """Have the range posted, or one sentence why not."""
    wrong = why_not(tenant, kind, first, last) or (SHORT if len(reason.strip()) < 5 else "")
    if wrong:
        return wrong
    with transaction.atomic():
        total = skipped(tenant, kind, first, last).count()
        row = Backfill.objects.create(
            tenant=tenant, kind=kind, first_day=first, last_day=last, reason=reason.strip(), actor=actor,
            total=total, created_at=now, changed_at=now,
        )  # fmt: skip
        after = {"kind": kind, "first_day": first.isoformat(), "last_day": last.isoformat(), "documents": total}
        line = audit.Line("backfill", f"backfill:{row.pk}", after=after, reason=reason.strip())
        audit.record(tenant.pk, [line], actor=actor, now=now)
    return row


def running(tenant: Tenant) -> QuerySet[Backfill]:
    return Backfill.objects.filter(tenant=tenant, state=BackfillState.RUNNING).order_by("pk")


def work(tenant: Tenant, *, clock: Callable[[], dt.datetime], is_over: Callable[[], bool], actor: str) -> int:
    """Let the documents of running backfills be prepared, a batch at a time; returns how many."""
    done = 0
    for row in running(tenant):
        while not is_over():
            moved = _batch(tenant, row, clock(), actor)
            done += moved
            if not moved:
                break
    return done


def _batch(tenant: Tenant, row: Backfill, now: dt.datetime, actor: str) -> int:
    with transaction.atomic():
        mine = Backfill.objects.select_for_update().filter(pk=row.pk, state=BackfillState.RUNNING).first()
        if mine is None:
            return 0  # cancelled, or finished by another worker
        rows = skipped(tenant, row.kind, row.first_day, row.last_day).order_by("dated_at", "pk")
        taken = list(rows.values_list("pk", "dated_at")[:BATCH])
        keys = [pk for pk, _ in taken]
        documents = SourceDocument.objects.filter(pk__in=keys)
        moved = renew(tenant.pk, documents, f"Backfill {row.pk}: {row.reason}", now=now, actor=actor)
        newest = taken[-1][1] if taken else None
        if newest is not None:
            mine.done += moved
            mine.reached_day = business_date(newest, tenant.time_zone)
        else:
            mine.state = BackfillState.DONE
        mine.changed_at = now
        mine.save(update_fields=["done", "reached_day", "state", "changed_at"])
        return moved
