"""Django's migrate, without the guards while tables change, and with all of them at its end, also when it fails."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import migrate
from django.db import DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor

from tenants import guards
from tenants.commands import Failed, unanswered


class Command(migrate.Command):
    def execute(self, *args: Any, **options: Any) -> Any:
        """A database out of reach is a sentence before the system checks ask it."""
        try:
            connections[options["database"]].ensure_connection()
        except DatabaseError as error:
            raise Failed(unanswered(error)) from error
        return super().execute(*args, **options)

    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        if options["plan"] or options["check_unapplied"]:
            super().handle(*args, **options)
        elif options["app_label"] or _is_behind(connection):
            with guards.lifted(connection):
                super().handle(*args, **options)
        else:
            super().handle(*args, **options)
            guards.install(connection)


def _is_behind(connection: Any) -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
