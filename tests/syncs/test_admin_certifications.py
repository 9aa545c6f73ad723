"""Screens of certifications: what was tried and measured, who may start one, and nothing of another tenant."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django_q.models import OrmQ

from mappings.models import BankMapping, ItemMapping, QadCustomer
from syncs.models import Certification
from tenants.models import QadConnection, Role
from tests.builders import a_tenant, a_user
from tests.syncs.rows import HOSTILE, NOW

pytestmark = pytest.mark.django_db
LIST, START = "admin:syncs_certification_changelist", "admin:syncs_certification_certify"


def a_certification(tenant, text="Certified: 13 documents."):
    step = {
        "name": "INV-A",
        "what": "Post an invoice",
        "answer": "ok",
        "sentence": text,
        "reference": "CB-CERT-1-INV-A",
    }
    return Certification.objects.create(
        tenant=tenant,
        profile_hash="f" * 64,
        profile_version=3,
        preset="adaptive",
        workspace="https://acme.qad.example 10USA > 10USACO",
        state="passed",
        steps=[{**step, "lag_seconds": 0.2}],
        figures={"duplicate": "rejected"},
        sentence=text,
        actor="ada",
        started_at=NOW,
    )


def page_of(client, row):
    return client.get(reverse("admin:syncs_certification_change", args=[row.pk]), follow=True).content.decode()


def test_every_step_and_figure_is_shown_and_hostile_text_does_nothing(client):
    tenant = a_tenant("acme")
    client.force_login(a_user({tenant: Role.AUDITOR}))

    page = page_of(client, a_certification(tenant, HOSTILE))

    assert "CB-CERT-1-INV-A" in page
    assert "rejected" in page
    assert "<script>alert" not in page
    assert "Certify now" not in client.get(reverse(LIST)).content.decode()


def test_nothing_of_another_tenant_is_shown(client):
    tenant, other = a_tenant("acme"), a_tenant("other")
    client.force_login(a_user({tenant: list(Role)}))

    assert "foreign-text" not in page_of(client, a_certification(other, "foreign-text"))
    assert "foreign-text" not in client.get(reverse(LIST)).content.decode()


@pytest.mark.parametrize("role", list(Role))
def test_only_who_manages_connections_may_start_one(client, role):
    tenant = a_tenant("acme")
    QadConnection.objects.create(tenant=tenant, base_url="https://acme.qad.example", domain="10USA", entity="10USACO")
    QadCustomer.objects.create(tenant=tenant, code="C1", currency="USD", seen_at=NOW)
    coded = {"tenant": tenant, "gl_account": "4000", "valid_from": NOW.date()}
    ItemMapping.objects.create(level="item", key="pro", **coded)
    BankMapping.objects.create(**coded)
    client.force_login(a_user({tenant: role}))

    answer = client.post(reverse(START))

    may = role == Role.INTEGRATION_ADMIN
    assert (answer.status_code, OrmQ.objects.count()) == (302 if may else 403, 1 if may else 0)


@pytest.mark.parametrize(("mode", "sentence"), [("test", "no customer"), ("live", "is live")])
def test_it_says_why_none_can_be_started(client, mode, sentence):
    tenant = a_tenant("acme", mode=mode)
    QadConnection.objects.create(tenant=tenant, base_url="https://acme.qad.example", domain="10USA", entity="10USACO")
    client.force_login(a_user({tenant: Role.INTEGRATION_ADMIN}))

    page = client.post(reverse(START), follow=True).content.decode()

    assert sentence in page.replace("no active customer", "no customer")
    assert OrmQ.objects.count() == 0
