"""An answer that never came: looked up, adopted or proved absent, sent again only then, and never twice in QAD."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from syncs import replay
from syncs.models import Posting
from syncs.states import may_move
from tenants.models import AuditEntry
from tests.flows.ledgers import assert_books_agree
from tests.flows.scene import LOOKUPS, Scene, a_scene

pytestmark = pytest.mark.django_db(transaction=True)

# a fault of QAD or of the line -> its settings; whether QAD posted the document all the same
APPLIED: dict[str, dict[str, Any]] = {
    "drop_after_commit": {},
    "html_after_commit": {"status": 200},
    "status_after_commit": {"status": 500},
    "truncate": {},
    "empty_after_commit": {},
    "cut": {},
}
NOT_APPLIED: dict[str, dict[str, Any]] = {
    "drop": {},
    "html": {"status": 502},
    "status": {"status": 500},
    "empty": {},
}


def proven(scene: Scene) -> str:
    """An invoice that waits to be sent, in a tenant whose look-up can be proved with an older one."""
    scene.invoice()
    scene.sync()
    source_id = scene.invoice()
    scene.prepare()
    return source_id


def pass_the_window(scene: Scene, rounds: int = 2) -> None:
    for _ in range(rounds):
        scene.clock.forward(70)
        scene.post()


@pytest.mark.parametrize("dialect", ["adaptive", pytest.param("offset-rest", marks=pytest.mark.slow)])
@pytest.mark.parametrize("fault", APPLIED)
def test_it_adopts_what_qad_posted_when_the_reply_was_spoilt_by(fault, dialect):
    with a_scene(dialect=dialect) as scene:
        source_id = proven(scene)
        scene.fault(fault, **APPLIED[fault])

        scene.post()
        assert scene.posting(source_id).state == "uncertain"
        assert "looked up in QAD before anything is sent again" in scene.sentences(source_id)
        pass_the_window(scene, 1)

        assert (scene.posting(source_id).state, scene.attempts()[-1]) == ("posted", "adopted")
        assert scene.posting(source_id).qad_number == scene.in_qad(scene.posting(source_id).reference)[0]["number"]
        assert scene.sent() == 2
        assert_books_agree(scene)


@pytest.mark.parametrize("fault", NOT_APPLIED)
@pytest.mark.slow
def test_it_sends_once_more_when_two_looks_after_the_window_find_nothing(fault):
    with a_scene() as scene:
        source_id = proven(scene)
        scene.fault(fault, **NOT_APPLIED[fault])

        scene.post()
        assert scene.posting(source_id).state == "uncertain"
        asked = scene.world.requests["GET /clouderp/api/qracore/browses"]
        scene.post()  # inside the window nothing is looked up and nothing sent
        assert scene.world.requests["GET /clouderp/api/qracore/browses"] == asked
        pass_the_window(scene, 1)
        assert (scene.posting(source_id).state, scene.posting(source_id).absences) == ("uncertain", 1)
        pass_the_window(scene, 1)

        assert (scene.posting(source_id).state, scene.attempts()) == ("posted", ["posted", "absent", "posted"])
        assert_books_agree(scene)


@pytest.mark.slow
def test_it_waits_long_enough_for_what_qad_posts_late():
    with a_scene() as scene:
        source_id = proven(scene)
        scene.fault("late", delay=45)

        scene.post()
        assert not scene.in_qad(scene.posting(source_id).reference)
        scene.world.clock.advance(50)  # still inside deadline and settle window
        pass_the_window(scene)

        assert (scene.posting(source_id).state, scene.attempts()[-1]) == ("posted", "adopted")
        assert len(scene.in_qad(scene.posting(source_id).reference)) == 1
        assert_books_agree(scene)


@pytest.mark.slow
def test_it_finds_between_its_two_looks_what_the_list_showed_late():
    with a_scene() as scene:
        source_id = proven(scene)
        scene.fault("drop_after_commit")
        scene.fault("lookup_lag", delay=3600)

        scene.post()
        pass_the_window(scene, 1)
        assert (scene.posting(source_id).state, scene.posting(source_id).absences) == ("uncertain", 1)
        scene.world.clock.advance(3700)
        pass_the_window(scene, 1)

        assert scene.posting(source_id).state == "posted"
        assert scene.sent() == 2
        assert_books_agree(scene)


def test_it_never_sends_again_while_nothing_proves_that_the_look_up_works():
    with a_scene() as scene:
        source_id = scene.invoice()
        scene.prepare()
        scene.fault("drop")

        scene.post()
        pass_the_window(scene, 6)

        assert (scene.posting(source_id).state, scene.sent(), scene.in_qad()) == ("uncertain", 1, [])
        assert "could not be proved to work, so nothing is sent again by the machine" in scene.sentences(source_id)


@pytest.mark.slow
def test_it_does_not_believe_a_look_up_that_finds_nothing_at_all():
    with a_scene() as scene:
        source_id = proven(scene)
        scene.fault("drop_after_commit")
        scene.post()
        scene.fault("browse_empty", times=None, method="GET", path=LOOKUPS)

        pass_the_window(scene, 5)
        assert scene.posting(source_id).state == "uncertain"
        scene.heal()
        pass_the_window(scene, 1)

        assert scene.posting(source_id).state == "posted"
        assert_books_agree(scene)


@pytest.mark.slow
def test_it_stays_uncertain_while_qad_cannot_be_asked():
    with a_scene() as scene:
        source_id = proven(scene)
        scene.fault("drop_after_commit")
        scene.post()
        scene.fault("status", times=None, method="GET", path=LOOKUPS, status=503)

        pass_the_window(scene, 1)

        assert scene.posting(source_id).state == "uncertain"
        assert scene.sent() == 2


def _keyed_in(scene: Scene, source_id: str, total: str) -> None:
    posting = scene.posting(source_id)
    scene.world.qad.enter_invoice(posting.customer_code, total, reference=posting.reference)


@pytest.mark.slow
def test_it_shows_a_conflict_when_qad_has_another_amount_under_its_reference():
    with a_scene() as scene:
        source_id = proven(scene)
        scene.fault("drop")
        scene.post()
        _keyed_in(scene, source_id, "99.00")

        pass_the_window(scene)

        assert scene.posting(source_id).state == "conflict"
        assert "its total is 99.00 and ours is 100.00" in scene.sentences(source_id)
        assert scene.dispositions() == {"posted": 1, "conflict": 1}


@pytest.mark.slow
def test_it_shows_a_duplicate_when_qad_has_two_under_its_reference():
    with a_scene() as scene:
        source_id = proven(scene)
        scene.fault("drop")
        scene.post()
        _keyed_in(scene, source_id, "100.00")
        _keyed_in(scene, source_id, "100.00")

        pass_the_window(scene)

        numbers = [one["number"] for one in scene.in_qad(scene.posting(source_id).reference)]
        assert scene.posting(source_id).state == "duplicate"
        assert all(number in scene.sentences(source_id) for number in numbers)


@pytest.mark.parametrize("mode", ["warn", "reject"])
@pytest.mark.slow
def test_a_resend_looks_first_whether_qad_has_it(mode):
    with a_scene() as scene:
        scene.world.qad.set_duplicate_mode(mode)
        source_id = proven(scene)
        _keyed_in(scene, source_id, "100.00")
        Posting.objects.filter(pk=scene.posting(source_id).pk).update(state="rejected", attempts=1)

        replay.resend(scene.tenant, [scene.source(source_id)], now=timezone.now(), actor="ada")
        scene.post()

        assert (scene.posting(source_id).state, scene.attempts()[-1]) == ("posted", "adopted")
        assert scene.sent() == 1


@pytest.mark.slow
def test_it_holds_back_the_customer_of_an_uncertain_document_and_nobody_else():
    with a_scene() as scene:
        scene.invoice()
        scene.sync()
        who = scene.customer()
        lost = scene.invoice(who)
        scene.prepare()
        scene.fault("drop")
        scene.post()
        waiting, free = scene.invoice(who), scene.invoice()

        scene.sync()

        assert [scene.posting(one).state for one in (lost, waiting, free)] == ["uncertain", "ready", "posted"]
        pass_the_window(scene)
        assert scene.dispositions() == {"posted": 4}
        assert_books_agree(scene)


@pytest.mark.slow
def test_it_parks_a_document_that_never_arrives():
    with a_scene(policies={"attempt_budget": 2}) as scene:
        source_id = proven(scene)
        scene.fault("drop", times=None)

        for _ in range(6):
            scene.post()
            pass_the_window(scene, 1)

        assert scene.posting(source_id).state == "parked"
        assert "it never arrived in QAD" in scene.sentences(source_id)
        assert scene.dispositions() == {"posted": 1, "parked": 1}


@pytest.mark.slow
def test_every_move_that_the_audit_trail_tells_is_a_legal_one():
    with a_scene(concurrency=1) as scene:
        proven(scene)
        for _ in range(6):
            scene.invoice()
        scene.prepare()
        for at, fault in enumerate(("drop_after_commit", "drop", "status_after_commit", "truncate", "html")):
            scene.fault(fault, after=0 if at else 1)

        for _ in range(5):
            scene.post()
            pass_the_window(scene, 1)

        told = AuditEntry.objects.filter(tenant=scene.tenant, subject__startswith="posting:").values_list(
            "before", "after"
        )
        moves = {(before["state"], after["state"]) for before, after in told if before and "state" in before}
        assert len(moves) == 6
        assert [move for move in moves if not may_move(*move)] == []
        assert scene.dispositions() == {"posted": 8}
        assert_books_agree(scene)
