"""manage.py copy_mappings: one tenant's mappings for another, with the difference shown first."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from mappings import copying
from mappings.copying import Comparison
from mappings.kinds import KINDS
from mappings.saving import Saved, save_rows
from tenants.commands import REFUSED, Failed, SentenceCommand, tenant_named
from tenants.models import Tenant


class Command(SentenceCommand):
    help = "Copy mappings from one tenant to another, such as from test to live. Rows that only the other has, stay."
    example = "manage.py copy_mappings acme-test acme --dry-run"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", help="the tenant to copy from (slug)")
        parser.add_argument("target", help="the tenant to copy to (slug)")
        parser.add_argument(
            "--kind",
            action="append",
            choices=list(KINDS),
            help=f"what to copy; again for more (usually {', '.join(copying.USUAL)})",
        )
        parser.add_argument("--dry-run", action="store_true", help="show the difference, and change nothing")

    def perform(self, **options: Any) -> None:
        source, target = tenant_named(options["source"]), tenant_named(options["target"])
        if source == target:
            raise Failed("A tenant cannot be copied to itself. Name two.", returncode=REFUSED)
        seen = copying.compare(source, target, options["kind"] or copying.USUAL)
        self._show(seen, target)
        if seen.refusals:
            raise Failed(f"{len(seen.refusals)} rows are refused: nothing was saved.", returncode=REFUSED)
        if options["dry_run"]:
            self.say("Dry run: nothing was saved.")
            return
        saved = save_rows(target.pk, seen.changes, actor=f"copy_mappings {source.slug}"[:150], now=timezone.now())
        if saved.refusals:
            raise Failed("Another change came in between; nothing was saved. Try again.", returncode=REFUSED)
        self.say(f"Saved: {saved.created} new, {saved.changed} changed.")
        self.saved_changes(target, saved)

    def saved_changes(self, tenant: Tenant, saved: Saved) -> None:
        """What else follows from saved mappings; for a subclass."""

    def _show(self, seen: Comparison, target: Tenant) -> None:
        for one in seen.fresh:
            self.say(f"new      {KINDS[one.change.kind].subject(one.change.values)}")
        for one in seen.different:
            self.say(f"changed  {KINDS[one.change.kind].subject(one.change.values)}: {copying.told(one)}")
        for name, count in seen.only_here.items():
            self.say(f"{count} of {target.slug}'s {name} are not in the other and stay as they are.")
        for refusal in seen.refusals:
            self.stderr.write(str(refusal.problem))
        self.say(f"{len(seen.fresh)} new, {len(seen.different)} changed, {seen.unchanged} the same.")
