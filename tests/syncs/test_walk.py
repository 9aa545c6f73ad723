"""Every address of the admin, found by itself, walked in every role: nothing breaks, and nothing of others is shown."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from django.contrib import admin
from django.db import models, transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from mappings.models import MappingUpload
from syncs.models import Attempt, Posting, SourceDocument
from tenants.models import Membership, QadConnection, Role, Tenant
from tests.builders import a_tenant, a_user
from tests.syncs.rows import NOW, UNMAPPED, a_document, a_posting, an_attempt

pytestmark = pytest.mark.django_db
MARK = "foreign-text"
# Rows that must be there for the walk to mean something; a new model is filled as far as that is possible.
FILLED = {
    "accountrole", "attempt", "auditentry", "bankmapping", "catalogprice", "customermapping", "itemmapping",
    "membership", "posting", "proberesult", "qadaccount", "qadconnection", "qadcustomer", "reconciliation", "run",
    "sourcedocument", "taxmapping", "tenant",
}  # fmt: skip
Rows = dict[str, Any]


def _value(field: Any, tenant: Tenant, text: str) -> Any:
    """Something that fits a field."""
    if field.choices:
        return field.choices[0][0]
    if field.is_relation:
        return _row(field.related_model, tenant, text) if field.related_model is not Tenant else tenant
    for kind, value in _VALUES:
        if isinstance(field, kind):
            return value(text[: field.max_length or None]) if callable(value) else value
    return None


_VALUES: tuple[tuple[Any, Any], ...] = (
    (models.UUIDField, lambda text: uuid.uuid4()),
    (models.DateTimeField, NOW),
    (models.DateField, dt.date(2026, 11, 23)),
    (models.TimeField, dt.time(8)),
    (models.BooleanField, True),
    (models.JSONField, {}),
    (models.BinaryField, b""),
    (models.DecimalField, 1),
    (models.FloatField, 1.0),
    (models.IntegerField, 1),
    (models.CharField, lambda text: text),
    (models.TextField, lambda text: text),
)


def _row(model: Any, tenant: Tenant, text: str) -> Any:
    """A row of a tenant, made of what each field takes."""
    if model is SourceDocument:
        problems = [{**UNMAPPED, "message": text, "subject": text}]
        return a_document(tenant, f"{text}-{uuid.uuid4()}"[:90], state="held", problems=problems, content={"id": text})
    if model is Posting:
        return a_posting(a_document(tenant, f"{text}-{uuid.uuid4()}"[:90]), text=text, state="rejected")
    if model is Attempt:
        return an_attempt(_row(Posting, tenant, text), sentence=text, outcome="rejected")
    if model is Membership:
        return Membership.objects.create(tenant=tenant, user=a_user(name=f"{text}-{uuid.uuid4()}"), role=Role.AUDITOR)
    if model is MappingUpload:
        given = {"kind": "items", "ending": "csv", "file_name": text, "actor": text}
        return MappingUpload.objects.create(tenant=tenant, **given, created_at=NOW, changed_at=NOW)
    given = {
        field.name: _value(field, tenant, text)
        for field in model._meta.concrete_fields
        if not (field.primary_key or field.null or field.has_default())
    }
    with transaction.atomic():
        return model._base_manager.create(**given)


def filled(tenant: Tenant, text: str) -> Rows:
    rows: Rows = {"tenant": tenant}
    QadConnection.objects.create(
        tenant=tenant, base_url=f"https://{tenant.slug}.example.com", domain="D", entity="E", workspace=text
    )
    for model in admin.site._registry:
        name = str(model._meta.model_name)
        if name not in ("tenant", "user"):
            try:
                own = (
                    model._base_manager.filter(**{"tenant": tenant}) if _is_owned(model) else model._base_manager.none()
                )
                rows[name] = own.first() or _row(model, tenant, text)
            except Exception:  # noqa: BLE001 - a model with rules of its own: its lists and forms are walked all the same
                continue
    return rows


def _is_owned(model: Any) -> bool:
    return any(field.name == "tenant" for field in model._meta.fields)


def addresses(rows: Rows) -> list[str]:
    """Every address below /admin/; one that names a row is there for each row that it may name."""
    return sorted({address for pattern in _patterns(get_resolver()) for address in _filled_in(pattern, rows)})


def _patterns(resolver: URLResolver, before: str = "") -> list[str]:
    found = []
    for part in resolver.url_patterns:
        text = before + str(part.pattern)
        if isinstance(part, URLPattern):
            found.append(text)
        else:
            found += _patterns(part, text)
    return [text for text in found if text.startswith("admin/") and "(?P" not in text and "logout" not in text]


def _filled_in(pattern: str, rows: Rows) -> list[str]:
    start, opened, rest = pattern.partition("<")
    if not opened:
        return [f"/{pattern}"]
    names = pattern.split("/")
    row = rows.get("tenant" if "tenant_id" in rest else names[2])
    return [f"/{start}{row.pk}{rest.partition('>')[2]}"] if row is not None else []


WHO = [*list(Role), "platform", "everything"]


def _walker(who: str, tenant: Tenant) -> Client:
    client = Client(raise_request_exception=False)
    user = (
        a_user(is_superuser=True) if who == "platform" else a_user({tenant: list(Role) if who == "everything" else who})
    )
    client.force_login(user)
    return client


def _wrong(client: Client, pages: list[str], *, method: str = "get", hidden: str = "") -> list[str]:
    """Addresses that answer with an error of ours, or with what must stay hidden."""
    found = []
    for page in pages:
        answer = getattr(client, method)(page, follow=method == "get")
        if answer.status_code >= 500 or (hidden and hidden in answer.content.decode(errors="replace")):
            found.append(f"{method} {page}: {answer.status_code}")
    return found


@pytest.mark.slow
def test_an_auditor_sees_nothing_of_another_tenant_on_one_address_in_a_dozen():
    mine, theirs = filled(a_tenant("mine"), "own-text"), filled(a_tenant("theirs", name=MARK), MARK)
    assert set(mine) >= FILLED, FILLED - set(mine)
    pages = sorted({*addresses(mine), *addresses(theirs)})[::12]
    assert len(pages) > 20

    assert _wrong(_walker(Role.AUDITOR, mine["tenant"]), pages, hidden=MARK) == []


@pytest.mark.slow
@pytest.mark.parametrize("who", WHO)
def test_no_address_breaks_and_none_shows_a_row_of_another_tenant(who):
    mine, theirs = filled(a_tenant("mine"), "own-text"), filled(a_tenant("theirs", name=MARK), MARK)
    assert set(mine) >= FILLED, FILLED - set(mine)
    pages = sorted({*addresses(mine), *addresses(theirs)})
    assert len(pages) > 200
    client = _walker(who, mine["tenant"])

    # who manages tenants sees their names, and nothing else of them
    assert _wrong(client, pages, hidden="" if who == "platform" else MARK) == []


@pytest.mark.slow
@pytest.mark.parametrize("who", [*list(Role), "everything"])
def test_an_empty_form_breaks_nothing_and_changes_no_row_of_another_tenant(who):
    mine, theirs = filled(a_tenant("mine"), "own-text"), filled(a_tenant("theirs", name=MARK), MARK)
    before = _content(theirs)
    client = _walker(who, mine["tenant"])

    assert _wrong(client, sorted({*addresses(mine), *addresses(theirs)}), method="post") == []
    assert _content(theirs) == before


def _content(rows: Rows) -> dict[str, Any]:
    return {name: type(row)._base_manager.filter(pk=row.pk).values().first() for name, row in rows.items()}
