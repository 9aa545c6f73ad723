"""manage.py status TENANT: where every document stands, and what people must mend."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import CommandParser

from syncs.status import causes, status
from tenants.commands import SentenceCommand, tenant_named


class Command(SentenceCommand):
    help = (
        "Counts and money by kind, currency and state, the equation of the last run, and the problems of what is held."
    )
    example = "manage.py status acme --json"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="the tenant's short name")
        parser.add_argument("--json", action="store_true", help="everything, for another program")

    def perform(self, **options: Any) -> None:
        tenant = tenant_named(options["tenant"])
        facts = status(tenant)
        if options["json"]:
            self.say(json.dumps(facts, indent=1))
            return
        for group in facts["groups"]:
            for name, count in sorted(group["counts"].items()):
                money = group["money"].get(name, "")
                self.say(f"{group['kind']:<12} {group['currency'] or '-':<4} {name:<12} {count:>8} {money:>18}")
        self._run(facts["last_run"])
        for code, sentence, count in causes(tenant):
            self.say(f"{count:>6} × {code}: for example, {sentence}")
        for document in facts["held"]:
            for problem in document["problems"]:
                text = f"{problem['message']} {problem['fix']}".strip()
                self.say(f"{document['state']:<11} {document['kind']} {document['id']}: [{problem['code']}] {text}")

    def _run(self, run: dict[str, Any] | None) -> None:
        if run is None:
            self.say("No sync has run yet. Start one with manage.py sync.")
            return
        equation = "holds" if run["holds"] else "does not hold"
        said = f" {run['sentence']}" if run["sentence"] else ""
        self.say(f"The last run is {run['state']}; its completeness equation {equation}.{said}")
