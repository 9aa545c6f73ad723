"""The unique indexes that keep a document from being sent twice: are they all in the database?"""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import UniqueConstraint

from syncs.models import Attempt, CustomerCreation, Posting, Run, SourceDocument

GUARDING = tuple(
    constraint.name
    for model in (SourceDocument, Posting, Attempt, CustomerCreation, Run)
    for constraint in model._meta.constraints
    if isinstance(constraint, UniqueConstraint)
)
_VALID = (
    "SELECT relname FROM pg_class JOIN pg_index ON indexrelid = pg_class.oid "
    "WHERE indisunique AND indisvalid AND pg_table_is_visible(pg_class.oid)"
)


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """Names of those that are not there, or on PostgreSQL not valid; [] is what posting asks for."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":  # some stand as constraints in the text of their table
            cursor.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")
            text = "\n".join(sql for (sql,) in cursor.fetchall())
            return [name for name in GUARDING if f'"{name}"' not in text]
        cursor.execute(_VALID)
        found = {name for (name,) in cursor.fetchall()}
    return [name for name in GUARDING if name not in found]
