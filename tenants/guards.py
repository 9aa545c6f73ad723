"""Rules that the database itself keeps: no link across tenants, no change of what is append-only.

Each rule is one trigger, in SQLite's and in PostgreSQL's words. The same-tenant rules come from the models: every
foreign key between two tenant-owned tables has one. Our `migrate` command runs inside `lifted`: SQLite cannot rebuild a
table that another one's triggers name, and drops a table's own triggers silently. Meanwhile `missing` names them, and
nothing is claimed for posting.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper

from tenants.models import AuditEntry, AuditPersonal, AuditSeal
from tenants.scoping import is_owned


@dataclass(frozen=True, slots=True)
class Guard:
    """On each `events` row of `table`: refuse with `message` where `broken` holds (SQL over OLD and NEW)."""

    table: str
    rule: str
    events: tuple[str, ...]
    broken: str
    message: str
    columns: tuple[str, ...] = ()  # that must exist, else the rule waits for a later migration
    needs: str = ""  # another table that must exist

    @property
    def name(self) -> str:
        text = f"guard_{self.table}_{self.rule}"
        return text if len(text) <= 55 else f"{text[:44]}_{hashlib.sha256(text.encode()).hexdigest()[:10]}"


def same_tenant(table: str, column: str, target: str) -> Guard:
    """The row that `column` names belongs to the same tenant."""
    found = (
        f'SELECT 1 FROM "{target}" AS other WHERE other."id" = NEW."{column}" '  # noqa: S608 - names of our own tables
        'AND other."tenant_id" IS NOT DISTINCT FROM NEW."tenant_id"'
    )
    return Guard(
        table,
        f"same_{column}",
        ("INSERT", "UPDATE"),
        f'NEW."{column}" IS NOT NULL AND NOT EXISTS ({found})',
        f"{table}.{column} names a row of another tenant",
        columns=(column, "tenant_id"),
        needs=target,
    )


def fixed_tenant(table: str) -> Guard:
    """A row never moves to another tenant, so a link that was right stays right."""
    return Guard(
        table,
        "fixed_tenant",
        ("UPDATE",),
        'NEW."tenant_id" IS DISTINCT FROM OLD."tenant_id"',
        f"a row of {table} cannot move to another tenant",
        columns=("tenant_id",),
    )


def append_only(table: str) -> Guard:
    """Rows are added, never changed, never deleted."""
    return Guard(table, "append_only", ("UPDATE", "DELETE"), "TRUE", f"{table} is append-only")


def undeletable(table: str) -> Guard:
    return Guard(table, "undeletable", ("DELETE",), "TRUE", f"rows of {table} are never deleted")


def only_erasable() -> Guard:
    """Personal values may be emptied once, and nothing else may happen to their row."""
    table = AuditPersonal._meta.db_table
    same = " OR ".join(f'NEW."{column}" IS DISTINCT FROM OLD."{column}"' for column in ("id", "entry_id", "tenant_id"))
    emptied = (
        """NEW."before" IS NULL AND NEW."after" IS NULL AND NEW."salt" = '' """
        'AND NEW."erased_at" IS NOT NULL AND OLD."erased_at" IS NULL'
    )
    return Guard(
        table,
        "only_erasable",
        ("UPDATE",),
        f"({same}) OR NOT ({emptied})",
        f"{table} may only be erased",
        columns=("erased_at", "salt"),
    )


_registered: list[Guard] = [
    append_only(AuditEntry._meta.db_table),
    append_only(AuditSeal._meta.db_table),
    only_erasable(),
    undeletable(AuditPersonal._meta.db_table),
]


def register(*guards: Guard) -> None:
    """Add rules of another app; call it where its models are defined."""
    _registered.extend(guard for guard in guards if guard not in _registered)
    expected.cache_clear()


@lru_cache(maxsize=1)
def expected() -> tuple[Guard, ...]:
    """Every rule of the installed apps."""
    return (*_registered, *_from_models())


def _from_models() -> Iterator[Guard]:
    for model in apps.get_models():
        if not is_owned(model) or model._meta.proxy:
            continue
        table = model._meta.db_table
        yield fixed_tenant(table)
        for field in model._meta.concrete_fields:
            target: Any = field.related_model
            if target is not None and is_owned(target):
                yield same_tenant(table, str(field.column), target._meta.db_table)


# Same words in both dialects except these: SQLite learnt IS DISTINCT FROM in 3.39; IS and IS NOT mean the same there.
def _for_sqlite(sql: str) -> str:
    return sql.replace("IS NOT DISTINCT FROM", "IS").replace("IS DISTINCT FROM", "IS NOT")


def sqlite_statements(guard: Guard) -> dict[str, str]:
    """Trigger name -> statement; SQLite has one trigger for each event."""
    return {
        f"{guard.name}_{event.lower()}": (
            f'CREATE TRIGGER "{guard.name}_{event.lower()}" BEFORE {event} ON "{guard.table}" FOR EACH ROW '
            f"WHEN {_for_sqlite(guard.broken)} BEGIN SELECT RAISE(ABORT, '{guard.message}'); END"
        )
        for event in guard.events
    }


def postgresql_body(guard: Guard) -> str:
    answer = "RETURN OLD" if guard.events == ("DELETE",) else "RETURN NEW"
    raised = f"RAISE EXCEPTION '{guard.message}' USING ERRCODE = 'integrity_constraint_violation'"
    return f" BEGIN IF {guard.broken} THEN {raised}; END IF; {answer}; END "


def postgresql_statements(guard: Guard) -> list[str]:
    return [
        f'CREATE OR REPLACE FUNCTION "{guard.name}"() RETURNS trigger LANGUAGE plpgsql AS '
        f"$guard${postgresql_body(guard)}$guard$",
        f'DROP TRIGGER IF EXISTS "{guard.name}" ON "{guard.table}"',
        f'CREATE TRIGGER "{guard.name}" BEFORE {" OR ".join(guard.events)} ON "{guard.table}" '
        f'FOR EACH ROW EXECUTE FUNCTION "{guard.name}"()',
    ]


def of_tables(connection: BaseDatabaseWrapper) -> list[Guard]:
    """Rules whose tables exist."""
    tables = {"", *connection.introspection.table_names()}
    return [guard for guard in expected() if guard.table in tables and guard.needs in tables]


def applicable(connection: BaseDatabaseWrapper) -> list[Guard]:
    """Rules whose tables and columns exist by now; half-way through the migrations a column may not."""
    wanted = of_tables(connection)
    with connection.cursor() as cursor:
        columns = {
            table: {column.name for column in connection.introspection.get_table_description(cursor, table)}
            for table in {guard.table for guard in wanted}
        }
    return [guard for guard in wanted if set(guard.columns) <= columns[guard.table]]


_lifted: set[str] = set()  # databases whose rules come back at the end of a whole migration, not of each


@contextmanager
def lifted(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Without any rule, also of an older version; all come back at the end, whatever happened within."""
    remove(connection)
    _lifted.add(connection.alias)
    try:
        yield
    finally:
        _lifted.discard(connection.alias)
        install(connection)


def install(connection: BaseDatabaseWrapper) -> None:
    """Put every applicable rule in place; harmless to repeat."""
    guards = [] if connection.alias in _lifted else applicable(connection)
    with connection.cursor() as cursor:
        for guard in guards:
            if connection.vendor == "sqlite":
                for name, statement in sqlite_statements(guard).items():
                    cursor.execute(f'DROP TRIGGER IF EXISTS "{name}"')
                    cursor.execute(statement)
            else:
                for statement in postgresql_statements(guard):
                    cursor.execute(statement)


def remove(connection: BaseDatabaseWrapper) -> None:
    """Take every rule away, also those that an older version put in place."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, '' FROM sqlite_master WHERE type = 'trigger' AND name GLOB 'guard_*'")
        else:
            cursor.execute(
                "SELECT tgname, relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
                "WHERE NOT tgisinternal AND left(tgname, 6) = 'guard_' AND pg_table_is_visible(pg_class.oid)"
            )
        for name, table in cursor.fetchall():
            cursor.execute(f'DROP TRIGGER IF EXISTS "{name}"' + (f' ON "{table}"' if table else ""))


def install_in_migration(state: Any, schema_editor: Any) -> None:
    """For `migrations.RunPython(guards.install_in_migration, guards.leave)`."""
    install(schema_editor.connection)


def leave(state: Any, schema_editor: Any) -> None:
    """Going back leaves the rules; they fall with their tables."""


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """Rules that the database does not keep as written here, by name; [] is what posting asks for."""
    found = _found(connection)
    absent = []
    for guard in of_tables(connection):
        wanted = sqlite_statements(guard) if connection.vendor == "sqlite" else {guard.name: postgresql_body(guard)}
        absent += [name for name, text in wanted.items() if found.get(name) != text]
    return sorted(absent)


def _found(connection: BaseDatabaseWrapper) -> dict[str, str]:
    """Trigger name -> its text in the database; switched-off triggers do not count."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        else:
            cursor.execute(
                "SELECT tgname, prosrc FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid "
                "JOIN pg_class ON pg_class.oid = tgrelid WHERE NOT tgisinternal AND tgenabled IN ('O', 'A') "
                "AND pg_table_is_visible(pg_class.oid)"
            )
        return dict(cursor.fetchall())
