"""manage.py opening_items: what QAD has open from before the cut-off, read from a spreadsheet and looked up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from mappings.sheets import UnreadableFile
from syncs import opening
from syncs.models import OpeningItem
from syncs.models.golive import OpeningState
from tenants.commands import REFUSED, WRONG_NAME, Failed, SentenceCommand, tenant_named
from tenants.connections import qad_client
from tenants.models import Tenant


class Command(SentenceCommand):
    help = (
        "Enter documents from before the cut-off that are still open, and look each up in QAD by its number. Columns: "
        "document (invoice, credit_note, payment), chargebee_id, qad_number, currency, open_amount. Without a file, "
        "look up what waits."
    )
    example = "manage.py opening_items acme open-items.xlsx --dry-run"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="the tenant's short name (slug)")
        parser.add_argument("file", type=Path, nargs="?", help="an .xlsx or .csv file")
        parser.add_argument("--dry-run", action="store_true", help="check the file, and change nothing")

    def perform(self, **options: Any) -> None:
        tenant = tenant_named(options["tenant"])
        if options["file"] is not None:
            self._enter(tenant, options["file"], is_dry=options["dry_run"])
        if not options["dry_run"]:
            self._look_up(tenant)

    def _enter(self, tenant: Tenant, path: Path, *, is_dry: bool) -> None:
        try:
            rows, wrong = opening.rows_of(path.read_bytes(), path.name)
        except UnreadableFile as error:
            raise Failed(f"{path}: {error}", returncode=REFUSED) from None
        except OSError as error:
            raise Failed(f"{path} cannot be read: {error.strerror}.", returncode=WRONG_NAME) from None
        told = [*(str(one) for one in wrong), *opening.clashes(tenant, rows)]
        for sentence in told:
            self.stderr.write(sentence)
        if told:
            raise Failed(f"{len(told)} thing(s) to mend: nothing was saved.", returncode=REFUSED)
        if is_dry:
            self.say(f"{len(rows)} rows can be read. Dry run: nothing was saved.")
            return
        changed = opening.save(tenant, rows, now=timezone.now(), actor=f"opening_items {path.name}"[:150])
        self.say(f"{len(rows)} rows, {changed} new or changed.")

    def _look_up(self, tenant: Tenant) -> None:
        waiting = OpeningItem.objects.filter(tenant=tenant, state=OpeningState.WAITING).count()
        with qad_client(tenant) as client:
            counts = opening.verify(tenant, client, clock=timezone.now, actor="opening_items", most=waiting)
        for item in OpeningItem.objects.filter(tenant=tenant).exclude(state=OpeningState.VERIFIED):
            self.stderr.write(f"{item}: {item.sentence}")
        self.say(f"{counts['verified']} found in QAD, {counts['refused']} do not agree, {counts['waiting']} wait.")
        if OpeningItem.objects.filter(tenant=tenant).exclude(state=OpeningState.VERIFIED).exists():
            raise Failed("Not every opening item is found in QAD yet.", returncode=REFUSED)
