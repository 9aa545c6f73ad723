"""What a change of mappings would do is told before it is saved, and then that is what happens."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from connector.sandbox.chargebee.documents import Charge
from mappings.models import CustomerMapping, ItemMapping, MirrorState, QadCode, QadCustomer
from mappings.planning import Change
from syncs.admin.impacts import impact_of
from syncs.desk import open_desk
from syncs.foresight import rehearse
from syncs.models import Posting, SourceDocument
from tenants.models import AuditEntry, Role
from tests.builders import a_user
from tests.flows.scene import a_scene

pytestmark = pytest.mark.django_db(transaction=True)
BLANK = {"sub_account": "", "cost_centre": "", "project": "", "qad_item": "", "tax_code": ""}
PLAN, TRAINING = Charge(19_900, "pro-USD-Monthly"), Charge(75_000, "training-USD", "charge_item_price")
SINCE = dt.date(2020, 1, 1)


@pytest.fixture
def scene():
    """One invoice that is prepared and not sent, one that waits for the account of its training, one that is posted."""
    with a_scene() as made:
        made.posted = made.invoice(charges=(PLAN,))
        made.sync()
        made.tenant.item_mappings.filter(key="services").delete()
        type(made.tenant).objects.update(is_posting_on=False)
        made.ready = made.invoice(charges=(PLAN,))
        made.held = made.invoice(charges=(TRAINING,))
        made.sync()
        yield made


def an_item(level, key, account, **more):
    return Change("items", {**BLANK, "level": level, "key": key, "gl_account": account, "valid_from": SINCE, **more})


def told(scene, *changes, deleted=()):
    return " ".join(impact_of(scene.tenant, changes, deleted))


def accounts(scene, source_id):
    lines = scene.posting(source_id).document["lines"]
    return {line["coding"]["gl_account"] for line in lines}


def form(scene, **fields):
    return {**BLANK, "level": "item", "key": "pro", "gl_account": "4100", "valid_from": "2020-01-01", **fields}


@pytest.fixture
def desk(client, scene):
    client.force_login(a_user({scene.tenant: Role.FINANCE_USER}))
    return client


@pytest.mark.slow
def test_a_released_document_is_counted_with_its_money_and_accounts(scene):
    said = told(scene, an_item("item", "training", "4300"))
    assert "1 document (750.00 USD) will be released; they land on" in said
    assert "4300: -750.00 USD" in said


@pytest.mark.slow
def test_a_prepared_document_that_lands_elsewhere_is_counted_with_what_moves(scene):
    row = ItemMapping.objects.get(tenant=scene.tenant, level="item_family", key="cloud-platform")
    said = told(scene, an_item("item_family", "cloud-platform", "4400", valid_from=row.valid_from))
    assert "1 document (199.00 USD) will be coded anew" in said
    assert "4400: -199.00 USD" in said
    assert f"{row.gl_account}: 199.00 USD" in said
    assert "1 posted document used it and stays as it is." in said


@pytest.mark.slow
def test_a_change_of_a_dimension_alone_is_told(scene):
    row = ItemMapping.objects.get(tenant=scene.tenant, level="item_family", key="cloud-platform")
    code = "NEW-CC"
    QadCode.objects.create(tenant=scene.tenant, list_name="cost_centres", code=code, seen_at=scene.clock())
    MirrorState.objects.update_or_create(
        tenant=scene.tenant, list_name="cost_centres", defaults={"refreshed_at": scene.clock()}
    )
    change = an_item(
        "item_family",
        "cloud-platform",
        row.gl_account,
        valid_from=row.valid_from,
        cost_centre=code,
        qad_item=row.qad_item,
    )
    said = told(scene, change)
    assert "1 document (199.00 USD) will be coded anew." in said
    assert "held" not in said.replace("stay held as before", "")


@pytest.mark.slow
def test_another_qad_customer_is_told(scene):
    qad_code = scene.posting(scene.ready).document["customer"]
    row = CustomerMapping.objects.get(tenant=scene.tenant, qad_code=qad_code)
    QadCustomer.objects.create(tenant=scene.tenant, code="OTHER1", seen_at=scene.clock())
    values = {"chargebee_id": row.chargebee_id, "qad_code": "OTHER1", "kind": row.kind, "note": ""}
    assert "will be coded anew" in told(scene, Change("customers", values))


@pytest.mark.slow
def test_a_deletion_that_would_hold_documents_says_so(scene):
    row = ItemMapping.objects.get(tenant=scene.tenant, level="item_family", key="cloud-platform")
    assert "1 document (199.00 USD) will be held, for want of a mapping." in told(scene, deleted=[row])


@pytest.mark.slow
def test_a_change_that_touches_nothing_open_says_nothing(scene):
    assert told(scene, an_item("item_price", "other-USD", "4400")) == ""
    assert told(scene, an_item("item", "pro", "4400", valid_from=dt.date(2099, 1, 1))) == ""


@pytest.mark.slow
def test_weighing_writes_nothing(scene):
    rows = list(SourceDocument.objects.filter(tenant=scene.tenant, kind="invoice"))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        rehearse(open_desk(scene.tenant.pk), rows, now=scene.clock())
        impact_of(scene.tenant, [an_item("item", "training", "4300")])
    writes = [one["sql"] for one in queries if re.match(r"\s*(INSERT|UPDATE|DELETE|REPLACE)", one["sql"])]
    assert not writes


@pytest.mark.slow
def test_the_form_shows_it_and_one_click_saves_and_releases(desk, scene):
    address = reverse("admin:mappings_itemmapping_add")
    page = desk.post(address, form(scene, key="training", gl_account="4300")).content.decode()
    assert "will be released" in page
    assert "Save and release" in page
    assert not ItemMapping.objects.filter(key="training").exists()
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
    reply = desk.post(address, {**hidden, "_impact_seen": "yes"}, follow=True).content.decode()
    assert "1 document waited for mappings of this kind; 1 released: 750.00 USD." in reply
    assert scene.posting(scene.held).state == "ready"


@pytest.mark.slow
def test_saving_codes_prepared_documents_anew_and_leaves_posted_ones(desk, scene):
    before = accounts(scene, scene.posted)
    reply = desk.post(reverse("admin:mappings_itemmapping_add"), {**form(scene), "_impact_seen": "yes"}, follow=True)
    assert "1 prepared document coded anew." in reply.content.decode()
    assert accounts(scene, scene.ready) == {"4100"}
    assert accounts(scene, scene.posted) == before
    assert Posting.objects.get(source__source_id=scene.posted).state in ("posted", "verified")
    assert (
        AuditEntry.objects.filter(action="rebuilt", subject=f"posting:{scene.posting(scene.ready).reference}").count()
        == 1
    )


@pytest.mark.slow
def test_an_unrelated_mapping_leaves_prepared_documents_alone(desk, scene):
    posted = {**form(scene, key="other"), "_impact_seen": "yes"}
    desk.post(reverse("admin:mappings_itemmapping_add"), posted)
    assert not AuditEntry.objects.filter(action="rebuilt").exists()


@pytest.mark.slow
def test_a_form_with_an_error_shows_the_error_and_no_impact(desk, scene):
    page = desk.post(reverse("admin:mappings_itemmapping_add"), form(scene, gl_account="9999")).content.decode()
    assert "Save and release" not in page
    assert "QAD does not have GL account 9999." in page


@pytest.mark.slow
def test_the_page_of_a_deletion_tells_it_too(desk, scene):
    row = ItemMapping.objects.get(tenant=scene.tenant, level="item_family", key="cloud-platform")
    page = desk.get(reverse("admin:mappings_itemmapping_delete", args=[row.pk])).content.decode()
    assert "will be held, for want of a mapping." in page


@pytest.mark.slow
def test_a_reader_s_post_changes_and_learns_nothing(client, scene):
    client.force_login(a_user({scene.tenant: Role.AUDITOR}))
    reply = client.post(reverse("admin:mappings_itemmapping_add"), form(scene, key="training", gl_account="4300"))
    assert reply.status_code == 403
