"""Replay says before what it does, does that, and posts once however often and by however many it is pressed."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from syncs import replay, replay_jobs
from syncs.fates import Deed, Way
from syncs.models import Posting, ReplayJob
from tests.flows.scene import a_scene
from tests.flows.told import assert_the_trail_tells_all

pytestmark = pytest.mark.django_db(transaction=True)


def a_refused_month(scene, count=4):
    """Invoices that QAD refused while their period was locked; it is open again."""
    numbers = [scene.invoice() for _ in range(count)]
    scene.prepare()
    day = scene.posting(numbers[0]).posting_date
    scene.world.qad.lock_period(day.year, day.month)
    scene.post()
    scene.world.qad.unlock_period(day.year, day.month)
    return [scene.source(number) for number in numbers]


@pytest.mark.parametrize("way", [pytest.param(way, marks=pytest.mark.slow if at else ()) for at, way in enumerate(Way)])
@pytest.mark.slow
def test_what_is_foretold_is_what_happens(way):
    with a_scene() as scene:
        rows = a_refused_month(scene)
        scene.fault("drop_after_commit", times=1)
        scene.invoice()
        scene.sync()
        scene.heal()
        rows = [posting.source for posting in Posting.objects.all()]
        keys = [row.pk for row in rows]

        foretold = replay.plan(scene.tenant, keys, way)
        done = replay.replay(scene.tenant, way, keys, now=timezone.now(), actor="ada")

        counted = {group.fate.deed.value: 0 for group in foretold}
        for group in foretold:
            counted[group.fate.deed.value] += group.count
        assert counted == dict(done) == {Deed.REBUILT if way == Way.REBUILD else Deed.RESENT: 4, Deed.LOOKED_UP: 1}
        assert sum(group.minor for group in foretold) == sum(row.total_minor for row in rows)
        scene.clock.forward(60)
        scene.post()
        assert len(scene.in_qad()) == 5
        assert_the_trail_tells_all(scene.tenant)


@pytest.mark.slow
def test_a_large_replay_goes_on_where_a_dead_worker_left_it(monkeypatch):
    monkeypatch.setattr(replay_jobs, "BATCH", 2)
    with a_scene() as scene:
        rows = a_refused_month(scene, 5)
        job = replay_jobs.ask(scene.tenant, Way.RESEND, [row.pk for row in rows], now=timezone.now(), actor="ada")
        replay_jobs._batch(scene.tenant, job.pk, job.documents, None, timezone.now())
        assert Posting.objects.filter(state="ready").count() == 2

        done = replay_jobs.work(scene.tenant, clock=timezone.now, until=time.monotonic() + 60)

        job.refresh_from_db()
        assert (done, job.done, job.counts) == (3, 5, {"sent again": 5})
        assert not replay_jobs.has_work(scene.tenant)
        assert replay_jobs.work(scene.tenant, clock=timezone.now, until=time.monotonic() + 60) == 0
        scene.post()
        assert len(scene.in_qad()) == 5


@pytest.mark.slow
def test_twenty_hands_that_replay_and_post_at_once_post_once():
    with a_scene() as scene:
        (row,) = a_refused_month(scene, 1)
        done = []

        def press(number):
            way = Way.REBUILD if number % 2 else Way.RESEND
            while number not in done:
                try:
                    replay.replay(scene.tenant, way, [row.pk], now=timezone.now(), actor=f"hand {number}")
                    scene.post()
                    done.append(number)
                except OperationalError:  # tests hold SQLite in memory, where a locked table is not waited for
                    time.sleep(0.01)
                finally:
                    connection.close()

        hands = [threading.Thread(target=press, args=(number,)) for number in range(20)]
        for hand in hands:
            hand.start()
        for hand in hands:
            hand.join(60)

        for _ in range(3):
            scene.clock.forward(60)
            scene.post()
        assert sorted(done) == list(range(20))
        assert len(scene.in_qad(scene.posting().reference)) == 1
        assert scene.posting().state == "posted"
        assert_the_trail_tells_all(scene.tenant)


@pytest.mark.slow
def test_a_replay_of_nothing_but_posted_documents_sends_nothing():
    with a_scene() as scene:
        number = scene.invoice()
        scene.sync()
        sent = scene.sent()

        counts = replay.rebuild(scene.tenant, [scene.source(number)], now=timezone.now(), actor="ada")
        scene.post()

        assert (counts, scene.sent()) == ({Deed.LOOKED_UP: 1}, sent)
        assert ReplayJob.objects.count() == 0
