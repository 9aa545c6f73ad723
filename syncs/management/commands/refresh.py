"""manage.py refresh TENANT: read QAD's lists of GL accounts and customers."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from mappings.catalog import LISTS, refresh_mirror
from syncs.releasing import CURES, release
from tenants import connections
from tenants.commands import SentenceCommand, tenant_named


class Command(SentenceCommand):
    help = "Read QAD's lists of GL accounts and customers, which mappings are checked against."
    example = "manage.py refresh acme"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="the tenant's short name")

    def perform(self, **options: Any) -> None:
        tenant = tenant_named(options["tenant"])
        with connections.qad_client(tenant) as qad:
            for name in LISTS:
                state = refresh_mirror(tenant, qad, name, timezone.now())
                self.say(f"{name.replace('_', ' ')}: {state.sentence}")
        released = release(tenant, CURES, now=timezone.now(), actor="command line")
        if released.released:
            self.say(f"{released.released} of {released.waited} held documents are free to go.")
