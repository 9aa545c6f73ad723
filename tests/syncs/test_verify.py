"""posted -> verified only for what QAD shows again as it was sent."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from decimal import Decimal

import pytest
from django.db import transaction

from connector.qad.presets import preset
from connector.qad.profile import load, merge
from syncs import reading_back, running, tasks, verifying
from syncs.models import Posting
from syncs.qad_side import Seen
from tenants.models import AuditEntry
from tests.flows.scene import Scene, a_scene
from tests.flows.setting import DIALECTS

flow = pytest.mark.django_db(transaction=True)
both = pytest.mark.parametrize("dialect", sorted(DIALECTS))
FIRST, LAST = dt.date(2026, 11, 1), dt.date(2026, 11, 30)


def verify(scene: Scene) -> Counter[str]:
    with scene.qad() as client:
        pace = running.pace_of(scene.tenant)
        return verifying.verify(scene.tenant, client, pace, clock=scene.clock, until=float("inf"), actor="test")


def lookups(scene: Scene) -> int:
    asked = scene.world.requests.items()
    return sum(count for what, count in asked if what.startswith("GET ") and ("browses" in what or "/v1/" in what))


def filters_of(profile_name: str, **override) -> list[list[tuple[str, str]]]:
    profile = load(merge(preset(profile_name), override))
    windows = reading_back.windows(profile, "invoices", "CB", FIRST, LAST)
    return [[(one.field, one.operator) for one in window] for window in windows]


def test_it_reads_a_time_by_range_by_day_or_whole_as_the_operators_allow():
    by_range = [[("reference", "starts_with"), ("posting_date", "at_least"), ("posting_date", "at_most")]]
    assert filters_of("adaptive") == by_range
    assert filters_of("offset-rest") == [[("posting_date", "equals")]] * 30
    assert filters_of("offset-rest", lists={"invoices": {"fields": {"posting_date": "-"}}}) == [[]]


def test_a_list_that_two_entities_share_is_read_once():
    profile = load(merge(preset("adaptive"), {"writes": {"adjustment": {"lookup": "-"}}}))
    assert sorted(reading_back.lists(profile)) == ["credit_notes", "invoices", "journals", "payments"]
    assert reading_back.is_listed(profile, "invoice")
    assert not reading_back.is_listed(profile, "adjustment")
    assert sorted(reading_back.lists(load(preset("offset-rest")))) == ["adjustments", "journals"]


def test_one_bit_remembers_each_posting():
    seen = Seen(1000, 1020)
    for pk in (1000, 1007, 1008, 1020):
        seen.add(pk)
    seen.add(5)
    seen.add(10**9)

    assert [pk for pk in range(990, 1040) if pk in seen] == [1000, 1007, 1008, 1020]


@flow
@both
@pytest.mark.slow
def test_it_verifies_documents_of_every_sign_in_either_dialect(dialect):
    with a_scene(dialect=dialect) as scene:
        who = scene.customer()
        number = scene.invoice(who, total=100_00)
        voided = scene.invoice(total=30_00)
        paid = scene.world.chargebee.pay({number: 100_00}, unused=20_00)
        scene.sync()
        scene.clock.forward(60)
        scene.world.chargebee.void_invoice(voided)
        scene.world.chargebee.refund_payment(paid["id"], 20_00)
        scene.sync()
        kinds = set(Posting.objects.filter(tenant=scene.tenant).values_list("kind", flat=True))

        counts = verify(scene)

        assert kinds == {"invoice", "payment", "refund", "reversal"}
        assert counts == {"verified": 4}
        states = dict(Posting.objects.filter(tenant=scene.tenant).values_list("reference", "state"))
        assert Counter(states.values()) == {"verified": 4, "reversed": 1}
        lines = AuditEntry.objects.filter(tenant=scene.tenant, action="verified").values_list("subject", flat=True)
        assert len(lines) == 4


@flow
def test_it_reads_whole_pages_where_the_profile_allows_it():
    with a_scene() as scene:
        for _ in range(12):
            scene.invoice(total=10_00)
        scene.sync()
        before = lookups(scene)

        assert verify(scene) == {"verified": 12}
        assert lookups(scene) - before == 1


@flow
def test_it_has_nothing_left_to_read_when_it_runs_again():
    with a_scene() as scene:
        scene.invoice()
        scene.sync()
        verify(scene)
        before = lookups(scene)

        assert verify(scene) == {}
        assert lookups(scene) == before


@flow
@both
@pytest.mark.slow
def test_it_waits_for_a_late_list_before_it_misses_a_document(dialect):
    with a_scene(dialect=dialect, policies={"settle_seconds": 600}) as scene:
        source_id = scene.invoice()
        scene.fault("lookup_lag", delay=100_000)
        scene.sync()
        Posting.objects.filter(tenant=scene.tenant).update(qad_number="")  # else it is found by its number

        assert verify(scene) == {"not found yet": 1}
        assert scene.posting(source_id).problems == []
        scene.clock.forward(700)
        assert verify(scene) == {"not-found-in-qad": 1}

        posting = scene.posting(source_id)
        assert (posting.state, posting.problems[0]["code"]) == ("posted", "not-found-in-qad")
        scene.clock.forward(7200)
        verify(scene)
        assert AuditEntry.objects.filter(tenant=scene.tenant, action="not-found-in-qad").count() == 1
        scene.world.qad.company.lag_ends_at = None
        scene.clock.forward(7200)
        assert verify(scene) == {"verified": 1}
        assert scene.posting(source_id).problems == []


@flow
@pytest.mark.slow
def test_it_finds_by_its_number_what_lists_do_not_show_yet():
    with a_scene() as scene:
        scene.invoice()
        scene.fault("lookup_lag", delay=100_000)
        scene.sync()

        assert verify(scene) == {"verified": 1}


@flow
@pytest.mark.slow
def test_two_documents_under_one_reference_are_an_alarm_with_a_next_step():
    with a_scene() as scene:
        source_id = scene.invoice(total=100_00)
        scene.sync()
        mine = scene.posting(source_id)
        scene.world.qad.enter_invoice(
            mine.customer_code, "100.00", reference=mine.reference, posting_date=mine.posting_date
        )

        assert verify(scene) == {"duplicate": 1}

        (problem,) = scene.posting(source_id).problems
        assert problem["code"] == "duplicate"
        assert problem["fix"].startswith("Reverse the surplus document in QAD")
        assert AuditEntry.objects.filter(tenant=scene.tenant, action="duplicate").exists()
        assert scene.dispositions() == {"conflict": 1}


@flow
def test_it_writes_nothing_over_a_row_that_has_moved_on_meanwhile():
    with a_scene() as scene:
        source_id = scene.invoice()
        scene.sync()
        stale = scene.posting(source_id)
        copy = reading_back.Copy(stale.reference, stale.qad_number, total=Decimal(1))
        Posting.objects.filter(pk=stale.pk).update(state="reversed")
        with scene.qad() as client:
            pace, shown = running.pace_of(scene.tenant), reading_back.Shown(client.profile)
            counts = verifying.settle(scene.tenant, [(stale, (copy,))], shown, pace, now=scene.clock(), actor="test")

        assert counts == {"late": 1}
        assert scene.posting(source_id).state == "reversed"


@flow
@pytest.mark.slow
def test_it_refuses_to_use_the_network_inside_a_transaction():
    with a_scene() as scene:
        scene.invoice()
        scene.sync()
        with transaction.atomic(), pytest.raises(RuntimeError, match="inside a database transaction"):
            verify(scene)


@flow
@pytest.mark.slow
def test_it_is_a_lane_that_the_dispatcher_gives_turns():
    with a_scene() as scene:
        source_id = scene.invoice()
        assert not tasks.WORK["verify"](scene.tenant)
        scene.sync()

        assert tasks.WORK["verify"](scene.tenant)
        assert tasks.work(scene.tenant.pk, "verify") == {"lane": "verify", "done": 1}
        assert scene.posting(source_id).state == "verified"
        assert not tasks.WORK["verify"](scene.tenant)


@flow
@pytest.mark.slow
def test_what_cannot_be_asked_for_stays_posted_and_is_asked_again_another_day():
    with a_scene() as scene:
        source_id = scene.invoice()
        scene.sync()
        row = scene.tenant.qad
        unasked = {"invoice": {"lookup": "-", "keys": {"number": "-"}}}
        row.profile_override = {"writes": {**row.profile_override["writes"], **unasked}}
        row.save()

        assert verify(scene) == {"cannot be read back": 1}
        assert (scene.posting(source_id).state, scene.posting(source_id).problems) == ("posted", [])
        assert not tasks.WORK["verify"](scene.tenant)
