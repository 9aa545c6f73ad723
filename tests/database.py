"""What makes the test database cheap: migrated once and copied for each worker, and emptied where it has rows."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.color import no_style
from django.db.backends.sqlite3.creation import DatabaseCreation

from tenants import guards

ROOT = Path(__file__).resolve().parents[1]
# What decides how the tables look: our migrations and what they call, and the versions of the packages that have some.
SOURCES = ("*/migrations/*.py", "tenants/guards.py", "requirements*.txt")
KEPT = {"django_content_type", "auth_permission"}  # `migrate` makes them; no test changes them


def template() -> Path:
    """A file for exactly these migrations; an older one is never used."""
    digest = hashlib.sha256(sqlite3.sqlite_version.encode())
    for source in SOURCES:
        for path in sorted(ROOT.glob(source)):
            digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return Path(settings.VAR_DIR) / f"migrated-{digest.hexdigest()[:20]}.sqlite3"


@contextlib.contextmanager
def started_from(path: Path) -> Iterator[None]:
    """A database in memory that Django makes within begins as a copy of `path`; one worker at a time.

    `migrate` runs on the copy as on every start: it finds nothing to migrate, and makes rules and permissions anew.
    """
    create = DatabaseCreation._create_test_db
    open_until_django_has_it = contextlib.ExitStack()

    def copied(self: Any, *args: Any, **options: Any) -> str:
        name = create(self, *args, **options)
        if path.exists() and self.is_in_memory_db(name):
            memory = open_until_django_has_it.enter_context(contextlib.closing(sqlite3.connect(name, uri=True)))
            with contextlib.closing(sqlite3.connect(path)) as file:
                file.backup(memory)
        return name

    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path.parent / "migrated.lock", "w") as lock, open_until_django_has_it:
        fcntl.flock(lock, fcntl.LOCK_EX)
        DatabaseCreation._create_test_db = copied
        try:
            yield
        finally:
            DatabaseCreation._create_test_db = create


def keep(connection: Any, path: Path) -> None:
    """Store a migrated database for others, without what `migrate` makes anew each time."""
    for older in path.parent.glob("migrated-*.sqlite3*"):
        older.unlink(missing_ok=True)
    unfinished = path.with_suffix(f".sqlite3.{os.getpid()}")
    connection.ensure_connection()
    with contextlib.closing(sqlite3.connect(unfinished)) as file:
        connection.connection.backup(file)
        for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            file.execute(f'DROP TRIGGER "{name}"')
        for table in ("auth_permission", "django_content_type"):
            file.execute(f'DELETE FROM "{table}"')
        file.commit()
    unfinished.replace(path)


def emptied(connection: Any) -> None:
    """No row but what `migrate` makes; the append-only rules, which would refuse it, are away meanwhile."""
    tables = _with_rows(connection)
    statements = connection.ops.sql_flush(no_style(), tables, allow_cascade=connection.vendor != "sqlite")
    if connection.vendor == "sqlite":
        _lift_rules_against_deleting(connection, set(tables))
    try:
        connection.ops.execute_sql_flush(statements)
    finally:
        _put_back_what_is_missing(connection)


def _with_rows(connection: Any) -> list[str]:
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    wanted = sorted({*names} - KEPT)
    asked = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM \"{name}\")" for name in wanted)
    with connection.cursor() as cursor:
        cursor.execute(asked)
        return [name for (name,) in cursor.fetchall()]


def _lift_rules_against_deleting(connection: Any, tables: set[str]) -> None:
    with connection.cursor() as cursor:
        for guard in guards.expected():
            if "DELETE" in guard.events and guard.table in tables:
                for name in guards.sqlite_statements(guard):
                    cursor.execute(f'DROP TRIGGER IF EXISTS "{name}"')


def _put_back_what_is_missing(connection: Any) -> None:
    absent = set(guards.missing(connection))
    if connection.vendor != "sqlite":
        if absent:
            guards.install(connection)
        return
    with connection.cursor() as cursor:
        for guard in guards.expected():
            for name, statement in guards.sqlite_statements(guard).items():
                if name in absent:
                    cursor.execute(f'DROP TRIGGER IF EXISTS "{name}"')
                    cursor.execute(statement)
