"""manage.py trial_balance TENANT: what was posted, added up by account and currency."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import CommandParser

from syncs.books import trial_balance
from syncs.models import Posting
from syncs.states import DONE
from tenants.commands import SentenceCommand, tenant_named

BY_HAND = "by hand"  # what people entered in QAD without a journal of ours: only QAD knows its accounts


class Command(SentenceCommand):
    help = "Debit and credit of everything that was posted into QAD, by GL account and currency."
    example = "manage.py trial_balance acme --json"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="the tenant's short name")
        parser.add_argument(
            "--json", action="store_true", help="for another program: 'account currency': [debit, credit]"
        )

    def perform(self, **options: Any) -> None:
        tenant = tenant_named(options["tenant"])
        totals = {(account or BY_HAND, currency): sums for (account, currency), sums in trial_balance(tenant).items()}
        documents = Posting.objects.filter(tenant=tenant, state__in=DONE).count()
        if options["json"]:
            accounts = {f"{account} {currency}": [str(d), str(c)] for (account, currency), (d, c) in totals.items()}
            self.say(json.dumps({"documents": documents, "accounts": accounts}))
            return
        self.say(f"{'account':<10}{'':<5}{'debit':>18}{'credit':>18}")
        for (account, currency), (debit, credit) in sorted(totals.items()):
            self.say(f"{account:<10}{currency:<5}{debit:>18}{credit:>18}")
        self.say(f"{documents} documents.")
