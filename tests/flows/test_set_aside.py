"""A document that a person ignores is not posted, is counted with its money, and comes back by itself on its day."""

from __future__ import annotations

import datetime as dt

import pytest

from connector.periods import business_date
from syncs import ignoring, replay, tasks
from syncs.models import Ignore
from tests.builders import a_user
from tests.flows import decided
from tests.flows.scene import a_scene
from tests.flows.told import assert_the_trail_tells_all

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def scene():
    with a_scene() as made:
        a_user({made.tenant: "accountant"}, name="ada")
        yield made


def ignore(scene, source_id, *, days=10, reason="A test order of ours", owner="ada"):
    until = business_date(scene.clock(), scene.tenant.time_zone) + dt.timedelta(days=days)
    row = scene.source(source_id)
    return ignoring.ignore(scene.tenant, row, reason=reason, owner=owner, until=until, now=scene.clock(), actor="ada")


@pytest.mark.slow
def test_it_is_not_posted_while_ignored_also_when_chargebee_changes_it_or_somebody_replays_it(scene):
    source_id = scene.invoice(total=100_00)
    scene.prepare()

    assert ignore(scene, source_id) == ""

    scene.post()
    assert (scene.posting(source_id).state, scene.dispositions()) == ("ignored", {"ignored": 1})
    assert "A test order of ours" in scene.sentences(source_id)
    scene.world.chargebee.pay({source_id: 100_00})
    scene.sync()
    counts = replay.rebuild(scene.tenant, [scene.source(source_id)], now=scene.clock(), actor="bob")
    scene.post()
    assert (counts, scene.dispositions(), scene.in_qad()) == ({"left as it is": 1}, {"ignored": 1}, [])
    assert_the_trail_tells_all(scene.tenant)


@pytest.mark.slow
def test_it_comes_back_by_itself_on_its_day_and_waits_for_a_person(scene):
    source_id = scene.invoice()
    scene.prepare()
    ignore(scene, source_id, days=10)
    assert ignoring.expire(scene.tenant, now=scene.clock() + dt.timedelta(days=9)) == 0
    assert not ignoring.has_work(scene.tenant, scene.clock())

    assert ignoring.expire(scene.tenant, now=scene.clock() + dt.timedelta(days=10)) == 1

    scene.post()
    assert (scene.posting(source_id).state, scene.source(source_id).codes) == ("held", "|came-back|")
    assert scene.dispositions() == {"held": 1}
    replay.rebuild(scene.tenant, [scene.source(source_id)], now=scene.clock(), actor="ada")
    scene.post()
    assert scene.dispositions() == {"posted": 1}
    assert len(scene.in_qad()) == 1
    assert_the_trail_tells_all(scene.tenant)


@pytest.mark.slow
def test_the_dispatcher_gives_it_its_turn(scene):
    source_id = scene.invoice()
    scene.prepare()
    ignore(scene, source_id)
    Ignore.objects.update(expires_on=dt.date(2020, 1, 1))

    assert tasks.WORK["decisions"](scene.tenant)
    assert tasks.work(scene.tenant.pk, "decisions") == {"lane": "decisions", "done": 1}
    assert not tasks.WORK["decisions"](scene.tenant)
    assert Ignore.objects.get().ended_by == "schedule"


@pytest.mark.slow
def test_taking_it_back_holds_it_and_happens_once(scene):
    source_id = scene.invoice()
    scene.prepare()
    ignore(scene, source_id)

    assert ignoring.take_back(scene.tenant, scene.source(source_id), now=scene.clock(), actor="bob") == ""
    assert "is not ignored" in ignoring.take_back(scene.tenant, scene.source(source_id), now=scene.clock(), actor="bob")
    assert scene.dispositions() == {"held": 1}
    assert ignore(scene, source_id) == ""
    assert Ignore.objects.count() == 2


def test_a_reason_an_owner_of_the_tenant_and_a_day_within_a_year_are_demanded(scene):
    source_id = scene.invoice()
    scene.prepare()
    for wrong, said in (
        ({"reason": " x "}, "the auditor will ask"),
        ({"owner": "mallory"}, "'mallory' does not belong to Acme"),
        ({"days": 0}, "is not a day it may come back on"),
        ({"days": 400}, "is not a day it may come back on"),
    ):
        assert said in ignore(scene, source_id, **wrong)
    assert scene.posting(source_id).state == "ready"


@pytest.mark.slow
def test_what_qad_has_or_may_have_cannot_be_ignored(scene):
    posted = scene.invoice()
    scene.sync()
    assert "is posted" in ignore(scene, posted)
    lost = scene.invoice()
    scene.prepare()
    scene.fault("drop")
    scene.post()
    assert "may be in QAD already" in ignore(scene, lost)
    scene.heal()


@pytest.mark.slow
def test_a_conflict_may_not_be_hidden(scene):
    source_id = decided.a_conflict(scene)
    assert "it may not be hidden" in ignore(scene, source_id)
