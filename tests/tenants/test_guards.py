"""Rules that the database keeps whatever the code does."""

import datetime as dt

import pytest
from django.db import IntegrityError, connection, models, transaction

from tenants import audit, guards
from tenants.models import AuditEntry, AuditPersonal, AuditSeal, ProbeResult
from tests.builders import a_tenant

NOW = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
pytestmark = pytest.mark.django_db


def an_entry(tenant, **fields):
    audit.record(tenant.pk, [audit.Line("a", "subject:1", **fields)], actor="me", now=NOW)
    return AuditEntry.objects.latest("id")


def refused(match):
    return pytest.raises(IntegrityError, match=match)


@pytest.mark.slow
def test_every_rule_is_in_the_database():
    assert guards.missing(connection) == []
    tables = set(connection.introspection.table_names())
    assert set(guards.applicable(connection)) == {guard for guard in guards.expected() if guard.table in tables}


def test_every_link_between_owned_tables_has_a_rule():
    names = {guard.name for guard in guards.expected()}
    assert {"guard_tenants_auditseal_same_entry_id", "guard_tenants_auditpersonal_same_entry_id"} <= names


def test_a_link_to_another_tenants_row_cannot_be_stored():
    mine, theirs = a_tenant(), a_tenant("other")
    entry = an_entry(theirs)
    with refused("another tenant"), transaction.atomic():
        AuditSeal.objects.create(entry=entry, tenant=mine, position=1, digest="x")
    with refused("another tenant"), transaction.atomic():
        AuditSeal.objects.bulk_create([AuditSeal(entry=entry, tenant=None, position=1, digest="x")])
    AuditSeal.objects.create(entry=entry, tenant=theirs, position=1, digest="x")


def test_a_row_cannot_move_to_another_tenant():
    probe = ProbeResult.objects.create(
        tenant=a_tenant(), side="qad", subject="x", answer="ok", seconds=0, probed_at=NOW
    )
    with refused("move to another tenant"), transaction.atomic():
        ProbeResult.objects.filter(pk=probe.pk).update(tenant=a_tenant("other"))
    ProbeResult.objects.filter(pk=probe.pk).update(answer="empty")


@pytest.mark.parametrize(
    "change",
    [
        lambda: AuditEntry.objects.update(actor="somebody else"),
        lambda: AuditEntry.objects.all()._raw_delete("default"),
        lambda: AuditSeal.objects.update(digest="y"),
        lambda: AuditSeal.objects.all().delete(),
    ],
)
def test_the_audit_trail_is_append_only(change):
    tenant = a_tenant()
    AuditSeal.objects.create(entry=an_entry(tenant), tenant=tenant, position=1, digest="x")
    with refused("append-only"), transaction.atomic():
        change()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has no REPLACE")
def test_no_audit_entry_is_replaced():
    entry = an_entry(a_tenant())
    with refused("append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT OR REPLACE INTO tenants_auditentry SELECT * FROM tenants_auditentry WHERE id = %s", [entry.pk]
        )


def test_personal_values_can_be_erased_once_and_nothing_else():
    entry = an_entry(a_tenant(), personal_before={"name": "Ada"}, personal_after={"name": "Bea"})
    rows = AuditPersonal.objects.filter(entry=entry)
    for change in ({"before": {"name": "Eve"}}, {"before": None}, {"erased_at": NOW}):
        with refused("only be erased"), transaction.atomic():
            rows.update(**change)
    with refused("never deleted"), transaction.atomic():
        rows.delete()
    with refused("only be erased"), transaction.atomic():
        rows.update(before=None, after=None, erased_at=NOW)  # with the salt left, the values could be guessed
    rows.update(before=None, after=None, salt="", erased_at=NOW)
    with refused("only be erased"), transaction.atomic():
        rows.update(erased_at=NOW + dt.timedelta(days=1))
    assert rows.get().before is None


def drop_one():
    guard = next(guard for guard in guards.expected() if guard.rule == "append_only")
    name = guard.name if connection.vendor == "postgresql" else f"{guard.name}_update"
    on = f' ON "{guard.table}"' if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f'DROP TRIGGER "{name}"{on}')
    return name


@pytest.mark.slow
def test_a_lost_rule_is_named_and_can_be_put_back():
    name = drop_one()
    assert guards.missing(connection) == [name]
    guards.install(connection)
    guards.install(connection)
    assert guards.missing(connection) == []


@pytest.mark.slow
def test_rules_are_lifted_for_a_while_and_come_back_whatever_happens(monkeypatch):
    with pytest.raises(ZeroDivisionError), guards.lifted(connection):
        assert len(guards.missing(connection)) >= len(guards.expected())
        guards.install(connection)  # as a migration in between does
        assert guards.missing(connection)
        raise ZeroDivisionError
    assert guards.missing(connection) == []


def test_rules_of_an_older_version_are_taken_away_too():
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("CREATE TRIGGER guard_of_old BEFORE UPDATE ON tenants_tenant BEGIN SELECT 1; END")
        else:
            cursor.execute("CREATE FUNCTION of_old() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'")
            cursor.execute(
                "CREATE TRIGGER guard_of_old BEFORE UPDATE ON tenants_tenant FOR EACH ROW EXECUTE FUNCTION of_old()"
            )
    guards.remove(connection)
    assert not [name for name in guards._found(connection) if name.startswith("guard_")]


def test_a_weakened_rule_counts_as_missing():
    name = drop_one()
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f'CREATE TRIGGER "{name}" BEFORE UPDATE ON tenants_auditentry BEGIN SELECT 1; END')
        else:
            cursor.execute("CREATE FUNCTION harmless() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'")
            cursor.execute(
                f'CREATE TRIGGER "{name}" BEFORE UPDATE ON tenants_auditentry FOR EACH ROW EXECUTE FUNCTION harmless()'
            )
    assert guards.missing(connection) == [name]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no switch for triggers")
def test_a_switched_off_rule_counts_as_missing():
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE tenants_auditentry DISABLE TRIGGER guard_tenants_auditentry_append_only")
    assert guards.missing(connection) == ["guard_tenants_auditentry_append_only"]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL alters columns in place")
@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_an_altered_column_drops_triggers_on_sqlite_and_is_noticed():
    field = AuditSeal._meta.get_field("digest")
    longer = models.CharField(max_length=65)
    longer.set_attributes_from_name("digest")
    longer.model = AuditSeal
    with connection.schema_editor() as editor:
        editor.alter_field(AuditSeal, field, longer)
    lost = guards.missing(connection)
    guards.install(connection)
    assert "guard_tenants_auditseal_append_only_update" in lost
    assert guards.missing(connection) == []


@pytest.mark.django_db(transaction=True)
def test_a_test_with_real_transactions_can_still_be_cleaned_up():
    an_entry(a_tenant())
