"""manage.py refresh TENANT: read QAD's lists anew, and say which mappings lean on what is gone."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from mappings import usage
from mappings.listed import LISTS
from mappings.models import MirrorState
from syncs import redating
from syncs.refreshing import refresh
from syncs.releasing import CURES, release
from tenants import connections
from tenants.commands import SentenceCommand, tenant_named


class Command(SentenceCommand):
    help = "Read QAD's lists (accounts, customers, periods, daybooks, rates…), which documents are checked against."
    example = "manage.py refresh acme --list periods"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="the tenant's short name")
        parser.add_argument("--list", action="append", choices=list(LISTS), help="only this one; may be repeated")

    def perform(self, **options: Any) -> None:
        tenant = tenant_named(options["tenant"])
        with connections.qad_client(tenant) as qad:
            refresh(tenant, qad, options["list"] or list(LISTS), timezone.now(), self._tell)
        for use in usage.of_lost_codes(tenant):
            self.say(f"warning: {use.sentence}")
        redating.redate(tenant, timezone.now(), actor="command line")
        released = release(tenant, CURES, now=timezone.now(), actor="command line")
        if released.released:
            self.say(f"{released.released} of {released.waited} held documents are free to go.")

    def _tell(self, state: MirrorState) -> None:
        self.say(f"{LISTS[state.list_name].title}: {state.sentence}")
        self.stdout.flush()
