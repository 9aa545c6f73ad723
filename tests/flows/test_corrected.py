"""What is edited in Chargebee after it was posted: taken off, reversed, posted anew and applied again, to the cent."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from syncs import replay
from syncs.models import Edge, Posting, SourceDocument
from tests.flows.ledgers import assert_books_agree, net, oracles, oracles_open_items, ours, qads, qads_open_items
from tests.flows.scene import Scene, a_scene

pytestmark = pytest.mark.django_db(transaction=True)

WRITES = r"(customerInvoices|customerCreditNotes|customerPayments|customerAdjustments|journalEntries)"


def again(scene: Scene) -> None:
    scene.clock.forward(60)
    scene.sync()


def chain(scene: Scene, source_id: str) -> list[str]:
    """'invoice 1 posted': kind, place and state of every posting of a document."""
    rows = Posting.objects.filter(tenant=scene.tenant, source__source_id=source_id).order_by("pk")
    return [f"{one.kind} {one.place} {one.state}" for one in rows]


def assert_settled(scene: Scene, **options: Any) -> None:
    """The books agree, every edge is as Chargebee has it, nothing waits, and one more sync adds nothing."""
    assert_books_agree(scene, **options)
    for edge in Edge.objects.filter(tenant=scene.tenant):
        assert edge.wanted_minor == edge.applied_minor, str(edge)
    before = len(scene.world.ledger()["documents"])
    again(scene)
    assert len(scene.world.ledger()["documents"]) == before
    for kind in ("invoice", "credit_note", "transaction"):
        assert set(scene.dispositions(kind)) <= {"posted", "skipped"}


def a_paid_and_credited_invoice(scene: Scene) -> tuple[str, str, str]:
    """100.00, of which a payment settles 60.00 and an adjustment note 15.00: all posted."""
    number = scene.invoice(total=100_00)
    paid = scene.world.chargebee.pay({number: 60_00})
    note = scene.world.chargebee.credit(number, 15_00, kind="adjustment")
    scene.sync()
    assert_books_agree(scene)
    return number, paid["id"], note["id"]


@pytest.mark.parametrize("dialect", ["adaptive", pytest.param("offset-rest", marks=pytest.mark.slow)])
def test_an_edited_invoice_is_taken_off_reversed_posted_anew_and_settled_again(dialect):
    with a_scene(dialect=dialect) as scene:
        number, paid, note = a_paid_and_credited_invoice(scene)
        scene.world.chargebee.change_line(number, 0, 123_00)

        again(scene)

        assert chain(scene, number) == ["invoice 0 reversed", "reversal 0 posted", "invoice 1 posted"]
        for owner, kind in ((paid, "payment"), (note, "credit_note")):
            assert chain(scene, owner) == [f"{kind} 0 posted", "unapplication 0 posted", "application 1 posted"]
        assert scene.world.ledger()["trial_balance"]["4000"] == {"USD": "-108.00"}
        assert_settled(scene)


@pytest.mark.slow
def test_the_new_version_takes_the_next_place_and_names_no_time():
    with a_scene() as scene:
        number = scene.invoice(total=100_00)
        scene.sync()
        for amount in (110_00, 120_00, 130_00):
            scene.world.chargebee.change_line(number, 0, amount)
            again(scene)

        postings = Posting.objects.filter(tenant=scene.tenant, kind="invoice").order_by("place")
        assert [one.reference.removeprefix(postings[0].reference) for one in postings] == ["", "-1", "-2", "-3"]
        assert [one.state for one in postings] == ["reversed", "reversed", "reversed", "posted"]
        totals = Counter[str]()
        for one in scene.world.ledger()["documents"]:
            totals[one["kind"]] += int(Decimal(one["total"]) * 100)
        assert totals["invoice"] == 130_00  # the sum of the chain is what Chargebee has
        assert_settled(scene)


@pytest.mark.slow
@pytest.mark.parametrize(
    "amounts", [(123_00, 100_00), (123_00, 140_00), pytest.param((80_00, 123_00), marks=pytest.mark.slow)]
)
def test_an_edit_of_an_edit_that_was_not_sent_yet_posts_only_the_last_one(amounts):
    with a_scene() as scene:
        number, *_ = a_paid_and_credited_invoice(scene)
        scene.world.chargebee.change_line(number, 0, amounts[0])
        scene.clock.forward(60)
        scene.prepare()
        scene.world.chargebee.change_line(number, 0, amounts[1])

        again(scene)
        again(scene)

        versions = [one for one in chain(scene, number) if one.startswith("invoice")]
        taken_back = amounts[1] != 100_00
        assert versions == (["invoice 0 reversed", "invoice 1 posted"] if taken_back else ["invoice 0 posted"])
        assert_settled(scene)


@pytest.mark.slow
def test_an_edit_back_to_the_first_amount_is_a_version_of_its_own():
    with a_scene() as scene:
        number, *_ = a_paid_and_credited_invoice(scene)
        scene.world.chargebee.change_line(number, 0, 123_00)
        again(scene)
        scene.world.chargebee.change_line(number, 0, 100_00)

        again(scene)

        versions = [one for one in chain(scene, number) if one.startswith("invoice")]
        assert versions == ["invoice 0 reversed", "invoice 1 reversed", "invoice 2 posted"]
        assert_settled(scene)


@pytest.mark.slow
def test_an_edited_invoice_that_is_voided_then_leaves_nothing():
    with a_scene() as scene:
        number = scene.invoice(total=100_00)
        scene.sync()
        before = scene.world.chargebee.change_line(number, 0, 123_00)
        again(scene)
        scene.world.chargebee.void_invoice(number)

        again(scene)

        assert chain(scene, number)[-2:] == ["invoice 1 reversed", "reversal 1 posted"]
        assert scene.world.ledger()["trial_balance"] == {}
        assert_settled(scene, before=[before])


@pytest.mark.slow
def test_an_invoice_voided_while_its_correction_is_under_way_is_not_posted_anew():
    with a_scene() as scene:
        number = scene.invoice(total=100_00)
        scene.sync()
        before = scene.world.chargebee.get("invoice", number)
        scene.world.chargebee.change_line(number, 0, 123_00)
        scene.clock.forward(60)
        scene.prepare()
        scene.world.chargebee.void_invoice(number)

        again(scene)

        assert chain(scene, number) == ["invoice 0 reversed", "reversal 0 posted"]
        assert_settled(scene, before=[before])


@pytest.mark.slow
def test_an_edit_whose_new_version_cannot_be_coded_takes_nothing_back():
    with a_scene() as scene:
        number, *_ = a_paid_and_credited_invoice(scene)
        scene.tenant.item_mappings.all().delete()
        scene.world.chargebee.change_line(number, 0, 123_00)

        again(scene)

        assert chain(scene, number) == ["invoice 0 posted"]
        assert scene.dispositions() == {"held": 1}
        assert "has no GL account" in scene.sentences(number)


@pytest.mark.slow
def test_held_by_policy_it_names_both_amounts_and_replay_corrects_it_when_the_policy_allows():
    with a_scene(policies={"edited_after_posting": "hold"}) as scene:
        number, *_ = a_paid_and_credited_invoice(scene)
        scene.world.chargebee.change_line(number, 0, 123_00)
        again(scene)
        assert scene.dispositions() == {"held": 1}
        scene.tenant.policy_settings.filter(key="edited_after_posting").update(value="correct")
        scene.source(number).__class__.objects.filter(source_id=number).update(state="new")

        again(scene)

        assert_settled(scene)


SLOW = pytest.mark.slow
LOST = [(fault, write) for fault in ("drop", "drop_after_commit") for write in range(7)]
QUICK = (("drop", 3), ("drop_after_commit", 2))


@pytest.mark.parametrize(("fault", "write"), [pytest.param(*one, marks=[] if one in QUICK else [SLOW]) for one in LOST])
@pytest.mark.slow
def test_a_correction_goes_on_after_any_of_its_writes_was_lost(write, fault):
    with a_scene() as scene:
        other, *_ = a_paid_and_credited_invoice(scene)  # what every look-up is proved with
        scene.world.chargebee.change_line(other, 0, 110_00)
        number, *_ = a_paid_and_credited_invoice(scene)
        scene.world.chargebee.change_line(number, 0, 123_00)
        scene.fault(fault, path=WRITES, after=write)
        again(scene)
        scene.heal()

        for _ in range(4):
            again(scene)

        assert [one for one in chain(scene, number) if "invoice" in one] == ["invoice 0 reversed", "invoice 1 posted"]
        assert_settled(scene)


@pytest.mark.slow
def test_a_rejected_step_of_a_correction_is_shown_and_goes_on_when_it_is_mended():
    with a_scene() as scene:
        number, paid, _ = a_paid_and_credited_invoice(scene)
        scene.world.chargebee.change_line(number, 0, 123_00)
        scene.world.qad.deactivate_master("daybook", "CADJ")
        again(scene)
        assert scene.dispositions("transaction") == {"rejected": 1}
        assert scene.dispositions("invoice") == {"waiting": 1}
        scene.world.qad.company.masters["daybook"]["CADJ"]["is_active"] = True
        scene.clock.forward(60)
        replay.resend(scene.tenant, list(scene.tenant.source_documents.all()), now=scene.clock(), actor="test")

        again(scene)

        assert chain(scene, paid)[-1] == "application 1 posted"
        assert_settled(scene)


@pytest.mark.slow
def test_deciding_again_at_any_time_adds_nothing():
    with a_scene() as scene:
        number, *_ = a_paid_and_credited_invoice(scene)
        scene.world.chargebee.change_line(number, 0, 123_00)
        for _ in range(3):
            scene.clock.forward(60)
            scene.prepare()
            rows = list(scene.tenant.source_documents.exclude(kind__in=("item", "item_price", "item_family")))
            rows[0].__class__.objects.filter(pk__in=[row.pk for row in rows if row.kind != "customer"]).update(
                state="new"
            )
            replay.rebuild(scene.tenant, rows, now=scene.clock(), actor="test")

        again(scene)

        assert len(chain(scene, number)) == 3
        assert_settled(scene)


@pytest.mark.slow
def test_an_edited_credit_note_is_reversed_and_posted_anew_with_its_refund():
    with a_scene() as scene:
        number = scene.invoice(total=100_00)
        scene.world.chargebee.pay({number: 100_00})
        note = scene.world.chargebee.credit(number, 30_00, kind="refundable")
        refund = scene.world.chargebee.refund_note(note["id"], 30_00)
        scene.sync()
        assert_books_agree(scene)
        lines = [{**line, "amount": 50_00, "unit_amount": 50_00} for line in note["line_items"]]
        sums = {"sub_total": 50_00, "total": 50_00, "amount_available": 20_00, "status": "refund_due"}
        scene.world.chargebee.edit("credit_note", note["id"], line_items=lines, **sums)

        again(scene)

        assert chain(scene, note["id"]) == ["credit_note 0 reversed", "reversal 0 posted", "credit_note 1 posted"]
        assert chain(scene, refund["id"]) == ["refund 0 reversed", "reversal 0 posted", "refund 1 posted"]
        assert_settled(scene)


@pytest.mark.slow
def test_an_edited_payment_is_reversed_and_posted_anew_on_its_invoices():
    with a_scene() as scene:
        who = scene.customer()
        first, second = scene.invoice(who, total=100_00), scene.invoice(who, total=50_00)
        paid = scene.world.chargebee.pay({first: 100_00, second: 20_00}, unused=10_00)
        refund = scene.world.chargebee.refund_payment(paid["id"], 4_00)
        scene.sync()
        assert_books_agree(scene)
        scene.world.chargebee.edit("transaction", paid["id"], amount=140_00, amount_unused=16_00)

        again(scene)

        assert chain(scene, paid["id"]) == ["payment 0 reversed", "reversal 0 posted", "payment 1 posted"]
        assert chain(scene, refund["id"])[-1] == "refund 1 posted"
        assert_settled(scene)


@pytest.mark.slow
def test_an_edited_refund_is_reversed_and_posted_anew():
    with a_scene() as scene:
        number = scene.invoice(total=100_00)
        paid = scene.world.chargebee.pay({number: 100_00}, unused=30_00)
        refund = scene.world.chargebee.refund_payment(paid["id"], 10_00)
        scene.sync()
        links = [
            {**row, "txn_amount": 12_00}
            for row in scene.world.chargebee.get("transaction", paid["id"])["linked_refunds"]
        ]
        scene.world.chargebee.edit("transaction", paid["id"], linked_refunds=links, amount_unused=18_00)
        scene.world.chargebee.edit("transaction", refund["id"], amount=12_00)

        again(scene)

        assert chain(scene, refund["id"]) == ["refund 0 reversed", "reversal 0 posted", "refund 1 posted"]
        assert_settled(scene)


@pytest.mark.slow
def test_an_invoice_and_its_note_edited_at_once_do_not_wait_for_each_other():
    with a_scene() as scene:
        number, _, note = a_paid_and_credited_invoice(scene)
        scene.world.chargebee.change_line(number, 0, 123_00)
        held = scene.world.chargebee.get("credit_note", note)
        lines = [{**line, "amount": 20_00, "unit_amount": 20_00} for line in held["line_items"]]
        parts = [{**row, "allocated_amount": 20_00} for row in held["allocations"]]
        sums = {"sub_total": 20_00, "total": 20_00, "amount_allocated": 20_00}
        scene.world.chargebee.edit("credit_note", note, line_items=lines, allocations=parts, **sums)
        links = [
            {**row, "cn_total": 20_00}
            for row in scene.world.chargebee.get("invoice", number)["adjustment_credit_notes"]
        ]
        scene.world.chargebee.edit("invoice", number, adjustment_credit_notes=links)

        again(scene)

        assert chain(scene, note)[-1] in ("credit_note 1 posted", "application 2 posted")
        assert_settled(scene)


@pytest.mark.slow
def test_a_posted_invoice_that_chargebee_calls_pending_again_is_held():
    with a_scene() as scene:
        number = scene.invoice(total=100_00)
        scene.sync()
        scene.world.chargebee.edit("invoice", number, status="pending")

        again(scene)

        assert scene.dispositions() == {"held": 1}
        assert "pending again" in scene.sentences(number)
        assert chain(scene, number) == ["invoice 0 posted"]


def what_holds_back(scene) -> dict[str, str]:
    """Each waiting document: the state of the document at the root of its wait."""
    found = {}
    for row in SourceDocument.objects.filter(state="waiting"):
        root = row
        while root.state == "waiting":
            root = scene.source(*reversed(root.waits_for.split(":", 1)))
        found[row.source_id] = root.state
    return found


@pytest.mark.slow
def test_what_people_change_after_a_cycle_reaches_qad_to_the_cent():
    with a_scene(customers=12) as scene:
        scene.world.bill_cycle(kinds="all")
        scene.sync()
        scene.clock.forward(60)
        site = scene.world.chargebee
        stood = {row["id"]: row for row in site.all("invoice") if row["status"] != "voided"}
        done = site.change_afterwards()
        assert {"edited", "voided", "withheld", "void-noted"} <= done.keys(), done

        again(scene)
        again(scene)

        ended = [row["id"] for row in site.all("invoice") if row["status"] == "voided"]
        before = [stood[key] for key in ended if key in stood]
        ledger, oracle = scene.world.ledger(), oracles(scene, before)
        assert ours(scene) == qads(ledger) == net(oracle)
        assert qads_open_items(scene, ledger) == oracles_open_items(oracle)
        for kind in ("invoice", "credit_note", "transaction"):
            assert set(scene.dispositions(kind)) <= {"posted", "skipped", "held", "waiting"}
        assert set(what_holds_back(scene).values()) <= {"held"}  # customers that nobody linked
        assert not SourceDocument.objects.filter(state="new").exists()
        assert not Posting.objects.filter(state__in=("ready", "sending", "uncertain")).exists()
