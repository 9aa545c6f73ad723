"""manage.py replay TENANT: prepare documents again, or send them again as they were."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.db.models import Q, QuerySet
from django.utils import timezone

from syncs import replay, running
from syncs.admin import figures, words
from syncs.fates import STUCK, Way
from syncs.models import Kind, SourceDocument
from syncs.permission import why_not_posting
from syncs.preparing import POSTED_KINDS
from syncs.states import Disposition, PostingState, SourceState
from tenants import connections
from tenants.commands import POSTING_OFF, WRONG_NAME, Failed, SentenceCommand, tenant_named
from tenants.models import Tenant

KINDS = (*POSTED_KINDS, Kind.CUSTOMER)
STUCK_POSTINGS = (*STUCK, PostingState.UNCERTAIN)


class Command(SentenceCommand):
    help = "Replay documents. What QAD has or may have is only looked up, never sent again."
    example = (
        "manage.py replay acme --id INV-1001\n"
        "  manage.py replay acme --code item-not-mapped --currency EUR --dry-run\n"
        "  manage.py replay acme --state rejected --kind invoice --as-it-was"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="the tenant's short name")
        parser.add_argument("--id", action="append", help="a Chargebee id; may be repeated")
        parser.add_argument("--code", help="everything that has this problem, e.g. item-not-mapped")
        parser.add_argument("--state", choices=Disposition.values, help="everything that stands so")
        parser.add_argument("--all", action="store_true", help="everything that is held, rejected, parked or uncertain")
        parser.add_argument("--kind", choices=KINDS, help="only documents of this kind")
        parser.add_argument("--currency", help="only documents in this currency")
        parser.add_argument("--as-it-was", action="store_true", help="send again unchanged instead of building it anew")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, and do nothing")

    def perform(self, **options: Any) -> None:
        tenant = tenant_named(options["tenant"])
        if not any(options[name] for name in ("id", "code", "state", "all")):
            raise Failed("Say which documents: --id, --code, --state or --all.", returncode=WRONG_NAME)
        keys = list(self._chosen(tenant, options).order_by("pk").values_list("pk", flat=True).distinct())
        if not keys:
            raise Failed("No document matches. manage.py status shows what is held.", returncode=WRONG_NAME)
        way = Way.RESEND if options["as_it_was"] else Way.REBUILD
        if options["dry_run"]:
            self._foretell(tenant, keys, way)
            return
        counts = replay.replay(tenant, way, keys, now=timezone.now(), actor="command line")
        self.say(", ".join(f"{count} {what}" for what, count in counts.items() if count) + ".")
        self._post(tenant)

    def _foretell(self, tenant: Tenant, keys: list[int], way: Way) -> None:
        for group in replay.plan(tenant, keys, way):
            money = words.money(group.minor, group.currency) if words.has_money(group.kind) else ""
            of = words.counted(group.count, Kind(group.kind).label.lower())
            what = ", ".join(filter(None, (of, money)))
            self.say(f"{what}: {group.fate.deed} ({group.fate.why}).")
        self.say("Nothing was changed. Leave out --dry-run to do it.")

    def _chosen(self, tenant: Tenant, options: dict[str, Any]) -> QuerySet[SourceDocument]:
        rows = SourceDocument.objects.filter(tenant=tenant, kind__in=[options["kind"]] if options["kind"] else KINDS)
        if options["currency"]:
            rows = rows.filter(currency=options["currency"].upper())
        if options["state"]:
            rows = figures.in_disposition(rows, options["state"], tenant)
        if options["code"]:
            rows = rows.filter(codes__contains=f"|{options['code']}|")
        if options["all"]:
            held = Q(state__in=(SourceState.HELD, SourceState.UNREADABLE))
            rows = rows.filter(held | Q(postings__state__in=STUCK_POSTINGS))
        return self._named(rows, options["id"]) if options["id"] else rows

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
            raise Failed(f"Nothing was sent. {why}", returncode=POSTING_OFF)
        with connections.qad_client(tenant) as qad:
            counts = running.post(tenant, qad, clock=timezone.now, tell=lambda step: None, actor="command line")
        self.say(", ".join(f"{count} {state}" for state, count in counts.items()) or "Nothing was sent.")
