"""An older database with rows is brought up to date, and nothing is posted while its guards are away."""

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import connection

pytestmark = pytest.mark.slow
OLD = ("syncs", "0002")
# What an installation of that time holds: a tenant, a run, a document and its posting with an attempt.
ROWS = """
import datetime as dt, uuid
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from tenants import guards
loader = MigrationExecutor(connection).loader
at = [node for node in loader.applied_migrations if node in loader.graph.nodes]
old = loader.project_state(at).apps
now = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
tenant = old.get_model("tenants", "Tenant").objects.create(slug="acme", name="Acme")
source = old.get_model("syncs", "SourceDocument").objects.create(
    tenant=tenant, kind="invoice", source_id="INV-1", raw=b"", content_hash="x", state="coded",
    first_seen_at=now, changed_at=now)
posting = old.get_model("syncs", "Posting").objects.create(
    tenant=tenant, source=source, kind="invoice", reference="CB-INV-INV-1", order_key="c", document={},
    document_hash="x",
    projection="x", customer_code="C", currency="USD", total_minor=100, posting_date=now.date(), state="posted",
    created_at=now, changed_at=now)
old.get_model("syncs", "Attempt").objects.create(
    tenant=tenant, posting=posting, key=uuid.uuid4(), number=1, document_hash="x", claimed_at=now, deadline_at=now)
old.get_model("syncs", "Run").objects.create(
    tenant=tenant, trigger="t", key=uuid.uuid4(), lease_until=now, started_at=now, state="complete")
old.get_model("tenants", "AuditEntry").objects.create(tenant=tenant, at=now, actor="a", action="x", subject="y")
guards.install(connection)
print(len(guards._found(connection)), "rules")
"""
BROKEN = """
from importlib import import_module
from django.core.management import call_command
from django.db import connection, migrations
from tenants import guards
def fail(apps, editor):
    print("WITHIN", bool(guards.missing(connection)))
    raise RuntimeError("The disk is full.")
import_module("syncs.migrations.0004_reconciliation").Migration.operations.append(migrations.RunPython(fail))
try:
    call_command("migrate", verbosity=0)
except RuntimeError as error:
    print("FAILED", error)
print("LEFT", guards.missing(connection), len(guards._found(connection)) > 20)
"""
CHECK = """
from django.db import connection
from syncs.models import Attempt, Posting, Run
from syncs import indexes
from tenants import guards
from tenants.models import AuditEntry
print("MISSING", guards.missing(connection), indexes.missing(connection))
print("ROWS", [model.objects.count() for model in (Posting, Attempt, Run, AuditEntry)])
print("POSTING", Posting.objects.get().reference, Posting.objects.get().state)
"""


@pytest.fixture
def old(tmp_path):
    """A database of its own in the state of an older version, with rows and with the guards of that time."""
    name = f"t_old_{os.getpid()}"
    if connection.vendor == "postgresql":
        parts = connection.settings_dict
        where = f"postgresql://{parts['USER']}:{parts['PASSWORD']}@{parts['HOST']}:{parts['PORT'] or 5432}/{name}"
        _on_server(parts, f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name}")
    else:
        where = f"sqlite:///{tmp_path}/old.sqlite3"
    env = {
        **os.environ, "DATABASE_URL": where, "VAR_DIR": str(tmp_path),
        "SECRET_KEY": "only-for-tests-" + "k" * 50, "FERNET_KEYS": "only-for-tests-" + "n" * 40,
    }  # fmt: skip

    def run(*arguments, script=""):
        given = ["manage.py", *(arguments or ("shell", "--no-imports", "-c", script))]
        done = subprocess.run(
            [sys.executable, *given], cwd=settings.BASE_DIR, env=env, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout + done.stderr

    assert run("migrate", *OLD, "--verbosity", "0")[0] == 0
    code, said = run(script=ROWS)
    assert (code, "rules" in said) == (0, True), said
    yield run
    if connection.vendor == "postgresql":
        _on_server(connection.settings_dict, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _on_server(parts, *statements):
    import psycopg

    given = {"host": parts["HOST"], "port": parts["PORT"] or 5432, "user": parts["USER"], "password": parts["PASSWORD"]}
    with psycopg.connect(dbname="postgres", autocommit=True, **given) as server:
        for statement in statements:
            server.execute(statement)


def test_an_older_database_with_rows_and_guards_is_brought_up_to_date(old):
    code, said = old("migrate", "--verbosity", "0")
    assert code == 0, said
    _, said = old(script=CHECK)
    assert "MISSING [] []" in said
    assert "ROWS [1, 1, 1, 1]" in said
    assert "POSTING CB-INV-INV-1 posted" in said


def test_a_migration_that_fails_half_way_leaves_the_guards_and_goes_on_another_time(old):
    _, said = old(script=BROKEN)
    assert "WITHIN True" in said, said
    assert "FAILED The disk is full." in said
    assert "LEFT [] True" in said, said
    assert old("migrate", "--verbosity", "0")[0] == 0
    assert "MISSING [] []" in old(script=CHECK)[1]
