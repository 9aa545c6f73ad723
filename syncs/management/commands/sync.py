"""manage.py sync TENANT: read, prepare and post everything that can be done now."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from syncs import intake, running
from syncs.models import Kind, RunState
from syncs.progress import Bar, Lines
from tenants.commands import POSTING_OFF, REFUSED, WRONG_NAME, Failed, SentenceCommand, tenant_named


class Command(SentenceCommand):
    help = (
        "Read Chargebee, prepare what is new and post it into QAD. "
        "Exit code 0 only if every listed document is accounted for and nothing that is ready stayed here."
    )
    example = "manage.py sync acme --kind customer --kind invoice\n  manage.py sync acme --kind invoice --id INV-1"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="the tenant's short name")
        parser.add_argument(
            "--kind", action="append", choices=list(Kind.values), help="read only this kind; may be repeated"
        )
        parser.add_argument(
            "--id", action="append", metavar="ID", help="read only this document of the one --kind; may be repeated"
        )

    def perform(self, **options: Any) -> None:
        tenant = tenant_named(options["tenant"])
        wanted = options["kind"] or Kind.values
        if options["id"] and len(wanted) != 1:
            raise Failed("Name the kind of the document: --kind invoice --id INV-1.", returncode=WRONG_NAME)
        progress = Bar(sys.stderr) if sys.stderr.isatty() else Lines(self.stdout)
        how: dict[str, Any] = {"trigger": "command", "clock": timezone.now, "tell": progress.tell}
        try:
            if options["id"]:
                story = running.sync_one(tenant, wanted[0], options["id"], **how, actor="command line")
            else:
                kinds = [kind for kind in intake.PULL_ORDER if kind in wanted]
                story = running.sync(tenant, kinds, **how, actor="command line")
        finally:
            progress.end()
        self._report(story)

    def _report(self, story: running.Story) -> None:
        for balance in story.balances:
            parts = ", ".join(f"{count} {name}" for name, count in sorted(balance.dispositions.items()))
            sign = "=" if balance.holds else "≠"
            self.say(f"{balance.kind:<12} {balance.currency or '-':<4} {balance.listed:>6} listed {sign} {parts or 0}")
        if story.aligned.said:
            self.say(f"Customers: {story.aligned.said}")
        if story.run.state != RunState.COMPLETE:
            raise Failed(f"The run is red: {story.run.sentence}", returncode=REFUSED)
        if story.left:
            raise Failed(f"{story.left} ready, not sent. {story.not_posting}", returncode=POSTING_OFF)
        if story.not_posting:
            self.say(story.not_posting)
