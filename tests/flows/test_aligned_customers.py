"""Customers are the same in both systems: each field where it is owned, nothing lost without a line, no echo."""

from __future__ import annotations

import datetime as dt
import io

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from mappings.catalog import refresh_mirror
from mappings.models import CustomerMapping
from syncs.alignment import choosing, rehearsing, reviewing
from syncs.alignment.asking import ask
from syncs.alignment.passing import has_work
from syncs.customers import link
from syncs.models import AlignedCustomer, CustomerConflict, FieldRule, Kind, MatchReview, SourceDocument
from syncs.refetch import take_in
from syncs.tasks import LANES
from tenants import connections
from tenants.models import AuditEntry, ChargebeeConnection, PolicySetting
from tests.flows.people import ON, a_pair, in_chargebee, in_qad, keep_the_same, lines, writes
from tests.flows.scene import a_scene

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("dialect", ["adaptive", pytest.param("offset-rest", marks=pytest.mark.slow)])
def test_a_customer_changed_in_chargebee_is_changed_in_qad(dialect):
    with a_scene(customers=0, dialect=dialect, policies=ON) as scene:
        who, code = a_pair(scene)
        address = {**in_chargebee(scene, who)["billing_address"], "city": "Tulsa", "zip": "74103"}
        scene.world.chargebee.edit(
            "customer", who, company="Acme Global", billing_address=address, email="ap@acme.example"
        )

        keep_the_same(scene)

        row = in_qad(scene, code)
        assert (row["name"], row["city"], row["zip"], row["email"]) == (
            "Acme Global", "Tulsa", "74103", "ap@acme.example",
        )  # fmt: skip
        if dialect == "adaptive":
            assert scene.world.qad.company.parties.relations[code]["name"] == "Acme Global"
        before = writes(scene)
        assert keep_the_same(scene).counts["unchanged"] == 1
        assert writes(scene) == before


@pytest.mark.parametrize("dialect", ["adaptive", pytest.param("offset-rest", marks=pytest.mark.slow)])
@pytest.mark.slow
def test_a_field_that_qad_owns_is_changed_in_chargebee(dialect):
    with a_scene(customers=0, dialect=dialect, policies=ON) as scene:
        who, code = a_pair(scene, meta_data={"tier": "gold"})
        scene.world.qad.change_customer(code, credit_terms="N15", tax_class="EXPORT")

        keep_the_same(scene)

        there = in_chargebee(scene, who)
        assert there["net_term_days"] == 15
        assert there["meta_data"] == {"tier": "gold", "qad_tax_class": "EXPORT", "qad_credit_hold": "false"} | {
            name: value for name, value in there["meta_data"].items() if name == "qad_gl_profile"
        }
        keep_the_same(scene)
        before = writes(scene)
        keep_the_same(scene)
        assert writes(scene) == before


def test_an_edit_where_the_field_is_not_owned_is_put_back_and_kept_in_the_log():
    with a_scene(customers=0, policies=ON) as scene:
        _who, code = a_pair(scene)
        scene.world.qad.change_customer(code, name="Somebody else")

        keep_the_same(scene)

        assert in_qad(scene, code)["name"] == "Acme Works"
        row = CustomerConflict.objects.get(kind="rejected-edit")
        assert (row.field, row.qad_value, row.winner, row.state) == ("name", "Somebody else", "chargebee", "applied")
        assert AlignedCustomer.objects.get().state == "aligned"


SHARED = {**ON, "shared_customers": {"types": "SUB"}}


@pytest.mark.parametrize("dialect", ["adaptive", pytest.param("offset-rest", marks=pytest.mark.slow)])
def test_a_customer_added_in_qad_appears_in_chargebee_and_others_are_left_out(dialect):
    with a_scene(customers=0, dialect=dialect, policies=SHARED) as scene:
        address = {"street1": "1 Mill Road", "city": "Tulsa", "zip": "74103", "state": "OK", "country": "US"}
        scene.world.qad.add_customer(
            "NEW00001", "Brand New Inc", customer_type="SUB", email="ap@new.example", credit_terms="N15", **address
        )
        scene.world.qad.add_customer("FACTORY1", "A Factory", customer_type="OEM")

        keep_the_same(scene)

        (made,) = scene.world.chargebee.all("customer")
        assert (made["id"], made["company"], made["net_term_days"]) == ("CB-NEW00001", "Brand New Inc", 15)
        assert made["meta_data"]["qad_customer"] == "NEW00001"
        assert (made["billing_address"]["city"], made["billing_address"]["state_code"]) == ("Tulsa", "OK")
        assert CustomerMapping.objects.get().qad_code == "NEW00001"
        keep_the_same(scene)
        before = writes(scene)
        keep_the_same(scene)
        assert writes(scene) == before
        assert not lines()


@pytest.mark.parametrize("fault", ["drop", "drop_after_commit"])
def test_a_lost_answer_makes_no_second_customer_in_chargebee(fault):
    with a_scene(customers=0, policies=SHARED) as scene:
        scene.world.qad.add_customer("NEW00001", "Brand New Inc", customer_type="SUB")
        scene.world.faults("chargebee").add(fault, method="POST", path="/api/v2/customers")

        keep_the_same(scene)
        scene.clock.forward(60)
        keep_the_same(scene)

        assert [one["id"] for one in scene.world.chargebee.all("customer")] == ["CB-NEW00001"]
        assert AlignedCustomer.objects.get().state == "aligned"


@pytest.mark.parametrize(
    ("there", "here", "is_linked"),
    [
        (
            {"name": "Else", "tax_id": "DE123456789", "country": "DE"},
            {"vat_number": "123456789", "country": "DE"},
            True,
        ),
        (
            {"name": "Else", "tax_id": "DE123456789", "country": "AT"},
            {"vat_number": "123456789", "country": "DE"},
            False,
        ),
        (
            {"name": "Acme GmbH", "zip": "80202", "email": "a@b.example"},
            {"company": "ACME", "email": "A@b.example"},
            True,
        ),
        ({"name": "Acme GmbH", "zip": "80203", "email": "x@b.example"}, {"company": "ACME"}, False),
    ],
)
def test_two_customers_are_linked_by_tax_id_or_by_name_postcode_and_email_never_by_less(there, here, is_linked):
    with a_scene(customers=0, policies=SHARED) as scene:
        country = here.pop("country", "US")
        who = scene.world.chargebee.add_customer(**here)
        scene.world.chargebee.edit(
            "customer", who["id"], billing_address={**who["billing_address"], "country": country}
        )
        scene.world.qad.add_customer("KNOWN001", there.pop("name"), customer_type="SUB", **there)

        keep_the_same(scene)

        assert CustomerMapping.objects.filter(chargebee_id=who["id"], qad_code="KNOWN001").exists() is is_linked
        assert MatchReview.objects.filter(state="open").exists() is not is_linked
        assert len(scene.world.chargebee.all("customer")) == 1
        assert len(scene.world.qad.company.parties.customers) == 1


@pytest.mark.slow
def test_a_pair_kept_apart_stays_apart_and_both_get_their_own():
    with a_scene(customers=0, policies=SHARED) as scene:
        who = scene.world.chargebee.add_customer(company="Acme GmbH")["id"]
        scene.world.qad.add_customer("KNOWN001", "Acme", customer_type="SUB")
        keep_the_same(scene)
        (review,) = MatchReview.objects.all()

        reviewing.keep_apart(review, actor="ada", now=scene.clock())
        keep_the_same(scene)
        keep_the_same(scene)

        linked = dict(CustomerMapping.objects.values_list("chargebee_id", "qad_code"))
        assert set(linked) == {who, "CB-KNOWN001"}
        assert linked["CB-KNOWN001"] == "KNOWN001" != linked[who]


def test_switching_on_asks_about_customers_that_were_held_before():
    with a_scene(customers=0) as scene:
        who = scene.world.chargebee.add_customer(company="Acme GmbH")["id"]
        scene.world.qad.add_customer("KNOWN001", "Acme")
        keep_the_same(scene)
        assert (SourceDocument.objects.get(source_id=who).state, MatchReview.objects.count()) == ("held", 0)
        PolicySetting.objects.create(tenant=scene.tenant, key="align_customers", value="both")

        keep_the_same(scene)

        assert list(MatchReview.objects.values_list("chargebee_id", "qad_code", "state")) == [(who, "KNOWN001", "open")]
        told = AuditEntry.objects.filter(subject=f"customer:{who}")
        before = told.count()
        keep_the_same(scene)
        assert told.count() == before > 0


def test_a_customer_that_waits_is_linked_when_qad_has_him_after_all():
    with a_scene(customers=0, policies={**ON, "create_customers": "hold"}) as scene:
        who = scene.world.chargebee.add_customer(company="Acme GmbH", vat_number="123456789")
        here = {**who["billing_address"], "country": "DE"}
        scene.world.chargebee.edit("customer", who["id"], billing_address=here)
        keep_the_same(scene)
        assert SourceDocument.objects.get(source_id=who["id"]).codes == "|customer-not-in-qad|"
        scene.world.qad.add_customer("LATER001", "Another name", tax_id="DE123456789", country="DE")

        keep_the_same(scene)

        assert CustomerMapping.objects.get().qad_code == "LATER001"
        assert SourceDocument.objects.get(source_id=who["id"]).state == "linked"


@pytest.mark.parametrize("otherwise", ["create", "hold"])
@pytest.mark.slow
def test_a_candidate_that_is_taken_leaves_the_question_open_until_a_person_says_what_is_so(otherwise):
    with a_scene(customers=0, policies={**ON, "create_customers": otherwise}) as scene:
        site = scene.world.chargebee
        first, second = (site.add_customer(company="Acme GmbH")["id"] for _ in range(2))
        scene.world.qad.add_customer("KNOWN001", "Acme")
        keep_the_same(scene)
        one, other = (MatchReview.objects.get(chargebee_id=who, qad_code="KNOWN001") for who in (first, second))
        assert not reviewing.join(one, actor="ada", now=scene.clock())
        keep_the_same(scene)
        other.refresh_from_db()
        assert other.state == "open"

        reviewing.create(other, actor="ada", now=scene.clock())
        keep_the_same(scene)
        keep_the_same(scene)

        linked = dict(CustomerMapping.objects.values_list("chargebee_id", "qad_code"))
        assert linked[first] == "KNOWN001" != linked[second]


@pytest.mark.parametrize(
    ("before", "after"),
    [("over", "open"), ("linked", "open"), ("open", "open"), ("apart", "apart"), ("created", "created")],
)
def test_a_question_is_asked_again_unless_a_person_has_said_no(before, after):
    with a_scene(customers=0) as scene:
        one = {"tenant": scene.tenant, "chargebee_id": "ada", "qad_code": "C1", "found_from": "chargebee"}
        MatchReview.objects.create(**one, why="the name", state=before, since=scene.clock())
        ask(scene.tenant, [("ada", "C1", "the e-mail")], found_from="chargebee", now=scene.clock())
        assert MatchReview.objects.get().state == after


def test_an_old_question_is_no_way_around_a_link_that_somebody_made_meanwhile():
    with a_scene(customers=0, policies=ON) as scene:
        who, code = a_pair(scene)
        asked = MatchReview.objects.create(
            tenant=scene.tenant, chargebee_id=who, qad_code="C0999", found_from="qad", why="name", since=scene.clock()
        )
        told = reviewing.join(asked, actor="ada", now=scene.clock())
        assert [problem.code for problem in told] == ["customer-linked-already"]
        assert f"is linked to QAD customer {code} already, not to C0999." in told[0].message
        assert CustomerMapping.objects.get(chargebee_id=who).qad_code == code
        asked.refresh_from_db()
        assert asked.state == "open"


@pytest.mark.parametrize("kind", ["direct", "alias", "collective"])
def test_a_customer_that_a_person_linked_while_his_own_was_being_created_stays_where_he_is(kind):
    with a_scene(customers=0) as scene:
        _, other = a_pair(scene)
        mine = {"tenant": scene.tenant, "chargebee_id": "late", "kind": kind}
        CustomerMapping.objects.filter(qad_code=other).update(kind="alias")
        CustomerMapping.objects.create(**mine, qad_code=other, note="by hand")
        how = {"note": "Created by the connector", "now": scene.clock(), "actor": "sync"}
        with transaction.atomic():
            assert set(link(scene.tenant, [("late", "C0999")], **how)) == {"late"}
            assert link(scene.tenant, [("late", other)], **how) == {}
        row = CustomerMapping.objects.get(chargebee_id="late")
        assert (row.qad_code, row.kind, row.note) == (other, kind, "by hand")


@pytest.mark.slow
def test_a_customer_deleted_in_chargebee_is_set_inactive_in_qad_and_never_taken_up_again_by_itself():
    with a_scene(customers=0, policies=ON) as scene:
        who, code = a_pair(scene)
        scene.world.chargebee.delete("customer", who)

        keep_the_same(scene)

        assert in_qad(scene, code)["is_active"] is False
        assert AlignedCustomer.objects.get().state == "deleted"
        assert lines() == [("deleted", "", "applied")]
        scene.world.chargebee.edit("customer", who, deleted=False, company="Acme Reborn")
        keep_the_same(scene)
        keep_the_same(scene)
        assert in_qad(scene, code)["name"] == "Acme Works"
        assert lines(state="waiting") == [("recreated", "", "waiting")]


@pytest.mark.slow
def test_a_customer_that_was_merged_leaves_his_qad_customer_as_it_is_and_names_the_survivor():
    with a_scene(customers=0, policies=ON) as scene:
        who, code = a_pair(scene)
        kept = scene.customer(company="Survivor Inc")
        scene.invoice(who)
        scene.sync()
        scene.world.chargebee.merge_customers(who, kept)

        scene.sync()

        assert in_qad(scene, code)["is_active"] is True
        told = CustomerConflict.objects.get(kind="deleted")
        assert (told.state, f"'{kept}'" in told.sentence) == ("waiting", True)
        choosing.merge(told, actor="ada", now=scene.clock())
        link = AlignedCustomer.objects.get(chargebee_id=who)
        survivor = CustomerMapping.objects.get(chargebee_id=kept)
        assert (link.state, CustomerMapping.objects.get(chargebee_id=who).kind) == ("merged", "alias")
        assert CustomerMapping.objects.get(chargebee_id=who).qad_code == survivor.qad_code


@pytest.mark.slow
def test_a_customer_that_is_gone_from_qad_is_no_reason_to_touch_chargebee_and_a_silent_list_is_not_believed():
    with a_scene(customers=0, policies=ON) as scene:
        who, code = a_pair(scene)
        scene.world.faults("qad").add("browse_empty", times=None)
        keep_the_same(scene)
        assert AlignedCustomer.objects.get().state == "aligned"
        scene.heal()
        scene.world.qad.add_customer("OTHER001", "Other")
        scene.world.qad.delete_customer(code)

        keep_the_same(scene)

        assert AlignedCustomer.objects.get().state == "gone"
        assert in_chargebee(scene, who)["deleted"] is False
        assert lines() == [("gone", "", "waiting")]


@pytest.mark.slow
def test_a_customer_inactive_in_qad_is_flagged_in_chargebee():
    with a_scene(customers=0, policies=ON) as scene:
        who, code = a_pair(scene)
        scene.world.qad.change_customer(code, is_active=False)
        keep_the_same(scene)
        assert in_chargebee(scene, who)["meta_data"]["qad_is_active"] == "false"
        scene.world.qad.change_customer(code, is_active=True)
        keep_the_same(scene)
        assert in_chargebee(scene, who)["meta_data"]["qad_is_active"] == "true"


def test_cleared_personal_details_never_empty_qad():
    with a_scene(customers=0, policies=ON) as scene:
        who, code = a_pair(scene, email="ada@acme.example")
        blank = {"first_name": None, "last_name": None, "email": None, "company": None, "billing_address": None}
        scene.world.chargebee.edit("customer", who, pii_cleared="cleared", **blank)
        keep_the_same(scene)
        assert (in_qad(scene, code)["name"], in_qad(scene, code)["email"]) == ("Acme Works", "ada@acme.example")
        assert AlignedCustomer.objects.get().state == "cleared"


@pytest.mark.slow
def test_a_customer_of_another_business_entity_is_left_alone_until_he_is_back():
    with a_scene(customers=0, policies=ON) as scene:
        scene.tenant.business_entities = ["ours"]
        scene.tenant.save()
        who, code = a_pair(scene, business_entity_id="ours")
        scene.world.chargebee.edit("customer", who, business_entity_id="theirs", company="Moved Inc")
        keep_the_same(scene)
        assert (in_qad(scene, code)["name"], AlignedCustomer.objects.get().state) == ("Acme Works", "moved")
        scene.world.chargebee.edit("customer", who, business_entity_id="ours")
        keep_the_same(scene)
        keep_the_same(scene)
        assert (in_qad(scene, code)["name"], AlignedCustomer.objects.get().state) == ("Moved Inc", "aligned")


@pytest.mark.slow
def test_parent_and_child_accounts_keep_their_own_links():
    with a_scene(customers=0, policies=ON) as scene:
        parent, _ = a_pair(scene)
        child = scene.customer(company="Child Ltd", relationship={"parent_id": parent})
        keep_the_same(scene)
        scene.world.chargebee.edit("customer", child, company="Child and Sons")
        keep_the_same(scene)
        code = CustomerMapping.objects.get(chargebee_id=child).qad_code
        assert in_qad(scene, code)["name"] == "Child and Sons"
        assert in_chargebee(scene, child)["relationship"] == {"parent_id": parent}
        assert AlignedCustomer.objects.filter(state="aligned").count() == 2


@pytest.mark.slow
def test_a_shared_field_changed_on_both_sides_waits_for_a_person_and_then_is_the_same():
    with a_scene(customers=0, policies=ON) as scene:
        who, code = a_pair(scene)
        FieldRule.objects.create(tenant=scene.tenant, field="telephone", owner="shared")
        scene.world.chargebee.edit("customer", who, phone="+1 303 1")
        keep_the_same(scene)
        assert in_qad(scene, code)["telephone"] == "+1 303 1"
        scene.world.chargebee.edit("customer", who, phone="+1 303 2")
        scene.world.qad.change_customer(code, telephone="+1 303 3")
        keep_the_same(scene)
        told = CustomerConflict.objects.get(state="waiting")
        assert (told.kind, told.chargebee_value, told.qad_value) == ("parked", "+1 303 2", "+1 303 3")

        late = CustomerConflict.objects.get(pk=told.pk)
        choosing.take(told, "qad", actor="ada", now=scene.clock())
        refused = choosing.take(late, "chargebee", actor="bo", now=scene.clock())
        assert [problem.message for problem in refused] == ["Somebody else has decided it a moment ago."]
        keep_the_same(scene)

        assert in_chargebee(scene, who)["phone"] == in_qad(scene, code)["telephone"] == "+1 303 3"
        told.refresh_from_db()
        assert (told.state, told.decided_by) == ("accepted", "ada")


@pytest.mark.slow
def test_an_edit_that_was_put_back_can_be_accepted_after_all():
    with a_scene(customers=0, policies=ON) as scene:
        who, code = a_pair(scene)
        scene.world.qad.change_customer(code, name="The better name")
        keep_the_same(scene)
        told = CustomerConflict.objects.get(kind="rejected-edit")

        choosing.take(told, "qad", actor="ada", now=scene.clock())
        keep_the_same(scene)
        keep_the_same(scene)

        assert in_chargebee(scene, who)["company"] == in_qad(scene, code)["name"] == "The better name"
        assert AlignedCustomer.objects.get().wanted == {}


@pytest.mark.slow
def test_the_brake_freezes_a_pair_that_somebody_works_against_and_a_person_lets_it_go_on():
    with a_scene(customers=0, policies=ON) as scene:
        who, code = a_pair(scene)
        for number in range(5):
            scene.world.qad.change_customer(code, name=f"Robot {number}")
            keep_the_same(scene)
        assert AlignedCustomer.objects.get().state == "frozen"
        assert in_qad(scene, code)["name"].startswith("Robot")
        told = CustomerConflict.objects.get(kind="frozen")

        choosing.let_go_on(told, actor="ada", now=scene.clock())
        keep_the_same(scene)

        assert in_qad(scene, code)["name"] == in_chargebee(scene, who)["company"] == "Acme Works"


@pytest.mark.slow
def test_what_qad_refuses_blocks_its_pair_with_qads_words_until_it_is_corrected():
    with a_scene(customers=0, policies=ON) as scene:
        who, code = a_pair(scene)
        scene.world.faults("qad").add("status", method="POST", path="customerV2s", times=1, status=413)
        scene.world.chargebee.edit("customer", who, company="Refused Inc")
        keep_the_same(scene)
        link = AlignedCustomer.objects.get()
        assert (link.state, lines(state="waiting")) == ("blocked", [("blocked", "", "waiting")])
        before = writes(scene)
        keep_the_same(scene)
        assert writes(scene) == before

        choosing.replay(link, actor="ada", now=scene.clock())
        keep_the_same(scene)

        assert in_qad(scene, code)["name"] == "Refused Inc"
        assert (AlignedCustomer.objects.get().state, lines(state="waiting")) == ("aligned", [])


@pytest.mark.parametrize(
    "fault", [{"status": 429}, {"status": 400, "text": '{"api_error_code": "invalid", "message": "No."}'}]
)
@pytest.mark.slow
def test_an_edit_that_the_first_half_of_a_write_took_away_keeps_its_line_when_the_second_half_fails(fault):
    with a_scene(customers=0, policies=ON) as scene:
        who, code = a_pair(scene)
        for field in ("telephone", "city"):
            FieldRule.objects.create(tenant=scene.tenant, field=field, owner="qad")
        keep_the_same(scene)
        scene.world.qad.change_customer(code, telephone="+1 303 3", city="Tulsa")
        scene.world.chargebee.edit("customer", who, phone="+1 303 2")
        scene.world.faults("chargebee").add("status", method="POST", path="update_billing_info", times=1, **fault)
        keep_the_same(scene)
        assert in_chargebee(scene, who)["phone"] == "+1 303 3"

        scene.clock.ahead += dt.timedelta(hours=1)
        keep_the_same(scene)

        assert in_chargebee(scene, who)["billing_address"]["city"] == "Tulsa"
        lost = CustomerConflict.objects.exclude(state="over").get(field="telephone")
        assert (lost.chargebee_value, lost.winner) == ("+1 303 2", "qad")


@pytest.mark.slow
def test_links_outlive_a_connection_that_goes_and_comes_back():
    with a_scene(customers=0, policies=ON) as scene:
        who, code = a_pair(scene)
        row = ChargebeeConnection.objects.get(tenant=scene.tenant)
        row.delete()
        row.pk = None
        row.save()
        before = writes(scene)
        keep_the_same(scene)
        link = AlignedCustomer.objects.get()
        assert (link.chargebee_id, link.qad_code, link.state) == (who, code, "aligned")
        assert writes(scene) == before


@pytest.mark.slow
def test_nothing_is_written_while_the_policy_is_off_or_posting_is_switched_off():
    with a_scene(customers=0) as scene:
        who, code = a_pair(scene)
        scene.world.chargebee.edit("customer", who, company="Acme Global")
        scene.sync()
        assert in_qad(scene, code)["name"] == "Acme Works"
        PolicySetting.objects.create(tenant=scene.tenant, key="align_customers", value="both")
        scene.prepare()
        assert in_qad(scene, code)["name"] == "Acme Works"
        scene.sync()
        assert in_qad(scene, code)["name"] == "Acme Global"


def test_one_way_never_writes_to_chargebee():
    with a_scene(customers=0, policies={"align_customers": "chargebee_to_qad"}) as scene:
        who, code = a_pair(scene)
        scene.world.qad.change_customer(code, credit_terms="N15", name="Else")
        keep_the_same(scene)
        assert in_qad(scene, code)["name"] == "Acme Works"
        assert writes(scene)["chargebee"] == 0
        assert who


def test_a_rehearsal_counts_everybody_once_and_writes_nothing():
    policies = {**SHARED, "align_customers": "off"}
    with a_scene(customers=0, policies=policies) as scene:
        a_pair(scene)
        site, qad = scene.world.chargebee, scene.world.qad
        known = site.add_customer(company="Known by code", meta_data={"qad_customer": "KNOWN001"})["id"]
        qad.add_customer("KNOWN001", "Somebody", customer_type="SUB")
        site.add_customer(company="Maybe Inc")
        qad.add_customer("MAYBE001", "Maybe", customer_type="SUB")
        site.add_customer(company="Only here")
        qad.add_customer("ONLYQAD1", "Only there", customer_type="SUB")
        qad.add_customer("SLEEPS01", "Asleep", customer_type="SUB", is_active=False)
        qad.add_customer("FACTORY1", "A factory", customer_type="OEM")
        before = (writes(scene), CustomerMapping.objects.count(), SourceDocument.objects.count())

        with scene.qad() as client, connections.chargebee_client(scene.tenant) as chargebee:
            found = rehearsing.from_both(scene.tenant, client, chargebee)

        assert dict(found.counts) == {
            "linked": 1,
            "matched": 1,
            "ambiguous": 2,
            "would create in QAD": 1,
            "would create in Chargebee": 1,
            "blocked": 1,
            "skipped": 1,
        }
        assert found.examples["matched"] == [f"{known} is KNOWN001, by reference"]
        assert (writes(scene), CustomerMapping.objects.count(), SourceDocument.objects.count()) == before
        out = io.StringIO()
        call_command("customers", "acme", "--rehearse", stdout=out)
        assert "Would be created in Chargebee: 1." in out.getvalue()
        with pytest.raises(CommandError, match="align_customers is off"):
            call_command("customers", "acme")


def test_a_rehearsal_from_what_was_read_last_counts_the_same_values():
    with a_scene(customers=0, policies={**ON, "align_customers": "off"}) as scene:
        _, code = a_pair(scene)
        scene.world.qad.change_customer(code, credit_terms="N15", tax_class="EXPORT")
        keep_the_same(scene)
        with scene.qad() as client, connections.chargebee_client(scene.tenant) as chargebee:
            refresh_mirror(scene.tenant, client, "credit_terms", scene.clock())
            live = rehearsing.from_both(scene.tenant, client, chargebee)
            stored = rehearsing.from_last_reading(scene.tenant, client.profile)

        assert (stored.fields, stored.lost) == (live.fields, live.lost)
        assert stored.fields["chargebee", "credit_terms"] == 1
        assert "Credit terms: 1 to be written to Chargebee." in list(rehearsing.told(stored))


@pytest.mark.slow
def test_one_customer_that_cannot_be_read_holds_up_no_other():
    with a_scene(customers=0, policies=ON) as scene:
        first, code = a_pair(scene)
        second = scene.customer(company="Second Inc")
        keep_the_same(scene)
        scene.world.faults("chargebee").add("status", method="GET", path=f"customers/{first}$", times=None, status=500)
        for who in (first, second):
            scene.world.chargebee.edit("customer", who, company=f"New name of {who}")

        keep_the_same(scene)

        other = CustomerMapping.objects.get(chargebee_id=second).qad_code
        assert in_qad(scene, other)["name"] == f"New name of {second}"
        assert in_qad(scene, code)["name"] == "Acme Works"
        scene.heal()
        scene.clock.forward(60)
        keep_the_same(scene)
        assert in_qad(scene, code)["name"] == f"New name of {first}"


def test_possible_matches_are_answered_in_a_spreadsheet(tmp_path):
    with a_scene(customers=0, policies=SHARED) as scene:
        who = scene.world.chargebee.add_customer(company="Acme GmbH")["id"]
        scene.world.qad.add_customer("KNOWN001", "Acme", customer_type="SUB")
        keep_the_same(scene)
        file = tmp_path / "matches.csv"
        call_command("customers", "acme", "--matches", str(file))

        call_command("import_mappings", "acme", str(file), "--dry-run")
        assert not CustomerMapping.objects.exists()
        call_command("import_mappings", "acme", str(file))
        keep_the_same(scene)

        assert CustomerMapping.objects.get().chargebee_id == who
        assert list(MatchReview.objects.values_list("state", "decided_by")) == [("linked", "mapping")]
        assert AlignedCustomer.objects.get().state == "aligned"


@pytest.mark.slow
def test_a_change_in_a_qad_without_stamps_and_hashes_is_seen_by_its_content():
    with a_scene(customers=0, policies=ON) as scene:
        scene.world.qad.set_stamps(False)
        who, code = a_pair(scene)
        scene.world.qad.change_customer(code, tax_class="EXPORT", name="Wrong")
        keep_the_same(scene)
        assert in_chargebee(scene, who)["meta_data"]["qad_tax_class"] == "EXPORT"
        assert in_qad(scene, code)["name"] == "Acme Works"
        before = writes(scene)
        keep_the_same(scene)
        assert writes(scene) == before


@pytest.mark.slow
def test_a_customer_that_a_webhook_brings_has_work_for_the_queue_until_he_is_settled():
    with a_scene(customers=0, policies=ON) as scene:
        who, code = a_pair(scene)
        assert not has_work(scene.tenant, scene.clock())
        scene.world.chargebee.edit("customer", who, company="By webhook")
        with connections.chargebee_client(scene.tenant) as chargebee:
            take_in(scene.tenant, Kind.CUSTOMER, who, chargebee, clock=scene.clock)
        assert has_work(scene.tenant, scene.clock())

        LANES["align"](scene.tenant)

        assert in_qad(scene, code)["name"] == "By webhook"
        keep_the_same(scene)
        assert not has_work(scene.tenant, scene.clock())


@pytest.mark.slow
def test_a_key_that_may_only_read_stops_the_pass_with_a_sentence_and_loses_nothing():
    with a_scene(customers=0, policies=ON) as scene:
        who, code = a_pair(scene)
        text = '{"api_error_code": "api_authorization_failed", "message": "No."}'
        denied = {"method": "POST", "path": "/api/v2/customers", "times": 1}
        scene.world.faults("chargebee").add("status", status=403, text=text, **denied)
        scene.world.qad.change_customer(code, tax_class="EXPORT")

        ended = keep_the_same(scene)

        assert "may not change customer" in ended.stopped
        scene.clock.forward(60)
        keep_the_same(scene)
        assert in_chargebee(scene, who)["meta_data"]["qad_tax_class"] == "EXPORT"


def test_a_silent_list_of_credit_terms_blocks_nobody():
    with a_scene(customers=0, policies=ON) as scene:
        who = scene.customer(company="Acme Works")
        scene.world.qad.change_customer(CustomerMapping.objects.get().qad_code, credit_terms="N15")
        keep_the_same(scene)
        assert in_chargebee(scene, who)["net_term_days"] == 15
        AlignedCustomer.objects.update(base={}, chargebee_version="")
        scene.world.chargebee.edit("customer", who, net_term_days=0)
        scene.world.faults("qad").add("browse_empty", times=None)

        keep_the_same(scene)

        assert (AlignedCustomer.objects.get().state, in_chargebee(scene, who)["net_term_days"]) == ("aligned", 0)
        scene.heal()
        keep_the_same(scene)
        assert in_chargebee(scene, who)["net_term_days"] == 15
