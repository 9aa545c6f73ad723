"""manage.py import_mappings: a spreadsheet of mappings, all of it or nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from mappings import files
from mappings.files import Preview
from mappings.saving import Saved
from mappings.sheets import UnreadableFile
from mappings.workbooks import to_xlsx
from tenants.commands import REFUSED, WRONG_NAME, Failed, SentenceCommand, tenant_named
from tenants.models import Tenant

COLUMNS = """Read mappings from an XLSX or CSV file. Nothing is saved if any row is wrong.

The workbook has a sheet for each kind, all optional: customers (chargebee_id, qad_code, link, note), items (level, key,
valid_from, gl_account, sub_account, cost_centre, project, qad_item, tax_code), taxes (jurisdiction, name, rate,
valid_from, gl_account, qad_tax_code), account_roles (role, valid_from, gl_account, sub_account, cost_centre, project).
A CSV file has the same columns and a column 'kind' that names the sheet. export_mappings writes such a file."""


class Command(SentenceCommand):
    help = COLUMNS
    example = "manage.py import_mappings acme mappings.xlsx --dry-run"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="the tenant's short name (slug)")
        parser.add_argument("file", type=Path, help="an .xlsx or .csv file")
        parser.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")
        parser.add_argument(
            "--allow-partial", action="store_true", help="save the correct rows though others are wrong"
        )
        parser.add_argument(
            "--failed", type=Path, metavar="FILE.xlsx", help="write the wrong rows with their reasons here"
        )

    def perform(self, **options: Any) -> None:
        tenant = tenant_named(options["tenant"])
        seen = _preview(tenant, options["file"])
        self._show(seen)
        if options["failed"] and seen.failed:
            _write(options["failed"], to_xlsx(seen.failed))
        if options["dry_run"]:
            self.stdout.write("Dry run: nothing was saved.")
        elif not seen.errors or options["allow_partial"]:
            self._save(tenant, seen, options["file"].name)
        if seen.errors:
            outcome = "were left out" if options["allow_partial"] else "stopped the import: nothing was saved"
            wrong = len({(error.sheet, error.row) for error in seen.errors})
            raise Failed(f"{wrong} wrong rows or sheets {outcome}.", returncode=REFUSED)

    def saved_changes(self, tenant: Tenant, saved: Saved) -> None:
        """What else follows from saved mappings; for a subclass."""

    def _show(self, seen: Preview) -> None:
        for name in seen.left_aside:
            self.stdout.write(f"Sheet '{name}' is no list of mappings and was left aside.")
        for error in seen.errors:
            self.stderr.write(str(error))
        self.stdout.write(f"{seen.created} new, {seen.changed} changed, {seen.unchanged} unchanged.")

    def _save(self, tenant: Tenant, seen: Preview, name: str) -> None:
        save = files.save_correct if seen.errors else files.save_all
        saved = save(tenant, seen, actor=f"import_mappings {name}"[:150], now=timezone.now())
        if saved.refusals and not seen.errors:
            reasons = "\n".join(str(refusal.problem) for refusal in saved.refusals)
            raise Failed(f"Another change came in between; nothing was saved.\n{reasons}", returncode=REFUSED)
        self.stdout.write(f"Saved: {saved.created} new, {saved.changed} changed.")
        self.saved_changes(tenant, saved)


def _preview(tenant: Tenant, path: Path) -> Preview:
    try:
        return files.preview(tenant, path.read_bytes(), path.name)
    except UnreadableFile as error:
        raise Failed(f"{path}: {error}", returncode=REFUSED) from None
    except OSError as error:
        raise Failed(f"{path} cannot be read: {error.strerror}.", returncode=WRONG_NAME) from None


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise Failed(f"{path} cannot be written: {error.strerror}.", returncode=WRONG_NAME) from None
