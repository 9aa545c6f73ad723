"""manage.py audit_retention [SLUG]: say which audit entries are older than the tenant keeps them."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from tenants import retention
from tenants.commands import SentenceCommand, tenant_named
from tenants.models import Tenant


class Command(SentenceCommand):
    help = (
        "Say how many audit entries are older than the policy audit_retention_years. Nothing is deleted: the database "
        "refuses to delete audit entries, whoever asks."
    )
    example = "manage.py audit_retention acme"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", nargs="?", help="the tenant's short name; without it, every tenant")

    def perform(self, **options: Any) -> None:
        tenants = [tenant_named(options["tenant"])] if options["tenant"] else list(Tenant.objects.all())
        now = timezone.now()
        for tenant in tenants:
            self._tell(tenant, retention.older(tenant, now))

    def _tell(self, tenant: Tenant, found: retention.Older) -> None:
        kept = f"{tenant.slug} keeps {found.years} years, since {found.cutoff:%Y-%m-%d}."
        if not found.entries:
            self.say(f"{kept} No entry is older.")
            return
        span = f"from {found.first_at:%Y-%m-%d} to {found.last_at:%Y-%m-%d}, up to position {found.last_position or 0}"
        self.say(f"{kept} {found.entries} entries are older, {span}.")
        self.say(f"They stay. To keep a copy elsewhere: manage.py export_audit {tenant.slug} FILE.jsonl")
