"""Customers are the same in both systems: each field where it is owned, nothing lost without a line, no echo."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.models import CustomerMapping
from syncs.models import AlignedCustomer, CustomerConflict
from tests.flows.scene import Scene, a_scene

pytestmark = pytest.mark.django_db(transaction=True)
ON = {"align_customers": "both"}


def a_pair(scene: Scene, **fields: Any) -> tuple[str, str]:
    """A customer that both systems have with the same name, linked and settled; his two keys."""
    who = scene.customer(company="Acme Works", **fields)
    code = CustomerMapping.objects.get(chargebee_id=who).qad_code
    scene.world.qad.change_customer(code, name="Acme Works")
    scene.sync()
    return who, code


def writes(scene: Scene) -> dict[str, int]:
    """Customer writes that reached each side."""
    counts = {"chargebee": 0, "qad": 0}
    for asked, count in scene.world.requests.items():
        method, _, path = asked.partition(" ")
        if method == "POST" and path.startswith("/api/v2/customers"):
            counts["chargebee"] += count
        elif method == "POST" and ("ustomerV2s" in path or "/v1/customers" in path or "RelationV2s" in path):
            counts["qad"] += count
    return counts


def in_qad(scene: Scene, code: str) -> dict[str, Any]:
    return scene.world.qad.company.parties.customers[code]


def in_chargebee(scene: Scene, who: str) -> dict[str, Any]:
    return scene.world.chargebee.get("customer", who)


def lines(**of: Any) -> list[tuple[str, str, str]]:
    rows = CustomerConflict.objects.filter(**of).order_by("pk")
    return list(rows.values_list("kind", "field", "state"))


@pytest.mark.parametrize("dialect", ["adaptive", "offset-rest"])
def test_a_customer_changed_in_chargebee_is_changed_in_qad(dialect):
    with a_scene(customers=0, dialect=dialect, policies=ON) as scene:
        who, code = a_pair(scene)
        address = {**in_chargebee(scene, who)["billing_address"], "city": "Tulsa", "zip": "74103"}
        scene.world.chargebee.edit(
            "customer", who, company="Acme Global", billing_address=address, email="ap@acme.example"
        )

        scene.sync()

        row = in_qad(scene, code)
        assert (row["name"], row["city"], row["zip"], row["email"]) == (
            "Acme Global", "Tulsa", "74103", "ap@acme.example",
        )  # fmt: skip
        if dialect == "adaptive":
            assert scene.world.qad.company.parties.relations[code]["name"] == "Acme Global"
        before = writes(scene)
        assert scene.sync().aligned.counts["unchanged"] == 1
        assert writes(scene) == before


@pytest.mark.parametrize("dialect", ["adaptive", "offset-rest"])
def test_a_field_that_qad_owns_is_changed_in_chargebee(dialect):
    with a_scene(customers=0, dialect=dialect, policies=ON) as scene:
        who, code = a_pair(scene, meta_data={"tier": "gold"})
        scene.world.qad.change_customer(code, credit_terms="N15", tax_class="EXPORT")

        scene.sync()

        there = in_chargebee(scene, who)
        assert there["net_term_days"] == 15
        assert there["meta_data"] == {"tier": "gold", "qad_tax_class": "EXPORT", "qad_credit_hold": "false"} | {
            name: value for name, value in there["meta_data"].items() if name == "qad_gl_profile"
        }
        scene.sync()
        before = writes(scene)
        scene.sync()
        assert writes(scene) == before


def test_an_edit_where_the_field_is_not_owned_is_put_back_and_kept_in_the_log():
    with a_scene(customers=0, policies=ON) as scene:
        _who, code = a_pair(scene)
        scene.world.qad.change_customer(code, name="Somebody else")

        scene.sync()

        assert in_qad(scene, code)["name"] == "Acme Works"
        row = CustomerConflict.objects.get(kind="rejected-edit")
        assert (row.field, row.qad_value, row.winner, row.state) == ("name", "Somebody else", "chargebee", "applied")
        assert AlignedCustomer.objects.get().state == "aligned"
