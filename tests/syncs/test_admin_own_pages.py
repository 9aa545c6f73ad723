"""A row without a screen of its own still has its page; another tenant's has none."""

from __future__ import annotations

import pytest
from django.urls import reverse

from syncs.models import OpeningItem
from tenants.models import Role
from tests.builders import a_tenant, a_user
from tests.syncs.rows import NOW

pytestmark = pytest.mark.django_db


def test_an_opening_item_shows_its_fields_to_its_own_tenant_alone(client):
    mine, other = a_tenant("mine"), a_tenant("other")
    row = {"kind": "invoice", "currency": "USD", "open_minor": 100, "actor": "ada", "changed_at": NOW}
    items = [
        OpeningItem.objects.create(tenant=tenant, source_id=f"INV-{tenant.slug}", qad_number="N-1", **row)
        for tenant in (mine, other)
    ]
    client.force_login(a_user({mine: Role.AUDITOR}))

    shown, hidden = (client.get(reverse("admin:syncs_openingitem_change", args=[item.pk])) for item in items)

    assert shown.status_code == 200 and "INV-mine" in shown.content.decode()
    assert hidden.status_code == 302
