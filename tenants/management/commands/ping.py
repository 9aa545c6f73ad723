"""manage.py ping SLUG: test both connections of a tenant, read-only, step by step."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from tenants import probes
from tenants.commands import OTHER_SIDE, Failed, SentenceCommand, tenant_named
from tenants.models import Side

# An empty list or one that the profile does not use is no failure; where nothing was asked, everything is.
FAILURES = frozenset({"unreachable", "refused_credentials", "forbidden", "wrong_path", "wrong_profile", "missing"})
_FIRST = frozenset({"host", "sign-in"})


class Command(SentenceCommand):
    help = "Ask Chargebee and QAD, read-only, whether the tenant's connections work; never writes to either."
    example = "manage.py ping acme"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="the tenant's short name")

    def perform(self, **options: Any) -> None:
        tenant = tenant_named(options["tenant"])
        rows = probes.test_connection(tenant, timezone.now(), actor="ping", tell=self._tell)
        failed = [row for row in rows if row.answer in FAILURES or (row.subject in _FIRST and row.answer != "ok")]
        if failed:
            raise Failed(
                f"{len(failed)} of {len(rows)} steps failed; the first: {failed[0].sentence}", returncode=OTHER_SIDE
            )
        self.say(f"All {len(rows)} steps answered.")

    def _tell(self, step: probes.Step) -> None:
        label = Side(step.side).label
        self.say(
            f"{step.answer.replace('_', ' '):<20} {label:<9} {step.subject:<20} {step.seconds:6.2f} s  {step.sentence}"
        )
        self.stdout.flush()
