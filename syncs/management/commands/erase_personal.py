"""manage.py erase_personal SLUG SUBJECT: erase a person's values from the audit trail and the conflict log."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from syncs.admin.words import counted
from syncs.alignment import erasing
from tenants import erasing as trail
from tenants.commands import WRONG_NAME, Failed, SentenceCommand, tenant_named


class Command(SentenceCommand):
    help = (
        "Erase for good the personal before and after values that the audit trail keeps of a subject and, of a "
        "customer, those in the conflict log. The lines stay, the chain still verifies, and the erasure itself is "
        "recorded. What Chargebee and QAD have now, and the copy of it that was read last, is erased where it stands."
    )
    example = 'manage.py erase_personal acme customermapping:17 --reason "Request no. 12 of 2026"'

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="the tenant's short name")
        parser.add_argument("subject", help="as the audit trail shows it, such as customermapping:17")
        parser.add_argument("--reason", required=True, help="recorded for ever, so it must not name the person")

    def perform(self, **options: Any) -> None:
        tenant, subject, reason = tenant_named(options["tenant"]), options["subject"], options["reason"].strip()
        if not reason:
            raise Failed("Give the reason; it is recorded.", returncode=WRONG_NAME)
        erased = erasing.erase(tenant.pk, subject, reason=reason, actor="command line", now=timezone.now())
        if not any(erased):
            near = trail.subjects_like(tenant.pk, subject.rpartition(":")[2])
            hint = f" Did you mean: {', '.join(near)}?" if near else " Copy the subject from the audit trail."
            raise Failed(f"The trail keeps no personal values of '{subject}'.{hint}", returncode=WRONG_NAME)
        log = f", and of {counted(erased.lines, 'line')} of the conflict log" if erased.lines else ""
        self.say(f"Erased the personal values of {counted(erased.entries, 'entry', 'entries')}{log} about {subject}.")
