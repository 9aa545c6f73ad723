"""Fixtures of the flows."""

from __future__ import annotations

from functools import cache

import pytest
from django.db import connection


@pytest.fixture(autouse=True, scope="session")
def _columns_read_once():
    """The guards ask for every table's columns again and again; inside a test run these do not change."""
    introspection = connection.introspection
    read = introspection.get_table_description
    introspection.get_table_description = cache(lambda table: _with_cursor(read, table))  # type: ignore[method-assign]
    remembered = introspection.get_table_description
    introspection.get_table_description = lambda cursor, table: remembered(table)  # type: ignore
    yield
    introspection.get_table_description = read  # type: ignore[method-assign]


def _with_cursor(read, table):
    with connection.cursor() as cursor:
        return read(cursor, table)
