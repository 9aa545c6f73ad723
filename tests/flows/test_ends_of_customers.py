"""One customer whose end cannot be followed now holds up nobody else, and is followed later."""

from __future__ import annotations

import pytest

from syncs.models import AlignedCustomer, CustomerConflict
from tests.flows.people import ON, a_pair, in_qad, keep_the_same
from tests.flows.scene import a_scene

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.slow
def test_a_deleted_customer_that_qad_does_not_answer_for_holds_up_no_other(method):
    with a_scene(customers=0, policies=ON) as scene:
        gone, other = a_pair(scene), a_pair(scene)
        scene.world.faults("qad").add("status", method=method, path="customerV2s", times=1, status=500)
        scene.world.chargebee.delete("customer", gone[0])
        scene.world.chargebee.edit("customer", other[0], company="Acme Global")

        ended = keep_the_same(scene)

        assert (ended.stopped, ended.counts["put off"]) == ("", 1)
        assert in_qad(scene, other[1])["name"] == "Acme Global"
        assert AlignedCustomer.objects.get(chargebee_id=gone[0]).state == "aligned"
        keep_the_same(scene)
        assert in_qad(scene, gone[1])["is_active"] is False
        assert AlignedCustomer.objects.get(chargebee_id=gone[0]).state == "deleted"
        assert CustomerConflict.objects.get(kind="deleted").state == "applied"


@pytest.mark.slow
def test_a_qad_that_answers_for_nobody_ends_the_pass_with_its_sentence():
    with a_scene(customers=0, policies=ON) as scene:
        pairs = [a_pair(scene) for _ in range(7)]
        scene.world.faults("qad").add("status", method="GET", path="customerV2s", times=None, status=500)
        for who, _ in pairs:
            scene.world.chargebee.delete("customer", who)
        ended = keep_the_same(scene)
        assert "5 customers in a row could not be followed" in ended.stopped
        assert AlignedCustomer.objects.filter(state="aligned").count() == 7
