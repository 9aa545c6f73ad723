"""Whoever gets past the database's rules leaves a trace that verify_audit names."""

import datetime as dt

import pytest
from django.core.management.base import CommandError
from django.db import IntegrityError, connection, models, transaction

from tenants import guards, sealing, verifying
from tenants.models import AuditEntry, AuditPersonal, AuditSeal, ProbeResult
from tests.builders import a_tenant
from tests.tenants.trail import NOW, about, entries, guards_dropped, run

pytestmark = pytest.mark.django_db


def sealed(count=5, **fields):
    tenant = a_tenant(**fields)
    ids = entries(tenant, count)
    sealing.seal_all(NOW)
    return tenant, ids


def broken_at(tenant):
    return [found.position for found in verifying.verify(tenant.pk, NOW).breaks]


def fails(*arguments):
    with pytest.raises(CommandError) as caught:
        run("verify_audit", *arguments)
    return str(caught.value), caught.value.returncode


@pytest.mark.parametrize("table", ["tenants_auditentry", "tenants_auditseal"])
@pytest.mark.parametrize("words", ["UPDATE {} SET tenant_id = tenant_id", "DELETE FROM {}"])
def test_the_database_itself_refuses_to_change_or_delete(table, words):
    sealed()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(words.format(table))


def test_an_untouched_chain_verifies_and_prints_its_head():
    tenant, _ = sealed()
    text = run("verify_audit", "acme")
    assert "were not checked" not in text
    assert f"acme: 5 entries recomputed. Head {sealing.head_of(tenant.pk)}" in text


@pytest.mark.parametrize(
    "change",
    [
        {"actor": "somebody else"},
        {"at": NOW + dt.timedelta(seconds=1)},
        {"after": {"total": "2.51"}},
        {"reason": "none"},
        {"personal_digest": "f" * 64},
    ],
)
@pytest.mark.slow
def test_a_row_edited_behind_a_dropped_rule_is_found_at_its_position(change):
    tenant, ids = sealed()
    with guards_dropped():
        AuditEntry.objects.filter(pk=ids[2]).update(**change)
    assert broken_at(tenant)[0] == 3
    text, code = fails("acme")
    assert f"First, Position 3: entry {ids[2]} (prepared of posting:2" in text
    assert code == 1


@pytest.mark.slow
def test_a_row_moved_to_another_tenant_is_found():
    tenant, ids = sealed()
    with guards_dropped():
        AuditEntry.objects.filter(pk=ids[1]).update(tenant=a_tenant("other"))
    assert broken_at(tenant) == [2]


@pytest.mark.slow
def test_a_seal_rewritten_with_its_entry_breaks_the_next_place():
    tenant, ids = sealed()
    with guards_dropped():
        AuditEntry.objects.filter(pk=ids[1]).update(actor="somebody else")
        row = sealing.hashed_columns(AuditEntry.objects.filter(pk=ids[1]))
        before = AuditSeal.objects.get(tenant=tenant, position=1)
        (forged,) = sealing.next_links(verifying.Head(1, before.digest, before.entry_id), row)
        AuditSeal.objects.filter(tenant=tenant, position=2).update(digest=forged.digest)
    assert broken_at(tenant) == [3]


@pytest.mark.slow
def test_a_deleted_entry_is_found_where_it_was():
    tenant, ids = sealed()
    with guards_dropped(), connection.constraint_checks_disabled():
        if connection.vendor == "postgresql":
            pytest.skip("PostgreSQL's foreign key refuses this even without our rules")
        AuditEntry.objects.filter(pk=ids[1])._raw_delete("default")
        found = verifying.verify(tenant.pk, NOW).breaks
        assert [str(one) for one in found] == [f"Position 2: entry {ids[1]} is gone; its seal is still there."]
        AuditEntry.objects.create(pk=ids[1], tenant=tenant, at=NOW, actor="", action="", subject="")


@pytest.mark.slow
def test_a_deleted_seal_is_found_and_its_entry_is_reported_as_unsealed():
    tenant, ids = sealed(8)
    with guards_dropped():
        AuditSeal.objects.filter(tenant=tenant, position__in=(3, 4)).delete()
    report = verifying.verify(tenant.pk, NOW + dt.timedelta(hours=1))
    assert [str(one) for one in report.breaks] == ["Position 3: the seal is gone (2 missing up to position 4)."]
    assert (report.checked, report.overdue, report.first_overdue) == (6, 2, ids[2])


@pytest.mark.slow
def test_deleted_seals_across_pages_are_found(monkeypatch):
    tenant, _ = sealed(20)
    for module in (sealing, verifying):
        monkeypatch.setattr(module, "PAGE", 4)
    with guards_dropped():
        AuditSeal.objects.filter(tenant=tenant, position__gte=3, position__lte=14).delete()
    report = verifying.verify(tenant.pk, NOW)
    assert (broken_at(tenant), report.checked, report.head.position) == ([3], 8, 20)


@pytest.mark.slow
def test_a_history_that_was_cut_or_rewritten_is_shown_by_a_kept_head():
    tenant, ids = sealed()
    kept = str(sealing.head_of(tenant.pk))
    entries(tenant, 1)
    sealing.seal_all(NOW)
    assert "acme: 6 entries" in run("verify_audit", "acme", "--head", kept)
    assert "acme: 6 entries" in run("verify_audit", "acme", "--head", kept.partition(":")[2])
    with guards_dropped():
        AuditSeal.objects.all().delete()
        AuditEntry.objects.filter(pk=ids[0]).update(actor="somebody else")
    sealing.seal_all(NOW)
    assert broken_at(tenant) == []  # a whole new chain fits itself
    text, code = fails("acme", "--head", kept)
    assert "the head that you kept is not in the chain" in text
    assert code == 1


def test_entries_that_wait_for_their_seal_are_mentioned():
    tenant = a_tenant()
    entries(tenant, 2)
    sealing.seal_all(NOW)
    entries(tenant, 3)
    report = verifying.verify(tenant.pk, NOW)
    assert (report.checked, report.waiting, report.overdue) == (2, 3, 0)


def test_entries_without_a_seal_for_ten_minutes_are_reported():
    tenant = a_tenant()
    ids = entries(tenant, 2)
    assert verifying.verify(tenant.pk, NOW + dt.timedelta(minutes=9)).overdue == 0
    report = verifying.verify(tenant.pk, NOW + dt.timedelta(minutes=11))
    assert (report.overdue, report.first_overdue) == (2, ids[0])


@pytest.mark.slow
def test_changed_personal_values_are_found():
    tenant = a_tenant()
    for subject in ("customer:1", "customer:2"):
        about(tenant, subject, personal_after={"name": "Ada"})
    plain = about(tenant, "customer:3")
    sealing.seal_all(NOW)
    assert broken_at(tenant) == []
    with guards_dropped():
        AuditPersonal.objects.filter(entry__subject="customer:1").update(after={"name": "Eve"})
        AuditPersonal.objects.filter(entry__subject="customer:2").delete()
        AuditPersonal.objects.create(entry_id=plain, tenant=tenant, after={"name": "Eve"})
    assert broken_at(tenant) == [1, 2, 3]


def test_all_chains_are_verified_and_each_is_named():
    sealed()
    entries(a_tenant("other"), 2)
    entries(None, 1)
    sealing.seal_all(NOW)
    entries(None, 1, at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    with pytest.raises(CommandError, match="no tenant: 1 entries, the first with id"):
        run("verify_audit", "--all")


@pytest.mark.parametrize("arguments", [(), ("acme", "--all"), ("--all", "--head", "f" * 64), ("acme", "--head", "x")])
def test_unclear_questions_are_refused(arguments):
    sealed()
    assert fails(*arguments)[1] == 2


def test_a_lost_rule_is_named():
    sealed()
    guards.remove(connection)
    text, code = fails("acme")
    assert "guard_tenants_auditentry_append_only" in text
    assert "manage.py migrate" in text
    assert code == 1


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL alters columns in place")
@pytest.mark.django_db(transaction=True)
def test_an_altered_column_of_a_guarded_table_loses_its_triggers_and_each_is_named():
    old = ProbeResult._meta.get_field("answer")
    new = models.CharField(max_length=31)
    new.set_attributes_from_name("answer")
    new.model = ProbeResult
    with connection.schema_editor() as editor:
        editor.alter_field(ProbeResult, old, new)
    lost = guards.missing(connection)
    guards.install(connection)
    assert lost == ["guard_tenants_proberesult_fixed_tenant_update"]
    assert guards.missing(connection) == []
