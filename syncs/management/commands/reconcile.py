"""manage.py reconcile TENANT --period 2026-11: Chargebee, our postings and QAD, document by document."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from connector.ledger.compare import Period
from syncs import running
from syncs.models import Reconciliation
from syncs.reconciling import reconcile
from tenants import connections
from tenants.commands import REFUSED, WRONG_NAME, Failed, SentenceCommand, tenant_named


class Command(SentenceCommand):
    help = (
        "Compare a period document by document and in total: Chargebee's documents, our postings, and what QAD shows. "
        "Reads QAD, writes nothing there. Exit code 0 only if nothing is left over and every difference is explained."
    )
    example = "manage.py reconcile acme --period 2026-11 --json"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="the tenant's short name")
        parser.add_argument("--period", required=True, metavar="YYYY-MM", help="a month of the accounting zone")
        parser.add_argument("--json", action="store_true", help="everything, for another program")

    def perform(self, **options: Any) -> None:
        tenant = tenant_named(options["tenant"])
        period = _period(options["period"])
        with connections.qad_client(tenant) as qad:
            pace = running.pace_of(tenant)
            row = reconcile(tenant, qad, period, pace, clock=timezone.now, actor="command line")
        if options["json"]:
            self.say(json.dumps(_facts(row), indent=1))
        else:
            self._tell(row)
        if not row.is_balanced:
            raise Failed(row.sentence, returncode=REFUSED)

    def _tell(self, row: Reconciliation) -> None:
        self.say(f"{'kind':<15}{'':<5}{'documents':>10}{'Chargebee':>18}{'ours':>18}{'QAD':>18}{'left':>14}  explained")
        for one in row.figures:
            explained = ", ".join(f"{amount} {reason}" for reason, amount in one["explained"].items()) or "-"
            self.say(
                f"{one['kind']:<15}{one['currency']:<5}{one['documents']:>10}{one['chargebee'] or '-':>18}"
                f"{one['ours']:>18}{one['qad']:>18}{one['residual']:>14}  {explained}"
            )
        for one in row.variances:
            sign = "explained" if one["is_explained"] else "OPEN"
            self.say(f"{sign:<10}[{one['code']}] {one['sentence']} {one['fix']}".rstrip())
        hidden = sum(row.counts.values()) - len(row.variances)
        if hidden:
            self.say(f"and {hidden} more of them.")
        if row.is_balanced:
            self.say(row.sentence)


def _period(text: str) -> Period:
    try:
        return Period.named(text)
    except ValueError:
        raise Failed(f"'{text}' is not a period. Write it as 2026-11.", returncode=WRONG_NAME) from None


def _facts(row: Reconciliation) -> dict[str, Any]:
    return {
        "id": row.pk,
        "period": row.period,
        "is_balanced": row.is_balanced,
        "sentence": row.sentence,
        "chargebee_read_until": row.read_until.isoformat() if row.read_until else None,
        "figures": row.figures,
        "counts": row.counts,
        "variances": row.variances,
    }
