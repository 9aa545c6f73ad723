"""manage.py backfill: older documents that are posted after all; shown first, posted with --confirm."""

from __future__ import annotations

import datetime as dt
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from syncs import backfilling
from syncs.backfilling import Preview
from syncs.completeness import money_text
from syncs.models.golive import OPENING_KINDS
from tenants.commands import REFUSED, Failed, SentenceCommand, tenant_named


class Command(SentenceCommand):
    help = "Show what posting older documents of a range of days would do; with --confirm, have them posted."
    example = "manage.py backfill acme --kind invoice --from 2026-10-01 --to 2026-10-31"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="the tenant's short name (slug)")
        parser.add_argument("--kind", required=True, choices=[kind.value for kind in OPENING_KINDS])
        parser.add_argument("--from", dest="first", required=True, type=_day, metavar="DAY")
        parser.add_argument("--to", dest="last", required=True, type=_day, metavar="DAY")
        parser.add_argument("--confirm", metavar="REASON", help="post them, for this reason")

    def perform(self, **options: Any) -> None:
        tenant = tenant_named(options["tenant"])
        kind, first, last = options["kind"], options["first"], options["last"]
        wrong = backfilling.why_not(tenant, kind, first, last)
        if wrong:
            raise Failed(wrong, returncode=REFUSED)
        now = timezone.now()
        self._show(backfilling.preview(tenant, kind, first, last, now=now))
        if options["confirm"] is None:
            self.say("Nothing was changed. Say --confirm REASON to have them posted.")
            return
        made = backfilling.start(tenant, kind, first, last, reason=options["confirm"], now=now, actor="backfill")
        if isinstance(made, str):
            raise Failed(made, returncode=REFUSED)
        done = backfilling.work(tenant, clock=timezone.now, is_over=lambda: False, actor="backfill")
        self.say(f"{done} documents are prepared and posted by the next sync, or by the queue within a minute.")

    def _show(self, found: Preview) -> None:
        money = ", ".join(f"{money_text(minor, code)} {code}" for code, minor in sorted(found.money.items()) if code)
        self.say(f"{found.count} documents are kept out by the cut-off: {money or 'no money'}.")
        if found.rehearsed:
            told = ", ".join(f"{count} {name}" for name, count in sorted(found.outcomes.items()))
            which = "They" if found.rehearsed == found.count else f"The newest {found.rehearsed} of them"
            self.say(f"{which} would be: {told}.")
        for sentence, count in found.problems.most_common(20):
            self.say(f"  {count} x {sentence}")


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"'{text}' is not a day. Write it as 2026-10-01.") from None
