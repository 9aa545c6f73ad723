"""The row first, then the network: what is written before a byte leaves, and who may write what became of it."""

from __future__ import annotations

import threading
import time
import uuid

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from connector.qad.replies import Receipt
from syncs import posting, running
from syncs.models import Attempt, Posting
from syncs.models.attempt import Outcome
from syncs.posting import _claim, drain, take
from syncs.sending import Result
from syncs.settling import settle
from syncs.sweeping import sweep
from tenants.models import Tenant
from tests.flows.ledgers import assert_books_agree
from tests.flows.scene import Scene, a_scene

pytestmark = pytest.mark.django_db(transaction=True)


def until(condition, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "It did not happen in time."
        time.sleep(0.01)


def in_background(work) -> threading.Thread:
    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def drained(scene: Scene) -> None:
    with scene.qad() as client:
        drain(scene.tenant, client, running.pace_of(scene.tenant), clock=scene.clock, until=float("inf"))


@pytest.mark.slow
def test_switched_off_while_it_posts_it_stops_after_the_batch_that_is_under_way():
    with a_scene(concurrency=1) as scene:
        for _ in range(10):
            scene.invoice()
        scene.prepare()

        def switch_off(counts: object) -> None:
            Tenant.objects.update(is_posting_on=False)

        with scene.qad() as client:
            pace = running.pace_of(scene.tenant)
            drain(scene.tenant, client, pace, clock=scene.clock, until=float("inf"), on_batch=switch_off)

        states = list(Posting.objects.values_list("state", flat=True))
        assert (states.count("posted"), states.count("ready")) == (pace.batch, 10 - pace.batch)
        assert scene.sent() == pace.batch


@pytest.mark.parametrize("moment", ["hold_before", "hold"])
@pytest.mark.slow
def test_it_commits_the_attempt_before_a_byte_leaves(moment):
    with a_scene() as scene:
        source_id = scene.invoice()
        scene.prepare()
        scene.fault(moment)
        worker = in_background(lambda: drained(scene))
        until(lambda: scene.world.faults("qad").held == 1)

        seen = Attempt.objects.get()  # over another connection than the worker's, while QAD has the request

        assert (seen.outcome, seen.posting.state, seen.key) == ("open", "sending", seen.posting.attempt_key)
        assert (seen.number, seen.document_hash) == (1, seen.posting.document_hash)
        assert seen.posting.lease_until > seen.deadline_at > scene.clock()
        scene.world.release()
        worker.join(10)
        assert scene.posting(source_id).state == "posted"


@pytest.mark.slow
def test_it_refuses_to_use_the_network_inside_a_transaction():
    with a_scene() as scene:
        scene.invoice()
        scene.prepare()

        with transaction.atomic(), pytest.raises(RuntimeError):
            drained(scene)

        assert (scene.sent(), Attempt.objects.count(), scene.posting().state) == (0, 0, "ready")


@pytest.mark.slow
def test_it_refuses_to_look_up_inside_a_transaction():
    with a_scene() as scene:
        scene.invoice()
        scene.prepare()
        Posting.objects.update(state="uncertain")
        scene.world.requests.clear()

        with scene.qad() as client, transaction.atomic(), pytest.raises(RuntimeError):
            sweep(scene.tenant, client, running.pace_of(scene.tenant), clock=scene.clock)

        assert not scene.world.requests


@pytest.mark.parametrize("in_flight", ["sending", "uncertain"])
@pytest.mark.slow
def test_the_database_allows_one_posting_of_a_customer_in_flight(in_flight):
    with a_scene() as scene:
        who = scene.customer()
        scene.invoice(who), scene.invoice(who)
        scene.prepare()
        one, two = Posting.objects.order_by("pk")
        Posting.objects.filter(pk=one.pk).update(state=in_flight)

        with pytest.raises(IntegrityError), transaction.atomic():
            Posting.objects.filter(pk=two.pk).update(state="sending")

        assert take(scene.tenant, running.pace_of(scene.tenant), now=scene.clock(), actor="test") is None


@pytest.mark.slow
def test_it_claims_the_free_customers_of_a_batch_when_another_worker_took_one():
    with a_scene() as scene:
        scene.invoice(), scene.invoice()
        scene.prepare()
        first, second = Posting.objects.order_by("pk")
        Posting.objects.create(
            **{
                field.attname: getattr(first, field.attname)
                for field in Posting._meta.concrete_fields
                if field.name not in ("id", "reference", "place", "state")
            },
            reference="CB-INV-other",
            place=1,
            state="sending",
        )

        claim = _claim(
            scene.tenant, running.pace_of(scene.tenant), [first.pk, second.pk], now=scene.clock(), actor="test"
        )

        assert [posting.pk for posting in claim.postings] == [second.pk]


@pytest.mark.slow
def test_a_claim_takes_only_what_is_still_ready():
    with a_scene() as scene:
        scene.invoice(), scene.invoice()
        scene.prepare()
        first, second = Posting.objects.order_by("pk")
        Posting.objects.filter(pk=first.pk).update(state="held")  # decided meanwhile

        pace = running.pace_of(scene.tenant)
        claim = _claim(scene.tenant, pace, [first.pk, second.pk], now=scene.clock(), actor="test")

        assert [posting.pk for posting in claim.postings] == [second.pk]
        assert Posting.objects.get(pk=first.pk).state == "held"


@pytest.mark.slow
def test_two_claims_share_nothing():
    with a_scene() as scene:
        for _ in range(3):
            scene.invoice()
        scene.prepare()
        pace = running.pace_of(scene.tenant)

        one = take(scene.tenant, pace, now=scene.clock(), actor="one")
        two = take(scene.tenant, pace, now=scene.clock(), actor="two")

        assert (len(one.postings), two) == (3, None)
        assert Attempt.objects.count() == 3


def test_a_worker_that_comes_back_too_late_writes_nothing_over_what_others_found():
    with a_scene() as scene:
        scene.invoice()
        scene.prepare()
        pace = running.pace_of(scene.tenant)
        claim = take(scene.tenant, pace, now=scene.clock(), actor="slow")
        scene.clock.forward(200)
        with scene.qad() as client:
            sweep(scene.tenant, client, pace, clock=scene.clock)
        before = Posting.objects.values().get()
        assert before["state"] == "uncertain"
        receipt = Receipt("2026-CINV-000099", "2026", "CINV", "99", None)
        result = Result(claim.postings[0].pk, Outcome.POSTED, "Posted.", receipt=receipt)

        settled = settle(scene.tenant, claim, [result], pace=pace, now=scene.clock(), actor="slow")

        assert settled.counts == {"late": 1}
        assert Posting.objects.values().get() == before


def test_a_worker_of_an_older_attempt_writes_nothing():
    with a_scene() as scene:
        scene.invoice()
        scene.prepare()
        pace = running.pace_of(scene.tenant)
        claim = take(scene.tenant, pace, now=scene.clock(), actor="slow")
        Posting.objects.update(attempt_key=uuid.uuid4())
        result = Result(claim.postings[0].pk, Outcome.REJECTED, "No.")

        settled = settle(scene.tenant, claim, [result], pace=pace, now=scene.clock(), actor="slow")

        assert (settled.counts, scene.posting().state) == ({"late": 1}, "sending")


def test_it_sends_nothing_after_the_time_of_its_batch():
    with a_scene() as scene:
        source_id = scene.invoice()
        scene.prepare()

        before, posting.SENDING_SECONDS = posting.SENDING_SECONDS, -1
        try:
            drained(scene)
        finally:
            posting.SENDING_SECONDS = before

        assert scene.sent() == 0
        assert (scene.posting(source_id).state, scene.attempts()) == ("ready", ["not_sent"])


@pytest.mark.slow
def test_a_dead_worker_leaves_its_postings_uncertain_and_never_ready():
    with a_scene() as scene:
        scene.invoice()
        scene.sync()
        source_id = scene.invoice()
        scene.prepare()
        pace = running.pace_of(scene.tenant)
        take(scene.tenant, pace, now=scene.clock(), actor="dead")

        scene.post()
        assert scene.posting(source_id).state == "sending"  # its lease is not over
        scene.clock.forward(90)
        scene.post()
        assert scene.posting(source_id).state == "uncertain"
        for _ in range(3):
            scene.clock.forward(40)
            scene.post()

        assert scene.posting(source_id).state == "posted"
        assert scene.attempts() == ["posted", "absent", "posted"]
        assert_books_agree(scene)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="The broken trigger is written for SQLite.")
@pytest.mark.slow
def test_an_answer_that_cannot_be_written_down_is_found_again():
    with a_scene() as scene:
        scene.invoice()
        scene.sync()
        source_id = scene.invoice()
        scene.prepare()
        broken = "CREATE TRIGGER broken BEFORE INSERT ON tenants_auditentry WHEN NEW.action = 'posted' BEGIN "
        with connection.cursor() as cursor:
            cursor.execute(broken + "SELECT RAISE(ABORT, 'the disk is full'); END")
        try:
            with pytest.raises(DatabaseError):
                drained(scene)
        finally:
            with connection.cursor() as cursor:
                cursor.execute("DROP TRIGGER broken")
        assert (scene.posting(source_id).state, scene.attempts()[-1]) == ("sending", "open")

        scene.clock.forward(100)
        scene.post()

        assert (scene.posting(source_id).state, scene.attempts()[-1]) == ("posted", "adopted")
        assert_books_agree(scene)


@pytest.mark.skipif(
    connection.vendor == "sqlite", reason="SQLite has one writer; processes are tried in test_killed.py."
)
def test_two_workers_that_drain_at_once_send_each_document_once():
    with a_scene() as scene:
        for _ in range(24):
            scene.invoice()
        scene.prepare()

        workers = [in_background(lambda: drained(scene)) for _ in range(3)]
        for worker in workers:
            worker.join(30)

        assert scene.dispositions() == {"posted": 24}
        assert scene.sent() == Attempt.objects.count() == 24
        assert_books_agree(scene)
