"""Add many rows of one table without a model object for each; constraints and triggers see them like any other row.

Django's `bulk_create` spends most of its time on asking each field about each value of each object. Here every column
is asked once how it converts its values, and what is converted already (texts, whole numbers) passes as it is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections, models, transaction

Convert = Callable[[Any, Any], Any]  # a value, and the connection that it is for
# What both drivers take as it stands. Exact types: a subclass (an enumeration's member) goes through its field.
_PLAIN_TYPES = frozenset({str, int, bool, bytes, type(None)})
# Exact types again: a field of ours may encrypt.
_PLAIN_FIELDS = frozenset({
    models.CharField, models.TextField, models.BooleanField, models.ForeignKey, models.OneToOneField,
    models.IntegerField, models.BigIntegerField,
    models.PositiveSmallIntegerField, models.PositiveIntegerField, models.PositiveBigIntegerField,
})  # fmt: skip
_MOST_MOMENTS = 4096


def append(
    model: type[models.Model], names: Sequence[str], rows: Iterable[Sequence[Any]], *, on_conflict: str = ""
) -> int:
    """Insert rows of the values of `names` (as attributes are called: `tenant_id`); what is not named has its default.

    All or none of them; keys are not given back. `on_conflict` is SQL of ours that both engines understand: what
    becomes of a row that is there already. Returns how many rows were given.
    """
    statement, converts, rest = _plan(model, tuple(names), connection.vendor)
    real = connections[DEFAULT_DB_ALIAS]  # asked of the proxy for each value, it would cost more than the value
    converted = [(*[convert(value, real) for convert, value in zip(converts, row, strict=True)], *rest) for row in rows]
    if converted:
        with transaction.atomic(savepoint=False), connection.cursor() as cursor:
            cursor.executemany(f"{statement} {on_conflict}".rstrip(), converted)
    return len(converted)


@lru_cache(maxsize=64)
def _plan(model: type[models.Model], names: tuple[str, ...], vendor: str) -> tuple[str, list[Convert], list[Any]]:
    """The statement, how each named column converts, and the converted defaults of the others."""
    fields = {field.attname: field for field in model._meta.concrete_fields if not field.primary_key}
    others = [field for name, field in fields.items() if name not in names]
    columns = [*(fields[name] for name in names), *others]
    quoted = ", ".join(connection.ops.quote_name(str(field.column)) for field in columns)
    table = connection.ops.quote_name(model._meta.db_table)
    statement = f"INSERT INTO {table} ({quoted}) VALUES ({', '.join(['%s'] * len(columns))})"  # noqa: S608 - our names
    rest = [field.get_db_prep_save(field.get_default(), connection) for field in others]
    return statement, [_convert_of(fields[name]) for name in names], rest


def _convert_of(field: models.Field[Any, Any]) -> Convert:
    def plain(value: Any, real: Any) -> Any:
        return value if type(value) in _PLAIN_TYPES else field.get_db_prep_save(value, real)

    @lru_cache(maxsize=_MOST_MOMENTS)
    def converted(value: dt.datetime | None) -> Any:
        return field.get_db_prep_save(value, connection)

    def moment(value: Any, real: Any) -> Any:
        return converted(value)

    if isinstance(field, models.DateTimeField):
        return moment
    return plain if type(field) in _PLAIN_FIELDS else field.get_db_prep_save
