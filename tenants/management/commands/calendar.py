"""manage.py calendar TENANT: the rules of the billing calendar and their next runs."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import CommandParser
from django.utils import timezone

from tenants import calendar
from tenants.commands import SentenceCommand, tenant_named
from tenants.models import CalendarRule


class Command(SentenceCommand):
    help = "Each rule of a tenant's billing calendar with its next runs, in its own zone and in UTC."
    example = "manage.py calendar acme --count 3"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="the tenant's short name")
        parser.add_argument("--count", type=_count, default=10, metavar="N", help="how many runs of each, 1 to 100")
        parser.add_argument("--json", action="store_true", help="for another program; moments in UTC")

    def perform(self, **options: Any) -> None:
        tenant = tenant_named(options["tenant"])
        now = timezone.now()
        closed = calendar.windows(tenant, now)
        rules = list(CalendarRule.objects.filter(tenant=tenant).select_related("tenant"))
        coming = {rule: calendar.upcoming(rule, now, closed, options["count"]) for rule in rules}
        if options["json"]:
            found = [{"rule": rule.name, "next": [f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in coming[rule]]} for rule in rules]
            self.say(json.dumps(found, indent=1))
            return
        if not rules:
            self.say(f"{tenant} has no rules yet. Add one under Tenants & connections > Billing calendar.")
        for rule in rules:
            self.say(f"{rule.name}: {calendar.described(rule)}{' (paused)' if rule.is_paused else ''}")
            for at in coming[rule]:
                local = at.astimezone(ZoneInfo(rule.timing.zone))
                self.say(f"  {local:%a %Y-%m-%d %H:%M %Z}   {at:%Y-%m-%d %H:%M} UTC")
        for begins, ends in closed:
            self.say(f"No run from {begins:%Y-%m-%d %H:%M} to {ends:%Y-%m-%d %H:%M} UTC: blackout.")


def _count(text: str) -> int:
    if text.isascii() and text.isdigit() and 1 <= int(text[:4]) <= 100:
        return int(text)
    raise ArgumentTypeError(f"'{text}' is not a number from 1 to 100.")
