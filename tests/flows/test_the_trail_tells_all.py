"""One line for each change of state: the trail alone says where everything stands, and how it came there."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from syncs import replay
from syncs.models import Posting
from tests.flows.scene import a_scene
from tests.flows.told import assert_the_trail_tells_all

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.slow
def test_it_tells_every_move_of_a_cycle_with_lost_answers_refusals_and_replays():
    with a_scene(customers=6, cycle=True) as scene:
        scene.fault("drop_after_commit", times=2)
        scene.fault("business_error", times=2, after=2)
        scene.sync()
        scene.heal()
        rows = [posting.source for posting in Posting.objects.exclude(state="posted")]
        replay.rebuild(scene.tenant, rows, now=timezone.now(), actor="ada")
        for _ in range(3):
            scene.clock.forward(120)
            scene.sync()

        assert set(Posting.objects.values_list("state", flat=True)) <= {"posted", "verified", "reversed"}
        assert assert_the_trail_tells_all(scene.tenant) > 60


@pytest.mark.slow
def test_it_tells_what_followed_a_document_and_what_was_taken_back():
    with a_scene() as scene:
        who = scene.customer()
        number = scene.invoice(who, total=10_000)
        paid = scene.world.chargebee.pay({number: 10_000})
        scene.sync()
        scene.clock.forward(60)
        scene.world.chargebee.reverse_payment(paid["id"])

        scene.sync()

        assert sorted(Posting.objects.values_list("kind", "state")) == [
            ("invoice", "posted"),
            ("payment", "reversed"),
            ("reversal", "posted"),
        ]
        assert_the_trail_tells_all(scene.tenant)


@pytest.fixture
def no_line_can_be_written():
    """The trail refuses every line that says that something was posted."""
    if connection.vendor != "sqlite":
        pytest.skip("the same on PostgreSQL, where the trigger has other words")
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TRIGGER no_line BEFORE INSERT ON tenants_auditentry WHEN NEW.action IN ('posted', 'prepared') "
            "BEGIN SELECT RAISE(ABORT, 'the trail is full'); END"
        )
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER IF EXISTS no_line")


def test_a_change_whose_line_cannot_be_written_does_not_happen(no_line_can_be_written):
    with a_scene() as scene:
        source_id = scene.invoice()
        with pytest.raises(DatabaseError, match="the trail is full"):
            scene.sync()

        assert not Posting.objects.exists()
        assert scene.source(source_id).state == "new"


@pytest.mark.slow
def test_it_tells_a_whole_cycle_of_all_kinds_with_later_changes():
    with a_scene(customers=10) as scene:
        scene.world.bill_cycle(kinds="all")
        voided, edited = scene.invoice(), scene.invoice(total=100_00)
        scene.sync()
        scene.clock.forward(60)
        scene.world.chargebee.void_invoice(voided)
        scene.world.chargebee.edit("invoice", edited, total=120_00)
        for _ in range(3):
            scene.clock.forward(120)
            scene.sync()

        assert assert_the_trail_tells_all(scene.tenant) > 100
