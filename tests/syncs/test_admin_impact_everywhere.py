"""Every way to change mappings tells first what it would do to open documents; then one click saves and releases."""

from __future__ import annotations

import html
import re

import pytest
from django.contrib.admin import helpers
from django.urls import reverse
from django.utils import timezone

from connector.sandbox.chargebee.documents import Charge
from mappings import history, unmapped, uploading
from mappings.models import CatalogPrice, ItemMapping, MappingUpload, UploadState
from mappings.planning import Change
from mappings.saving import save_rows
from mappings.screens import IN_BACKGROUND, Limit
from syncs import tasks
from syncs.admin.impacts import impact_of
from tenants.models import AuditEntry, Role
from tests.builders import a_tenant, a_user
from tests.flows.scene import a_scene
from tests.flows.setting import SINCE
from tests.mappings.build import a_chart
from tests.mappings.files import items_workbook

pytestmark = pytest.mark.django_db(transaction=True)
TRAINING = Charge(75_000, "training-USD", "charge_item_price")
BLANK = {"sub_account": "", "cost_centre": "", "project": "", "qad_item": "", "tax_code": ""}
FREED = "1 document (750.00 USD) will be released; they land on"
TOLD = "1 document waited for mappings of this kind; 1 released: 750.00 USD."


@pytest.fixture
def scene():
    """One invoice that waits for the account of its training."""
    with a_scene() as made:
        made.tenant.item_mappings.filter(key="services").delete()
        made.held = made.invoice(charges=(TRAINING,))
        made.sync()
        assert made.dispositions() == {"held": 1}
        type(made.tenant).objects.update(is_posting_on=False)
        yield made


@pytest.fixture
def desk(client, scene):
    user = a_user({scene.tenant: Role.FINANCE_USER})
    user.memberships.create(tenant=scene.tenant, role=Role.INTEGRATION_ADMIN)
    client.force_login(user)
    client.post(reverse("admin:switch_tenant"), {"tenant": scene.tenant.pk})
    return client


def services(account="4300"):
    named = {"level": "item_family", "key": "services", "gl_account": account, "valid_from": SINCE}
    return Change("items", {**BLANK, **named})


def saved(scene, *changes):
    done = save_rows(scene.tenant.pk, changes, actor="ada", now=timezone.now())
    assert not done.refusals
    return history.entries(AuditEntry.objects.filter(tenant=scene.tenant)).order_by("-id").first()


def hidden(page):
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {name: [html.unescape(value) for one, value in found if one == name] for name, _ in found}


def is_free(scene):
    return scene.source(scene.held).state == "coded"


def test_the_desk_asks_before_it_saves_what_was_ticked(desk, scene):
    training = CatalogPrice.objects.get(tenant=scene.tenant, item_price="training-USD")
    choice = unmapped.packed(unmapped.Target("4300", "", "", "", "", ""))
    field = f"item:{training.item}"
    posted = {"accept": [field], f"choice:{field}": choice, "valid_from": "2020-01-01"}

    page = desk.post(reverse("admin:mappings_catalogprice_desk"), posted).content.decode()
    assert FREED in page
    assert "1 mapping is not saved yet." in page
    assert not ItemMapping.objects.filter(key=training.item).exists()

    reply = desk.post(reverse("admin:mappings_catalogprice_desk"), {**hidden(page), "_impact_seen": "yes"}, follow=True)
    assert TOLD in reply.content.decode()
    assert is_free(scene)


@pytest.mark.slow
def test_a_copy_tells_it_beside_the_difference(desk, scene):
    other = a_tenant("other")
    a_chart(other, "4300")
    assert save_rows(other.pk, [services()], actor="ada", now=timezone.now()).created
    user = desk.get(reverse("admin:index")).wsgi_request.user
    user.memberships.create(tenant=other, role=Role.AUDITOR)
    asked = {"source": "other", "kinds": ["items"]}

    reply = desk.post(reverse("admin:mappings_copy"), asked)
    assert FREED in reply.content.decode()

    mark = reply.context["seen"].mark
    reply = desk.post(reverse("admin:mappings_copy"), {**asked, "save": "yes", "mark": mark}, follow=True)
    assert TOLD in reply.content.decode()
    assert is_free(scene)


@pytest.mark.slow
def test_undoing_tells_it_on_the_page_of_the_change(desk, scene):
    entry = saved(scene, services())
    address = reverse("admin:mappings_mappingchange_change", args=[entry.pk])
    scene.sync()
    assert is_free(scene)

    page = desk.get(address).content.decode()
    assert "1 document (750.00 USD) will be held, for want of a mapping." in page

    desk.post(address)
    assert not is_free(scene)


@pytest.mark.slow
def test_deleting_several_rows_tells_it_before_it_is_done(desk, scene):
    saved(scene, services())
    scene.sync()
    rows = ItemMapping.objects.filter(tenant=scene.tenant)
    chosen = {"action": "delete_selected", helpers.ACTION_CHECKBOX_NAME: [str(row.pk) for row in rows]}
    page = desk.post(reverse("admin:mappings_itemmapping_changelist"), chosen).content.decode()
    assert "1 document (750.00 USD) will be held, for want of a mapping." in page
    assert rows.exists()


def test_a_large_upload_tells_it_with_what_its_check_found_and_its_person_releases(desk, scene):
    row = ("item_family", "services", "2020-01-01", "4300")
    content = items_workbook(row)
    upload = uploading.receive(scene.tenant, "items", "m.xlsx", content, actor="mira", now=timezone.now())
    tasks.work(scene.tenant.pk, "uploads")
    address = reverse("admin:mappings_mappingupload_change", args=[upload.pk])
    assert FREED in desk.get(address).content.decode()
    assert not is_free(scene)

    desk.post(reverse("admin:mappings_mappingupload_save", args=[upload.pk]))
    tasks.work(scene.tenant.pk, "uploads")

    assert MappingUpload.objects.get().state == UploadState.SAVED
    assert is_free(scene)
    prepared = AuditEntry.objects.get(action="prepared", subject__contains=scene.posting(scene.held).reference)
    assert prepared.actor == MappingUpload.objects.get().saved_by != "upload"
    assert FREED not in desk.get(address).content.decode()


@pytest.mark.slow
def test_wrong_rows_of_an_upload_are_not_in_its_impact(desk, scene, monkeypatch):
    wrong = ("item_family", "services", "2020-01-01", "9999")
    right = ("item_family", "other", "2020-01-01", "4300")
    uploading.receive(scene.tenant, "items", "m.xlsx", items_workbook(wrong, right), actor="mira", now=timezone.now())
    tasks.work(scene.tenant.pk, "uploads")
    shown = MappingUpload.objects.get().shown
    assert (shown["errors"][0][0], shown["impact"]) == (2, [])


@pytest.mark.slow
@pytest.mark.parametrize(("limit", "looked_at"), [(Limit(1, 60.0), 1), (Limit(10, -1.0), 0)])
def test_a_limit_that_is_met_is_told(scene, limit, looked_at):
    scene.invoice(charges=(TRAINING,))
    scene.sync()
    said = " ".join(impact_of(scene.tenant, [services()], limit=limit))
    assert f"the newest {looked_at} of 2 open documents" in said
    assert "the newest" not in " ".join(impact_of(scene.tenant, [services()], limit=IN_BACKGROUND))


@pytest.mark.slow
def test_a_limit_that_is_met_is_told_too_where_nothing_seen_is_touched(scene):
    scene.invoice(charges=(TRAINING,))
    scene.sync()
    other = Change("items", {**services().values, "key": "other"})
    said = " ".join(impact_of(scene.tenant, [other], limit=Limit(1, 60.0)))
    assert "It touches none of the newest 1 of 2 open documents." in said
    assert impact_of(scene.tenant, [other]) == []
