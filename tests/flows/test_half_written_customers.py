"""A change of a customer is several requests: what the first ones did stands, what others edit between them stays."""

from __future__ import annotations

import pytest

from syncs.models import AlignedCustomer, CustomerConflict, FieldRule
from tests.flows.people import ON, a_pair, in_chargebee, in_qad, just_before, keep_the_same, lines, writes
from tests.flows.scene import Scene, a_scene

pytestmark = pytest.mark.django_db(transaction=True)
REFUSALS = [{"status": 429}, {"status": 413}]
CUSTOMER, BILLING = "customerV2s", "update_billing_info"


def again(scene: Scene, times: int = 1) -> None:
    for _ in range(times):
        scene.clock.forward(3600)
        keep_the_same(scene)


def moves(scene: Scene, who: str, **address: str) -> None:
    scene.world.chargebee.edit(
        "customer", who, billing_address={**in_chargebee(scene, who)["billing_address"], **address}
    )


@pytest.mark.parametrize("fault", REFUSALS)
@pytest.mark.slow
def test_a_name_that_its_relation_took_away_keeps_its_line_when_the_rest_is_refused(fault):
    with a_scene(customers=0, policies=ON) as scene:
        scene.world.qad.set_shared_names(True)
        who, code = a_pair(scene)
        FieldRule.objects.create(tenant=scene.tenant, field="city", owner="shared")
        keep_the_same(scene)
        scene.world.qad.change_relation(code, name="Edited in QAD")
        moves(scene, who, city="Tulsa")
        scene.world.faults("qad").add("status", method="POST", path=CUSTOMER, times=1, **fault)
        keep_the_same(scene)
        assert (in_qad(scene, code)["name"], in_qad(scene, code)["city"]) == ("Acme Works", "Denver")

        AlignedCustomer.objects.update(is_asked=True)
        again(scene)

        assert in_qad(scene, code)["city"] == "Tulsa"
        told = CustomerConflict.objects.get(kind="rejected-edit")
        assert (told.field, told.qad_value, told.state) == ("name", "Edited in QAD", "applied")
        assert [line for line in lines() if line[1] == "city"] == []


def test_a_field_that_was_not_reached_yet_is_no_edit_of_the_other_side():
    with a_scene(customers=0, policies=ON) as scene:
        who, code = a_pair(scene)
        for field, owner in (("telephone", "qad"), ("city", "shared")):
            FieldRule.objects.create(tenant=scene.tenant, field=field, owner=owner)
        keep_the_same(scene)
        scene.world.qad.change_customer(code, telephone="+1 303 3", city="Tulsa")
        scene.world.faults("chargebee").add("status", method="POST", path=BILLING, times=1, status=429)
        keep_the_same(scene)
        assert in_chargebee(scene, who)["phone"] == "+1 303 3"

        again(scene)

        assert in_chargebee(scene, who)["billing_address"]["city"] == "Tulsa"
        assert lines() == []


@pytest.mark.parametrize("lost", ["drop", "status"])
def test_what_a_write_took_away_keeps_its_line_when_it_cannot_be_read_back(lost):
    with a_scene(customers=0, policies=ON) as scene:
        _, code = a_pair(scene)
        scene.world.qad.change_customer(code, name="Edited in QAD")
        just_before(scene, "qad", "POST", CUSTOMER, lambda: spoil(scene, lost))
        keep_the_same(scene)
        assert in_qad(scene, code)["name"] == "Acme Works"
        scene.heal()

        again(scene)

        assert lines() == [("rejected-edit", "name", "applied")]
        before = writes(scene)
        again(scene)
        assert writes(scene) == before


def spoil(scene: Scene, lost: str) -> None:
    scene.world.faults("qad").add(lost, method="GET", path=CUSTOMER, times=None)


def test_an_address_that_is_edited_while_qad_is_written_is_not_replaced_by_an_older_one():
    with a_scene(customers=0, policies=ON) as scene:
        who, code = a_pair(scene, registered_for_gst=True)
        FieldRule.objects.create(tenant=scene.tenant, field="city", owner="qad")
        keep_the_same(scene)
        scene.world.qad.change_customer(code, city="Tulsa")
        scene.world.chargebee.edit("customer", who, company="Acme Global")
        just_before(scene, "qad", "POST", CUSTOMER, lambda: moves(scene, who, line2="Third floor", city="Leeds"))

        keep_the_same(scene)
        again(scene)

        address = in_chargebee(scene, who)["billing_address"]
        assert (address["line2"], address["city"], in_qad(scene, code)["name"]) == (
            "Third floor", "Tulsa", "Acme Global",
        )  # fmt: skip
        assert in_qad(scene, code)["street2"] == "Third floor"
        assert in_chargebee(scene, who)["registered_for_gst"] is True
        (told,) = CustomerConflict.objects.filter(field="city")
        assert told.chargebee_value == "Leeds"


def test_notes_of_others_that_arrive_while_qad_is_written_are_kept():
    with a_scene(customers=0, policies=ON) as scene:
        who, code = a_pair(scene)
        scene.world.qad.change_customer(code, tax_class="EXPORT")
        scene.world.chargebee.edit("customer", who, company="Acme Global")

        def note() -> None:
            noted = {**in_chargebee(scene, who)["meta_data"], "tier": "gold"}
            scene.world.chargebee.edit("customer", who, meta_data=noted)

        just_before(scene, "qad", "POST", CUSTOMER, note)
        keep_the_same(scene)

        noted = in_chargebee(scene, who)["meta_data"]
        assert (noted["tier"], noted["qad_tax_class"]) == ("gold", "EXPORT")


def test_a_qad_that_checks_no_hash_is_read_right_before_its_record_goes_back():
    with a_scene(customers=0, policies=ON) as scene:
        scene.world.qad.company.modes.checks_hash = False
        who, code = a_pair(scene)
        scene.world.chargebee.edit("customer", who, company="Acme Global")
        just_before(
            scene,
            "chargebee",
            "GET",
            f"customers/{who}$",
            lambda: scene.world.qad.change_customer(code, comment="Call"),
        )
        keep_the_same(scene)
        assert (in_qad(scene, code)["name"], in_qad(scene, code)["comment"]) == ("Acme Global", "Call")


def test_a_question_shows_what_both_had_before_also_when_another_field_is_written():
    with a_scene(customers=0, policies=ON) as scene:
        who, code = a_pair(scene)
        FieldRule.objects.create(tenant=scene.tenant, field="telephone", owner="shared")
        scene.world.chargebee.edit("customer", who, phone="+1 303 1")
        keep_the_same(scene)
        scene.world.chargebee.edit("customer", who, phone="+1 303 2", company="Acme Global")
        scene.world.qad.change_customer(code, telephone="+1 303 3")

        keep_the_same(scene)

        told = CustomerConflict.objects.get(kind="parked")
        assert (told.base_value, told.chargebee_value, told.qad_value) == ("+1 303 1", "+1 303 2", "+1 303 3")
        assert in_qad(scene, code)["name"] == "Acme Global"
