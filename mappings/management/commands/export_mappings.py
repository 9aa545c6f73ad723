"""manage.py export_mappings: every mapping of a tenant as a workbook that import_mappings reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from mappings.files import tables
from mappings.management.commands.import_mappings import tenant_named
from mappings.workbooks import to_xlsx


class Command(BaseCommand):
    help = "Write all mappings of a tenant into an XLSX file. Example: manage.py export_mappings acme mappings.xlsx"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="the tenant's short name (slug)")
        parser.add_argument("file", type=Path, help="the .xlsx file to write")

    def handle(self, *args: Any, **options: Any) -> None:
        found = tables(tenant_named(options["tenant"]))
        if options["file"].suffix.lower() != ".xlsx":
            raise CommandError(f"'{options['file'].name}' does not end in .xlsx. Name the file so.")
        try:
            options["file"].write_bytes(to_xlsx(found))
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be written: {error.strerror}.") from None
        counts = ", ".join(f"{len(table.rows)} {table.name.replace('_', ' ')}" for table in found)
        self.stdout.write(f"Wrote {options['file']}: {counts}.")
