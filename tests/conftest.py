"""What several folders of tests share."""

from __future__ import annotations

import contextlib

import pytest
from django.db import connection
from django.test import TransactionTestCase

from tests import database


@pytest.fixture(scope="session")
def _while_it_is_made():
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings, _while_it_is_made):
    """The migrations run once for all workers and runs (on SQLite in memory)."""
    if connection.vendor == "sqlite":
        _while_it_is_made.enter_context(database.started_from(database.template()))


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker, _while_it_is_made):
    path = database.template()
    with django_db_blocker.unblock():
        if connection.vendor == "sqlite" and connection.is_in_memory_db() and not path.exists():
            database.keep(connection, path)
    _while_it_is_made.close()


@pytest.fixture(autouse=True, scope="session")
def _emptied_tables_between_tests():
    """Tests with real transactions end by emptying every table."""
    flush = TransactionTestCase._fixture_teardown
    TransactionTestCase._fixture_teardown = lambda self: database.emptied(connection)
    yield
    TransactionTestCase._fixture_teardown = flush
