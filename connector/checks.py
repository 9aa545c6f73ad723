"""System checks with ids: what would make money or credentials unsafe stops the start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from tenants import guards
from tenants.models import Mode, Tenant

SHORTEST_KEY = 32


@register(Tags.security)
def check_fernet_keys(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Credentials are encrypted with FERNET_KEYS and with nothing else."""
    keys = list(settings.FERNET_KEYS or [])
    hint = "Set it to one or more texts of 32 or more random characters, the newest first; see docs/SETTINGS.md."
    if not keys:
        return [Error("FERNET_KEYS is not set: credentials cannot be stored.", hint=hint, id="connector.E001")]
    found: list[CheckMessage] = []
    if any(len(key) < SHORTEST_KEY for key in keys):
        found.append(Error("FERNET_KEYS holds a key of fewer than 32 characters.", hint=hint, id="connector.E002"))
    if settings.SECRET_KEY in keys:
        found.append(
            Error("FERNET_KEYS holds SECRET_KEY: changing one would lose the other.", hint=hint, id="connector.E003")
        )
    return found


@register(Tags.database)
def check_durability(app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """A committed intent to post must survive a power cut."""
    return [message for alias in databases or () for message in _durability(alias)]


@register(Tags.database)
def check_guards(app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """The rules that the database keeps; silent while migrations wait, since migrate puts them in place."""
    return [message for alias in databases or () for message in _guards(alias)]


@register(Tags.database)
def check_debug(app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Pages of errors show values; a live tenant's are nobody's business."""
    if not settings.DEBUG or not databases or any(_is_behind(alias) for alias in databases):
        return []
    live = list(Tenant.objects.filter(mode=Mode.LIVE).values_list("slug", flat=True)[:5])
    if not live:
        return []
    return [
        Error(f"DEBUG is on and these tenants are live: {', '.join(live)}.", hint="Set DEBUG=0.", id="connector.E007")
    ]


def _durability(alias: str) -> list[CheckMessage]:
    connection = connections[alias]
    if connection.vendor == "sqlite":
        level = int(_one(connection, "PRAGMA synchronous"))
        if level < 2:
            hint = "Keep PRAGMA synchronous=FULL in connector/settings.py."
            return [Error("SQLite's synchronous is less than FULL.", hint=hint, id="connector.E004")]
    elif _one(connection, "SHOW synchronous_commit") == "off":
        hint = "Set synchronous_commit to on for the connector's role or database."
        return [Error("PostgreSQL's synchronous_commit is off.", hint=hint, id="connector.E005")]
    return []


def _guards(alias: str) -> list[CheckMessage]:
    if _is_behind(alias):
        return []
    missing = guards.missing(connections[alias])
    if not missing:
        return []
    message = f"The database lacks {len(missing)} of its guards: {', '.join(missing[:5])}."
    return [Error(message, hint="Run manage.py migrate --skip-checks; it puts them back.", id="connector.E006")]


def _is_behind(alias: str) -> bool:
    executor = MigrationExecutor(connections[alias])
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _one(connection: Any, sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]
