"""The work of restore mode: read QAD's lists whole, then look up every document that QAD may have and adopt it."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from django.db import transaction
from django.db.models import F

from connector.errors import Configuration, Uncertain
from connector.periods import business_date
from connector.qad.client import Found, QadClient
from syncs import newest, restoring
from syncs.consequences import follow
from syncs.entities import entity_of
from syncs.models import Posting, ReadBack, SourceDocument
from syncs.sending import assert_no_transaction
from syncs.settling import Pace, judge_found
from syncs.states import DONE, PostingState, SourceState
from syncs.sweeping import sweep
from tenants import audit
from tenants.models import Tenant

BATCH = 100
AHEAD = dt.timedelta(days=1)
Clock = Callable[[], dt.datetime]
Answer = tuple[Found, ...] | None  # None: this instance cannot be asked


def work(
    tenant: Tenant,
    client: QadClient,
    pace: Pace,
    *,
    clock: Clock,
    until: float,
    actor: str,
    tell: Callable[[int], None] = lambda done: None,
) -> int:
    """Get on with restore mode until nothing is left to do now or `until` (monotonic); says how many were looked up.

    What is not found counts only after the settle window: the other installation's last document may still arrive.
    """
    assert_no_transaction()
    row = restoring.mode_of(tenant)
    if row is None:
        return 0
    sweep(tenant, client, pace, clock=clock, actor=actor)
    if not _may_count(row, pace, clock()):
        return 0
    if row.listed_at is None:
        _read_lists(tenant, client, row, clock())
    done = 0
    works: dict[str, bool] = {}
    while time.monotonic() < until:
        batch = list(restoring.to_look_up(tenant, row).select_related("reverses")[:BATCH])
        if not batch:
            break
        _settle(tenant, row, _ask(client, batch, pace), works, client, now=clock(), actor=actor)
        row.refresh_from_db()
        done += len(batch)
        tell(done)
    return done


def is_left(tenant: Tenant, pace: Pace, now: dt.datetime) -> bool:
    """Whether `work` would get on now."""
    row = restoring.mode_of(tenant)
    if row is None or not _may_count(row, pace, now):
        return False
    return row.listed_at is None or restoring.to_look_up(tenant, row).exists()


def _may_count(row: ReadBack, pace: Pace, now: dt.datetime) -> bool:
    return row.restoring_since is not None and now >= row.restoring_since + pace.settle


def _read_lists(tenant: Tenant, client: QadClient, row: ReadBack, now: dt.datetime) -> None:
    """All strangers of the whole time, not only those that the first look saw."""
    today = business_date(now, tenant.time_zone)
    first = min(row.read_from or today, newest.first_day(tenant, now)) - newest.UNKNOWN_AGE
    listing = newest.read(tenant, client, first, today + AHEAD)
    strangers = {one["reference"]: one for one in [*row.strangers, *listing.strangers]}
    ReadBack.objects.filter(pk=row.pk, restoring_since=row.restoring_since).update(
        listed_at=now, strangers=list(strangers.values())[: restoring.KEPT]
    )
    row.refresh_from_db()


def _ask(client: QadClient, batch: Sequence[Posting], pace: Pace) -> list[tuple[Posting, Answer]]:
    client.sign_in()
    questions = [(entity_of(posting), posting.reference) for posting in batch]
    with ThreadPoolExecutor(max_workers=max(1, pace.pool_size), thread_name_prefix="restore") as pool:
        return list(zip(batch, pool.map(lambda one: _answer(client, *one), questions), strict=True))


def _answer(client: QadClient, entity: str, reference: str) -> Answer:
    try:
        return client.look_up(entity, reference)
    except (Configuration, Uncertain):
        return None


def _settle(
    tenant: Tenant,
    row: ReadBack,
    answers: Sequence[tuple[Posting, Answer]],
    works: dict[str, bool],
    client: QadClient,
    *,
    now: dt.datetime,
    actor: str,
) -> None:
    """Adopt what was found; what was not is absent where the look-up is known to work, else it is named."""
    for entity in {entity_of(posting) for posting, found in answers if not found}:
        works.setdefault(entity, _works(tenant, row, client, entity))
    unproved = [
        posting.reference for posting, found in answers if found is None or not (found or works[entity_of(posting)])
    ]
    adopted = 0
    with transaction.atomic():
        for posting, found in answers:
            if found:
                adopted += _adopt(tenant, posting, found, now=now, actor=actor)
        ReadBack.objects.filter(pk=row.pk, restoring_since=row.restoring_since, looked_up_to=row.looked_up_to).update(
            looked_up_to=answers[-1][0].pk,
            adopted=F("adopted") + adopted,
            absent=F("absent") + len(answers) - adopted - len(unproved),
            not_proved=[*row.not_proved, *unproved],
        )


def _works(tenant: Tenant, row: ReadBack, client: QadClient, entity: str) -> bool:
    """Whether the look-up finds what is known to be there; where QAD shows nothing of the kind, both say the same."""
    names = [write.lookup.list for name, write in client.profile.writes.items() if name == entity]
    shown = [one["reference"] for one in row.strangers if one["list"] in names]
    ours = (
        Posting.objects.filter(tenant=tenant, kind=entity, state__in=DONE, accepted__isnull=True)
        .exclude(qad_number="")
        .order_by("-pk")
    )
    shown += ours.values_list("reference", flat=True)[:1]
    return not shown or bool(_answer(client, entity, shown[-1]))


def _adopt(tenant: Tenant, posting: Posting, found: tuple[Found, ...], *, now: dt.datetime, actor: str) -> bool:
    """The row becomes what QAD says, if it stands as it was read; a held source is decided anew."""
    verdict = judge_found(posting, found)
    mine = Posting.objects.filter(pk=posting.pk, state=posting.state, attempt_key=posting.attempt_key)
    if not mine.update(state=verdict.state, changed_at=now, **verdict.values):
        return False
    if verdict.state == PostingState.POSTED:
        follow(tenant.pk, [posting], now)
        held = SourceDocument.objects.filter(
            pk=posting.source_id, state__in=(SourceState.HELD, SourceState.IGNORED, SourceState.WAITING)
        )
        held.update(state=SourceState.NEW, codes="", problems=[], changed_at=now)
    line = audit.Line(
        verdict.state.value,
        f"posting:{posting.reference}",
        before={"state": posting.state},
        after={"state": verdict.state.value, "qad": [one.number for one in found]},
        reason=verdict.sentence,
    )
    audit.record(tenant.pk, [line], actor=actor, now=now)
    return True
