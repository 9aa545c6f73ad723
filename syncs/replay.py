"""Replay: rebuild from the current source and mapping, or send again as it was; what QAD may have is only looked up."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q

from syncs.desk import Desk, open_desk
from syncs.fates import RESENDABLE, Deed, Fate, Way, fate
from syncs.models import CustomerCreation, Kind, Posting, SourceDocument
from syncs.models.creation import Step
from syncs.preparing import BATCH, POSTED_KINDS, decide
from syncs.renewing import renew
from syncs.states import DONE, IN_FLIGHT, PostingState, SourceState
from syncs.turns import in_turn
from tenants import audit
from tenants.models import Tenant

FOLLOWING = ("application", "unapplication", "reversal")  # made after the document itself


@dataclass(frozen=True, slots=True)
class Group:
    """Documents of one kind and currency that share a fate, with their money in minor units."""

    kind: str
    currency: str
    fate: Fate
    count: int
    minor: int


def plan(tenant: Tenant, keys: Sequence[int], way: Way) -> list[Group]:
    """What Replay would do to these documents, by kind, currency and fate; nothing is changed."""
    counts: Counter[tuple[str, str, Fate]] = Counter()
    minor: Counter[tuple[str, str, Fate]] = Counter()
    for start in range(0, len(keys), BATCH):
        some = SourceDocument.objects.filter(tenant=tenant, pk__in=keys[start : start + BATCH])
        rows = some.only("kind", "currency", "total_minor", "state")
        states = _states(rows)
        for row in rows:
            key = (row.kind, row.currency, fate(way, row.kind, row.state, states[row.pk]))
            counts[key] += 1
            minor[key] += row.total_minor or 0
    return [Group(*key, count, minor[key]) for key, count in sorted(counts.items(), key=lambda one: _order(one[0]))]


def _order(key: tuple[str, str, Fate]) -> tuple[int, str, str, str]:
    kind, currency, found = key
    return list(Deed).index(found.deed), kind, currency, found.why


def _states(rows: Iterable[SourceDocument]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for source_id, state in Posting.objects.filter(source__in=rows).order_by().values_list("source_id", "state"):
        found[source_id].append(state)
    return found


def rebuild(tenant: Tenant, rows: Sequence[SourceDocument], *, now: dt.datetime, actor: str) -> Counter[str]:
    """Prepare documents again from what Chargebee and the mappings say now; returns counts of what happened."""
    return replay(tenant, Way.REBUILD, [row.pk for row in rows], now=now, actor=actor)


def resend(tenant: Tenant, rows: Sequence[SourceDocument], *, now: dt.datetime, actor: str) -> Counter[str]:
    """Send rejected and parked postings again as they were, after a look whether QAD has them by now."""
    return replay(tenant, Way.RESEND, [row.pk for row in rows], now=now, actor=actor)


def replay(tenant: Tenant, way: Way, keys: Sequence[int], *, now: dt.datetime, actor: str) -> Counter[str]:
    """Batch after batch, each in a transaction of its own."""
    counts: Counter[str] = Counter()
    desk = open_desk(tenant.pk) if way == Way.REBUILD else None
    for start in range(0, len(keys), BATCH):
        with transaction.atomic():
            counts += replay_batch(tenant, way, keys[start : start + BATCH], desk, now=now, actor=actor)
    return counts


def replay_batch(
    tenant: Tenant, way: Way, keys: Sequence[int], desk: Desk | None, *, now: dt.datetime, actor: str
) -> Counter[str]:
    """One batch inside the caller's transaction; the rows are locked, and each posting moves only from where it is."""
    in_turn(tenant.pk)
    fresh = list(SourceDocument.objects.filter(tenant=tenant, pk__in=keys).select_for_update().order_by("pk"))
    states = _states(fresh)
    by_deed: dict[Deed, list[SourceDocument]] = defaultdict(list)
    for row in fresh:
        by_deed[fate(way, row.kind, row.state, states[row.pk]).deed].append(row)
    _note(tenant, by_deed[Deed.REBUILT], "replay-rebuild", actor, now)
    _note(tenant, by_deed[Deed.RESENT], "replay-resend", actor, now)
    if desk is not None:
        _rebuild(desk, by_deed[Deed.REBUILT], now, actor)
    _send_again(tenant, Posting.objects.filter(source__in=by_deed[Deed.RESENT], state__in=RESENDABLE), now, actor)
    _look_up_soon(by_deed[Deed.LOOKED_UP], now)
    return Counter({deed.value: len(rows) for deed, rows in by_deed.items() if rows})


def _rebuild(desk: Desk, rows: Sequence[SourceDocument], now: dt.datetime, actor: str) -> None:
    for kind in POSTED_KINDS:
        decide(desk, [row for row in rows if row.kind == kind], now=now, actor=actor)
    for row in rows:
        if row.kind == Kind.CUSTOMER:
            _customer(row, now, actor)
    _send_again(desk.tenant, _stuck_behind(rows), now, actor)


def _stuck_behind(rows: Sequence[SourceDocument]) -> Iterable[Posting]:
    """What follows a document that QAD has and is still wanted goes out as it was; a held one was withdrawn."""
    done = Posting.objects.filter(source__in=rows, state__in=DONE).exclude(kind__in=FOLLOWING).values("source_id")
    ready = SourceDocument.objects.filter(pk__in=[row.pk for row in rows], state=SourceState.CODED).values("pk")
    stuck = Posting.objects.filter(source__in=rows, kind__in=FOLLOWING, state__in=RESENDABLE)
    return stuck.filter(Q(source__in=done) & Q(source__in=ready))


def _send_again(tenant: Tenant, postings: Iterable[Posting], now: dt.datetime, actor: str) -> None:
    lines = []
    for posting in postings:
        mine = Posting.objects.filter(pk=posting.pk, state=posting.state)
        if mine.update(state=PostingState.READY, must_look_up=True, not_before=None, problems=[], changed_at=now):
            before, after = {"state": posting.state}, {"state": "ready"}
            lines.append(audit.Line("sent-again", f"posting:{posting.reference}", before=before, after=after))
    audit.record(tenant.pk, lines, actor=actor, now=now)


def _look_up_soon(rows: Sequence[SourceDocument], now: dt.datetime) -> None:
    """Have what is uncertain looked up at the next sweep; only a find counts before its window is over."""
    postings = Posting.objects.filter(source__in=rows)
    postings.filter(state__in=IN_FLIGHT).update(look_up_asked_at=now)
    postings.filter(state=PostingState.POSTED).update(settle_at=None)


def _customer(row: SourceDocument, now: dt.datetime, actor: str) -> None:
    """A customer that was refused or held is decided anew."""
    refused = CustomerCreation.objects.filter(source=row, step=Step.REJECTED)
    refused.update(step=Step.UNCERTAIN_CUSTOMER, not_before=None)
    renew(row.tenant_id, SourceDocument.objects.filter(pk=row.pk), "Replay was pressed.", now=now, actor=actor)


def _note(tenant: Tenant, rows: Sequence[SourceDocument], action: str, actor: str, now: dt.datetime) -> None:
    lines = [audit.Line(action, f"{row.kind}:{row.source_id}", before={"was": row.state}) for row in rows]
    audit.record(tenant.pk, lines, actor=actor, now=now)
