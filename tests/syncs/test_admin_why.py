"""The page that says for each amount of a document which mapping wins, and why."""

import pytest
from django.urls import reverse

from connector.sandbox.chargebee.documents import Charge
from tenants.models import Role
from tests.builders import a_tenant, a_user
from tests.flows.scene import a_scene

pytestmark = pytest.mark.django_db(transaction=True)
TAXED = Charge(10_000, "pro-USD-Monthly", taxes=(("Colorado Tax", "2.9", "state"),))


@pytest.fixture
def scene():
    with a_scene() as made:
        yield made


@pytest.fixture
def reader(client, scene):
    client.force_login(a_user({scene.tenant: Role.AUDITOR}))
    return client


def why(client, row):
    return client.get(reverse("admin:syncs_sourcedocument_why", args=[row.pk]))


def subjects(reply):
    return [(one.title, one.account != "") for one in reply.context["answers"]]


@pytest.mark.slow
def test_a_posted_invoice_explains_each_of_its_lines_and_taxes(reader, scene):
    source_id = scene.invoice(charges=(TAXED,))
    scene.sync()
    reply = why(reader, scene.source(source_id))
    assert subjects(reply) == [("Item", True), ("Tax", True)]
    assert "keeps the rows and versions that its journal names" in reply.content.decode()
    address = reverse("admin:syncs_sourcedocument_why", args=[scene.source(source_id).pk])
    page = reader.get(reverse("admin:syncs_sourcedocument_change", args=[scene.source(source_id).pk]))
    assert address in page.content.decode()


def test_a_held_invoice_shows_what_is_missing(reader, scene):
    source_id = scene.invoice(charges=(Charge(1_00, "ghost-USD"),))
    scene.sync()
    reply = why(reader, scene.source(source_id))
    assert subjects(reply) == [("Item", False)]
    assert "has no mapping on" in reply.content.decode()


@pytest.mark.slow
def test_notes_payments_and_refunds_are_explained_too(reader, scene):
    source_id = scene.invoice()
    paid = scene.world.chargebee.pay({source_id: 100_00}, unused=20_00)["id"]
    note = scene.world.chargebee.credit(scene.invoice(), 10_00)["id"]
    refund = scene.world.chargebee.refund_payment(paid, 20_00)["id"]
    scene.sync()
    assert ("Item", True) in subjects(why(reader, scene.source(note, "credit_note")))
    assert ("Payment", True) in subjects(why(reader, scene.source(paid, "transaction")))
    assert ("Payment", True) in subjects(why(reader, scene.source(refund, "transaction")))


def test_what_has_no_amounts_says_so(reader, scene):
    who = scene.customer()
    scene.sync()
    assert "asks the mappings for nothing" in why(reader, scene.source(who, "customer")).content.decode()


def test_another_tenant_s_document_is_not_explained(client, scene):
    source_id = scene.invoice()
    scene.sync()
    client.force_login(a_user({a_tenant("theirs"): Role.ACCOUNTANT}))
    assert why(client, scene.source(source_id)).status_code == 302
