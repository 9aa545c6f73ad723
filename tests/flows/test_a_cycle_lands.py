"""A billing cycle of Chargebee stands in QAD's ledger to the cent, once, however often it is synced."""

from __future__ import annotations

import pytest

from syncs.models import Attempt, Posting
from tenants.models import AuditEntry
from tests.flows.ledgers import assert_books_agree
from tests.flows.scene import a_scene
from tests.flows.setting import DIALECTS

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
@pytest.mark.slow
def test_it_posts_a_cycle_in_either_dialect_by_its_profile_alone(dialect):
    with a_scene(customers=6, cycle=True, dialect=dialect) as scene:
        story = scene.sync()

        assert (story.run.state, story.run.sentence) == ("complete", "")
        assert all(balance.holds for balance in story.balances)
        assert scene.dispositions()["posted"] == len(scene.in_qad()) > 8
        assert set(scene.dispositions()) <= {"posted", "held", "skipped"}
        assert_books_agree(scene)


@pytest.mark.slow
def test_it_accounts_for_every_listed_invoice_with_its_money():
    with a_scene(customers=4, cycle=True) as scene:
        story = scene.sync()

        billed = scene.world.chargebee.all("invoice")
        balances = [balance for balance in story.balances if balance.kind == "invoice"]
        assert sum(balance.listed for balance in balances) == len(billed)
        for balance in balances:
            same = [one["total"] for one in billed if one["currency_code"] == balance.currency]
            assert sum(balance.money.values()) == sum(same)


@pytest.mark.slow
def test_it_posts_nothing_twice_and_writes_nothing_when_it_runs_again():
    with a_scene(customers=4, cycle=True) as scene:
        scene.sync()
        before = (scene.in_qad(), Posting.objects.count(), Attempt.objects.count(), scene.dispositions())

        story = scene.sync()

        assert story.run.state == "complete"
        assert story.posted == {}
        assert (scene.in_qad(), Posting.objects.count(), Attempt.objects.count(), scene.dispositions()) == before
        assert_books_agree(scene)


@pytest.mark.slow
def test_it_posts_only_what_is_new_when_another_cycle_is_billed():
    with a_scene(customers=3, cycle=True) as scene:
        scene.sync()
        first = {one["number"] for one in scene.in_qad()}
        scene.clock.forward(60)
        scene.world.bill_cycle()

        story = scene.sync()

        assert story.run.state == "complete"
        assert first < {one["number"] for one in scene.in_qad()}
        assert_books_agree(scene)


@pytest.mark.slow
def test_it_leaves_an_invoice_alone_when_only_a_payment_came_in():
    with a_scene() as scene:
        source_id = scene.invoice()
        scene.sync()
        scene.world.chargebee.pay({source_id: 100_00})

        scene.sync()

        assert scene.source(source_id).status == "paid"
        assert scene.dispositions() == {"posted": 1}
        assert len(scene.in_qad()) == scene.sent() == 1


@pytest.mark.slow
def test_it_keeps_two_tenants_of_one_database_apart():
    with a_scene() as one, a_scene(slug="other") as two:
        mine, theirs = one.invoice(total=1_00), two.invoice(total=2_00)

        one.sync()
        two.sync()

        assert [document["total"] for document in one.in_qad()] == ["1.00"]
        assert [document["total"] for document in two.in_qad()] == ["2.00"]
        assert (mine, one.dispositions()) == (theirs, two.dispositions())  # even with the same ids
        assert AuditEntry.objects.filter(tenant=one.tenant, subject=f"invoice:{mine}").exists()
