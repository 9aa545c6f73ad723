"""manage.py sweep TENANT: prove against Chargebee's own lists that nothing is missing, and heal what is."""

from __future__ import annotations

import datetime as dt
import sys
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from syncs import proving
from syncs.progress import Bar, Lines
from tenants.commands import REFUSED, WRONG_NAME, Failed, SentenceCommand, tenant_named


class Command(SentenceCommand):
    help = (
        "Compare Chargebee's lists by document date, and its events, with what was read; read what differs. "
        "Exit code 0 only if nothing was missing, extra or stale. One that was interrupted goes on where it stopped."
    )
    example = "manage.py sweep acme --since 2026-10-01"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="the tenant's short name")
        parser.add_argument(
            "--since", metavar="YYYY-MM-DD", help="only documents dated from this day on; without it everything"
        )

    def perform(self, **options: Any) -> None:
        tenant = tenant_named(options["tenant"])
        since = _day(options["since"]) if options["since"] else None
        if since is not None:
            proving.refuse_future(since, timezone.now())
        progress = Bar(sys.stderr) if sys.stderr.isatty() else Lines(self.stdout)
        try:
            proof = proving.sweep(tenant, since=since, trigger="command", clock=timezone.now, tell=progress.tell)
        finally:
            progress.end()
        counts = proof.counts
        self.say(
            f"{counts['listed']} documents and {counts['events']} events listed: {counts['missing']} missing, "
            f"{counts['extra']} extra, {counts['stale']} stale, {counts['days']} days with other sums."
        )
        if not proof.is_clean:
            raise Failed(proof.run.sentence, returncode=REFUSED)


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise Failed(f"'{text}' is not a day. Write it as 2026-10-01.", returncode=WRONG_NAME) from None
