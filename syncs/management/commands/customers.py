"""manage.py customers TENANT: keep the customers of both systems the same, or rehearse it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from connector.ledger.rehearsal import BUCKETS, Rehearsal
from mappings.workbooks import Table, to_csv
from syncs import running
from syncs.alignment import rehearsing
from syncs.alignment.reviewing import matches
from syncs.alignment.setting import OFF, mode_of
from syncs.models import Kind
from tenants import connections
from tenants.commands import REFUSED, WRONG_NAME, Failed, SentenceCommand, tenant_named


class Command(SentenceCommand):
    help = (
        "Read the customers of both systems and keep them the same. With --rehearse nothing is written: it shows what "
        "is matched, would be created, is ambiguous, blocked, or left out by rule."
    )
    example = "manage.py customers acme --rehearse"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="the tenant's short name")
        parser.add_argument("--rehearse", action="store_true", help="read both systems, say what would happen")
        parser.add_argument("--show", choices=BUCKETS, help="with --rehearse: name some of these")
        parser.add_argument(
            "--matches", type=Path, metavar="FILE.csv", help="write the possible matches as rows for import_mappings"
        )
        parser.add_argument("--json", action="store_true", help="with --rehearse: the figures as JSON")

    def perform(self, **options: Any) -> None:
        tenant = tenant_named(options["tenant"])
        if options["matches"]:
            self._write(options["matches"], matches(tenant))
            return
        if options["rehearse"]:
            with connections.qad_client(tenant) as qad, connections.chargebee_client(tenant) as chargebee:
                self._tell(rehearsing.from_both(tenant, qad, chargebee), options)
            return
        if mode_of(tenant) == OFF:
            raise Failed(
                f"Customers of {tenant} are not kept the same: policy align_customers is off. "
                f"Rehearse it with --rehearse, then set the policy.",
                returncode=REFUSED,
            )
        story = running.sync(
            tenant, [Kind.CUSTOMER], trigger="command", clock=timezone.now, tell=lambda _: None, actor="command line"
        )
        self.say(f"Customers: {story.aligned.said or 'nothing to do.'}")
        if story.not_posting or story.aligned.stopped:
            raise Failed(story.not_posting or story.aligned.stopped, returncode=REFUSED)

    def _write(self, path: Path, table: Table) -> None:
        try:
            path.write_text(to_csv(table), encoding="utf-8")
        except OSError as error:
            raise Failed(f"{path} cannot be written: {error.strerror}.", returncode=WRONG_NAME) from None
        rows = len(table.rows)
        self.say(f"Wrote {rows:,} possible match{'' if rows == 1 else 'es'} to {path}.")
        self.say("Delete the rows of customers that are not the same, then import_mappings it with --dry-run.")

    def _tell(self, rehearsal: Rehearsal, options: dict[str, Any]) -> None:
        if options["json"]:
            fields = {f"{side}.{name}": count for (side, name), count in sorted(rehearsal.fields.items())}
            figures = {name: rehearsal.counts[name] for name in BUCKETS}
            self.say(json.dumps({**figures, "fields": fields, "lost": rehearsal.lost}))
            return
        for sentence in rehearsing.told(rehearsal):
            self.say(sentence)
        for example in rehearsal.examples.get(options["show"], ()):
            self.say(f"- {example}")
        self.say("Nothing was written.")
