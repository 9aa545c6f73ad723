"""manage.py export_mappings: every mapping of a tenant as a workbook that import_mappings reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from mappings.files import tables
from mappings.workbooks import to_xlsx
from tenants.commands import REFUSED, WRONG_NAME, Failed, SentenceCommand, tenant_named


class Command(SentenceCommand):
    help = "Write all mappings of a tenant into an XLSX file that import_mappings reads."
    example = "manage.py export_mappings acme mappings.xlsx"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="the tenant's short name (slug)")
        parser.add_argument("file", type=Path, help="the .xlsx file to write")

    def perform(self, **options: Any) -> None:
        found = tables(tenant_named(options["tenant"]))
        if options["file"].suffix.lower() != ".xlsx":
            raise Failed(f"'{options['file'].name}' does not end in .xlsx. Name the file so.", returncode=REFUSED)
        try:
            options["file"].write_bytes(to_xlsx(found))
        except OSError as error:
            raise Failed(f"{options['file']} cannot be written: {error.strerror}.", returncode=WRONG_NAME) from None
        counts = ", ".join(f"{len(table.rows)} {table.name.replace('_', ' ')}" for table in found)
        self.stdout.write(f"Wrote {options['file']}: {counts}.")
