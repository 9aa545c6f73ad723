"""manage.py resolve TENANT REFERENCE: the ways out of a conflict or a duplicate, and of a document entered by hand."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from connector.qad.client import QadClient
from syncs import keyed, resolving
from syncs.models import Posting, SourceDocument, Surplus
from tenants import connections
from tenants.access import Action
from tenants.commands import REFUSED, WRONG_NAME, Failed, SentenceCommand, person_who_may, tenant_named
from tenants.models import Tenant

NEEDS = {"posted_as": Action.MARK_POSTED}  # the others need the action of settling conflicts


class Command(SentenceCommand):
    help = "Settle what only a person can: compare with QAD, take what it has, or say that it is wrong there."
    example = (
        "manage.py resolve acme CB-INV-1001\n"
        '  manage.py resolve acme CB-INV-1001 --adopt 2026-CINV-000042 --reason "As agreed" --as ada\n'
        "  manage.py resolve acme CB-INV-1001 --posted-as 2026-CINV-000043 --as ada\n"
        "  manage.py resolve acme INV-1002 --posted-as 2026-CINV-000044 --as ada"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="the tenant's short name")
        parser.add_argument(
            "reference", help="the reference of the posting, or the Chargebee id of a document that has none"
        )
        way = parser.add_mutually_exclusive_group()
        way.add_argument("--adopt", metavar="NUMBER", help="this QAD document is ours; any other one is surplus")
        way.add_argument("--wrong", action="store_true", help="QAD's document is wrong; the alarm stays")
        way.add_argument("--look-again", action="store_true", help="something was corrected in QAD")
        way.add_argument("--posted-as", metavar="NUMBER", help="somebody entered it in QAD under this number")
        way.add_argument("--surplus-reversed", metavar="NUMBER", help="this surplus document is reversed in QAD")
        parser.add_argument(
            "--applied", action="store_true", help="with --posted-as: what it settles is applied there, too"
        )
        parser.add_argument("--reason", default="", help="why, for the auditor")
        parser.add_argument("--as", dest="person", help="the login of the accountant who decides")

    def perform(self, **options: Any) -> None:
        tenant = tenant_named(options["tenant"])
        posting = Posting.objects.filter(tenant=tenant, reference__iexact=options["reference"]).first()
        if posting is None:
            self._source(tenant, options)
            return
        way = next((name for name in WAYS if options[name]), None)
        if way is None:
            self._show(tenant, posting)
            return
        action = NEEDS.get(way, Action.SETTLE_CONFLICT)
        actor = person_who_may(action, tenant, options["person"]).get_username()
        with connections.qad_client(tenant) as qad:
            wrong = WAYS[way](tenant, qad, posting, options, actor)
        posting.refresh_from_db()
        if wrong and (way != "look_again" or posting.state in resolving.TO_DECIDE):
            raise Failed(wrong, returncode=REFUSED)
        self.say(wrong or f"{posting.reference} is '{posting.get_state_display().lower()}' now.")

    def _source(self, tenant: Tenant, options: dict[str, Any]) -> None:
        """A document of which nothing was made: all that can be said is that QAD has it."""
        named = SourceDocument.objects.filter(
            tenant=tenant, source_id=options["reference"], kind__in=keyed.NOT_STANDING
        )
        row = named.filter(state__in=keyed.STUCK).first()
        if row is None or not options["posted_as"]:
            raise Failed(f"There is no posting '{options['reference']}'.", returncode=WRONG_NAME)
        actor = person_who_may(Action.MARK_POSTED, tenant, options["person"]).get_username()
        number, applied = options["posted_as"], options["applied"]
        with connections.qad_client(tenant) as qad:
            wrong = keyed.mark_posted(tenant, qad, row, number, now=timezone.now(), actor=actor, is_applied=applied)
        if wrong:
            raise Failed(wrong, returncode=REFUSED)
        self.say(f"{row} is posted as {number}, as it was entered in QAD.")

    def _show(self, tenant: Tenant, posting: Posting) -> None:
        """Both sides, and nothing is decided."""
        self.say(f"{posting.reference} is '{posting.get_state_display().lower()}'.")
        with connections.qad_client(tenant) as qad:
            sides = resolving.look(qad, posting)
        for side in sides:
            self.say(f"QAD has it as {side.found.number}:")
            for name, ours, theirs, differs in side.rows:
                mark = "  <- differs" if differs else ""
                self.say(f"  {name}: ours {ours or '-'}, QAD {theirs or 'not shown'}{mark}")
        if not sides:
            self.say(f"QAD has nothing under {posting.reference}.")


def _adopt(tenant: Tenant, qad: QadClient, posting: Posting, options: dict[str, Any], actor: str) -> str:
    now = timezone.now()
    return resolving.adopt(tenant, qad, posting, options["adopt"], reason=options["reason"], now=now, actor=actor)


def _wrong(tenant: Tenant, qad: QadClient, posting: Posting, options: dict[str, Any], actor: str) -> str:
    return resolving.mark_wrong(tenant, posting, reason=options["reason"], now=timezone.now(), actor=actor)


def _look_again(tenant: Tenant, qad: QadClient, posting: Posting, options: dict[str, Any], actor: str) -> str:
    return resolving.look_again(tenant, qad, posting, now=timezone.now(), actor=actor)


def _posted_as(tenant: Tenant, qad: QadClient, posting: Posting, options: dict[str, Any], actor: str) -> str:
    return resolving.mark_posted(tenant, qad, posting, options["posted_as"], now=timezone.now(), actor=actor)


def _surplus(tenant: Tenant, qad: QadClient, posting: Posting, options: dict[str, Any], actor: str) -> str:
    found = Surplus.objects.filter(tenant=tenant, posting=posting, qad_number=options["surplus_reversed"]).first()
    if found is None:
        return f"{options['surplus_reversed']} is no surplus document of {posting.reference}."
    return resolving.surplus_reversed(tenant, found, now=timezone.now(), actor=actor)


WAYS = {
    "adopt": _adopt,
    "wrong": _wrong,
    "look_again": _look_again,
    "posted_as": _posted_as,
    "surplus_reversed": _surplus,
}
