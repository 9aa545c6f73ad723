"""What several folders of tests share."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import TransactionTestCase

from tenants import guards


@pytest.fixture(autouse=True, scope="session")
def _emptied_tables_between_tests():
    """Tests with real transactions end by emptying every table, which the append-only rules would refuse."""
    flush = TransactionTestCase._fixture_teardown

    def without_guards(self):
        guards.remove(connection)
        try:
            flush(self)
        finally:
            guards.install(connection)

    TransactionTestCase._fixture_teardown = without_guards
    yield
    TransactionTestCase._fixture_teardown = flush
