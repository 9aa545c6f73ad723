"""What only a person can settle: entered by hand, something else in QAD, or twice. Nothing is believed unseen."""

from __future__ import annotations

import pytest

from connector.ledger.compare import Period
from syncs import resolving, running, twice
from syncs.models import Edge, Posting, Surplus
from syncs.reconciling import reconcile
from tests.flows import decided
from tests.flows.scene import a_scene
from tests.flows.told import assert_the_trail_tells_all

pytestmark = pytest.mark.django_db(transaction=True)
both = pytest.mark.parametrize("dialect", ["adaptive", pytest.param("offset-rest", marks=pytest.mark.slow)])


@both
@pytest.mark.slow
def test_a_document_entered_in_qad_by_hand_is_compared_and_then_counts_as_posted(dialect):
    with a_scene(dialect=dialect) as scene:
        source_id = decided.refused(scene)
        number = decided.keyed_in(scene, source_id)

        assert decided.mark_posted(scene, source_id, number) == ""

        posting = scene.posting(source_id)
        assert (posting.state, posting.qad_number) == ("posted", number)
        sent = scene.sent()
        assert decided.read_back(scene) == {"verified": 1}
        scene.sync()
        assert (scene.sent(), scene.dispositions()) == (sent, {"posted": 1})
        assert_the_trail_tells_all(scene.tenant)


@both
@pytest.mark.parametrize(
    ("differs", "said"),
    [
        ({"total": "99.00"}, "its total is 99.00 and ours is 100.00"),
        pytest.param({"customer": "other"}, "its customer is", marks=pytest.mark.slow),
        pytest.param({"currency": "EUR"}, "its currency is EUR and ours is USD", marks=pytest.mark.slow),
        pytest.param({"days": 1}, "its posting date", marks=pytest.mark.slow),
    ],
)
def test_another_amount_customer_currency_or_date_is_refused_with_both_values(dialect, differs, said):
    with a_scene(dialect=dialect) as scene:
        source_id = decided.refused(scene, total=100_00)
        posting = scene.posting(source_id)
        day = posting.posting_date.replace(day=posting.posting_date.day % 28 + differs.get("days", 0))
        who = posting.customer_code
        if "customer" in differs:
            who = "QOTHER01"
            scene.world.qad.add_customer(who, "Other Works")
        values = {"currency": differs["currency"], "exchange_rate": None} if "currency" in differs else {}
        day = day if "days" in differs else posting.posting_date
        number = scene.world.qad.enter_invoice(
            who, differs.get("total", "100.00"), posting_date=day, document_date=day, **values
        )["number"]

        answer = decided.mark_posted(scene, source_id, str(number))

        assert said in answer
        assert scene.posting(source_id).state == "rejected"
        assert scene.posting(source_id).qad_number == ""


@pytest.mark.slow
def test_a_number_that_qad_does_not_have_or_that_is_anothers_is_refused():
    with a_scene() as scene:
        who = scene.customer()
        posted = scene.invoice(who, total=100_00)
        scene.sync()
        source_id = decided.refused(scene, customer=who, total=100_00)
        taken = scene.posting(posted).qad_number

        assert "QAD has no invoice 4711" in decided.mark_posted(scene, source_id, "4711")
        assert "belongs to another document here" in decided.mark_posted(scene, source_id, taken)
        assert decided.mark_posted(scene, source_id, " ") == "Give the number that the document has in QAD."
        assert scene.posting(source_id).state == "rejected"
        assert "cannot be marked as posted" in decided.mark_posted(scene, posted, taken)


@pytest.mark.slow
def test_one_qad_document_never_stands_for_two_of_ours():
    with a_scene() as scene:
        who = scene.customer()
        first = decided.refused(scene, customer=who, total=100_00)
        second = decided.refused(scene, customer=who, total=100_00)
        number = decided.keyed_in(scene, first)

        assert decided.mark_posted(scene, first, number) == ""
        assert "stands for another document here already" in decided.mark_posted(scene, second, number)


@pytest.mark.slow
def test_what_was_marked_by_hand_is_settled_and_followed_like_any_other():
    with a_scene() as scene:
        who = scene.customer()
        source_id = decided.refused(scene, customer=who, total=100_00)
        number = decided.keyed_in(scene, source_id)
        assert decided.mark_posted(scene, source_id, number) == ""

        scene.world.chargebee.pay({source_id: 100_00})
        scene.sync()

        edge = Edge.objects.get(tenant=scene.tenant, invoice_id=source_id)
        assert edge.applied_minor == edge.wanted_minor == 100_00
        code = scene.posting(source_id).customer_code
        assert sum(float(row["open"]) for row in scene.world.ledger()["open_items"].get(code, [])) == 0


@pytest.mark.slow
def test_while_our_own_copy_may_still_arrive_nobody_may_call_another_one_ours():
    with a_scene(policies={"settle_seconds": 900}) as scene:
        source_id = scene.invoice()
        scene.prepare()
        scene.fault("drop")
        scene.post()
        number = decided.keyed_in(scene, source_id)

        assert "may still arrive in QAD until" in decided.mark_posted(scene, source_id, number)
        scene.clock.forward(1200)
        assert decided.mark_posted(scene, source_id, number) == ""


@both
@pytest.mark.slow
def test_a_conflict_ends_when_an_accountant_takes_what_qad_has_and_reading_back_accepts_that(dialect):
    with a_scene(dialect=dialect) as scene:
        source_id = decided.a_conflict(scene)
        with scene.qad() as client:
            (side,) = resolving.look(client, scene.posting(source_id))
        assert ("total", "100.00", "99.00", True) in side.rows
        number = side.found.number

        assert decided.adopt(scene, source_id, number) == "Say in a few words why; the auditor will ask."
        assert decided.adopt(scene, source_id, number, "Agreed with the customer by phone") == ""

        assert (scene.posting(source_id).state, scene.posting(source_id).qad_number) == ("posted", number)
        assert decided.read_back(scene) == {"verified": 2}
        scene.sync()
        month = f"{scene.posting(source_id).posting_date:%Y-%m}"
        with scene.qad() as client:
            pace = running.pace_of(scene.tenant)
            row = reconcile(scene.tenant, client, Period.named(month), pace, clock=scene.clock, actor="test")
        assert row.is_balanced, row.variances
        assert [one["code"] for one in row.variances] == ["accepted"]
        assert_the_trail_tells_all(scene.tenant)


@pytest.mark.slow
def test_a_conflict_that_is_qads_fault_keeps_its_alarm_until_it_is_put_right_there():
    with a_scene() as scene:
        source_id = decided.a_conflict(scene)
        posting = scene.posting(source_id)
        said = resolving.mark_wrong(scene.tenant, posting, reason="A typing error", now=scene.clock(), actor="ada")
        assert said == ""
        assert scene.dispositions()["conflict"] == 1
        assert "ada says that QAD has it wrong: A typing error" in scene.sentences(source_id)
        assert "total 99.00 instead of 100.00" in decided.look_again(scene, source_id)

        wrong = decided.books(scene).documents["invoice"][-1]
        wrong["total"] = posting.total.amount

        assert "with the same total" in decided.look_again(scene, source_id)
        assert scene.posting(source_id).state == "posted"
        assert_the_trail_tells_all(scene.tenant)


@pytest.mark.slow
def test_a_conflict_whose_document_was_taken_out_of_qad_is_proved_absent_and_sent_once():
    with a_scene() as scene:
        source_id = decided.a_conflict(scene)
        reference = scene.posting(source_id).reference
        decided.taken_out(scene, scene.in_qad(reference)[0]["number"])

        assert "looked up twice before it is sent again" in decided.look_again(scene, source_id)
        assert scene.posting(source_id).state == "uncertain"
        for _ in range(3):
            scene.clock.forward(60)
            scene.post()

        assert scene.posting(source_id).state == "posted"
        assert [one["total"] for one in scene.in_qad(reference)] == ["100.00"]
        assert_the_trail_tells_all(scene.tenant)


@pytest.mark.slow
def test_of_two_documents_one_is_chosen_and_the_other_stays_an_open_instruction():
    with a_scene() as scene:
        source_id = decided.a_conflict(scene, "100.00", times=2)
        posting = scene.posting(source_id)
        assert posting.state == "duplicate"
        ours, other = sorted(one["number"] for one in scene.in_qad(posting.reference))

        assert decided.adopt(scene, source_id, ours) == ""

        surplus = Surplus.objects.get(tenant=scene.tenant)
        assert (surplus.qad_number, surplus.reversed_at) == (other, None)
        assert surplus.instruction.startswith(f"Reverse invoice {other}")
        assert decided.read_back(scene) == {"verified": 2}
        with scene.qad() as client:
            pace = running.pace_of(scene.tenant)
            seen = twice.sweep(scene.tenant, client, pace, clock=scene.clock, until=float("inf"))
        assert (seen["read"] > 2, seen["duplicate"]) == (True, 0)
        assert resolving.surplus_reversed(scene.tenant, surplus, now=scene.clock(), actor="ada") == ""
        assert resolving.surplus_reversed(scene.tenant, surplus, now=scene.clock(), actor="ada") != ""
        assert Posting.objects.filter(state="verified").count() == 2
        assert_the_trail_tells_all(scene.tenant)


@pytest.mark.slow
def test_a_decision_on_what_has_moved_on_meanwhile_changes_nothing():
    with a_scene() as scene:
        source_id = decided.a_conflict(scene)
        stale = scene.posting(source_id)
        number = scene.in_qad(stale.reference)[0]["number"]
        assert decided.adopt(scene, source_id, number, "As agreed") == ""
        with scene.qad() as client:
            again = resolving.adopt(
                scene.tenant, client, stale, number, reason="As agreed", now=scene.clock(), actor="bob"
            )
        assert "moved on" in again


@pytest.mark.slow
def test_a_document_marked_by_hand_never_serves_as_the_proof_that_the_look_up_works():
    with a_scene() as scene:
        scene.invoice()
        scene.sync()
        by_hand = decided.refused(scene)
        assert decided.mark_posted(scene, by_hand, decided.keyed_in(scene, by_hand)) == ""
        lost = scene.invoice()
        scene.prepare()
        scene.fault("drop")
        scene.post()
        scene.heal()

        for _ in range(4):
            scene.clock.forward(60)
            scene.post()

        assert scene.posting(lost).state == "posted"
        assert len(scene.in_qad(scene.posting(lost).reference)) == 1
