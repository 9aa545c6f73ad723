"""Credit notes, write-offs, payments and refunds reach QAD once, settle what they should, and go back when they end."""

from __future__ import annotations

from decimal import Decimal

import pytest

from syncs.models import Edge, Posting
from tests.flows.ledgers import assert_books_agree
from tests.flows.scene import a_scene

pytestmark = pytest.mark.django_db(transaction=True)


def kinds(scene):
    return sorted(Posting.objects.filter(tenant=scene.tenant).values_list("kind", "state"))


def open_items(scene, customer):
    code = scene.tenant.customer_mappings.get(chargebee_id=customer).qad_code
    rows = scene.world.ledger()["open_items"].get(code, [])
    return sum(Decimal(row["open"]) for row in rows)


@pytest.mark.parametrize("dialect", ["adaptive", pytest.param("offset-rest", marks=pytest.mark.slow)])
@pytest.mark.slow
def test_a_cycle_of_all_kinds_agrees_with_qad_and_with_the_oracle(dialect):
    with a_scene(customers=14, dialect=dialect) as scene:
        scene.world.bill_cycle(kinds="all")

        story = scene.sync()

        assert (story.run.state, story.run.sentence) == ("complete", "")
        assert scene.dispositions("transaction")["posted"] > 5
        assert scene.dispositions("credit_note")["posted"] > 0
        assert_books_agree(scene)


@pytest.mark.slow
def test_it_posts_nothing_twice_when_it_runs_again():
    with a_scene(customers=10) as scene:
        scene.world.bill_cycle(kinds="all")
        scene.sync()
        before = (kinds(scene), len(scene.world.ledger()["documents"]))

        again = scene.sync()

        assert again.posted == {}
        assert (kinds(scene), len(scene.world.ledger()["documents"])) == before


def test_a_payment_that_came_with_its_invoice_settles_it_at_once():
    with a_scene() as scene:
        who = scene.customer()
        number = scene.invoice(who, total=10_000)
        scene.world.chargebee.pay({number: 10_000})

        scene.sync()

        assert kinds(scene) == [("invoice", "posted"), ("payment", "posted")]
        assert open_items(scene, who) == 0
        assert_books_agree(scene)


@pytest.mark.slow
def test_a_part_payment_and_an_excess_payment_keep_their_rests():
    with a_scene() as scene:
        who = scene.customer()
        first, second = scene.invoice(who, total=10_000), scene.invoice(who, total=5_000)
        scene.world.chargebee.pay({first: 4_000})
        scene.world.chargebee.pay({second: 5_000}, unused=2_500)

        scene.sync()

        assert open_items(scene, who) == Decimal("60.00") - Decimal("25.00")
        assert_books_agree(scene)


@pytest.mark.slow
def test_a_payment_applied_later_is_an_adjustment_of_its_own():
    with a_scene() as scene:
        who = scene.customer()
        first, later = scene.invoice(who, total=5_000), scene.invoice(who, total=10_000)
        paid = scene.world.chargebee.pay({first: 5_000}, unused=10_000)
        scene.sync()
        scene.clock.forward(60)
        link = {**paid["linked_invoices"][0], "invoice_id": later, "applied_amount": 10_000}
        links = [*paid["linked_invoices"], link]
        scene.world.chargebee.edit("transaction", paid["id"], linked_invoices=links, amount_unused=0)

        scene.sync()

        assert kinds(scene) == [("application", "posted"), *[("invoice", "posted")] * 2, ("payment", "posted")]
        edge = Edge.objects.get(tenant=scene.tenant, invoice_id=later)
        assert edge.wanted_minor == edge.applied_minor == 10_000
        assert open_items(scene, who) == 0


@pytest.mark.parametrize("dialect", ["adaptive", pytest.param("offset-rest", marks=pytest.mark.slow)])
@pytest.mark.slow
def test_a_refund_whose_answer_got_lost_is_found_and_not_sent_again(dialect):
    with a_scene(dialect=dialect) as scene:
        paid = scene.world.chargebee.pay({scene.invoice(total=10_000): 10_000}, unused=2_000)
        scene.sync()
        scene.clock.forward(60)
        scene.world.chargebee.refund_payment(paid["id"], 2_000)
        scene.fault("drop_after_commit", path="", body="CB-REF-")
        scene.sync()
        assert kinds(scene)[-1] == ("refund", "uncertain")

        scene.clock.forward(4000)
        scene.post()

        assert kinds(scene)[-1] == ("refund", "posted")
        assert Posting.objects.get(kind="refund").attempts == 1
        assert_books_agree(scene)


@pytest.mark.slow
def test_a_payment_taken_off_its_invoice_is_taken_back_in_qad_too():
    with a_scene() as scene:
        who = scene.customer()
        number = scene.invoice(who, total=10_000)
        paid = scene.world.chargebee.pay({number: 10_000})
        scene.sync()
        scene.clock.forward(60)
        scene.world.chargebee.edit("transaction", paid["id"], linked_invoices=[], amount_unused=10_000)

        scene.sync()

        assert ("unapplication", "posted") in kinds(scene)
        assert Edge.objects.get(tenant=scene.tenant).applied_minor == 0
        assert open_items(scene, who) == 0  # 100 owed, 100 on account


def test_a_held_invoice_never_keeps_cash_back():
    with a_scene(mapped=True) as scene:
        who = scene.customer()
        number = scene.invoice(who, total=10_000)
        scene.world.chargebee.pay({number: 10_000})
        scene.tenant.item_mappings.all().delete()

        scene.sync()

        assert scene.dispositions()["held"] == 1
        assert kinds(scene) == [("payment", "posted")]
        assert open_items(scene, who) == Decimal("-100.00")


@pytest.mark.parametrize("signal", ["late_failure", "reversal"])
@pytest.mark.slow
def test_a_payment_that_fails_after_posting_is_reversed_once_and_its_invoice_reopens(signal):
    with a_scene() as scene:
        who = scene.customer()
        number = scene.invoice(who, total=10_000)
        paid = scene.world.chargebee.pay({number: 10_000})
        scene.sync()
        scene.clock.forward(60)
        if signal == "reversal":
            scene.world.chargebee.reverse_payment(paid["id"])
        else:
            scene.world.chargebee.change_payment(paid["id"], "late_failure")

        scene.sync()
        scene.sync()

        assert kinds(scene) == [("invoice", "posted"), ("payment", "reversed"), ("reversal", "posted")]
        assert open_items(scene, who) == Decimal("100.00")


def test_a_write_off_is_gross_against_bad_debt():
    with a_scene() as scene:
        who = scene.customer()
        number = scene.invoice(who, total=10_000)
        scene.world.chargebee.write_off(number)

        scene.sync()

        assert kinds(scene) == [("credit_note", "posted"), ("invoice", "posted")]
        assert scene.world.ledger()["trial_balance"]["6500"] == {"USD": "100.00"}
        assert open_items(scene, who) == 0
        assert_books_agree(scene)


@pytest.mark.slow
def test_a_refund_waits_for_its_credit_note_and_follows_by_itself():
    with a_scene() as scene:
        who = scene.customer()
        number = scene.invoice(who, total=10_000)
        scene.world.chargebee.pay({number: 10_000})
        note = scene.world.chargebee.credit(number, 3_000, kind="refundable")
        scene.world.chargebee.refund_note(note["id"], 3_000)

        scene.sync()

        assert ("refund", "posted") in kinds(scene)
        assert open_items(scene, who) == 0
        assert_books_agree(scene)


@pytest.mark.slow
def test_what_never_moved_money_is_skipped_and_counted():
    with a_scene() as scene:
        who = scene.customer()
        number = scene.invoice(who, total=10_000)
        for status in ("failure", "in_progress", "timeout", "needs_attention"):
            scene.world.chargebee.pay({number: 10_000}, status=status)

        scene.sync()

        assert scene.dispositions("transaction") == {"skipped": 4}
        assert kinds(scene) == [("invoice", "posted")]


@pytest.mark.slow
def test_a_voided_credit_note_is_reversed_and_its_invoice_reopens():
    with a_scene() as scene:
        who = scene.customer()
        number = scene.invoice(who, total=10_000)
        note = scene.world.chargebee.credit(number, 4_000, kind="adjustment")
        scene.sync()
        scene.clock.forward(60)
        scene.world.chargebee.void_note(note["id"])

        scene.sync()

        assert kinds(scene) == [("credit_note", "reversed"), ("invoice", "posted"), ("reversal", "posted")]
        assert open_items(scene, who) == Decimal("100.00")


@pytest.mark.slow
def test_money_never_applied_goes_back_from_the_payment():
    with a_scene() as scene:
        who = scene.customer()
        number = scene.invoice(who, total=10_000)
        paid = scene.world.chargebee.pay({number: 10_000}, unused=3_000)
        scene.world.chargebee.refund_payment(paid["id"], 3_000)

        scene.sync()

        assert kinds(scene) == [("invoice", "posted"), ("payment", "posted"), ("refund", "posted")]
        assert open_items(scene, who) == 0


@pytest.mark.slow
def test_a_refund_waits_while_its_payment_is_held_and_follows_when_it_is_free():
    with a_scene() as scene:
        who = scene.customer()
        number = scene.invoice(who, total=10_000)
        paid = scene.world.chargebee.pay({number: 10_000}, unused=3_000)
        scene.world.chargebee.refund_payment(paid["id"], 3_000, gateway="not_applicable", payment_method="check")
        banks = scene.tenant.bank_mappings.filter(gateway="")
        saved = list(banks.values())
        banks.delete()
        scene.sync()
        assert scene.dispositions("transaction") == {"held": 1, "waiting": 1}
        for row in saved:
            scene.tenant.bank_mappings.create(
                **{name: value for name, value in row.items() if name not in ("id", "tenant_id")}
            )

        scene.sync()

        assert scene.dispositions("transaction") == {"posted": 2}
