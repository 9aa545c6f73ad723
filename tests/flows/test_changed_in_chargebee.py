"""What happens in Chargebee after an invoice was seen: closed, edited, voided, deleted, taken back."""

from __future__ import annotations

import pytest

from tests.flows.ledgers import assert_books_agree
from tests.flows.scene import Scene, a_scene

pytestmark = pytest.mark.django_db(transaction=True)


def again(scene: Scene) -> None:
    scene.clock.forward(60)
    scene.sync()


@pytest.mark.slow
def test_it_skips_a_pending_invoice_and_posts_it_under_its_number_once_it_is_closed():
    with a_scene() as scene:
        draft = scene.invoice(status="pending")
        scene.sync()
        assert (scene.source(draft).state, scene.source(draft).codes) == ("skipped", "|pending|")

        number = scene.world.chargebee.close_invoice(draft)["id"]
        again(scene)

        assert scene.posting(number).state == "posted"
        assert scene.source(draft).state == "skipped"
        assert len(scene.in_qad()) == 1
        assert_books_agree(scene)


@pytest.mark.parametrize("ending", ["voided", "deleted"])
@pytest.mark.slow
def test_it_skips_what_ended_before_it_was_posted(ending):
    with a_scene() as scene:
        source_id = scene.invoice()
        if ending == "voided":
            scene.world.chargebee.void_invoice(source_id)
        else:
            scene.world.chargebee.delete("invoice", source_id)

        scene.sync()

        assert (scene.source(source_id).state, scene.sent()) == ("skipped", 0)
        assert ending in scene.sentences(source_id)


@pytest.mark.slow
def test_it_withdraws_what_was_voided_between_preparing_and_sending():
    with a_scene() as scene:
        source_id = scene.invoice()
        scene.prepare()
        assert scene.posting(source_id).state == "ready"
        scene.world.chargebee.void_invoice(source_id)

        again(scene)

        assert (scene.posting(source_id).state, scene.source(source_id).state) == ("held", "skipped")
        assert scene.sent() == 0
        assert scene.dispositions() == {"skipped": 1}


@pytest.mark.slow
def test_it_sends_what_stands_in_chargebee_now_and_not_what_was_prepared_first():
    with a_scene() as scene:
        source_id = scene.invoice(total=100_00)
        scene.prepare()
        scene.world.chargebee.change_line(source_id, 0, 123_00)

        again(scene)

        assert [one["total"] for one in scene.in_qad()] == ["123.00"]
        assert_books_agree(scene)


HOLD = {"edited_after_posting": "hold"}


@pytest.mark.slow
def test_it_holds_an_invoice_that_was_edited_after_it_was_posted_and_shows_both_amounts():
    with a_scene(policies=HOLD) as scene:
        source_id = scene.invoice(total=100_00)
        scene.sync()
        scene.world.chargebee.change_line(source_id, 0, 123_00)

        again(scene)

        said = scene.sentences(source_id)
        assert scene.source(source_id).state == "held"
        assert "was posted with 100.00" in said
        assert "it now totals 123.00" in said
        assert scene.dispositions() == {"held": 1}
        assert scene.sent() == 1


@pytest.mark.parametrize("ending", ["voided", pytest.param("deleted", marks=pytest.mark.slow)])
def test_it_reverses_an_invoice_that_ended_after_it_was_posted_once(ending):
    with a_scene() as scene:
        source_id = scene.invoice()
        scene.sync()
        if ending == "voided":
            scene.world.chargebee.void_invoice(source_id)
        else:
            scene.world.chargebee.delete("invoice", source_id)

        again(scene)

        again(scene)

        chain = sorted(scene.tenant.postings.values_list("kind", "state"))
        assert chain == [("invoice", "reversed"), ("reversal", "posted")]
        assert scene.dispositions() == {"posted": 1}
        balances = scene.world.ledger()["trial_balance"].values()
        assert all(amount in ("0", "0.00") for row in balances for amount in row.values())


@pytest.mark.slow
def test_a_void_that_chargebee_books_as_a_credit_note_is_not_reversed_as_well():
    with a_scene() as scene:
        source_id = scene.invoice(total=100_00)
        scene.sync()
        scene.world.chargebee.void_invoice(source_id, with_credit_note=True)

        again(scene)
        again(scene)

        chain = sorted(scene.tenant.postings.values_list("kind", "state"))
        assert chain == [("credit_note", "posted"), ("invoice", "posted")]
        balances = scene.world.ledger()["trial_balance"].values()
        assert all(amount in ("0", "0.00") for row in balances for amount in row.values())


@pytest.mark.slow
def test_a_reversal_waits_until_nothing_settles_the_invoice():
    with a_scene() as scene:
        who = scene.customer()
        source_id = scene.invoice(who, total=100_00)
        paid = scene.world.chargebee.pay({source_id: 100_00})
        scene.sync()
        scene.world.chargebee.edit("transaction", paid["id"], linked_invoices=[], amount_unused=100_00)
        unpaid = {"linked_payments": [], "amount_paid": 0, "amount_due": 100_00, "amount_to_collect": 100_00}
        scene.world.chargebee.edit("invoice", source_id, status="voided", **unpaid)

        again(scene)

        chain = sorted(scene.tenant.postings.values_list("kind", "state"))
        assert chain == [
            ("invoice", "reversed"),
            ("payment", "posted"),
            ("reversal", "posted"),
            ("unapplication", "posted"),
        ]


@pytest.mark.slow
def test_it_lets_go_of_an_invoice_whose_edit_was_taken_back():
    with a_scene(policies=HOLD) as scene:
        source_id = scene.invoice(total=100_00)
        scene.sync()
        scene.world.chargebee.change_line(source_id, 0, 123_00)
        again(scene)

        scene.world.chargebee.change_line(source_id, 0, 100_00)
        again(scene)

        assert scene.dispositions() == {"posted": 1}
        assert scene.sentences(source_id) == ""
        assert_books_agree(scene)


@pytest.mark.slow
def test_it_waits_for_the_outcome_of_a_sending_before_it_judges_an_edit():
    with a_scene(policies=HOLD) as scene:
        scene.invoice()  # what the look-up is proved with
        scene.sync()
        source_id = scene.invoice(total=100_00)
        scene.fault("drop_after_commit")
        again(scene)
        assert scene.posting(source_id).state == "uncertain"
        scene.world.chargebee.change_line(source_id, 0, 123_00)

        again(scene)
        again(scene)

        assert scene.posting(source_id).state == "posted"
        assert scene.posting(source_id).document["total"] == "100.00"
        assert scene.source(source_id).codes == "|changed-after-posting|"
        assert scene.in_qad(scene.posting(source_id).reference)[0]["total"] == "100.00"


@pytest.mark.slow
def test_it_does_not_lose_an_older_version_race():
    with a_scene() as scene:
        source_id = scene.invoice(total=100_00)
        old = scene.world.chargebee.core.draft("invoice", source_id)
        scene.world.chargebee.change_line(source_id, 0, 123_00)
        scene.sync()

        changed_at = scene.world.chargebee.core.draft("invoice", source_id)["updated_at"]
        scene.world.chargebee.put_raw("invoice", {**old, "updated_at": changed_at})  # a stale replica
        again(scene)

        assert scene.source(source_id).total_minor == 123_00
        assert [one["total"] for one in scene.in_qad()] == ["123.00"]
