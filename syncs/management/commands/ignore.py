"""manage.py ignore TENANT: set documents aside until a day, take that back, or list what is ignored."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from syncs import ignoring
from syncs.admin import words
from syncs.admin.decisions import ignored_total
from syncs.models import Ignore, SourceDocument
from tenants.access import Action
from tenants.commands import REFUSED, WRONG_NAME, Failed, SentenceCommand, person_who_may, tenant_named
from tenants.models import Tenant


class Command(SentenceCommand):
    help = "Ignore documents with a reason, an owner and the day on which they come back; or list them."
    example = (
        'manage.py ignore acme INV-1001 --reason "A test order" --until 2026-12-31 --as ada\n'
        "  manage.py ignore acme INV-1001 --take-back --as ada\n"
        "  manage.py ignore acme --list"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="the tenant's short name")
        parser.add_argument("id", nargs="?", help="the Chargebee id of an invoice, credit note or transaction")
        parser.add_argument("--kind", choices=ignoring.KINDS, help="where two kinds share the id")
        parser.add_argument("--reason", default="", help="why, for the auditor")
        parser.add_argument("--until", help="the day on which it comes back, e.g. 2026-12-31")
        parser.add_argument("--owner", help="the login of who answers for it; whoever decides unless given")
        parser.add_argument("--take-back", action="store_true", help="stop ignoring it")
        parser.add_argument("--list", action="store_true", help="what is ignored now, with its money")
        parser.add_argument("--as", dest="person", help="the login of the accountant who decides")

    def perform(self, **options: Any) -> None:
        tenant = tenant_named(options["tenant"])
        if options["list"]:
            self._list(tenant)
            return
        row = self._row(tenant, options)
        actor = person_who_may(Action.IGNORE, tenant, options["person"]).get_username()
        now = timezone.now()
        if options["take_back"]:
            wrong = ignoring.take_back(tenant, row, now=now, actor=actor)
        else:
            until, owner = _day(options["until"]), options["owner"] or actor
            wrong = ignoring.ignore(
                tenant, row, reason=options["reason"], owner=owner, until=until, now=now, actor=actor
            )
        if wrong:
            raise Failed(wrong, returncode=REFUSED)
        self.say(f"{row} is held until Replay." if options["take_back"] else f"{row} is ignored until {until}.")

    def _row(self, tenant: Tenant, options: dict[str, Any]) -> SourceDocument:
        kinds = [options["kind"]] if options["kind"] else list(ignoring.KINDS)
        found = list(SourceDocument.objects.filter(tenant=tenant, kind__in=kinds, source_id=options["id"] or ""))
        if len(found) == 1:
            return found[0]
        said = f"There is no document '{options['id'] or ''}'. Check its Chargebee id, or sync first."
        if found:
            said = f"Several documents have the id '{options['id']}'. Add --kind."
        raise Failed(said, returncode=WRONG_NAME)

    def _list(self, tenant: Tenant) -> None:
        rows = Ignore.objects.filter(tenant=tenant, ended_at=None).select_related("source").defer("source__raw")
        for row in rows.order_by("expires_on", "pk"):
            money = words.money(row.source.total_minor, row.source.currency)
            self.say(f"{row.source}, {money}: until {row.expires_on}, {row.owner} answers for it. {row.reason}")
        self.say(ignored_total(tenant))


def _day(text: str | None) -> dt.date:
    try:
        return dt.date.fromisoformat(text or "")
    except ValueError:
        raise Failed(f"--until is '{text or ''}'. Give a day, e.g. 2026-12-31.", returncode=WRONG_NAME) from None
