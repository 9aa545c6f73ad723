"""QAD says no, cannot be reached, or does not know us: nothing is lost, nothing is posted, and a sentence says why."""

from __future__ import annotations

import pytest
from django.db import connection, models
from django.utils import timezone

from connector.errors import Configuration
from syncs import replay
from syncs.models import Attempt, Posting
from syncs.permission import why_not_posting
from tenants import connections, guards
from tenants.models import Circuit, ProbeResult, QadConnection, Side
from tests.builders import moved
from tests.flows.ledgers import assert_books_agree
from tests.flows.scene import Scene, a_scene

pytestmark = pytest.mark.django_db(transaction=True)


def lock_the_month(scene: Scene) -> None:
    day = scene.posting().posting_date
    scene.world.qad.lock_period(day.year, day.month)


@pytest.mark.parametrize("dialect", ["adaptive", pytest.param("offset-rest", marks=pytest.mark.slow)])
def test_it_shows_qads_own_reason_and_the_next_step_when_qad_says_no(dialect):
    with a_scene(dialect=dialect) as scene:
        source_id = scene.invoice()
        scene.prepare()
        lock_the_month(scene)

        counts = scene.post()

        day = scene.posting().posting_date
        assert counts == {"rejected": 1}
        assert f"{day.year}/{day.month:02d}" in scene.sentences(source_id)
        assert all(one["fix"] for one in scene.posting().problems)
        assert (scene.in_qad(), scene.attempts()) == ([], ["rejected"])
        assert scene.dispositions() == {"rejected": 1}


def test_it_posts_what_was_rejected_once_the_cause_is_mended():
    with a_scene() as scene:
        source_id = scene.invoice()
        scene.prepare()
        lock_the_month(scene)
        scene.post()
        day = scene.posting().posting_date
        scene.world.qad.unlock_period(day.year, day.month)

        replay.resend(scene.tenant, [scene.source(source_id)], now=timezone.now(), actor="ada")
        scene.post()

        assert scene.posting().state == "posted"
        assert_books_agree(scene)


@pytest.mark.slow
def test_one_refused_document_stops_nobody_else():
    with a_scene() as scene:
        bad = scene.invoice()
        good = [scene.invoice() for _ in range(4)]
        scene.prepare()
        scene.world.qad.change_customer(scene.posting(bad).customer_code, is_active=False)

        counts = scene.post()

        assert counts == {"rejected": 1, "posted": 4}
        assert [scene.posting(one).state for one in good] == ["posted"] * 4


@pytest.mark.parametrize("fault", ["unauthorized", "forbidden"])
def test_it_stops_at_once_when_qad_no_longer_knows_us_and_loses_nothing(fault):
    with a_scene(concurrency=1) as scene:
        for _ in range(12):
            scene.invoice()
        scene.prepare()
        scene.fault(fault, times=None, after=3)

        scene.post()

        assert scene.dispositions() == {"posted": 3, "waiting": 9}
        assert Circuit.objects.get().try_again_at is None
        assert "Press Test connection when it is mended." in why_not_posting(scene.tenant)
        scene.heal()
        connections.resume(scene.tenant, Side.QAD)
        scene.clock.forward(1000)
        scene.post()
        assert scene.dispositions() == {"posted": 12}
        assert_books_agree(scene)


@pytest.mark.slow
def test_it_signs_in_anew_when_its_session_ran_out():
    with a_scene() as scene:
        scene.invoice()
        scene.sync()
        scene.invoice()
        scene.prepare()
        scene.fault("unauthorized")

        scene.post()

        assert scene.dispositions() == {"posted": 2}
        assert_books_agree(scene)


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/clouderp", "https://qad.does-not-exist.invalid/clouderp"])
@pytest.mark.slow
def test_it_waits_and_counts_nothing_when_qad_cannot_be_reached(address):
    with a_scene(policies={"attempt_budget": 1}) as scene:
        scene.sync()
        source_id = scene.invoice()
        scene.prepare()
        right = QadConnection.objects.get().base_url
        moved(scene.tenant, qad=address)
        scene.tenant.refresh_from_db()

        scene.post()

        posting = scene.posting(source_id)
        assert (posting.state, scene.attempts()) == ("ready", ["not_sent"])
        assert posting.not_before > scene.clock()
        assert "tried again by itself in 30 seconds" in why_not_posting(scene.tenant)
        moved(scene.tenant, qad=right)
        scene.tenant.refresh_from_db()
        scene.clock.forward(1000)
        scene.post()
        assert scene.posting(source_id).state == "posted"
        assert_books_agree(scene)


@pytest.mark.slow
def test_it_backs_off_further_each_time_and_never_gives_up_what_was_not_sent():
    with a_scene(policies={"attempt_budget": 1}) as scene:
        scene.sync()
        scene.invoice()
        scene.prepare()
        moved(scene.tenant, qad="http://127.0.0.1:9/clouderp")
        scene.tenant.refresh_from_db()

        for _ in range(5):
            scene.post()
            scene.clock.forward(2000)

        assert (scene.posting().state, scene.attempts()) == ("ready", ["not_sent"] * 5)


def _switch_off(scene: Scene) -> None:
    type(scene.tenant).objects.update(is_posting_on=False)


def _stop(scene: Scene) -> None:
    connections.stop(scene.tenant, Side.QAD, "QAD does not accept the credentials.", now=timezone.now())


def _never_tested(scene: Scene) -> None:
    ProbeResult.objects.all().delete()


def _tested_badly(scene: Scene) -> None:
    ProbeResult.objects.update(answer="wrong_path", sentence="There is nothing at /customerInvoices.")


def _unguarded(scene: Scene) -> None:
    guards.remove(connection)


REASONS = {
    "posting is switched off": (_switch_off, "Posting is switched off for Acme. Switch it on"),
    "the connection is stopped": (_stop, "QAD does not accept the credentials. Press Test connection"),
    "it was never tested": (_never_tested, "Posting of invoices is off until"),
    "its test failed": (_tested_badly, "There is nothing at /customerInvoices."),
    "the database lost its guards": (_unguarded, "The database lacks its guards"),
}


@pytest.mark.slow
def test_a_drain_that_began_before_a_migration_claims_nothing_during_it():
    with a_scene() as scene:
        source_id = scene.invoice()
        scene.prepare()
        assert why_not_posting(scene.tenant) == ""

        with guards.lifted(connection), pytest.raises(Configuration, match="lacks its guards"):
            scene.post()

        assert (scene.posting(source_id).state, scene.sent()) == ("ready", 0)
        scene.post()
        assert scene.posting(source_id).state == "posted"


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.slow
def test_it_prepares_but_sends_nothing_while(reason):
    spoil, words = REASONS[reason]
    with a_scene() as scene:
        who = scene.world.chargebee.add_customer()["id"]
        source_id, behind = scene.invoice(), scene.invoice(who)
        spoil(scene)

        story = scene.sync()

        assert words in story.not_posting
        assert (story.run.state, story.run.sentence) == ("complete", story.not_posting)
        assert not [asked for asked in scene.world.requests if asked.startswith("POST") and "token" not in asked]
        assert (scene.posting(source_id).state, scene.source(behind).state) == ("ready", "held")


@pytest.mark.slow
def test_it_sends_nothing_while_the_index_is_gone_that_keeps_a_customers_documents_apart():
    with a_scene() as scene:
        scene.invoice()
        constraint = next(one for one in Posting._meta.constraints if one.name == "posting_one_in_flight")
        with connection.schema_editor() as schema:
            schema.remove_constraint(Posting, constraint)
        try:
            story = scene.sync()
        finally:
            with connection.schema_editor() as schema:
                schema.add_constraint(Posting, constraint)

        assert "from being sent twice (index posting_one_in_flight)" in story.not_posting
        assert scene.sent() == 0


@pytest.mark.slow
def test_it_posts_after_a_person_overrode_a_failed_test_with_a_reason():
    with a_scene() as scene:
        scene.invoice()
        _tested_badly(scene)
        ProbeResult.objects.update(overridden_reason="The probe asks a list that we do not use.")

        scene.sync()

        assert scene.dispositions() == {"posted": 1}


@pytest.mark.slow
def test_pressing_replay_twenty_times_on_a_posted_document_posts_it_once():
    with a_scene() as scene:
        source_id = scene.invoice()
        scene.sync()

        for again in [replay.rebuild, replay.resend] * 10:
            again(scene.tenant, [scene.source(source_id)], now=timezone.now(), actor="ada")
            scene.post()

        assert (scene.sent(), scene.posting().state) == (1, "posted")
        assert_books_agree(scene)


@pytest.mark.slow
@pytest.mark.parametrize("again", [replay.rebuild, replay.resend])
def test_pressing_replay_twenty_times_on_a_rejected_document_posts_it_once(again):
    with a_scene() as scene:
        source_id = scene.invoice()
        scene.prepare()
        lock_the_month(scene)
        scene.post()
        day = scene.posting().posting_date
        scene.world.qad.unlock_period(day.year, day.month)

        for _ in range(20):
            again(scene.tenant, [scene.source(source_id)], now=timezone.now(), actor="ada")
        scene.post()
        for _ in range(3):
            again(scene.tenant, [scene.source(source_id)], now=timezone.now(), actor="ada")
            scene.post()

        assert len(scene.in_qad()) == 1
        assert_books_agree(scene)


@pytest.mark.parametrize("again", [replay.rebuild, pytest.param(replay.resend, marks=pytest.mark.slow)])
@pytest.mark.slow
def test_pressing_replay_on_an_uncertain_document_only_looks_it_up(again):
    with a_scene() as scene:
        scene.invoice()
        scene.sync()
        source_id = scene.invoice()
        scene.prepare()
        scene.fault("drop_after_commit")
        scene.post()
        sent = scene.sent()

        for _ in range(20):
            again(scene.tenant, [scene.source(source_id)], now=timezone.now(), actor="ada")
        scene.post()  # long before the window is over: a find counts at once

        assert (scene.posting(source_id).state, scene.attempts()[-1]) == ("posted", "adopted")
        assert scene.sent() == sent
        assert_books_agree(scene)


@pytest.mark.slow
@pytest.mark.parametrize("again", [replay.rebuild, replay.resend])
def test_pressing_replay_on_an_absent_document_shortens_no_window(again):
    with a_scene() as scene:
        scene.invoice()
        scene.sync()
        source_id = scene.invoice()
        scene.prepare()
        scene.fault("drop")
        scene.post()

        for _ in range(20):
            again(scene.tenant, [scene.source(source_id)], now=timezone.now(), actor="ada")
            scene.post()

        assert (scene.posting(source_id).state, scene.posting(source_id).absences, scene.sent()) == ("uncertain", 0, 2)
        assert Posting.objects.get(source__source_id=source_id).settle_at > scene.clock()


def _alter(old: models.Field, new: models.Field) -> None:
    with connection.schema_editor() as schema:
        schema.alter_field(Attempt, old, new)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL keeps the triggers of an altered table.")
@pytest.mark.slow
def test_it_sends_nothing_after_a_column_was_altered_which_drops_the_triggers_silently():
    with a_scene() as scene:
        source_id = scene.invoice()
        field = Attempt._meta.get_field("status")
        wider = models.IntegerField(null=True)
        wider.set_attributes_from_name("status")
        wider.model = Attempt
        _alter(field, wider)
        try:
            assert any("attempt" in name for name in guards.missing(connection))
            story = scene.sync()
        finally:
            _alter(wider, field)
            guards.install(connection)

        assert "The database lacks its guards" in story.not_posting
        assert (scene.sent(), scene.posting(source_id).state) == (0, "ready")
        scene.sync()
        assert scene.posting(source_id).state == "posted"


@pytest.mark.slow
def test_it_does_not_send_a_document_that_was_altered_in_the_database():
    with a_scene() as scene:
        source_id = scene.invoice()
        scene.prepare()
        posting = scene.posting(source_id)
        Posting.objects.filter(pk=posting.pk).update(document={**posting.document, "description": "Altered"})

        scene.post()

        assert (scene.sent(), scene.posting(source_id).state) == (0, "rejected")
        assert "its row was altered" in scene.sentences(source_id)
