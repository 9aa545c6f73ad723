"""manage.py take_over: the database belongs to this installation from now on; every tenant starts in restore mode."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from syncs import newest, restoring
from tenants import installation
from tenants.commands import WRONG_NAME, Failed, SentenceCommand
from tenants.models import QadConnection


class Command(SentenceCommand):
    help = (
        "Let this installation post from a database that belonged to another one. Stop the other one for good before. "
        "Every tenant starts in restore mode: what QAD has is looked up before anything is sent."
    )
    example = "manage.py take_over --reason 'Moved to a new machine; the old one is switched off.'"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--reason", required=True, help="why; it is kept in the audit trail")

    def perform(self, **options: Any) -> None:
        reason, now = options["reason"].strip(), timezone.now()
        if not reason:
            raise Failed("Give a reason in words; it is kept in the audit trail.", returncode=WRONG_NAME)
        for row in QadConnection.objects.select_related("tenant"):
            why = "The database was taken over from another installation."
            read_from = newest.first_day(row.tenant, now)
            if installation.why_not_here():
                restoring.enter(row.tenant, why, [], read_from=read_from, now=now, actor="command line")
        before = installation.take_over(reason=reason, now=now, actor="command line")
        if not before:
            self.say("The database belongs to this installation already; nothing was changed.")
            return
        self.say(f"The database was that of installation '{before}' and is this one's now.")
        self.say("Every tenant is in restore mode. Next: manage.py sync TENANT, then leave_restore_mode TENANT.")
