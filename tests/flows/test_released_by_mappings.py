"""Saving a mapping frees exactly the documents that waited for it, and says how many and how much money."""

from __future__ import annotations

import pytest

from connector.sandbox.chargebee.documents import Charge
from mappings.planning import Change
from mappings.saving import save_rows
from syncs.releasing import Released, release
from tenants.models import AuditEntry
from tests.flows.ledgers import assert_books_agree
from tests.flows.scene import Scene, a_scene
from tests.flows.setting import SINCE

pytestmark = pytest.mark.django_db(transaction=True)

TRAINING = Charge(75_000, "training-USD", "charge_item_price")
PLAN = Charge(19_900, "pro-USD-Monthly")
TAXED = Charge(10_000, "pro-USD-Monthly", taxes=(("Colorado Tax", "2.9", "state"),))
BLANK = {"sub_account": "", "cost_centre": "", "project": "", "qad_item": "", "tax_code": ""}


def save(scene: Scene, kind: str, /, **values: object) -> Released:
    saved = save_rows(scene.tenant.pk, [Change(kind, values)], actor="ada", now=scene.clock())
    assert not saved.refusals
    return release(scene.tenant, {kind}, now=scene.clock(), actor="ada")


def services_unmapped(scene: Scene) -> None:
    scene.tenant.item_mappings.filter(key="services").delete()


@pytest.mark.slow
def test_it_frees_what_waited_for_an_item_and_nothing_else():
    with a_scene() as scene:
        services_unmapped(scene)
        waiting = [scene.invoice(charges=(TRAINING,)), scene.invoice(charges=(PLAN, TRAINING))]
        other = scene.invoice(charges=(Charge(1_00, "ghost-USD"),))
        scene.sync()
        assert scene.dispositions() == {"held": 3}
        assert "Item price 'training-USD' has no GL account" in scene.sentences(waiting[0])

        released = save(
            scene, "items", level="item_family", key="services", gl_account="4300", valid_from=SINCE, **BLANK
        )

        assert (released.waited, released.released, released.money) == (3, 2, {"USD": 75_000 + 94_900})
        assert scene.dispositions() == {"waiting": 2, "held": 1}
        scene.post()
        assert [scene.posting(one).state for one in waiting] == ["posted", "posted"]
        assert scene.source(other).state == "held"


@pytest.mark.slow
def test_what_stays_held_for_the_same_reasons_leaves_no_new_line_in_the_audit_trail():
    with a_scene() as scene:
        services_unmapped(scene)
        source_id = scene.invoice(charges=(PLAN, TRAINING, Charge(1_00, "ghost-USD")))
        scene.sync()
        told = AuditEntry.objects.filter(subject=f"invoice:{source_id}")
        first = [line.action for line in told]
        changed_at = scene.source(source_id).changed_at

        for _ in range(3):
            scene.sync()

        assert [line.action for line in told.all()] == first == ["listed", "held"]
        assert scene.source(source_id).changed_at == changed_at
        save(scene, "items", level="item_family", key="services", gl_account="4300", valid_from=SINCE, **BLANK)
        assert [line.action for line in told.all()] == ["listed", "held", "held"]
        assert "training" not in scene.sentences(source_id)


@pytest.mark.slow
def test_what_still_waits_for_the_same_leaves_no_new_line_either():
    with a_scene() as scene:
        services_unmapped(scene)
        who = scene.customer()
        number = scene.invoice(who, charges=(TRAINING,))
        note = scene.world.chargebee.credit(number, 5_000)
        scene.sync()
        told = AuditEntry.objects.filter(subject=f"credit_note:{note['id']}")
        before = [line.action for line in told]

        scene.sync()

        assert [line.action for line in told.all()] == before


@pytest.mark.slow
def test_it_does_not_touch_what_is_posted_when_a_mapping_changes():
    with a_scene() as scene:
        source_id = scene.invoice()
        scene.sync()
        before = scene.posting(source_id).document

        released = save(
            scene, "items", level="item_price", key="pro-USD-Monthly", gl_account="4100", valid_from=SINCE, **BLANK
        )
        scene.sync()

        assert released.waited == 0
        assert scene.posting(source_id).document == before
        assert scene.sent() == 1


@pytest.mark.slow
def test_it_frees_what_waited_for_a_tax():
    with a_scene() as scene:
        scene.tenant.tax_mappings.all().delete()
        source_id = scene.invoice(charges=(TAXED,))
        scene.sync()
        assert "Tax 'Colorado Tax' at 2.9 %" in scene.sentences(source_id)

        released = save(
            scene, "taxes", jurisdiction="", name="", rate="", gl_account="2230", qad_tax_code="", valid_from=SINCE
        )

        assert released.money == {"USD": 10_290}
        scene.post()
        assert_books_agree(scene)


@pytest.mark.slow
def test_it_frees_what_waited_for_an_account_role():
    with a_scene() as scene:
        scene.tenant.account_roles.filter(role="discount").delete()
        source_id = scene.invoice(charges=(Charge(10_000, "pro-USD-Monthly", discount=1_000),))
        scene.sync()
        assert "No GL account is set for discounts" in scene.sentences(source_id)

        save(
            scene, "account_roles", role="discount", gl_account="4800", sub_account="", cost_centre="", project="",
            valid_from=SINCE,
        )  # fmt: skip

        scene.post()
        assert_books_agree(scene)


@pytest.mark.slow
def test_it_frees_a_customer_and_the_documents_behind_him_when_he_is_linked():
    with a_scene(policies={"create_customers": "hold"}) as scene:
        who = scene.world.chargebee.add_customer()["id"]
        source_id = scene.invoice(who)
        scene.world.qad.add_customer("HAND0001", "By hand")
        scene.sync()
        assert (scene.source(who, "customer").state, scene.source(source_id).state) == ("held", "held")

        released = save(scene, "customers", chargebee_id=who, qad_code="HAND0001", kind="direct", note="")

        assert (released.waited, released.released, released.money) == (1, 1, {"USD": 10_000})
        assert scene.source(who, "customer").state == "linked"
        scene.post()
        assert scene.in_qad()[0]["customer"] == "HAND0001"
        assert_books_agree(scene)


@pytest.mark.slow
def test_it_keeps_holding_what_has_a_second_problem():
    with a_scene() as scene:
        services_unmapped(scene)
        scene.tenant.tax_mappings.all().delete()
        source_id = scene.invoice(charges=(TRAINING, TAXED))
        scene.sync()

        released = save(
            scene, "items", level="item_family", key="services", gl_account="4300", valid_from=SINCE, **BLANK
        )

        assert (released.waited, released.released) == (1, 0)
        assert {one["code"] for one in scene.source(source_id).problems} == {"tax-not-mapped"}


@pytest.mark.slow
def test_it_frees_at_the_next_sync_what_a_mapping_saved_elsewhere_cures():
    with a_scene() as scene:
        services_unmapped(scene)
        scene.invoice(charges=(TRAINING,))
        scene.sync()

        scene.tenant.item_mappings.create(level="item_family", key="services", gl_account="4300", valid_from=SINCE)
        scene.sync()

        assert scene.dispositions() == {"posted": 1}


@pytest.mark.slow
def test_what_was_prepared_is_coded_anew_by_the_next_sync_when_a_mapping_was_saved_elsewhere():
    """So it is also when the browser's process died between a save and what follows it."""
    with a_scene() as scene:
        source_id = scene.invoice()
        tenants = type(scene.tenant).objects.filter(pk=scene.tenant.pk)
        tenants.update(is_posting_on=False)
        scene.sync()
        assert scene.posting(source_id).document["lines"][0]["coding"]["gl_account"] == "4000"

        scene.tenant.item_mappings.filter(key="cloud-platform").update(gl_account="4300")
        tenants.update(is_posting_on=True)
        scene.sync()

        assert scene.dispositions() == {"posted": 1}
        assert scene.posting(source_id).document["lines"][0]["coding"]["gl_account"] == "4300"
        balances = scene.world.ledger()["trial_balance"]
        assert "4300" in balances
        assert "4000" not in balances


@pytest.mark.slow
def test_it_records_which_mapping_row_and_version_coded_a_line():
    with a_scene() as scene:
        source_id = scene.invoice()

        scene.sync()

        row = scene.tenant.item_mappings.get(key="cloud-platform")
        assert scene.posting(source_id).document["lines"][0]["coding"]["source"] == f"item:{row.pk}@{row.version}"
