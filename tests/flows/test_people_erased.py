"""A person's values are erased on request from the trail and from the conflict log; what happened stays."""

from __future__ import annotations

import io

import pytest
from django.core.management import call_command

from syncs.alignment import choosing
from syncs.models import AlignedCustomer, ConflictState, CustomerConflict, FieldRule
from tenants import sealing, verifying
from tenants.models import AuditEntry, AuditPersonal
from tests.flows.people import ON, a_pair, in_chargebee, in_qad, keep_the_same
from tests.flows.scene import Scene, a_scene

pytestmark = pytest.mark.django_db(transaction=True)
LONG = "a-name-that-is-much-too-long-for-the-field-of-the-other-system@somewhere.example"


def erase(who: str) -> str:
    out = io.StringIO()
    call_command("erase_personal", "acme", f"customer:{who}", "--reason", "Request 12", stdout=out)
    return out.getvalue()


def everything_kept(scene: Scene) -> str:
    """All texts of the conflict log and of the trail, as they are stored."""
    tables = (CustomerConflict.objects, AuditEntry.objects, AuditPersonal.objects)
    return repr([list(rows.filter(tenant=scene.tenant).values()) for rows in tables])


def test_erasing_empties_the_lines_of_the_conflict_log_and_keeps_what_happened():
    with a_scene(customers=0, policies=ON) as scene:
        who, code = a_pair(scene)
        other = scene.customer(company="Someone Else Ltd")
        keep_the_same(scene)
        scene.world.qad.change_customer(code, name="Ada Lovelace")
        keep_the_same(scene)
        before = CustomerConflict.objects.get(kind="rejected-edit")
        CustomerConflict.objects.create(
            tenant=scene.tenant, customer=AlignedCustomer.objects.get(chargebee_id=other), kind="rejected-edit",
            state="applied", field="name", qad_value="Somebody", since=scene.clock(),
        )  # fmt: skip

        said = erase(who)

        assert "and of 1 line of the conflict log about customer:" in said
        after = CustomerConflict.objects.get(pk=before.pk)
        assert (after.chargebee_value, after.qad_value, after.base_value) == ("", "", "")
        kept = ("kind", "field", "winner", "state", "since")
        assert [getattr(after, name) for name in kept] == [getattr(before, name) for name in kept]
        assert "Ada Lovelace" not in everything_kept(scene)
        assert CustomerConflict.objects.filter(customer__chargebee_id=other, qad_value="Somebody").exists()
        sealing.seal_all(scene.clock())
        assert verifying.verify(scene.tenant.pk, scene.clock()).broken == 0
        line = AuditEntry.objects.latest("pk")
        assert (line.action, line.reason, line.after["conflict lines"]) == ("personal-erased", "Request 12", 1)


def test_a_value_that_was_erased_is_never_written_and_the_line_says_why():
    with a_scene(customers=0, policies=ON) as scene:
        who, code = a_pair(scene)
        scene.world.qad.change_customer(code, name="Ada Lovelace")
        keep_the_same(scene)
        stale = CustomerConflict.objects.get(kind="rejected-edit")
        erase(who)

        for line in (stale, CustomerConflict.objects.get(pk=stale.pk)):
            (told,) = choosing.take(line, "qad", actor="ada", now=scene.clock())
            assert "were erased" in told.message
        keep_the_same(scene)
        assert in_qad(scene, code)["name"] == in_chargebee(scene, who)["company"] == "Acme Works"


def test_a_question_that_waits_gets_its_values_again_when_both_sides_are_read_anew():
    with a_scene(customers=0, policies=ON) as scene:
        who, code = a_pair(scene)
        FieldRule.objects.create(tenant=scene.tenant, field="telephone", owner="shared")
        keep_the_same(scene)
        scene.world.chargebee.edit("customer", who, phone="+1 303 2")
        scene.world.qad.change_customer(code, telephone="+1 303 3")
        keep_the_same(scene)
        erase(who)
        line = CustomerConflict.objects.get(state=ConflictState.WAITING)
        assert (line.qad_value, line.erased_at is None) == ("", False)

        choosing.replay(line.customer, actor="ada", now=scene.clock())
        keep_the_same(scene)

        line.refresh_from_db()
        assert (line.qad_value, line.erased_at) == ("+1 303 3", None)
        assert not choosing.take(line, "qad", actor="ada", now=scene.clock())
        keep_the_same(scene)
        assert in_chargebee(scene, who)["phone"] == "+1 303 3"


def test_a_value_that_blocks_a_pair_stands_nowhere_in_the_sealed_trail():
    with a_scene(customers=0, policies=ON) as scene:
        who, code = a_pair(scene)
        FieldRule.objects.create(tenant=scene.tenant, field="email", owner="qad")
        keep_the_same(scene)
        scene.world.qad.change_customer(code, email=LONG)
        keep_the_same(scene)
        link = AlignedCustomer.objects.get()
        assert (link.state, LONG in link.reason) == ("blocked", True)
        told = list(AuditEntry.objects.filter(tenant=scene.tenant).values("reason", "before", "after"))
        assert LONG not in repr(told)

        erase(who)

        assert LONG not in everything_kept(scene)
        assert LONG not in AlignedCustomer.objects.get().reason


def test_what_a_deleted_customer_had_is_not_kept_as_a_base():
    with a_scene(customers=0, policies=ON) as scene:
        who, code = a_pair(scene)
        scene.world.qad.change_customer(code, name="Ada Lovelace")
        keep_the_same(scene)
        scene.world.chargebee.delete("customer", who)
        keep_the_same(scene)
        assert AlignedCustomer.objects.get().base
        erase(who)
        assert AlignedCustomer.objects.get().base == {}
