"""Rows that are added without model objects are the same rows, under the same rules."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.exceptions import FieldError
from django.db import DatabaseError, connection, transaction
from django.forms.models import model_to_dict

from syncs.models import Kind, RunPage, SourceDocument
from syncs.states import SourceState
from tenants.appending import append
from tenants.models import AuditEntry, ChargebeeCredential
from tests.builders import a_tenant
from tests.syncs.rows import a_run

pytestmark = pytest.mark.django_db
NOON = dt.datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=dt.UTC)
ELSEWHERE = dt.timezone(dt.timedelta(hours=9))
NAMES = (
    *("tenant_id", "kind", "source_id", "raw", "content_hash", "resource_version", "updated_at", "is_deleted"),
    *("status", "state", "problems", "total_minor", "first_seen_at", "changed_at"),
)


def values(tenant, name: str, **wanted):
    row = {
        "tenant_id": tenant.pk,
        "kind": Kind.INVOICE,
        "source_id": name,
        "raw": b"\x00\xff'",
        "content_hash": "0" * 64,
        "resource_version": 2**62,
        "updated_at": NOON.astimezone(ELSEWHERE),
        "is_deleted": True,
        "status": "it's 100 % Zoë's",
        "state": SourceState.WAITING,
        "problems": [{"code": "a", "amount": 1.5, "text": "ÿ\u2028"}, None],
        "total_minor": None,
        "first_seen_at": NOON,
        "changed_at": NOON,
    }
    return {**row, **wanted}


def test_a_row_is_what_the_model_itself_would_have_stored():
    tenant = a_tenant()
    SourceDocument(**values(tenant, "by the model")).save()
    assert append(SourceDocument, NAMES, [tuple(values(tenant, "appended").values())]) == 1
    one, other = SourceDocument.objects.get(source_id="by the model"), SourceDocument.objects.get(source_id="appended")
    assert model_to_dict(one, exclude=["id", "source_id"]) == model_to_dict(other, exclude=["id", "source_id"])
    assert (bytes(other.raw), other.updated_at, other.state) == (bytes(one.raw), NOON, "waiting")
    with connection.cursor() as cursor:
        cursor.execute("SELECT updated_at, problems, is_deleted, state FROM syncs_sourcedocument")
        stored, same = cursor.fetchall()
    assert stored == same


def test_what_is_not_named_has_its_default():
    tenant = a_tenant()
    run = a_run(tenant)
    append(RunPage, ("tenant_id", "run_id", "kind", "number", "listed"), [(tenant.pk, run.pk, "invoice", 3, [["A"]])])
    append(AuditEntry, ("tenant_id", "at", "actor", "action", "subject"), [(None, NOON, "sync", "tried", "x:1")])
    assert RunPage.objects.get().listed == [["A"]]
    entry = AuditEntry.objects.get(subject="x:1")
    assert (entry.tenant, entry.reason, entry.before, entry.personal_digest) == (None, "", None, "")


def test_nothing_is_appended_of_no_rows():
    assert append(SourceDocument, NAMES, []) == 0


@pytest.mark.parametrize("wrong", [{"kind": "supplier"}, {"state": "unheard-of"}, {"source_id": "A"}], ids=str)
def test_a_row_that_breaks_a_constraint_takes_all_with_it(wrong):
    tenant = a_tenant()
    rows = [tuple(values(tenant, name, **more).values()) for name, more in (("A", {}), ("B", wrong))]
    with pytest.raises(DatabaseError), transaction.atomic():
        append(SourceDocument, NAMES, rows)
    assert not SourceDocument.objects.exists()


def test_a_link_across_tenants_is_refused_by_the_guard():
    acme, other = a_tenant("acme"), a_tenant("other")
    names = ("tenant_id", "run_id", "kind", "number", "listed")
    with pytest.raises(DatabaseError, match="another tenant"), transaction.atomic():
        append(RunPage, names, [(acme.pk, a_run(other).pk, "invoice", 0, [])])
    assert not RunPage.objects.exists()


def test_a_bare_text_is_no_secret_on_this_way_either():
    with pytest.raises(FieldError, match="is a secret"):
        append(ChargebeeCredential, ("tenant_id", "api_key", "changed_at"), [(a_tenant().pk, "test_key", NOON)])
    assert not ChargebeeCredential.objects.exists()
