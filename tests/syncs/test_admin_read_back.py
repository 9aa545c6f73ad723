"""The page of reading back: restore mode, what stands in the way, and who may end it."""

from __future__ import annotations

import pytest
from django.urls import reverse

from syncs import newest, restoring
from syncs.models import ReadBack
from tenants.models import AuditEntry, Role
from tests.builders import a_tenant, a_user
from tests.flows.scene import a_scene
from tests.syncs.rows import HOSTILE, NOW

pytestmark = pytest.mark.django_db
PAGE, LEAVE = "admin:syncs_readback_changelist", "admin:syncs_readback_leave"
STRANGER = {"reference": "CB-INV-theirs", "number": "2026-1", "list": "invoices"}


def restored(tenant, why="QAD has CB-INV-theirs, and this database does not know it."):
    restoring.enter(tenant, why, [STRANGER], read_from=NOW.date(), now=NOW, actor="test")
    ReadBack.objects.filter(tenant=tenant).update(listed_at=NOW)
    return tenant


def left(client, **posted):
    return client.post(reverse(LEAVE), {"reason": "Checked in QAD.", **posted}, follow=True).content.decode()


def is_restoring(tenant) -> bool:
    return restoring.mode_of(tenant) is not None


@pytest.mark.parametrize("role", [Role.ACCOUNTANT, Role.INTEGRATION_ADMIN])
def test_a_person_answers_for_what_is_unknown_and_ends_it_with_a_reason(client, role):
    tenant = restored(a_tenant("acme"))
    client.force_login(a_user({tenant: role}, name="ada"))

    assert "CB-INV-theirs" in client.get(reverse(PAGE)).content.decode()
    assert "stays in restore mode" in left(client)
    assert "Say why" in left(client, reason=" ", accept="CB-INV-theirs")
    assert is_restoring(tenant)
    assert "documents may be sent again" in left(client, accept="CB-INV-theirs")

    assert not is_restoring(tenant)
    line = AuditEntry.objects.get(action="restore-mode-off")
    assert (line.actor, line.reason, line.after["accepted"]) == ("ada", "Checked in QAD.", ["CB-INV-theirs"])
    assert "Restore mode ended" in client.get(reverse(PAGE)).content.decode()


@pytest.mark.parametrize("role", [Role.FINANCE_USER, Role.AUDITOR])
def test_others_see_it_and_cannot_end_it(client, role):
    tenant = restored(a_tenant("acme"))
    client.force_login(a_user({tenant: role}, name="ada"))

    page = client.get(reverse(PAGE)).content.decode()

    assert "CB-INV-theirs" in page
    assert "End restore mode" not in page
    assert client.post(reverse(LEAVE), {"reason": "x", "accept": "CB-INV-theirs"}).status_code == 403
    assert is_restoring(tenant)


def test_the_other_tenants_user_neither_sees_nor_ends_it(client):
    tenant, other = restored(a_tenant("acme")), a_tenant("other")
    client.force_login(a_user({other: Role.ACCOUNTANT}))

    assert "CB-INV-theirs" not in client.get(reverse(PAGE)).content.decode()
    assert "is not in restore mode" in left(client, accept="CB-INV-theirs")
    row = ReadBack.objects.get(tenant=tenant)
    assert client.get(reverse("admin:syncs_readback_change", args=[row.pk])).status_code == 302
    assert is_restoring(tenant)


def test_the_overview_says_that_restore_mode_is_on_and_leads_there(client):
    tenant = restored(a_tenant("acme"), why=HOSTILE)
    client.force_login(a_user({tenant: Role.ACCOUNTANT}))

    page = client.get(reverse("admin:index")).content.decode()

    assert "Restore mode" in page
    assert reverse(PAGE) in page
    assert HOSTILE not in page


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("dialect", ["adaptive", "offset-rest"])
@pytest.mark.slow
def test_the_presets_can_ask_for_every_document_so_nothing_is_warned_of(dialect):
    with a_scene(dialect=dialect) as scene:
        scene.invoice()
        newest.forget()
        scene.sync()
        row = ReadBack.objects.get(tenant=scene.tenant)
        assert row.is_proved, row.sentence
