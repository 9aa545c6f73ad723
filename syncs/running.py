"""One sync of one tenant from beginning to end: mirrors, pull, prepare, customers, post, sweep, and the equation."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction

from connector import processes
from connector.chargebee.client import ChargebeeClient
from connector.chargebee.resources import BY_KIND
from connector.errors import Configuration, ConnectorError
from connector.qad.client import QadClient
from syncs import belonging, following, intake, redating, refreshing
from syncs.alignment.passing import Outcome as Aligned
from syncs.alignment.passing import align
from syncs.completeness import Balance, equation, sentence
from syncs.creating import create_customers
from syncs.customers import prepare_customers
from syncs.models import CustomerCreation, Posting, Purpose, Run, RunState
from syncs.models.creation import OPEN_STEPS
from syncs.permission import why_not_posting
from syncs.posting import drain, may_send
from syncs.preparing import POSTED_KINDS, prepare_catalogue, prepare_documents
from syncs.refetch import Outcome, take_in
from syncs.releasing import CURES, follow
from syncs.settling import Pace
from syncs.states import PostingState
from syncs.sweeping import sweep
from tenants import audit, calendar, connections, policies
from tenants.models import QadConnection, Tenant

LEASE = dt.timedelta(minutes=2)  # and a few slow answers of QAD: longer than any pause between two signs of life
SLOW_ANSWERS = 3
SIGN_OF_LIFE = dt.timedelta(seconds=10)
DRAIN_SECONDS = 60.0
MOST_ROUNDS = 8  # what a refund leans on leans on a payment, and that on an invoice


class Busy(Configuration):
    """Another run of the tenant and purpose is under way."""


@dataclass(frozen=True, slots=True)
class Step:
    """Progress: `done` of `total` in a stage; total is 0 while nobody knows it."""

    stage: str
    done: int
    total: int = 0


@dataclass(slots=True)
class Story:
    """What a sync did, for people: the run, its balances, and why posting stopped, if it did."""

    run: Run
    balances: list[Balance] = field(default_factory=list)
    posted: Counter[str] = field(default_factory=Counter)
    not_posting: str = ""
    left: int = 0  # documents that are ready and were not sent, because posting is off
    aligned: Aligned = field(default_factory=Aligned)


Tell = Callable[[Step], None]
Clock = Callable[[], dt.datetime]


def sync(tenant: Tenant, kinds: Sequence[str], *, trigger: str, clock: Clock, tell: Tell, actor: str) -> Story:
    """Everything of a tenant that can be done now. Raises ConnectorError when a side cannot be reached or refuses."""

    def read(run: Run, chargebee: ChargebeeClient) -> None:
        for kind in kinds:
            _pull(tenant, run, kind, chargebee, clock, tell)

    return _through(tenant, kinds, read, trigger=trigger, clock=clock, tell=tell, actor=actor)


def sync_one(
    tenant: Tenant, kind: str, source_ids: Sequence[str], *, trigger: str, clock: Clock, tell: Tell, actor: str
) -> Story:
    """Read these documents of a kind by their ids, then prepare and post what can be done now.

    Raises Configuration if neither Chargebee nor the inbox has one of them, and ConnectorError as `sync` does.
    """

    def read(run: Run, chargebee: ChargebeeClient) -> None:
        for number, source_id in enumerate(source_ids):
            tell(Step(f"Reading {kind} {source_id}", number, len(source_ids)))
            taken = take_in(tenant, kind, source_id, chargebee, clock=clock, run=run, number=number)
            if taken.outcome is Outcome.ABSENT:
                raise Configuration(
                    f"Chargebee has no {kind.replace('_', ' ')} '{source_id}'. Check its id and kind in Chargebee."
                )
            keep_alive(run, clock())

    return _through(tenant, [kind], read, trigger=trigger, clock=clock, tell=tell, actor=actor)


def _through(
    tenant: Tenant,
    kinds: Sequence[str],
    read: Callable[[Run, ChargebeeClient], None],
    *,
    trigger: str,
    clock: Clock,
    tell: Tell,
    actor: str,
) -> Story:
    """A run around `read`: what it takes in is prepared, posted and accounted for."""
    run = start(tenant, kinds, trigger=trigger, now=clock())
    story, tell = Story(run), alive(run, clock, tell)
    try:
        with connections.qad_client(tenant) as qad, connections.chargebee_client(tenant, clock=clock) as chargebee:
            _refresh(tenant, qad, clock, tell)
            read(run, chargebee)
            _prepare(tenant, qad, clock, tell, actor)
            story.posted = _prepare_and_post(tenant, qad, clock, tell, actor)
            story.not_posting = why_not_posting(tenant)
            story.left = unposted(tenant) if story.not_posting else 0
            if not story.not_posting:
                story.aligned = _align(tenant, run, qad, chargebee, clock, tell, actor)
    except ConnectorError as error:
        finish(run, RunState.STOPPED, error.message, now=clock())
        raise
    story.balances = equation(run)
    red = sentence(story.balances)
    finish(
        run, RunState.RED if red else RunState.COMPLETE, red or story.not_posting, now=clock(), balances=story.balances
    )
    return story


def start(
    tenant: Tenant, kinds: Sequence[str], *, trigger: str, now: dt.datetime, purpose: Purpose = Purpose.SYNC
) -> Run:
    """A new run, after any dead one is marked as interrupted.

    Raises Configuration while another one lives, or while a blackout of the billing calendar is open.
    """
    calendar.refuse_in_blackout(tenant, now)
    bury(tenant, purpose, now)
    try:
        with transaction.atomic():
            return Run.objects.create(
                tenant=tenant,
                purpose=purpose,
                trigger=trigger,
                kinds=list(kinds),
                key=uuid.uuid4(),
                lease_until=now + _lease(tenant.pk),
                holder=processes.this_process(),
                started_at=now,
            )
    except IntegrityError:
        raise Busy(
            f"A {purpose.value} of {tenant} is running already. "
            "Wait for its end; one whose process is gone is taken over at once, or within minutes from another machine."
        ) from None


def _lease(tenant_id: int) -> dt.timedelta:
    deadline = QadConnection.objects.filter(tenant_id=tenant_id).values_list("deadline_seconds", flat=True).first()
    return LEASE + dt.timedelta(seconds=SLOW_ANSWERS * (deadline or 0))


def bury(tenant: Tenant, purpose: Purpose, now: dt.datetime) -> None:
    """A run whose process on this machine is gone, or whose lease is over, makes room at once."""
    for run in Run.objects.filter(tenant=tenant, purpose=purpose, state=RunState.RUNNING):
        if run.lease_until < now or processes.is_gone(run.holder):
            same = Run.objects.filter(pk=run.pk, key=run.key, state=RunState.RUNNING, lease_until=run.lease_until)
            same.update(state=RunState.INTERRUPTED, finished_at=now, sentence="It was interrupted before its end.")


def alive(run: Run, clock: Clock, tell: Tell) -> Tell:
    """`tell`, with a sign of life at each step of the way."""
    last = clock()

    def told(step: Step) -> None:
        nonlocal last
        if clock() - last >= SIGN_OF_LIFE:
            last = clock()
            keep_alive(run, last)
        tell(step)

    return told


def keep_alive(run: Run, now: dt.datetime) -> None:
    """Raises Configuration when the run was taken for dead meanwhile."""
    mine = Run.objects.filter(pk=run.pk, state=RunState.RUNNING, key=run.key)
    if not mine.update(lease_until=now + _lease(run.tenant_id)):
        raise Configuration("This run was taken for dead because it paused too long. Start the sync again.")


def finish(run: Run, state: RunState, text: str, *, now: dt.datetime, balances: Sequence[Balance] = ()) -> None:
    """Close a run with its equation; only the run's own process may."""
    with transaction.atomic():
        rows = Run.objects.filter(pk=run.pk, state=RunState.RUNNING, key=run.key)
        rows.update(state=state, finished_at=now, sentence=text, equation=[one.as_dict() for one in balances])
        audit.record(
            run.tenant_id,
            [audit.Line("run", f"run:{run.pk}", after={"state": state.value}, reason=text)],
            actor=run.trigger,
            now=now,
        )
    run.refresh_from_db()


def unposted(tenant: Tenant) -> int:
    """Documents that only wait for leave to be sent, and customers that only wait to be created."""
    creations = CustomerCreation.objects.filter(tenant=tenant, step__in=OPEN_STEPS)
    return Posting.objects.filter(tenant=tenant, state=PostingState.READY).count() + creations.count()


def pace_of(tenant: Tenant) -> Pace:
    """How this tenant's documents are sent."""
    decided = policies.read(tenant)
    return Pace(
        pool_size=tenant.qad.concurrency,
        deadline=float(tenant.qad.deadline_seconds),
        settle=dt.timedelta(seconds=decided["settle_seconds"]),
        attempt_budget=decided["attempt_budget"],
    )


def _refresh(tenant: Tenant, qad: QadClient, clock: Clock, tell: Tell) -> None:
    refreshing.before_sync(tenant, qad, clock(), lambda title: tell(Step(f"Reading QAD's {title}", 0)))


def _pull(tenant: Tenant, run: Run, kind: str, chargebee: ChargebeeClient, clock: Clock, tell: Tell) -> None:
    stage, rows = f"Reading {BY_KIND[kind].name.replace('_', ' ')}", 0

    def on_page(count: int) -> None:
        nonlocal rows
        rows += count
        keep_alive(run, clock())
        tell(Step(stage, rows))

    intake.pull(tenant, run, kind, chargebee, clock=clock, on_page=on_page)


def _align(
    tenant: Tenant, run: Run, qad: QadClient, chargebee: ChargebeeClient, clock: Clock, tell: Tell, actor: str
) -> Aligned:
    """Customers last: documents do not wait for a corrected address."""

    def on_pair(done: int) -> None:
        keep_alive(run, clock())
        tell(Step("Aligning customers", done))

    return align(tenant, qad, chargebee, clock=clock, actor=actor, tell=on_pair)


def _prepare(tenant: Tenant, qad: QadClient, clock: Clock, tell: Tell, actor: str) -> None:
    belonging.follow(tenant, clock=clock, actor=actor)
    prepare_catalogue(tenant, now=clock(), actor=actor)
    tell(Step("Matching customers", 0))
    prepare_customers(tenant, clock=clock, actor=actor)
    if not why_not_posting(tenant) and may_send(tenant, qad, clock=clock, actor=actor):
        tell(Step("Creating customers in QAD", 0))
        create_customers(tenant, qad, pace_of(tenant), clock=clock, until=time.monotonic() + DRAIN_SECONDS, actor=actor)
    redating.redate(tenant, clock(), actor=actor)
    following.start_over(tenant)
    follow(tenant, CURES, now=clock(), actor=actor)


def _prepare_and_post(tenant: Tenant, qad: QadClient, clock: Clock, tell: Tell, actor: str) -> Counter[str]:
    """Kind by kind, so that what settles an invoice finds it posted; again while a posting has freed others."""
    posted: Counter[str] = Counter()
    known = 0
    for _ in range(MOST_ROUNDS):
        prepared = 0
        for kind in POSTED_KINDS:
            prepared += _prepare_kind(tenant, kind, clock, tell, actor)
            if not why_not_posting(tenant):
                posted += post(tenant, qad, clock=clock, tell=tell, actor=actor)
        moved = redating.catch_up(tenant, qad, clock(), actor=actor)
        if not prepared and not moved["dated-anew"] and posted["posted"] == known:
            break
        known = posted["posted"]
    return posted


def _prepare_kind(tenant: Tenant, kind: str, clock: Clock, tell: Tell, actor: str) -> int:
    done = 0

    def on_batch(count: int) -> None:
        nonlocal done
        done += count
        tell(Step(f"Preparing {BY_KIND[kind].name.replace('_', ' ')}", done))

    return prepare_documents(tenant, kind, clock=clock, actor=actor, on_batch=on_batch).total()


def post(tenant: Tenant, qad: QadClient, *, clock: Clock, tell: Tell, actor: str) -> Counter[str]:
    """Sweep what is uncertain, then post what is ready until nothing is left that may go now."""
    pace, done = pace_of(tenant), Counter[str]()
    done.update(sweep(tenant, qad, pace, clock=clock, actor=actor))
    total = Posting.objects.filter(tenant=tenant, state=PostingState.READY).count()

    def on_batch(counts: Counter[str]) -> None:
        done.update(counts)
        tell(Step("Posting", sum(done.values()), total))

    drain(tenant, qad, pace, clock=clock, until=float("inf"), actor=actor, on_batch=on_batch)
    return done
