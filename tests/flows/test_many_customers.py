"""Hundreds of customers edited on both sides at once, and thousands that nobody touched."""

from __future__ import annotations

import json
import random
import time

import pytest

from connector.sandbox.population import customers as population
from connector.sandbox.qad.parties import people
from mappings.models import CustomerMapping
from syncs.models import AlignedCustomer, CustomerConflict
from tests.flows.people import ON, in_chargebee, in_qad, keep_the_same, lines, writes
from tests.flows.scene import Scene, a_scene

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def everybody_linked(scene: Scene, count: int) -> None:
    """As many customers as Chargebee has, each with one of his own in QAD."""
    parties = scene.world.qad.company.parties
    persons = population(scene.world.seed, count)
    for number, person in enumerate(persons):
        if not person.qad_code:
            scene.world.qad.add_customer(f"N{number:07d}", person.company or person.last_name, currency=person.currency)
    codes = {person.id: person.qad_code or f"N{number:07d}" for number, person in enumerate(persons)}
    assert set(codes.values()) <= set(parties.customers)
    CustomerMapping.objects.bulk_create(
        CustomerMapping(tenant=scene.tenant, chargebee_id=key, qad_code=code) for key, code in codes.items()
    )


def test_three_hundred_customers_edited_on_both_sides_are_the_same_after_two_passes_with_every_loss_in_the_log():
    with a_scene(customers=300, dialect="adaptive", policies=ON) as scene:
        everybody_linked(scene, 300)
        first = keep_the_same(scene)
        keep_the_same(scene)
        started = {"first pass": dict(first.counts), "its writes": writes(scene)}
        chance, edits = random.Random(5), {}
        before = writes(scene)
        CustomerConflict.objects.all().delete()
        for link in AlignedCustomer.objects.all():
            here, there = f"Here {link.pk}", f"There {link.pk}"
            kind = chance.choice(("chargebee", "qad", "both", "terms"))
            edits[link.pk] = (kind, here, there)
            if kind in ("chargebee", "both"):
                scene.world.chargebee.edit("customer", link.chargebee_id, company=here)
            if kind in ("qad", "both"):
                scene.world.qad.change_customer(link.qad_code, name=there)
            if kind == "terms":
                scene.world.qad.change_customer(link.qad_code, tax_class=f"T{link.pk}")
        began, passes = time.monotonic(), []
        for _ in range(3):
            at = writes(scene)
            keep_the_same(scene)
            passes.append({side: count - at[side] for side, count in writes(scene).items()})
        spent = time.monotonic() - began

        for link in AlignedCustomer.objects.all():
            kind, here, there = edits[link.pk]
            if kind in ("chargebee", "both"):
                assert in_qad(scene, link.qad_code)["name"] == here
            if kind == "qad":
                assert in_qad(scene, link.qad_code)["name"] != there
            if kind in ("qad", "both"):
                assert CustomerConflict.objects.filter(customer=link, qad_value=there).count() == 1
            if kind == "terms":
                assert in_chargebee(scene, link.chargebee_id)["meta_data"]["qad_tax_class"] == f"T{link.pk}"
        assert passes[2] == {"chargebee": 0, "qad": 0}
        kinds = [kind for kind, _, _ in edits.values()]
        assert len(lines()) == kinds.count("qad") + kinds.count("both")
        shown = {"passes": passes, "conflicts": len(lines()), "seconds": round(spent, 1), "before": before, **started}
        print(json.dumps(shown))  # noqa: T201 - the figures are the point


def test_a_quiet_pass_over_ten_thousand_customers_reads_pages_only_and_writes_nothing():
    with a_scene(customers=0, policies=ON) as scene:
        persons = population(3, 10_000)
        parties, now = scene.world.qad.company.parties, scene.world.clock.now()
        people(parties, persons, now)
        for number, person in enumerate(persons):
            code = person.qad_code or f"N{number:07d}"
            if not person.qad_code:
                scene.world.qad.add_customer(code, person.company or person.last_name)
            scene.world.chargebee.core.store.put(
                {"object": "customer", "id": person.id, "company": parties.customers[code]["name"], "deleted": False,
                 "resource_version": number + 1, "created_at": 1_790_000_000, "updated_at": 1_790_000_000 + number,
                 "preferred_currency_code": person.currency, "net_term_days": 30,
                 "meta_data": {"qad_credit_hold": "false", "qad_gl_profile": "CI-PROF"}}
            )  # fmt: skip
            if parties.customers[code]["credit_terms"] != "N30":
                parties.update(parties.customers[code], {"credit_terms": "N30"}, now)
        codes = {person.id: person.qad_code or f"N{number:07d}" for number, person in enumerate(persons)}
        CustomerMapping.objects.bulk_create(
            CustomerMapping(tenant=scene.tenant, chargebee_id=key, qad_code=code) for key, code in codes.items()
        )
        first = keep_the_same(scene)
        assert first.counts["settled"] == 10_000
        scene.world.requests.clear()
        began = time.monotonic()

        quiet = keep_the_same(scene)

        assert dict(quiet.counts) == {"unchanged": 10_000}
        asked = {call for call in scene.world.requests if "oauth" not in call}
        assert {call.partition(" ")[0] for call in asked} == {"GET"}
        reads = sum(count for call, count in scene.world.requests.items() if "browses" in call)
        one_by_one = [call for call in asked if "customerV2s" in call or call.startswith("GET /api/v2/customers/")]
        assert (reads, one_by_one) == (10_003 // 100 + 1 + 1, [])
        figures = {"calls": scene.world.requests.total(), "seconds": round(time.monotonic() - began, 1)}
        print(json.dumps(figures))  # noqa: T201 - the figures are the point
