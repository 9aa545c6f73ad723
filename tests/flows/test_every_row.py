"""Each kind of document that Chargebee makes, from beginning to end: in QAD, in our books and in the oracle's."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from syncs.models import Posting
from tests.flows.ledgers import assert_books_agree
from tests.flows.scene import Scene, a_scene
from tests.flows.setting import SINCE

pytestmark = pytest.mark.django_db(transaction=True)

PLAN = "pro-USD-Monthly"


def again(scene: Scene) -> None:
    scene.clock.forward(60)
    scene.sync()


def chain(scene: Scene, source_id: str) -> list[str]:
    rows = Posting.objects.filter(tenant=scene.tenant, source__source_id=source_id).order_by("pk")
    return [f"{one.kind} {one.state}" for one in rows]


def opens(scene: Scene) -> dict[str, str]:
    """Chargebee id -> what is open of it in QAD."""
    source_of = dict(Posting.objects.filter(tenant=scene.tenant).values_list("reference", "source__source_id"))
    rows = [row for rows in scene.world.ledger()["open_items"].values() for row in rows]
    return {source_of[row["reference"]]: row["open"] for row in rows}


def balance(scene: Scene, account: str) -> Decimal:
    """What QAD has on an account, in dollars."""
    return Decimal(scene.world.ledger()["trial_balance"].get(account, {}).get("USD", "0"))


def of_site(scene: Scene, kind: str, key: str) -> dict[str, Any]:
    return scene.world.chargebee.get(kind, key)


def withheld(scene: Scene, amount: int, name: str = "tw-1") -> dict[str, Any]:
    return {"id": name, "amount": amount, "reference_number": name, "date": scene.world.clock.seconds()}


@pytest.mark.slow
def test_an_invoice_voided_before_it_was_posted_is_posted_and_reversed_by_policy():
    with a_scene(policies={"voided_before_posting": "post_and_reverse"}) as scene:
        number = scene.invoice(status="voided")

        scene.sync()
        again(scene)

        assert chain(scene, number) == ["invoice reversed", "reversal posted"]
        assert scene.dispositions() == {"posted": 1}
        assert_books_agree(scene, voided_before_posting="post_and_reverse")


@pytest.mark.slow
def test_an_invoice_voided_by_a_credit_note_before_it_was_posted_is_posted_with_that_note_by_policy():
    with a_scene(policies={"voided_before_posting": "post_and_reverse"}) as scene:
        number = scene.invoice(total=100_00)
        scene.world.chargebee.void_invoice(number, with_credit_note=True)

        scene.sync()
        again(scene)

        assert chain(scene, number) == ["invoice posted"]
        assert scene.dispositions("credit_note") == {"posted": 1}
        assert opens(scene) == {}


@pytest.mark.slow
def test_a_voided_invoice_and_its_void_note_are_both_skipped_where_the_policy_skips():
    with a_scene() as scene:
        number = scene.invoice(total=100_00)
        scene.world.chargebee.void_invoice(number, with_credit_note=True)

        scene.sync()

        assert (scene.dispositions(), scene.dispositions("credit_note")) == ({"skipped": 1}, {"skipped": 1})
        assert scene.world.ledger()["documents"] == []


@pytest.mark.slow
def test_a_pending_draft_that_is_deleted_is_neither_posted_nor_reversed_by_any_policy():
    with a_scene(policies={"voided_before_posting": "post_and_reverse"}) as scene:
        draft = scene.invoice(status="pending")
        scene.sync()
        scene.world.chargebee.delete("invoice", draft)

        again(scene)

        assert chain(scene, draft) == []
        assert scene.dispositions() == {"skipped": 1}


@pytest.mark.slow
def test_a_paid_invoice_whose_payment_is_removed_and_that_is_voided_goes_in_one_sync():
    with a_scene() as scene:
        number = scene.invoice(total=100_00)
        paid = scene.world.chargebee.pay({number: 100_00})
        scene.sync()
        before = of_site(scene, "invoice", number)
        scene.world.chargebee.edit("transaction", paid["id"], linked_invoices=[], amount_unused=100_00)
        scene.world.chargebee.edit("invoice", number, linked_payments=None, status="not_paid")
        scene.world.chargebee.void_invoice(number)

        again(scene)

        assert chain(scene, number) == ["invoice reversed", "reversal posted"]
        assert chain(scene, paid["id"]) == ["payment posted", "unapplication posted"]
        assert_books_agree(scene, before=[before])


@pytest.mark.slow
def test_tax_withheld_after_posting_is_credited_to_the_invoice_and_taken_back_when_it_is_removed():
    with a_scene() as scene:
        number = scene.invoice(total=100_00)
        scene.sync()
        scene.world.chargebee.edit("invoice", number, linked_taxes_withheld=[withheld(scene, 10_00)])
        again(scene)
        assert chain(scene, number) == ["invoice posted", "payment posted"]
        assert (balance(scene, "1250"), opens(scene)) == (Decimal("10.00"), {number: "90.00"})
        assert_books_agree(scene)
        scene.world.chargebee.edit("invoice", number, linked_taxes_withheld=None)

        again(scene)

        assert chain(scene, number) == ["invoice posted", "payment reversed", "reversal posted"]
        assert (balance(scene, "1250"), opens(scene)) == (Decimal(0), {number: "100.00"})
        assert_books_agree(scene)


@pytest.mark.slow
def test_an_edited_invoice_takes_its_withheld_tax_along():
    with a_scene() as scene:
        number = scene.invoice(total=100_00)
        scene.world.chargebee.pay({number: 50_00})
        scene.world.chargebee.edit(
            "invoice", number, linked_taxes_withheld=[withheld(scene, 10_00), withheld(scene, 5_00, "tw-2")]
        )
        scene.sync()
        assert opens(scene) == {number: "35.00"}
        scene.world.chargebee.change_line(number, 0, 123_00)

        again(scene)

        assert Posting.objects.get(tenant=scene.tenant, kind="invoice", state="posted").place == 1
        assert opens(scene)[number] == "58.00"
        assert balance(scene, "1250") == Decimal("15.00")
        assert_books_agree(scene)


@pytest.mark.slow
def test_withheld_tax_that_goes_back_with_a_credit_note_uses_it_up():
    with a_scene() as scene:
        number = scene.invoice(total=100_00)
        scene.world.chargebee.pay({number: 100_00})
        note = scene.world.chargebee.credit(number, 30_00, kind="refundable")
        back = {"linked_tax_withheld_refunds": [withheld(scene, 10_00)], "amount_refunded": 10_00}
        scene.world.chargebee.edit("credit_note", note["id"], amount_available=20_00, **back)

        scene.sync()

        assert chain(scene, note["id"]) == ["credit_note posted", "refund posted"]
        assert (balance(scene, "1250"), opens(scene)) == (Decimal("-10.00"), {note["id"]: "-20.00"})
        assert_books_agree(scene)


@pytest.mark.slow
def test_an_amount_due_that_nothing_explains_holds_the_invoice():
    with a_scene() as scene:
        number = scene.invoice(total=100_00)
        scene.world.chargebee.edit("invoice", number, amount_due=90_00)

        scene.sync()

        assert scene.dispositions() == {"held": 1}
        assert "its amount due is 90.00 USD, but total less payments and credits is 100.00 USD" in scene.sentences(
            number
        )


@pytest.mark.slow
def test_a_refundable_note_applied_later_to_another_invoice_settles_it():
    with a_scene() as scene:
        who = scene.customer()
        first, second = scene.invoice(who, total=100_00), scene.invoice(who, total=50_00)
        scene.world.chargebee.pay({first: 100_00})
        note = scene.world.chargebee.credit(first, 40_00, kind="refundable")
        scene.sync()
        scene.world.chargebee.apply_note(note["id"], second, 30_00)

        again(scene)

        assert chain(scene, note["id"]) == ["credit_note posted", "application posted"]
        assert opens(scene) == {second: "20.00", note["id"]: "-10.00"}
        assert_books_agree(scene)


@pytest.mark.slow
def test_a_store_note_is_posted_with_the_tax_that_it_gives():
    with a_scene() as scene:
        number = scene.invoice(total=100_00)
        note = scene.world.chargebee.credit(number, 20_00, kind="store")

        scene.sync()

        assert opens(scene) == {number: "100.00", note["id"]: "-20.00"}
        assert_books_agree(scene)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["voided", "deleted"])
def test_a_write_off_that_ends_is_reversed_and_its_invoice_reopens(how):
    with a_scene() as scene:
        number = scene.invoice(total=100_00)
        note = scene.world.chargebee.write_off(number)
        scene.sync()
        assert balance(scene, "6500") == Decimal("100.00")
        before = of_site(scene, "credit_note", note["id"])
        scene.world.chargebee.void_note(note["id"])
        if how == "deleted":
            scene.world.chargebee.delete("credit_note", note["id"])

        again(scene)

        assert chain(scene, note["id"]) == ["credit_note reversed", "reversal posted"]
        assert (balance(scene, "6500"), opens(scene)) == (Decimal(0), {number: "100.00"})
        assert_books_agree(scene, before=[before])


@pytest.mark.slow
def test_one_payment_of_several_invoices_moved_to_others_later_is_diffed_edge_by_edge():
    with a_scene() as scene:
        who = scene.customer()
        first, second, third = (scene.invoice(who, total=100_00) for _ in range(3))
        paid = scene.world.chargebee.pay({first: 60_00, second: 40_00})
        scene.sync()
        links = of_site(scene, "transaction", paid["id"])["linked_invoices"]
        moved = [links[0] | {"applied_amount": 50_00}, links[1] | {"invoice_id": third, "applied_amount": 30_00}]
        scene.world.chargebee.edit("transaction", paid["id"], linked_invoices=moved, amount_unused=20_00)

        again(scene)

        assert opens(scene) == {first: "50.00", second: "100.00", third: "70.00", paid["id"]: "-20.00"}
        assert chain(scene, paid["id"]).count("unapplication posted") == 2


@pytest.mark.slow
def test_a_refund_that_fails_later_is_reversed_and_its_note_reopens():
    with a_scene() as scene:
        number = scene.invoice(total=100_00)
        scene.world.chargebee.pay({number: 100_00})
        note = scene.world.chargebee.credit(number, 30_00, kind="refundable")
        refund = scene.world.chargebee.refund_note(note["id"], 30_00)
        scene.sync()
        before = of_site(scene, "transaction", refund["id"])
        scene.world.chargebee.edit("transaction", refund["id"], status="failure")
        links = [{**of_site(scene, "credit_note", note["id"])["linked_refunds"][0], "txn_status": "failure"}]
        scene.world.chargebee.edit(
            "credit_note", note["id"], linked_refunds=links, amount_refunded=0, amount_available=30_00
        )

        again(scene)

        assert chain(scene, refund["id"]) == ["refund reversed", "reversal posted"]
        assert opens(scene) == {note["id"]: "-30.00"}
        assert_books_agree(scene, before=[before])


@pytest.mark.slow
def test_an_offline_refund_leaves_through_the_account_of_its_method():
    with a_scene() as scene:
        number = scene.invoice(total=100_00)
        scene.world.chargebee.pay({number: 100_00})
        note = scene.world.chargebee.credit(number, 30_00, kind="refundable")
        scene.world.chargebee.refund_note(note["id"], 30_00, payment_method="check")

        scene.sync()

        assert balance(scene, "1010") == Decimal("-30.00")
        assert_books_agree(scene)


@pytest.mark.slow
def test_a_chargeback_is_a_refund_with_its_note_and_the_invoice_stays_paid():
    with a_scene() as scene:
        number = scene.invoice(total=100_00)
        paid = scene.world.chargebee.pay({number: 100_00})
        note = scene.world.chargebee.credit(number, 100_00, kind="refundable", reason="Chargeback")
        scene.world.chargebee.refund_note(note["id"], 100_00, paid["id"], payment_method="chargeback")

        scene.sync()

        assert (balance(scene, "1090"), opens(scene)) == (Decimal(0), {})
        assert_books_agree(scene)


@pytest.mark.slow
@pytest.mark.parametrize("first", ["late_failure", "reversal", "voided"])
def test_one_reversal_for_each_payment_whichever_signal_comes_first(first):
    with a_scene() as scene:
        number = scene.invoice(total=100_00)
        paid = scene.world.chargebee.pay({number: 100_00})
        scene.sync()
        before = of_site(scene, "transaction", paid["id"])
        if first == "reversal":
            scene.world.chargebee.reverse_payment(paid["id"])
        else:
            scene.world.chargebee.change_payment(paid["id"], first)
        again(scene)
        if first != "reversal":
            scene.world.chargebee.reverse_payment(paid["id"])

        again(scene)

        assert chain(scene, paid["id"]) == ["payment reversed", "reversal posted"]
        assert opens(scene) == {number: "100.00"}
        assert_books_agree(scene, before=[before])


@pytest.mark.parametrize(("policy", "account"), [("granted", "4850"), ("bought", "2450")])
@pytest.mark.slow
def test_promotional_credits_go_against_revenue_or_use_up_what_was_bought(policy, account):
    with a_scene(policies={"promotional_credits": policy}) as scene:
        scene.invoice(total=100_00, bill={"promotional_credits": 30_00})

        scene.sync()

        assert balance(scene, account) == Decimal("30.00")
        assert_books_agree(scene, promotional_credits=policy)


@pytest.mark.slow
def test_journals_to_clearing_never_touch_the_receivable_and_settle_nothing():
    with a_scene(policies={"payment_mode": "journal_to_clearing"}) as scene:
        scene.tenant.account_roles.create(role="on_account", gl_account="2460", valid_from=SINCE)
        number = scene.invoice(total=100_00)
        scene.world.chargebee.pay({number: 60_00}, unused=5_00)

        scene.sync()

        assert balance(scene, "1200") == Decimal("100.00")
        assert (balance(scene, "1090"), balance(scene, "2460")) == (Decimal("65.00"), Decimal("-65.00"))
        assert opens(scene) == {number: "100.00"}
        assert_books_agree(scene, payment_mode="journal_to_clearing")


@pytest.mark.slow
def test_every_currency_is_posted_as_chargebee_counts_it():
    with a_scene() as scene:
        for currency, total in (("JPY", 1_200), ("KWD", 12_50), ("EUR", 99_99), ("USD", 1)):
            number = scene.invoice(currency=currency, total=total)
            scene.world.chargebee.pay({number: total // 2}) if total > 1 else None

        scene.sync()

        revenue = scene.world.ledger()["trial_balance"]["4000"]
        assert {key: Decimal(amount) for key, amount in revenue.items()} == {
            "JPY": Decimal(-1200),
            "KWD": Decimal("-12.50"),
            "EUR": Decimal("-99.99"),
            "USD": Decimal("-0.01"),
        }
        assert_books_agree(scene)


@pytest.mark.slow
def test_a_payment_of_another_customer_of_the_hierarchy_stays_on_account_and_says_so():
    with a_scene() as scene:
        parent, child = scene.customer(), scene.customer()
        number = scene.invoice(child, total=100_00)
        paid = scene.world.chargebee.pay({number: 100_00})
        scene.world.chargebee.edit("transaction", paid["id"], customer_id=parent)

        scene.sync()

        assert opens(scene) == {number: "100.00", paid["id"]: "-100.00"}
        assert scene.dispositions("transaction") == {"held": 1}
        assert "Settle it in QAD by hand, between the two customers" in scene.sentences(paid["id"], "transaction")


@pytest.mark.slow
def test_a_consolidated_invoice_is_one_open_item_of_the_invoice_owner_with_the_lines_of_all():
    with a_scene() as scene:
        owner, other = scene.customer(), scene.customer()
        number = scene.invoice(owner, total=100_00)
        lines = of_site(scene, "invoice", number)["line_items"]
        second = {**lines[0], "id": "li-2", "subscription_id": "sub-2", "customer_id": other}
        scene.world.chargebee.edit("invoice", number, line_items=[*lines, second], subscription_id=None)

        scene.sync()

        (document,) = scene.in_qad()
        assert (document["total"], len(document["lines"])) == ("200.00", 2)
        assert document["customer"] == scene.tenant.customer_mappings.get(chargebee_id=owner).qad_code
        assert_books_agree(scene)


@pytest.mark.slow
def test_a_payment_waits_for_room_on_its_invoice_and_follows_when_another_comes_off():
    with a_scene() as scene:
        who = scene.customer()
        first, second = scene.invoice(who, total=100_00), scene.invoice(who, total=100_00)
        one = scene.world.chargebee.pay({first: 100_00})
        other = scene.world.chargebee.pay({second: 70_00})
        scene.sync()
        links = of_site(scene, "transaction", other["id"])["linked_invoices"]
        scene.world.chargebee.edit("transaction", other["id"], linked_invoices=[links[0] | {"invoice_id": first}])
        again(scene)
        assert scene.dispositions("transaction") == {"posted": 1, "waiting": 1}
        assert "settles 70.00 USD of invoice" in scene.sentences(other["id"], "transaction")
        assert "of which QAD has 0.00 USD left to settle" in scene.sentences(other["id"], "transaction")
        scene.world.chargebee.edit("transaction", one["id"], linked_invoices=[], amount_unused=100_00)

        again(scene)

        assert opens(scene) == {first: "30.00", second: "100.00", one["id"]: "-100.00"}
        assert scene.dispositions("transaction") == {"posted": 2}


@pytest.mark.slow
def test_refunds_that_give_back_more_than_came_in_are_held_with_both_numbers():
    with a_scene() as scene:
        number = scene.invoice(total=100_00)
        paid = scene.world.chargebee.pay({number: 100_00})
        note = scene.world.chargebee.credit(number, 120_00, kind="refundable")
        scene.world.chargebee.refund_note(note["id"], 120_00, paid["id"])

        scene.sync()

        (refund,) = scene.tenant.source_documents.filter(kind="transaction", parent_id=paid["id"])
        assert refund.state == "held"
        assert "its amount is 100.00 USD, but the sum of its refunds is 120.00 USD" in scene.sentences(
            refund.source_id, "transaction"
        )


@pytest.mark.slow
@pytest.mark.parametrize("is_posted", [True, False])
def test_a_payment_of_which_only_a_part_goes_back_is_held_with_both_numbers(is_posted):
    with a_scene() as scene:
        number = scene.invoice(total=100_00)
        paid = scene.world.chargebee.pay({number: 100_00})
        if is_posted:
            scene.sync()
        reversal = scene.world.chargebee.reverse_payment(paid["id"])
        scene.world.chargebee.edit("transaction", reversal["id"], amount=40_00)
        scene.world.chargebee.edit("transaction", paid["id"], status="success")

        again(scene)

        assert chain(scene, paid["id"]) == (["payment posted"] if is_posted else [])
        assert scene.source(paid["id"], "transaction").state == "held"
        told = scene.sentences(paid["id"], "transaction")
        assert f"its amount is 100.00 USD, but what reversal {reversal['id']} takes back is 40.00 USD" in told


@pytest.mark.slow
def test_a_payment_in_another_currency_than_its_invoice_stays_on_account_and_says_so():
    with a_scene() as scene:
        number = scene.invoice(total=100_00)
        paid = scene.world.chargebee.pay({number: 60_00})
        scene.world.chargebee.edit("transaction", paid["id"], currency_code="EUR")

        scene.sync()
        again(scene)

        assert chain(scene, paid["id"]) == ["payment posted"]
        assert opens(scene) == {number: "100.00", paid["id"]: "-60.00"}
        told = scene.sentences(paid["id"], "transaction")
        assert f"Payment {paid['id']} in EUR settles invoice {number} in USD." in told


@pytest.mark.slow
def test_a_refund_in_another_currency_than_its_payment_is_held_alone():
    with a_scene() as scene:
        number, other = scene.invoice(total=80_00), scene.invoice(total=10_00)
        paid = scene.world.chargebee.pay({number: 80_00}, unused=20_00)
        scene.world.chargebee.refund_payment(paid["id"], 20_00)
        (refund,) = [row for row in scene.world.chargebee.all("transaction") if row["type"] == "refund"]
        scene.world.chargebee.edit("transaction", refund["id"], currency_code="EUR")
        scene.world.chargebee.pay({other: 10_00})

        scene.sync()

        assert scene.dispositions("transaction") == {"posted": 2, "held": 1}
        told = scene.sentences(refund["id"], "transaction")
        assert f"Refund {refund['id']} in EUR settles payment {paid['id']} in USD." in told


@pytest.mark.slow
def test_a_payment_whose_reversal_is_taken_back_is_posted_anew_on_its_invoice():
    with a_scene() as scene:
        number = scene.invoice(total=100_00)
        paid = scene.world.chargebee.pay({number: 100_00})
        scene.sync()
        reversal = scene.world.chargebee.reverse_payment(paid["id"])
        again(scene)
        assert opens(scene) == {number: "100.00"}
        scene.world.chargebee.change_payment(paid["id"], "success")
        scene.world.chargebee.delete("transaction", reversal["id"])

        again(scene)

        assert chain(scene, paid["id"]) == ["payment reversed", "reversal posted", "payment posted"]
        assert opens(scene) == {}
        assert_books_agree(scene)
