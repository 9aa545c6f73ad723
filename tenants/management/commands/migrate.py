"""Django's migrate, which then puts the guards back: SQLite loses a table's triggers when a column changes."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import migrate
from django.db import connections

from tenants import guards


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        super().handle(*args, **options)
        if not (options["plan"] or options["check_unapplied"]):
            guards.install(connections[options["database"]])
