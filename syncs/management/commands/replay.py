"""manage.py replay TENANT: prepare documents again, or send them again as they were."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.db.models import Q, QuerySet
from django.utils import timezone

from syncs import replay, running
from syncs.models import Kind, SourceDocument
from syncs.permission import why_not_posting
from syncs.preparing import POSTED_KINDS
from syncs.states import PostingState, SourceState
from tenants import connections
from tenants.commands import WRONG_NAME, Failed, SentenceCommand, tenant_named
from tenants.models import Tenant

KINDS = (*POSTED_KINDS, Kind.CUSTOMER)
STUCK_POSTINGS = (PostingState.REJECTED, PostingState.PARKED, PostingState.UNCERTAIN, PostingState.HELD)


class Command(SentenceCommand):
    help = "Replay documents. What QAD has or may have is only looked up, never sent again."
    example = "manage.py replay acme --id INV-1001\n  manage.py replay acme --code item-not-mapped"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="the tenant's short name")
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--id", action="append", help="a Chargebee id; may be repeated")
        which.add_argument("--code", help="everything that has this problem, e.g. item-not-mapped")
        which.add_argument("--all", action="store_true", help="everything that is held, rejected, parked or uncertain")
        parser.add_argument("--kind", choices=KINDS, help="only documents of this kind")
        parser.add_argument("--as-it-was", action="store_true", help="send again unchanged instead of building it anew")

    def perform(self, **options: Any) -> None:
        tenant = tenant_named(options["tenant"])
        rows = list(self._chosen(tenant, options).defer("raw"))
        if not rows:
            raise Failed("No document matches. manage.py status shows what is held.", returncode=WRONG_NAME)
        again = replay.resend if options["as_it_was"] else replay.rebuild
        counts = again(tenant, rows, now=timezone.now(), actor="command line")
        self.say(", ".join(f"{count} {what}" for what, count in counts.items() if count) + ".")
        self._post(tenant)

    def _chosen(self, tenant: Tenant, options: dict[str, Any]) -> QuerySet[SourceDocument]:
        rows = SourceDocument.objects.filter(tenant=tenant, kind__in=[options["kind"]] if options["kind"] else KINDS)
        if options["id"]:
            return self._named(rows, options["id"])
        if options["code"]:
            return rows.filter(codes__contains=f"|{options['code']}|")
        stuck = Q(state__in=(SourceState.HELD, SourceState.UNREADABLE)) | Q(postings__state__in=STUCK_POSTINGS)
        return rows.filter(stuck).distinct()

    def _named(self, rows: QuerySet[SourceDocument], names: list[str]) -> QuerySet[SourceDocument]:
        found = rows.filter(source_id__in=names)
        missing = sorted(set(names) - set(found.values_list("source_id", flat=True)))
        if missing:
            raise Failed(
                f"There is no document '{missing[0]}'. Check its Chargebee id, or sync first.", returncode=WRONG_NAME
            )
        return found

    def _post(self, tenant: Tenant) -> None:
        """What may go now goes now, so that the answer is seen here."""
        why = why_not_posting(tenant)
        if why:
            self.say(why)
            return
        with connections.qad_client(tenant) as qad:
            counts = running.post(tenant, qad, clock=timezone.now, tell=lambda step: None, actor="command line")
        self.say(", ".join(f"{count} {state}" for state, count in counts.items()) or "Nothing was sent.")
