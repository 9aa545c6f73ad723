"""manage.py verify_audit SLUG | --all: recompute the hash chain of the audit trail."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.db import connection
from django.utils import timezone

from tenants import guards, sealing, verifying
from tenants.commands import REFUSED, WRONG_NAME, Failed, SentenceCommand, tenant_named
from tenants.models import AuditEntry, AuditPersonal, AuditSeal, Tenant

_TABLES = tuple(model._meta.db_table for model in (AuditEntry, AuditPersonal, AuditSeal))


class Command(SentenceCommand):
    help = (
        "Recompute the audit trail's hash chain and name the first place where it does not fit. Keep the head that is "
        "printed somewhere else: --head then shows whether the history up to it was rewritten or cut."
    )
    example = "manage.py verify_audit acme --head 1204:9f86d081884c7d65..."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", nargs="?", help="the tenant's short name")
        parser.add_argument("--all", action="store_true", help="every tenant, and the entries that belong to none")
        parser.add_argument("--head", help="a head that was kept: POSITION:DIGEST, or the digest alone")

    def perform(self, **options: Any) -> None:
        if bool(options["tenant"]) == options["all"] or (options["head"] and options["all"]):
            raise Failed("Name one tenant, or say --all; --head belongs to one tenant.", returncode=WRONG_NAME)
        kept = self._kept(options["head"])
        failures = [self._verify(tenant_id, name, kept) for tenant_id, name in self._chains(options["tenant"])]
        failures.append(self._rules())
        wrong = [failure for failure in failures if failure]
        if wrong:
            raise Failed("\n".join(wrong), returncode=REFUSED)

    def _kept(self, text: str | None) -> verifying.Kept | None:
        kept = verifying.Kept.read(text) if text else None
        if text and kept is None:
            raise Failed(f"'{text}' is no head. Use POSITION:DIGEST as verify_audit prints it.", returncode=WRONG_NAME)
        return kept

    def _chains(self, slug: str | None) -> list[tuple[int | None, str]]:
        if slug:
            return [(tenant_named(slug).pk, slug)]
        names = dict(Tenant.objects.values_list("pk", "slug"))
        return [(tenant_id, names[tenant_id] if tenant_id else "no tenant") for tenant_id in sealing.chains()]

    def _verify(self, tenant_id: int | None, name: str, kept: verifying.Kept | None) -> str:
        report = verifying.verify(tenant_id, timezone.now(), kept)
        self.say(f"{name}: {report.checked} entries recomputed. Head {report.head}")
        if report.waiting:
            self.say(
                f"{report.waiting} newer entries are not sealed yet and were not checked; sealing runs every minute."
            )
        for found in report.breaks:
            self.say(f"- {found}")
        return "\n".join(_failures(name, report, kept))

    def _rules(self) -> str:
        lost = [rule for rule in guards.missing(connection) if any(f"_{table}_" in rule for table in _TABLES)]
        return (
            f"The database lacks rules that guard the trail: {', '.join(lost)}. Run manage.py migrate." if lost else ""
        )


def _failures(name: str, report: verifying.Report, kept: verifying.Kept | None) -> list[str]:
    found = []
    if report.broken:
        found.append(f"{name}: the chain is broken in {report.broken} place(s). First, {report.breaks[0]}")
    if kept is not None and not report.has_kept:
        found.append(
            f"{name}: the head that you kept is not in the chain. Its history was rewritten or cut, or the head is "
            "another tenant's. Compare with a backup or an export of that day."
        )
    if report.overdue:
        minutes = int(verifying.OVERDUE.total_seconds() // 60)
        found.append(
            f"{name}: {report.overdue} entries, the first with id {report.first_overdue}, are older than {minutes} "
            "minutes and not sealed. Is the task queue (manage.py qcluster) running?"
        )
    return found
