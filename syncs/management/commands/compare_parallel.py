"""manage.py compare_parallel: in a parallel run, what would be posted beside what people keyed into QAD."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from connector.ledger.compare import Period
from syncs import parallel
from tenants.commands import REFUSED, Failed, SentenceCommand, tenant_named
from tenants.connections import qad_client


class Command(SentenceCommand):
    help = "Compare the prepared documents of a period with what QAD holds that was not posted from here."
    example = "manage.py compare_parallel acme --period 2026-11"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="the tenant's short name (slug)")
        parser.add_argument("--period", required=True, metavar="YYYY-MM")

    def perform(self, **options: Any) -> None:
        tenant = tenant_named(options["tenant"])
        try:
            period = Period.named(options["period"])
        except ValueError:
            raise Failed(
                f"'{options['period']}' is no period. Write one such as 2026-11.", returncode=REFUSED
            ) from None
        with qad_client(tenant) as client:
            row = parallel.compare(tenant, client, period, clock=timezone.now, actor="compare_parallel")
        for one in row.found["differing"]:
            self.say(f"differs      {one['reference']} and {one['number']}: {'; '.join(one['reasons'])}")
        for one in row.found["only_here"]:
            self.say(f"only here    {one['reference']} {one['customer']} {one['total']} {one['date']}")
        for one in row.found["only_in_qad"]:
            self.say(f"only in QAD  {one['number']} {one['customer']} {one['total']} {one['date']}")
        self.say(
            f"{row.agreed} agree, {row.differing} differ, {row.only_here} are only here, {row.only_in_qad} only in QAD."
        )
        if row.differing or row.only_here or row.only_in_qad:
            raise Failed("The two books do not agree for this period.", returncode=REFUSED)
