"""A document of which nothing could be made here counts as posted, once what somebody entered in QAD is found there."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from connector.ledger.compare import Period
from syncs import forcing, running
from syncs.models import Edge, Posting
from syncs.reconciling import reconcile
from tests.flows import decided
from tests.flows.hand import code, held, keyed_in, mark, today
from tests.flows.scene import Scene, a_scene
from tests.flows.told import assert_the_trail_tells_all

pytestmark = pytest.mark.django_db(transaction=True)
both = pytest.mark.parametrize("dialect", ["adaptive", pytest.param("offset-rest", marks=pytest.mark.slow)])


def balanced(scene: Scene, day: dt.date) -> bool:
    with scene.qad() as client:
        pace = running.pace_of(scene.tenant)
        row = reconcile(scene.tenant, client, Period.named(f"{day:%Y-%m}"), pace, clock=scene.clock, actor="test")
    return bool(row.is_balanced)


@both
@pytest.mark.slow
def test_a_held_invoice_that_was_entered_in_qad_counts_as_posted_and_is_settled_from_here(dialect):
    with a_scene(dialect=dialect) as scene:
        who = scene.customer()
        source_id = held(scene, who)
        assert scene.dispositions() == {"held": 1}
        number = keyed_in(scene, source_id)

        assert mark(scene, source_id, number) == ""
        scene.world.chargebee.pay({source_id: 10_000})
        scene.sync()

        posting = scene.posting(source_id)
        assert (posting.state, posting.qad_number, posting.is_by_hand) == ("posted", number, True)
        assert (scene.dispositions(), posting.attempts) == ({"posted": 1}, 0)
        edge = Edge.objects.get(tenant=scene.tenant, invoice_id=source_id)
        assert edge.applied_minor == edge.wanted_minor == 10_000
        assert scene.world.ledger()["open_items"].get(code(scene, who), []) == []
        assert decided.read_back(scene)["verified"] >= 2
        assert balanced(scene, posting.posting_date)
        assert_the_trail_tells_all(scene.tenant)


@pytest.mark.slow
def test_an_unreadable_invoice_counts_as_posted_until_chargebee_sends_other_content():
    with a_scene() as scene:
        source_id = held(scene, price_type="odd")
        assert scene.dispositions() == {"unreadable": 1}

        assert mark(scene, source_id, keyed_in(scene, source_id)) == ""
        scene.sync()

        assert scene.dispositions() == {"posted": 1}
        scene.world.chargebee.edit("invoice", source_id, price_type="odder")
        scene.sync()
        assert scene.dispositions() == {"unreadable": 1}


@pytest.mark.slow
@both
def test_a_held_note_and_a_held_refund_of_it_follow_each_other(dialect):
    with a_scene(dialect=dialect) as scene:
        who = scene.customer()
        invoice = scene.invoice(who, total=10_000)
        site = scene.world.chargebee
        payment = site.pay({invoice: 10_000})
        note = site.credit(invoice, 4_000, "refundable")
        site.edit("credit_note", note["id"], sub_total=1)
        site.refund_note(note["id"], 4_000, payment["id"])
        scene.sync()
        assert scene.dispositions("credit_note") == {"held": 1}
        assert scene.dispositions("transaction") == {"posted": 1, "waiting": 1}

        number = keyed_in(scene, note["id"], "credit_note", "40.00")
        assert mark(scene, note["id"], number, "credit_note") == ""
        scene.sync()

        assert scene.dispositions("credit_note") == {"posted": 1}
        assert scene.dispositions("transaction") == {"posted": 2}
        assert scene.world.ledger()["open_items"].get(code(scene, who), []) == []
        assert balanced(scene, scene.posting(note["id"]).posting_date)


@pytest.mark.parametrize("is_applied", [False, True])
@both
@pytest.mark.slow
def test_a_receipt_that_qad_books_first_is_matched_and_applied_once(dialect, is_applied):
    with a_scene(dialect=dialect, policies={"offline_payments": {}}) as scene:
        who = scene.customer()
        invoice = scene.invoice(who, total=10_000)
        scene.sync()
        payment = scene.world.chargebee.pay({invoice: 10_000}, payment_method="bank_transfer")["id"]
        scene.sync()
        assert scene.dispositions("transaction") == {"held": 1}
        day, posted = today(scene, payment, "transaction"), scene.posting(invoice)
        rows = [{"reference": posted.reference, "number": posted.qad_number, "kind": "invoice",
                 "amount": Decimal("100.00")}] if is_applied else []  # fmt: skip
        number = scene.world.qad.enter(
            "payment", code(scene, who), "100.00", posting_date=day, document_date=day, applications=rows
        )["number"]

        assert mark(scene, payment, number, "transaction", is_applied=is_applied) == ""
        scene.sync()

        edge = Edge.objects.get(tenant=scene.tenant, invoice_id=invoice)
        assert edge.applied_minor == edge.wanted_minor == 10_000
        kinds = set(Posting.objects.filter(source__source_id=payment).values_list("kind", flat=True))
        assert kinds == ({"payment"} if is_applied else {"payment", "application"})
        assert scene.world.ledger()["open_items"].get(code(scene, who), []) == []
        assert scene.dispositions("transaction") == {"posted": 1}


@pytest.mark.parametrize(
    ("total", "number", "said"),
    [
        ("99.00", None, "its total is 99.00 and ours is 100.00"),
        pytest.param("100.00", "4711", "QAD has no invoice 4711", marks=pytest.mark.slow),
        pytest.param("100.00", " ", "Give the number", marks=pytest.mark.slow),
    ],
)
def test_what_is_not_found_or_not_the_same_is_refused_and_leaves_nothing(total, number, said):
    with a_scene() as scene:
        source_id = held(scene)
        there = keyed_in(scene, source_id, total=total)

        assert said in mark(scene, source_id, number or there)

        assert scene.dispositions() == {"held": 1}
        assert not Posting.objects.exists()


@pytest.mark.slow
def test_another_customers_document_is_refused_and_an_unlinked_customer_takes_what_qad_shows():
    with a_scene() as scene:
        who, other = scene.customer(), scene.customer()
        source_id = held(scene, who)
        day = today(scene, source_id, "invoice")
        mapping = scene.tenant.customer_mappings.get(chargebee_id=who)
        number = keyed_in(scene, source_id)
        theirs = scene.world.qad.enter("invoice", code(scene, other), "100.00", posting_date=day, document_date=day)

        assert "its customer is" in mark(scene, source_id, theirs["number"])
        mapping.delete()
        assert "which is customer" in mark(scene, source_id, theirs["number"])
        assert mark(scene, source_id, number) == ""
        assert scene.posting(source_id).customer_code == mapping.qad_code


@pytest.mark.slow
def test_one_qad_document_stands_for_one_document_and_a_second_mark_is_refused():
    with a_scene() as scene:
        who = scene.customer()
        first, second = held(scene, who), held(scene, who)
        number = keyed_in(scene, first)

        assert mark(scene, first, number) == ""
        assert "stands for another document here already" in mark(scene, second, number)
        assert "only what is held or unreadable" in mark(scene, first, number)
        assert Posting.objects.count() == 1


@pytest.mark.slow
@pytest.mark.parametrize("end", ["edited", "voided"])
def test_what_was_entered_by_hand_is_never_reversed_or_sent_from_here(end):
    with a_scene() as scene:
        source_id = held(scene)
        number = keyed_in(scene, source_id)
        assert mark(scene, source_id, number) == ""
        scene.sync()
        if end == "edited":
            scene.world.chargebee.edit("invoice", source_id, sub_total=None, po_number="7")
            scene.world.chargebee.change_line(source_id, 0, 20_000)
        else:
            scene.world.chargebee.void_invoice(source_id)

        scene.sync()

        assert scene.dispositions() == {"held": 1}
        said = scene.sentences(source_id)
        assert f"by hand as {number}" in said and "QAD" in said
        assert (scene.sent(), Posting.objects.count()) == (0, 1)
        assert "cannot be sent from here" in forcing.why_not(scene.posting(source_id))


@pytest.mark.slow
def test_what_does_not_stand_in_chargebee_is_never_marked():
    with a_scene() as scene:
        source_id = held(scene, price_type="odd")
        scene.world.chargebee.edit("invoice", source_id, status="voided")
        scene.sync()

        assert "does not stand in Chargebee" in mark(scene, source_id, keyed_in(scene, source_id))


@pytest.mark.slow
def test_what_was_withdrawn_before_it_was_sent_is_compared_with_what_chargebee_has_now():
    with a_scene() as scene:
        source_id = scene.invoice(total=80_00)
        scene.prepare()
        withdrawn = scene.posting(source_id)
        scene.world.chargebee.change_line(source_id, 0, 100_00)
        scene.world.chargebee.edit("invoice", source_id, sub_total=9_999)
        scene.prepare()
        assert scene.posting(source_id).state == "held"
        old, new = keyed_in(scene, source_id, total="80.00"), keyed_in(scene, source_id)

        assert "its total is 80.00 and ours is 100.00" in mark(scene, source_id, old)
        assert scene.posting(source_id).total_minor == 80_00
        assert mark(scene, source_id, new) == ""
        scene.sync()

        posting = scene.posting(source_id)
        assert (posting.reference, posting.state, posting.total_minor) == (withdrawn.reference, "posted", 100_00)
        assert (scene.dispositions(), scene.sent()) == ({"posted": 1}, 0)
        assert_the_trail_tells_all(scene.tenant)
