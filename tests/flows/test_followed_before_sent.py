"""Once a mapping is saved, nothing that was prepared by the old one is sent, whoever dies in between."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from mappings.listed import PERIODS
from mappings.planning import Change
from mappings.saving import delete_rows, save_rows
from syncs import following, redating, refreshing, running
from syncs.following import catch_up, is_followed
from syncs.models import FollowUp, Posting, SourceDocument
from syncs.models.attempt import Outcome
from syncs.posting import _claim, drain, take
from syncs.preparing import decide
from syncs.releasing import follow
from syncs.sending import Result
from syncs.settling import settle
from syncs.states import PostingState, SourceState
from syncs.sweeping import sweep
from tests.flows.scene import Scene, a_scene
from tests.flows.setting import SINCE
from tests.flows.test_closed_periods import an_old_invoice, close, reopen

pytestmark = pytest.mark.django_db(transaction=True)
BLANK = {"sub_account": "", "cost_centre": "", "project": "", "qad_item": "", "tax_code": ""}


def save_without_what_follows(scene: Scene, account: str = "4300") -> None:
    """As a process does that is killed right after the commit."""
    row = {"level": "item_family", "key": "cloud-platform", "gl_account": account, "valid_from": SINCE, **BLANK}
    assert save_rows(scene.tenant.pk, [Change("items", row)], actor="ada", now=scene.clock()).changed


def account_of(posting: Posting) -> str:
    return Posting.objects.get(pk=posting.pk).document["lines"][0]["coding"]["gl_account"]


def accounts(scene: Scene) -> set[str]:
    return {account_of(posting) for posting in Posting.objects.filter(tenant=scene.tenant)}


def in_the_books(scene: Scene) -> set[str]:
    return {account for account in ("4000", "4300") if account in scene.world.ledger()["trial_balance"]}


def drained(scene: Scene) -> None:
    with scene.qad() as client:
        drain(scene.tenant, client, running.pace_of(scene.tenant), clock=scene.clock, until=float("inf"))


def prepared(scene: Scene, count: int = 1) -> list[Posting]:
    for _ in range(count):
        scene.invoice()
    scene.prepare()
    assert accounts(scene) == {"4000"}
    return list(Posting.objects.order_by("pk"))


@pytest.mark.slow
def test_a_drain_codes_anew_what_a_dead_process_left_behind():
    with a_scene() as scene:
        prepared(scene, 2)

        save_without_what_follows(scene)
        drained(scene)

        assert in_the_books(scene) == {"4300"}
        assert scene.dispositions() == {"posted": 2}


@pytest.mark.slow
def test_a_drain_holds_what_has_no_mapping_any_more():
    with a_scene() as scene:
        prepared(scene)

        delete_rows(scene.tenant.pk, scene.tenant.item_mappings.all(), actor="ada", now=scene.clock())
        drained(scene)

        assert (scene.dispositions(), scene.sent()) == ({"held": 1}, 0)


@pytest.mark.slow
def test_a_mapping_that_is_saved_between_the_choice_and_the_claim_keeps_the_claim_empty():
    with a_scene() as scene:
        [chosen] = prepared(scene)
        pace = running.pace_of(scene.tenant)

        save_without_what_follows(scene)
        claim = _claim(scene.tenant, pace, [chosen.pk], now=scene.clock(), actor="test")

        assert claim.postings == []
        assert scene.posting().state == PostingState.READY
        assert take(scene.tenant, pace, now=scene.clock(), actor="test").postings == [chosen]
        assert account_of(chosen) == "4300"


@pytest.mark.slow
def test_what_follows_goes_on_behind_the_batch_at_which_it_died(monkeypatch):
    with a_scene() as scene:
        first, second = prepared(scene, 2)
        save_without_what_follows(scene)
        monkeypatch.setattr(following, "BATCH", 1)
        catch_up(scene.tenant, now=scene.clock(), actor="dead", until=_first_batch_only(scene, monkeypatch))
        assert (account_of(first), account_of(second)) == ("4300", "4000")
        assert not is_followed(scene.tenant.pk)
        assert FollowUp.objects.get().after == first.source_id

        drained(scene)

        assert in_the_books(scene) == {"4300"}
        assert is_followed(scene.tenant.pk)


def _first_batch_only(scene: Scene, monkeypatch) -> float:
    """A time that is over as soon as one batch has been followed."""
    ticks = iter([0.0])
    monkeypatch.setattr(following.time, "monotonic", lambda: next(ticks, 2.0))
    return 1.0


@pytest.mark.slow
def test_what_comes_back_unsent_is_coded_by_what_was_saved_on_its_way():
    with a_scene() as scene:
        [posting] = prepared(scene)
        pace = running.pace_of(scene.tenant)
        claim = take(scene.tenant, pace, now=scene.clock(), actor="test")
        save_without_what_follows(scene)
        follow(scene.tenant, {"items"}, now=scene.clock(), actor="ada")
        assert account_of(posting) == "4000"  # what may be in QAD is not touched

        result = Result(posting.pk, Outcome.NOT_SENT, "QAD could not be reached.")
        settle(scene.tenant, claim, [result], pace=pace, now=scene.clock(), actor="test")

        assert (scene.posting().state, account_of(posting)) == (PostingState.READY, "4300")


@pytest.mark.slow
def test_what_is_proved_absent_is_coded_by_what_was_saved_on_its_way():
    with a_scene() as scene:
        scene.invoice()
        scene.sync()  # so that a look-up can be proved to work
        lost = scene.invoice()
        scene.prepare()
        take(scene.tenant, running.pace_of(scene.tenant), now=scene.clock(), actor="dead")
        save_without_what_follows(scene)
        follow(scene.tenant, {"items"}, now=scene.clock(), actor="ada")

        for _ in range(6):
            scene.clock.forward(90)
            with scene.qad() as client:
                sweep(scene.tenant, client, running.pace_of(scene.tenant), clock=scene.clock)

        assert scene.posting(lost).state == PostingState.READY
        assert account_of(scene.posting(lost)) == "4300"


@pytest.mark.slow
def test_what_waits_to_be_looked_at_again_follows_too():
    """Its body is ready, and a drain would not wait until it is prepared again."""
    with a_scene() as scene:
        prepared(scene)
        SourceDocument.objects.filter(kind="invoice").update(state=SourceState.NEW)

        save_without_what_follows(scene)
        drained(scene)

        assert in_the_books(scene) == {"4300"}


def test_a_desk_that_was_opened_before_a_save_codes_nothing_by_the_old_mapping():
    with a_scene() as scene:
        prepared(scene)
        desk = following.open_desk(scene.tenant.pk)
        save_without_what_follows(scene)
        catch_up(scene.tenant, now=scene.clock(), actor="ada")

        decide(desk, list(SourceDocument.objects.filter(kind="invoice")), now=scene.clock(), actor="slow")

        assert accounts(scene) == {"4300"}


@pytest.mark.slow
@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer.")
def test_a_claim_waits_for_a_save_that_is_under_way_and_takes_nothing():
    with a_scene() as scene:
        [chosen] = prepared(scene)
        is_saved, claimed = threading.Event(), []

        def claim() -> None:
            try:
                is_saved.wait(10)
                pace = running.pace_of(scene.tenant)
                claimed.append(_claim(scene.tenant, pace, [chosen.pk], now=scene.clock(), actor="test"))
            finally:
                connection.close()

        worker = threading.Thread(target=claim)
        worker.start()
        with transaction.atomic():
            save_without_what_follows(scene)
            is_saved.set()
            worker.join(1)
            assert claimed == []  # it waits for the commit
        worker.join(10)

        assert [one.postings for one in claimed] == [[]]
        assert scene.posting().state == PostingState.READY


@pytest.mark.slow
def test_a_claim_of_many_compares_as_often_as_a_claim_of_one():
    with a_scene() as scene:
        prepared(scene, 7)
        pace = running.pace_of(scene.tenant)

        with CaptureQueriesContext(connection) as one:
            assert len(take(scene.tenant, pace, now=scene.clock(), actor="test", size=1).postings) == 1
        with CaptureQueriesContext(connection) as many:
            assert len(take(scene.tenant, pace, now=scene.clock(), actor="test").postings) == 6

        compared = [sum("syncs_followup" in query["sql"].lower() for query in asked) for asked in (one, many)]
        assert compared == [2, 2]  # whether there is anything to follow, and once more inside the claim


@pytest.mark.slow
def test_what_waited_for_its_period_is_coded_by_what_was_saved_meanwhile():
    with a_scene(policies={"closed_periods": "hold"}) as scene:
        an_old_invoice(scene)
        prepared(scene, 0)
        close(scene)
        scene.prepare()
        assert scene.posting().state == PostingState.HELD
        save_without_what_follows(scene)
        follow(scene.tenant, {"items"}, now=scene.clock(), actor="ada")

        reopen(scene)
        with scene.qad() as client:
            refreshing.refresh(scene.tenant, client, [PERIODS], scene.clock())
        redating.redate(scene.tenant, scene.clock(), actor="test")

        assert (scene.posting().state, accounts(scene)) == (PostingState.READY, {"4300"})
