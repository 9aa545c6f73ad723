"""A NUL never reaches a database: PostgreSQL refuses it with an error, SQLite stores what nobody can read."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tenants.models import AuditEntry, Role
from tests.builders import a_tenant, a_user

pytestmark = pytest.mark.django_db


def test_a_reason_with_a_nul_is_answered_with_a_sentence_and_saved_nowhere(client):
    tenant = a_tenant("acme")
    client.force_login(a_user({tenant: list(Role)}))
    answer = client.post(
        reverse("admin:tenants_tenant_posting", args=[tenant.pk]), {"posting": "off", "reason": "stop\0here"}
    )
    assert (answer.status_code, "cannot be stored" in answer.content.decode()) == (400, True)
    assert not AuditEntry.objects.filter(reason__contains="here").exists()
