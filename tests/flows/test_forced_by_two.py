"""Sent again although QAD may have it: two people, a reason, and a proof of absence. Never one person, never unseen."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from syncs import forcing
from syncs.models import ForceRequest, Posting
from tenants.models import AuditEntry, Role
from tests.builders import a_tenant, a_user
from tests.flows import decided
from tests.flows.scene import a_scene
from tests.flows.told import assert_the_trail_tells_all

pytestmark = pytest.mark.django_db(transaction=True)
WHY = "It was deleted in QAD by mistake on Monday."


@pytest.fixture
def scene():
    with a_scene() as made:
        yield made


@pytest.fixture
def ada(scene):
    return a_user({scene.tenant: "accountant"}, name="ada")


@pytest.fixture
def bob(scene):
    return a_user({scene.tenant: "integration_admin"}, name="bob")


def ask(scene, user, posting, reason=WHY):
    said = forcing.ask(scene.tenant, posting, user, reason=reason, now=scene.clock())
    return said or ForceRequest.objects.latest("pk")


def work(scene, rounds=4):
    for _ in range(rounds):
        scene.clock.forward(120)
        scene.post()


def posted(scene):
    """One that QAD has, and one that proves its look-up."""
    scene.invoice()
    source_id = scene.invoice()
    scene.sync()
    return scene.posting(source_id)


@pytest.mark.slow
def test_what_was_deleted_in_qad_is_looked_up_proved_absent_and_sent_once(scene, ada, bob):
    posting = posted(scene)
    decided.taken_out(scene, posting.qad_number)
    request = ask(scene, ada, posting)
    assert Posting.objects.get(pk=posting.pk).state == "posted"

    assert forcing.approve(scene.tenant, request, bob, now=scene.clock()) == ""

    assert Posting.objects.get(pk=posting.pk).state == "uncertain"
    work(scene)
    assert Posting.objects.get(pk=posting.pk).state == "posted"
    assert len(scene.in_qad(posting.reference)) == 1
    assert not forcing.is_approved(posting, scene.clock())
    assert_the_trail_tells_all(scene.tenant)
    told = AuditEntry.objects.filter(action__startswith="force-").values_list("action", "actor", "reason")
    assert list(told) == [("force-asked", "ada", WHY), ("force-approved", "bob", WHY)]


@pytest.mark.slow
def test_what_qad_has_after_all_is_adopted_and_nothing_is_sent(scene, ada, bob):
    posting, sent = posted(scene), scene.sent()
    forcing.approve(scene.tenant, ask(scene, ada, posting), bob, now=scene.clock())

    work(scene)

    assert Posting.objects.get(pk=posting.pk).qad_number == posting.qad_number
    assert (scene.sent(), len(scene.in_qad(posting.reference))) == (sent, 1)
    assert_the_trail_tells_all(scene.tenant)


@pytest.mark.slow
def test_without_a_known_document_the_word_of_two_people_releases_what_the_machine_never_would(scene, ada, bob):
    source_id = scene.invoice()
    scene.prepare()
    scene.fault("drop")
    scene.post()
    scene.heal()
    work(scene)
    posting = scene.posting(source_id)
    assert posting.state == "uncertain"

    forcing.approve(scene.tenant, ask(scene, ada, posting), bob, now=scene.clock())
    work(scene)

    assert scene.posting(source_id).state == "posted"
    assert len(scene.in_qad()) == 1
    assert_the_trail_tells_all(scene.tenant)


@pytest.mark.slow
def test_an_open_settle_window_stays_open(scene, ada, bob):
    posted(scene)
    source_id = scene.invoice()
    scene.prepare()
    scene.fault("drop")
    scene.post()
    window = scene.posting(source_id).settle_at

    forcing.approve(scene.tenant, ask(scene, ada, scene.posting(source_id)), bob, now=scene.clock())

    assert scene.posting(source_id).settle_at == window


@pytest.mark.slow
def test_who_asks_never_approves_in_whatever_role(scene, ada, bob):
    both = a_user({scene.tenant: [Role.ACCOUNTANT, Role.INTEGRATION_ADMIN]}, name="carol")
    request = ask(scene, both, posted(scene))

    assert "may not approve" in forcing.approve(scene.tenant, request, both, now=scene.clock())
    both.username = "somebody-else"
    both.save()
    assert "may not approve" in forcing.approve(scene.tenant, request, both, now=scene.clock())
    with pytest.raises(IntegrityError), transaction.atomic():
        ForceRequest.objects.update(state="approved", answered_name="carol")
    assert Posting.objects.filter(state="uncertain").count() == 0


@pytest.mark.parametrize("role", [Role.FINANCE_USER, Role.AUDITOR])
@pytest.mark.slow
def test_other_roles_neither_ask_nor_approve(scene, ada, role):
    posting = posted(scene)
    other = a_user({scene.tenant: role})
    assert "Only an accountant" in ask(scene, other, posting)
    assert "Only another accountant" in forcing.approve(
        scene.tenant, ask(scene, ada, posting), other, now=scene.clock()
    )


@pytest.mark.slow
def test_another_tenants_accountant_or_a_superuser_approves_nothing(scene, ada):
    request = ask(scene, ada, posted(scene))
    for stranger in (a_user({a_tenant("theirs"): "accountant"}), a_user(is_superuser=True)):
        assert "Only another accountant" in forcing.approve(scene.tenant, request, stranger, now=scene.clock())
        assert "Only an accountant" in forcing.refuse(scene.tenant, request, stranger, now=scene.clock())
    assert ForceRequest.objects.get().state == "open"


@pytest.mark.slow
def test_a_request_is_answered_once_and_expires(scene, ada, bob):
    posting = posted(scene)
    request = ask(scene, ada, posting)
    assert "already" in ask(scene, ada, posting)
    assert forcing.refuse(scene.tenant, request, bob, now=scene.clock()) == ""
    assert "answered this request already" in forcing.approve(scene.tenant, request, bob, now=scene.clock())
    late = ask(scene, ada, posting)
    later = scene.clock() + dt.timedelta(days=4)
    assert "too old" in forcing.approve(scene.tenant, late, bob, now=later)
    assert forcing.expire(scene.tenant, now=later) == 1
    assert ForceRequest.objects.get(pk=late.pk).state == "expired"
    mine = ask(scene, ada, posting)
    assert forcing.refuse(scene.tenant, mine, ada, now=scene.clock()) == ""
    assert ForceRequest.objects.get(pk=mine.pk).state == "withdrawn"


@pytest.mark.slow
def test_a_reason_is_demanded_and_what_qad_does_not_have_needs_no_second_person(scene, ada):
    posting = posted(scene)
    assert "Say in a sentence" in ask(scene, ada, posting, "because")
    refused = decided.refused(scene)
    assert "Press Replay" in ask(scene, ada, scene.posting(refused))


@pytest.mark.slow
def test_what_is_settled_in_qad_is_not_sent_again(scene, ada):
    who = scene.customer()
    number = scene.invoice(who, total=100_00)
    scene.world.chargebee.pay({number: 100_00})
    scene.sync()
    for posting in Posting.objects.all():
        assert "applied twice" in ask(scene, ada, posting)
