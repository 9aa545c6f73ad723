"""manage.py certify TENANT: a document of each kind in a test workspace, and what the instance does with them."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import CommandParser

from syncs.certified import check_place
from syncs.certifying import LOOK_FOR, StepDone
from syncs.certifying import certify as certified
from syncs.models import CertificationState
from tenants import connections
from tenants.commands import REFUSED, Failed, SentenceCommand, tenant_named


class Command(SentenceCommand):
    help = (
        "Post, find, pay, credit, apply, refund and reverse one document of each kind in a test workspace, under "
        "references of their own, and compare what QAD shows with what was meant. A live tenant of the same company "
        "may post once the very profile that it uses has passed. Exit code 0 only if it passed."
    )
    example = "manage.py certify acme-test --customer C0000001"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="the short name of a tenant in test mode")
        parser.add_argument("--customer", default="", metavar="CODE", help="the QAD customer to post to")
        parser.add_argument(
            "--patience", type=float, default=LOOK_FOR, metavar="SECONDS", help="how long QAD's lists may take"
        )
        parser.add_argument("--json", action="store_true", help="everything, for another program")

    def perform(self, **options: Any) -> None:
        tenant = tenant_named(options["tenant"])
        check_place(tenant)
        tell = (lambda step: None) if options["json"] else self._tell
        with connections.qad_client(tenant) as client:
            row = certified(
                tenant,
                client,
                customer=options["customer"],
                actor="command line",
                tell=tell,
                look_for=max(0.0, options["patience"]),
            )
        if options["json"]:
            facts = {"id": row.pk, "state": row.state, "sentence": row.sentence, "figures": row.figures}
            self.say(json.dumps({**facts, "profile": row.profile_hash, "steps": row.steps}, indent=1))
        else:
            for name, value in row.figures.items():
                self.say(f"{name.replace('_', ' ')}: {value}")
        if row.state != CertificationState.PASSED:
            raise Failed(row.sentence, returncode=REFUSED)
        if not options["json"]:
            self.say(row.sentence)

    def _tell(self, step: StepDone) -> None:
        self.say(f"{step.answer:<15}{step.what}: {step.sentence}")
