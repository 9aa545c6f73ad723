"""manage.py leave_restore_mode TENANT: look up what QAD may have, and let the tenant post again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from syncs import recovering, restoring, running
from syncs.models import ReadBack
from tenants import connections
from tenants.commands import REFUSED, WRONG_NAME, Failed, SentenceCommand, tenant_named

SHOWN = 20


class Command(SentenceCommand):
    help = (
        "Look up in QAD every document that is not posted here, adopt what is found, and end restore mode if nothing "
        "is left open. Run manage.py sync first, so that what is missing here is read from Chargebee again."
    )
    example = "manage.py leave_restore_mode acme --reason 'Restored the backup of 23 November after the disk failed.'"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="the tenant's short name")
        parser.add_argument("--reason", required=True, help="why; it is kept in the audit trail")
        parser.add_argument(
            "--accept",
            action="append",
            default=[],
            metavar="REFERENCE",
            help="a reference that you have checked in QAD and answer for; may be repeated",
        )

    def perform(self, **options: Any) -> None:
        tenant, reason = tenant_named(options["tenant"]), options["reason"].strip()
        if not reason:
            raise Failed("Give a reason in words; it is kept in the audit trail.", returncode=WRONG_NAME)
        if restoring.mode_of(tenant) is None:
            raise Failed(f"{tenant} is not in restore mode.", returncode=REFUSED)
        with connections.qad_client(tenant) as qad:
            pace = running.pace_of(tenant)
            recovering.work(tenant, qad, pace, clock=timezone.now, until=float("inf"), actor="command line")
        still = restoring.leave(
            tenant, reason=reason, accepted=options["accept"], now=timezone.now(), actor="command line"
        )
        if still:
            lines = [f"- {problem}" for problem in still[:SHOWN]]
            more = [f"- and {len(still) - SHOWN} more"] if len(still) > SHOWN else []
            head = f"{tenant} stays in restore mode. {len(still)} thing(s) to do first:"
            raise Failed("\n".join([head, *lines, *more]), returncode=REFUSED)
        self.say(ReadBack.objects.get(tenant=tenant).sentence)
        self.say(f"{tenant} may post again. For a month everything is still looked up before it is first sent.")
