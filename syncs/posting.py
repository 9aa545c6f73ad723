"""Claim, send, settle: the row first, then the network, then the outcome; at most one posting of a customer in flight.

ready -> sending      one conditional update and the attempt rows, committed before a byte leaves; never while a
                      mapping was saved that the ready postings do not follow yet
sending -> posted     QAD's own body says so
sending -> rejected   QAD understood and said no
sending -> uncertain  anything else after a byte has left: looked up later, never resent from here
sending -> ready      no byte was sent, or QAD refused who we are
"""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence

from django.db import IntegrityError, transaction
from django.db.models import F

from connector.errors import Authentication, Configuration, ConnectorError
from connector.ledger.stored import content_hash, restore
from connector.qad.client import QadClient
from connector.qad.payloads import WriteRequest, render
from mappings import revision
from syncs import belonging, newest, restoring
from syncs.following import catch_up, is_followed
from syncs.models import Attempt, Posting
from syncs.models.attempt import Outcome
from syncs.permission import assert_guarded, may_claim
from syncs.sending import Result, Sending, send_all
from syncs.settling import Claim, Pace, Settled, settle
from syncs.states import IN_FLIGHT, PostingState
from syncs.turns import in_turn
from tenants import audit, connections
from tenants.models import Side, Tenant

SENDING_SECONDS = 40  # how long after the claim a batch may start another send
LEASE_MARGIN = dt.timedelta(seconds=30)
BATCHES_PER_LOOK = 4
ALTERED = "It is not the document that was prepared: its row was altered. Prepare it again with Replay."
DOUBTFUL = "QAD breaks off: one document after the other got no answer that can be trusted."


def drain(
    tenant: Tenant,
    client: QadClient,
    pace: Pace,
    *,
    clock: Callable[[], dt.datetime],
    until: float,
    actor: str = "sync",
    on_batch: Callable[[Counter[str]], None] = lambda counts: None,
) -> Counter[str]:
    """Post what is ready until nothing is left, the connection stops, or `until` (monotonic) has passed.

    A connection that was stopped is tried with one document first.
    """
    counts: Counter[str] = Counter()
    was_stopped = connections.circuit(tenant, Side.QAD) is not None
    while time.monotonic() < until:
        if not may_send(tenant, client, clock=clock, actor=actor):
            break
        claim = take(tenant, pace, now=clock(), actor=actor, size=1 if was_stopped else pace.batch, until=until)
        if claim is None:
            break
        settled = _post(tenant, client, pace, claim, clock=clock, actor=actor)
        counts += settled.counts
        on_batch(settled.counts)
        if settled.stops or settled.is_unreachable or settled.is_doubtful(was_stopped):
            _open_circuit(tenant, settled, clock())
            break
        if was_stopped:
            connections.resume(tenant, Side.QAD, now=clock())
            was_stopped = False
    return counts


def may_send(tenant: Tenant, client: QadClient, *, clock: Callable[[], dt.datetime], actor: str) -> bool:
    """Whether this database is known to be the one that posts; QAD is asked where this process has not asked yet."""
    try:
        return newest.may_send(tenant, client, clock=clock, actor=actor)
    except ConnectorError as error:
        heals = not isinstance(error, Authentication | Configuration)
        connections.stop(tenant, Side.QAD, error.message, now=clock(), heals=heals)
        return False


def _open_circuit(tenant: Tenant, settled: Settled, now: dt.datetime) -> None:
    """A refusal waits for a person, an instance that cannot be reached or breaks off for a while."""
    reason = settled.stops or settled.sentence or DOUBTFUL
    at_least = settled.retry_after or 0.0
    connections.stop(tenant, Side.QAD, reason, now=now, heals=not settled.stops, at_least=at_least)


def _post(
    tenant: Tenant, client: QadClient, pace: Pace, claim: Claim, *, clock: Callable[[], dt.datetime], actor: str
) -> Settled:
    sendings, unfit = _render(client, claim.postings, is_careful=restoring.is_careful(tenant, clock()))
    results = send_all(client, sendings, pool_size=pace.pool_size, send_until=claim.send_until, deadline=pace.deadline)
    return settle(tenant, claim, [*unfit, *results], pace=pace, now=clock(), actor=actor)


def _render(client: QadClient, postings: Sequence[Posting], *, is_careful: bool) -> tuple[list[Sending], list[Result]]:
    """The writes of a claim; a document that no longer fits the instance's profile is rejected without being sent."""
    sendings, unfit = [], []
    for posting in postings:
        if content_hash(posting.document) != posting.document_hash:
            unfit.append(Result(posting.pk, Outcome.REJECTED, ALTERED))
            continue
        write = render(restore(posting.document), client.profile)
        if isinstance(write, WriteRequest):
            sendings.append(Sending(posting.pk, write, posting.reference, look_up=posting.must_look_up or is_careful))
        else:
            unfit.append(Result(posting.pk, Outcome.REJECTED, str(write[0]), problems=tuple(write)))
    return sendings, unfit


def take(
    tenant: Tenant, pace: Pace, *, now: dt.datetime, actor: str, size: int = 0, until: float = float("inf")
) -> Claim | None:
    """Claim a batch (of `size` at most) and commit the intent to send it; None if nothing may be claimed.

    What is ready follows the mappings first, for as long as `until` (monotonic) allows.
    """
    while may_claim(tenant):
        catch_up(tenant, now=now, actor=actor, until=until)
        candidates = _candidates(tenant, now, size or pace.batch)
        if not candidates or time.monotonic() >= until:
            return None
        claim = _claim(tenant, pace, candidates, now=now, actor=actor)
        if claim.postings:
            return claim
    return None


def _candidates(tenant: Tenant, now: dt.datetime, size: int) -> list[int]:
    """The oldest ready posting of each free customer, oldest first."""
    busy = set(Posting.objects.filter(tenant=tenant, state__in=IN_FLIGHT).values_list("order_key", flat=True))
    ready = Posting.objects.filter(tenant=tenant, state=PostingState.READY).order_by("pk")
    chosen: list[int] = []
    waiting = ready.values_list("pk", "order_key", "not_before")
    for pk, order_key, not_before in waiting.iterator(chunk_size=size * BATCHES_PER_LOOK):
        if order_key in busy:
            continue
        busy.add(order_key)  # a posting that must wait holds back the later ones of its customer
        if not_before is None or not_before <= now:
            chosen.append(pk)
        if len(chosen) == size:
            break
    return chosen


def _claim(tenant: Tenant, pace: Pace, candidates: list[int], *, now: dt.datetime, actor: str) -> Claim:
    """One conditional update for all; one by one where another process took a customer of the batch first.

    Nothing if a mapping, or the tenant's business entities, were saved since the candidates were made to follow: the
    turn keeps a save out until the commit.
    """
    key, send_until = uuid.uuid4(), time.monotonic() + SENDING_SECONDS
    deadline = now + dt.timedelta(seconds=SENDING_SECONDS + pace.deadline)
    with transaction.atomic(durable=True):
        in_turn(tenant.pk)
        if not (is_followed(tenant.pk) and belonging.is_followed(tenant)):
            return Claim(key, [], {}, deadline, send_until)
        revised = revision.current(tenant.pk)
        try:
            with transaction.atomic():
                _mark_sending(candidates, key, deadline, now)
        except IntegrityError:
            for pk in candidates:
                _mark_one(pk, key, deadline, now)
        postings = list(Posting.objects.filter(attempt_key=key, state=PostingState.SENDING).order_by("pk"))
        attempts = Attempt.objects.bulk_create(_attempt(posting, key, deadline, revised, now) for posting in postings)
        lines = [
            audit.Line(
                "sending",
                f"posting:{posting.reference}",
                before={"state": "ready"},
                after={"state": "sending", "attempt": posting.attempts, "document": posting.document_hash},
            )
            for posting in postings
        ]
        audit.record(tenant.pk, lines, actor=actor, now=now)
        assert_guarded()
    return Claim(key, postings, {attempt.posting_id: attempt for attempt in attempts}, deadline, send_until)


def _mark_one(pk: int, key: uuid.UUID, deadline: dt.datetime, now: dt.datetime) -> None:
    try:
        with transaction.atomic():
            _mark_sending([pk], key, deadline, now)
    except IntegrityError:
        return  # its customer has another posting in flight


def _mark_sending(candidates: list[int], key: uuid.UUID, deadline: dt.datetime, now: dt.datetime) -> None:
    Posting.objects.filter(pk__in=candidates, state=PostingState.READY).update(
        state=PostingState.SENDING,
        attempt_key=key,
        attempts=F("attempts") + 1,
        lease_until=deadline + LEASE_MARGIN,
        changed_at=now,
    )


def _attempt(posting: Posting, key: uuid.UUID, deadline: dt.datetime, revised: int, now: dt.datetime) -> Attempt:
    return Attempt(
        tenant_id=posting.tenant_id,
        posting=posting,
        key=key,
        number=posting.attempts,
        document_hash=posting.document_hash,
        mapping_revision=revised,
        claimed_at=now,
        deadline_at=deadline,
    )
