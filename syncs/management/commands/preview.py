"""manage.py preview TENANT: the journal of what a sync would post now, or of one document; nothing is saved or sent."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from connector.money import plain
from syncs.desk import open_desk
from syncs.models import SourceDocument
from syncs.preparing import POSTED_KINDS
from syncs.previewing import Previewed, Totals, add, of_documents, rate_words, upcoming
from tenants.commands import Failed, SentenceCommand, tenant_named
from tenants.models import QadConnection


class Command(SentenceCommand):
    help = "Debit and credit of everything that a sync would post now, by document and in total; nothing is saved."
    example = "manage.py preview acme --kind invoice --id INV-1001"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="the tenant's short name")
        parser.add_argument("--kind", action="append", choices=POSTED_KINDS, help="only this kind; may be repeated")
        parser.add_argument("--id", action="append", help="only the document with this Chargebee id; may be repeated")

    def perform(self, **options: Any) -> None:
        tenant = tenant_named(options["tenant"])
        if not QadConnection.objects.filter(tenant=tenant).exists():
            raise Failed(f"{tenant} has no QAD connection yet, so nothing can be prepared.")
        kinds, now, desk = options["kind"] or POSTED_KINDS, timezone.now(), open_desk(tenant.pk)
        if options["id"]:
            rows = SourceDocument.objects.filter(tenant=tenant, kind__in=kinds, source_id__in=options["id"])
            missing = set(options["id"]) - {row.source_id for row in rows}
            if missing:
                raise Failed(f"No document '{min(missing)}' has been read. Check the id and the kind, or sync first.")
            self._show(of_documents(desk, list(rows), now))
        else:
            self._show(upcoming(desk, now, kinds))

    def _show(self, previewed: Any) -> None:
        totals: Totals = defaultdict(lambda: [Decimal(0), Decimal(0)])
        count = without = 0
        for one in previewed:
            self._document(one)
            add(totals, one)
            count, without = count + (one.document is not None), without + (one.document is None)
        self.say(f"\n{'account':<28}{'':<5}{'debit':>18}{'credit':>18}")
        for (account, currency), (debit, credit) in sorted(totals.items()):
            self.say(f"{account:<28}{currency:<5}{debit:>18}{credit:>18}")
        self.say(
            f"{count} postings; {without} documents without one, for the reasons above. Nothing was saved or sent."
        )

    def _document(self, one: Previewed) -> None:
        if one.document is None:
            self.say(f"\n{one.source}: " + " ".join(str(problem) for problem in one.problems))
            return
        document = one.document
        period = f", period {one.period}" if one.period else ""
        state = f" ({one.stands} already)" if one.stands else ""
        self.say(
            f"\n{one.reference} for {document.customer or 'no customer'} on {document.posting_date}{period}{state}"
        )
        for sentence in (one.why, rate_words(document.currency, one.fx)):
            if sentence:
                self.say(f"  {sentence}")
        for line in one.lines:
            side, amount = ("Dr", line.debit) if line.debit else ("Cr", line.credit)
            dimensions = line.coding and (line.coding.sub_account, line.coding.cost_centre, line.coding.project)
            where = "/".join(part for part in dimensions or () if part)
            used = line.coding.source if line.coding else ""
            self.say(
                f"  {side} {line.account:<10}{where:<12}{plain(amount):>16} {amount.currency}  {line.label}  {used}"
            )
        for problem in one.problems:
            self.say(f"  {problem}")
