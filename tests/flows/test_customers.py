"""Chargebee's customers become QAD's: linked where that is certain, shown to a person where it is not, created once."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from mappings.models import CatalogPrice, CreditTermsMapping, CustomerMapping
from syncs import replay
from syncs.models import CustomerCreation, Posting, SourceDocument
from tests.flows.ledgers import assert_books_agree
from tests.flows.scene import Scene, a_scene
from tests.flows.setting import SINCE

pytestmark = pytest.mark.django_db(transaction=True)

STEPS = {"customer": r"customerV2s", "domain": r"mfgCustomers"}


def newcomer(scene: Scene, **fields: Any) -> tuple[str, str]:
    """A customer whom QAD does not have, and an invoice of his."""
    who = scene.world.chargebee.add_customer(**fields)["id"]
    return who, scene.invoice(who)


def ours(scene: Scene) -> list[dict[str, Any]]:
    """What QAD has of the customers that we made."""
    made = CustomerCreation.objects.filter(tenant=scene.tenant).values_list("code", flat=True)
    return [row for code, row in scene.world.ledger()["customers"].items() if code in made]


@pytest.mark.parametrize(("dialect", "writes"), [("adaptive", 2), ("offset-rest", 1)])
@pytest.mark.slow
def test_it_creates_a_customer_with_its_domain_data_and_posts_to_it(dialect, writes):
    with a_scene(dialect=dialect) as scene:
        who, source_id = newcomer(scene, company="Brand New Inc", email="books@brand-new.example")

        scene.sync()

        (row,) = ours(scene)
        assert (row["name"], row["reference"], row["site"], row["is_complete"]) == (
            "Brand New Inc",
            who,
            "10-100",
            True,
        )
        assert CustomerMapping.objects.get(chargebee_id=who).qad_code == row["code"]
        assert scene.posting(source_id).state == "posted"
        posts = sum(count for asked, count in scene.world.requests.items() if "ustomer" in asked and "POST" in asked)
        assert posts - scene.sent() * (dialect == "adaptive") == writes
        assert_books_agree(scene)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("fault", ["drop", "drop_after_commit", "html_after_commit", "truncate"])
@pytest.mark.slow
def test_it_makes_one_customer_when_the_reply_to_a_step_is_lost(step, fault):
    with a_scene() as scene:
        who, source_id = newcomer(scene)
        scene.world.faults("qad").add(fault, method="POST", path=STEPS[step])

        scene.sync()
        assert scene.source(who, "customer").state == "creating"
        assert scene.source(source_id).state == "held"
        scene.clock.forward(60)
        scene.sync()

        assert [row["is_complete"] for row in ours(scene)] == [True]
        assert scene.posting(source_id).state == "posted"
        assert_books_agree(scene)


@pytest.mark.slow
def test_it_resumes_a_customer_whose_second_step_was_refused():
    with a_scene() as scene:
        who, source_id = newcomer(scene)
        scene.world.faults("qad").add("customer_domain_fails", times=None)
        scene.sync()
        assert [row["is_complete"] for row in ours(scene)] == [False]
        assert scene.source(who, "customer").state == "held"
        assert scene.source(who, "customer").problems[0]["fix"]
        scene.heal()

        replay.rebuild(scene.tenant, [scene.source(who, "customer")], now=timezone.now(), actor="ada")
        scene.sync()

        assert [row["is_complete"] for row in ours(scene)] == [True]
        assert CustomerCreation.objects.get().step == "done"
        assert scene.posting(source_id).state == "posted"


@pytest.mark.slow
def test_it_resumes_a_customer_whose_worker_died_between_the_steps():
    with a_scene() as scene:
        _who, source_id = newcomer(scene)
        scene.fault("status", path=STEPS["domain"], times=None, status=503)
        scene.sync()
        CustomerCreation.objects.update(step="domain", claim_key="8" * 32, lease_until=timezone.now(), not_before=None)
        scene.heal()
        scene.clock.forward(1)

        scene.sync()

        assert [row["is_complete"] for row in ours(scene)] == [True]
        assert scene.posting(source_id).state == "posted"


@pytest.mark.slow
def test_it_links_a_customer_that_names_his_code_in_qad():
    with a_scene() as scene:
        scene.world.qad.add_customer("KNOWN001", "Some other name")
        who, _source_id = newcomer(scene, meta_data={"qad_customer": "KNOWN001"})

        scene.sync()

        assert CustomerMapping.objects.get(chargebee_id=who).qad_code == "KNOWN001"
        assert scene.in_qad()[0]["customer"] == "KNOWN001"


@pytest.mark.slow
def test_it_links_a_customer_that_qad_refers_to():
    with a_scene() as scene:
        who, _ = newcomer(scene)
        scene.world.qad.add_customer("KNOWN001", "Some other name", reference=who)

        scene.sync()

        assert scene.in_qad()[0]["customer"] == "KNOWN001"
        assert CustomerCreation.objects.count() == 0


@pytest.mark.parametrize(
    ("there", "here", "why"),
    [
        ({"name": "ACME  g.m.b.h."}, {"company": "Acme GmbH"}, "the name 'Acme GmbH'"),
        ({"name": "Else", "tax_id": "DE 811.907.980"}, {"vat_number": "DE811907980"}, "the tax id DE811907980"),
    ],
)
@pytest.mark.slow
def test_it_asks_a_person_when_qad_may_have_the_customer(there, here, why):
    with a_scene() as scene:
        scene.world.qad.add_customer("KNOWN001", there.pop("name"), **there)
        who, source_id = newcomer(scene, **here)

        scene.sync()

        assert scene.source(who, "customer").state == "held"
        assert f"KNOWN001 (by {why})" in scene.sentences(who, "customer")
        assert scene.source(source_id).state == "held"
        assert not ours(scene)
        assert scene.sent() == 0


@pytest.mark.slow
def test_it_creates_nobody_when_the_policy_says_hold():
    with a_scene(policies={"create_customers": "hold"}) as scene:
        who, source_id = newcomer(scene, company="Brand New Inc")

        scene.sync()

        assert "QAD has no customer for 'Brand New Inc'" in scene.sentences(who, "customer")
        assert scene.source(source_id).state == "held"
        assert CustomerCreation.objects.count() == 0


@pytest.mark.slow
def test_it_books_many_customers_on_a_collective_one_and_sends_them_side_by_side():
    with a_scene() as scene:
        crowd = [scene.customer(kind="collective", code="WEBSHOP") for _ in range(3)]
        for who in crowd:
            scene.invoice(who)

        scene.sync()

        assert {one["customer"] for one in scene.in_qad()} == {"WEBSHOP"}
        assert len(set(Posting.objects.values_list("order_key", flat=True))) == 3
        assert_books_agree(scene)


@pytest.mark.slow
def test_it_gives_no_code_twice_even_when_many_are_new():
    with a_scene() as scene:
        names = [newcomer(scene)[0] for _ in range(12)]

        scene.sync()

        codes = CustomerMapping.objects.filter(chargebee_id__in=names).values_list("qad_code", flat=True)
        assert len(set(codes)) == 12
        assert scene.dispositions() == {"posted": 12}


@pytest.mark.slow
def test_it_refuses_to_take_over_a_code_that_somebody_else_got_in_the_meantime():
    with a_scene() as scene:
        who, _ = newcomer(scene)
        scene.world.faults("qad").add("drop", method="POST", path=STEPS["customer"])
        scene.sync()
        code = CustomerCreation.objects.get().code
        scene.world.qad.add_customer(code, "A stranger")
        scene.clock.forward(60)

        scene.sync()

        assert f"QAD customer {code} exists already and is not" in scene.sentences(who, "customer")
        assert scene.sent() == 0


@pytest.mark.slow
def test_it_skips_a_customer_who_was_deleted_before_he_was_linked():
    with a_scene() as scene:
        who = scene.world.chargebee.add_customer()["id"]
        scene.world.chargebee.delete("customer", who)

        scene.sync()

        assert SourceDocument.objects.get(source_id=who).state == "skipped"
        assert not ours(scene)


@pytest.mark.slow
def test_it_makes_no_customer_and_keeps_no_price_of_another_tenants_business_entity():
    with a_scene() as scene:
        scene.tenant.business_entities = ["ours"]
        scene.tenant.save()
        site = scene.world.chargebee
        names = {"ours": "ours", "theirs": "theirs", "everyones": None}
        people = {name: site.add_customer(business_entity_id=entity)["id"] for name, entity in names.items()}
        prices = {
            name: site.add_item_price(business_entity_id=entity, id=f"price-{name}", item_id=f"item-{name}")["id"]
            for name, entity in names.items()
        }
        foreign = scene.invoice(people["theirs"], business_entity_id="theirs")
        scene.sync()

        assert {name: scene.source(who, "customer").state for name, who in people.items()} == {
            "ours": "linked",
            "theirs": "skipped",
            "everyones": "linked",
        }
        assert len(ours(scene)) == 2
        assert "another tenant" in scene.sentences(people["theirs"], "customer")
        assert scene.source(prices["theirs"], "item_price").state == "skipped"
        kept = CatalogPrice.objects.filter(tenant=scene.tenant, item_price__in=prices.values())
        assert set(kept.values_list("item_price", flat=True)) == {prices["ours"], prices["everyones"]}
        assert scene.source(foreign).state == "skipped"

        site.edit("customer", people["theirs"], business_entity_id="ours")
        scene.sync()
        assert len(ours(scene)) == 3


@pytest.mark.slow
def test_a_created_customer_gets_the_terms_that_its_days_are_mapped_to():
    with a_scene() as scene:
        CreditTermsMapping.objects.create(tenant=scene.tenant, days="45", qad_terms="N15", valid_from=SINCE)
        who = scene.world.chargebee.add_customer(company="Terms Works", net_term_days=45)["id"]
        scene.sync()
        code = scene.tenant.customer_mappings.get(chargebee_id=who).qad_code
        assert scene.world.qad.company.parties.customers[code]["credit_terms"] == "N15"
