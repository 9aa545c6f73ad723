"""What several folders of tests share."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import TransactionTestCase

from tenants import guards


@pytest.fixture(autouse=True, scope="session")
def _emptied_tables_between_tests():
    """Tests with real transactions end by emptying every table, which the append-only rules would refuse.

    Only those rules are lifted for it (on PostgreSQL, which truncates, none need be): all of them take half a second.
    """
    flush = TransactionTestCase._fixture_teardown

    def without_guards(self):
        if connection.vendor == "sqlite":
            _lift_rules_against_deleting()
        try:
            flush(self)
        finally:
            _put_back_what_is_missing()

    TransactionTestCase._fixture_teardown = without_guards
    yield
    TransactionTestCase._fixture_teardown = flush


def _lift_rules_against_deleting() -> None:
    with connection.cursor() as cursor:
        for guard in guards.expected():
            if "DELETE" in guard.events:
                for name in guards.sqlite_statements(guard):
                    cursor.execute(f'DROP TRIGGER IF EXISTS "{name}"')


def _put_back_what_is_missing() -> None:
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
