"""Documents follow the business entities of their tenant, batch by batch, whatever dies on the way."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from syncs import belonging
from syncs.models import EntityScope, SourceDocument
from tenants.models import AuditEntry, Tenant
from tests.builders import a_tenant
from tests.syncs.rows import NOW, a_document, a_posting

pytestmark = pytest.mark.django_db
OTHER = {"code": "other-entity", "subject": "", "message": "", "fix": "", "link": ""}


def a_tenant_of(*entities: str) -> Tenant:
    return a_tenant(business_entities=list(entities))


def of(tenant: Tenant, entity: str | None, name: str, **fields: Any) -> SourceDocument:
    return a_document(tenant, name, content={"id": name, "business_entity_id": entity}, **fields)


def skipped(tenant: Tenant, entity: str | None, name: str, **fields: Any) -> SourceDocument:
    return of(tenant, entity, name, state="skipped", problems=[OTHER], **fields)


def follow(tenant: Tenant) -> int:
    return belonging.follow(tenant, clock=lambda: NOW, actor="test")


def states(tenant: Tenant) -> dict[str, str]:
    return dict(SourceDocument.objects.filter(tenant=tenant).values_list("source_id", "state"))


@pytest.mark.parametrize(
    ("kind", "entity", "is_back"),
    [
        ("invoice", "ours", True),
        ("invoice", "theirs", False),
        ("invoice", None, False),
        ("credit_note", "ours", True),
        ("transaction", "ours", True),
        ("customer", "ours", True),
        ("customer", None, True),
        ("item", "ours", True),
        ("item_price", "theirs", False),
    ],
)
def test_what_was_skipped_comes_back_if_it_belongs_here_now(kind: str, entity: str | None, is_back: bool):
    tenant = a_tenant_of("ours")
    skipped(tenant, entity, "X", kind=kind)

    assert follow(tenant) == is_back

    assert states(tenant) == {"X": "new" if is_back else "skipped"}


def test_what_another_rule_skipped_stays_as_it_is():
    tenant = a_tenant_of("ours")
    of(tenant, "ours", "X", state="skipped", problems=[{**OTHER, "code": "zero-total"}])

    assert follow(tenant) == 0


@pytest.mark.parametrize(
    ("source", "postings", "after", "is_told"),
    [
        ("coded", ["ready"], "new", False),
        ("coded", ["rejected"], "new", False),
        ("held", [], "new", False),
        ("waiting", [], "new", False),
        ("new", [], "new", False),
        ("coded", ["posted"], "coded", True),
        ("coded", ["verified"], "coded", True),
        ("coded", ["sending"], "coded", True),
        ("coded", ["uncertain"], "coded", True),
        ("coded", ["conflict"], "coded", True),
        ("held", ["posted"], "held", True),
        ("coded", ["reversed"], "coded", False),
        ("ignored", [], "ignored", False),
    ],
)
def test_what_belongs_elsewhere_now_is_decided_anew_unless_qad_has_it_or_may_have_it(
    source: str, postings: list[str], after: str, is_told: bool
):
    tenant = a_tenant_of("ours")
    row = of(tenant, "theirs", "X", state=source)
    for state in postings:
        a_posting(row, state=state)
    of(tenant, "ours", "Y", state=source)

    follow(tenant)

    assert states(tenant) == {"X": after, "Y": source}
    assert AuditEntry.objects.filter(action="posted-outside", subject="invoice:X").exists() == is_told
    assert EntityScope.objects.get().posted_outside == is_told


def test_one_that_died_on_the_way_goes_on_where_it_was_and_tells_nothing_twice(monkeypatch):
    monkeypatch.setattr(belonging, "BATCH", 1)
    tenant = a_tenant_of("ours")
    for name in "ABC":
        a_posting(of(tenant, "theirs", name))
    calls = []

    def clock() -> dt.datetime:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return NOW

    with pytest.raises(KeyboardInterrupt):
        belonging.follow(tenant, clock=clock, actor="test")
    assert not belonging.is_followed(tenant)
    follow(tenant)

    assert belonging.is_followed(tenant)
    assert AuditEntry.objects.filter(action="posted-outside").count() == 3
    assert EntityScope.objects.get().posted_outside == 3


def test_a_second_change_on_the_way_begins_anew(monkeypatch):
    monkeypatch.setattr(belonging, "BATCH", 1)
    tenant = a_tenant_of("ours")
    for name, entity in {"A": "theirs", "B": "ours"}.items():
        skipped(tenant, entity, name)
    calls = []

    def clock() -> dt.datetime:
        calls.append(1)
        if len(calls) == 2:
            Tenant.objects.update(business_entities=["theirs"])
        return NOW

    belonging.follow(tenant, clock=clock, actor="test")

    assert states(tenant) == {"A": "new", "B": "skipped"}
    assert (EntityScope.objects.get().entities, belonging.is_followed(tenant)) == (["theirs"], True)


def test_what_is_prepared_meanwhile_learns_that_the_rules_have_moved():
    tenant = a_tenant_of("ours")
    before = Tenant.objects.get().mapping_revision

    follow(tenant)
    after = Tenant.objects.get().mapping_revision
    follow(tenant)

    assert (after > before, Tenant.objects.get().mapping_revision == after) == (True, True)


def test_a_tenant_without_entities_has_nothing_to_follow():
    tenant = a_tenant_of()
    assert belonging.is_followed(tenant)
    assert not belonging.has_work(tenant)

    Tenant.objects.update(business_entities=["ours"])

    assert not belonging.is_followed(tenant)
    assert belonging.has_work(tenant)
    follow(tenant)
    assert not belonging.has_work(tenant)
