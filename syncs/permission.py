"""May this tenant post now? One sentence if not."""

from __future__ import annotations

from django.db import connection
from django.utils import timezone

from connector.errors import Configuration
from syncs import belonging, certified, indexes, restoring
from tenants import connections, guards, installation, policies
from tenants.models import ProbeResult, Side, Tenant

INVOICE_PROBE = "invoice"


def why_not_posting(tenant: Tenant) -> str:
    """'' if documents may be sent to QAD; else why not, and what to do."""
    if not is_switched_on(tenant):
        return f"Posting is switched off for {tenant}. Switch it on in the tenant's page."
    if not belonging.is_followed(tenant):
        return (
            f"The business entities of {tenant} were changed: its documents are decided anew before any is sent. "
            "That happens within a minute by itself, or with the next sync."
        )
    if policies.read(tenant)["parallel_run"] == "on":
        return (
            f"{tenant} is in a parallel run: documents are prepared and compared with QAD, and nothing is sent. "
            "Set the policy parallel_run to off to go live."
        )
    elsewhere = installation.why_not_here() or restoring.why_restoring(tenant)
    if elsewhere:
        return elsewhere
    missing = guards.missing(connection)
    if missing:
        return _unguarded(missing)
    absent = indexes.missing(connection)
    if absent:
        return (
            f"The database lacks what keeps a document from being sent twice (index {', '.join(absent[:3])}). "
            "Restore the database, or have the index made again as the migrations of syncs make it."
        )
    stopped = connections.why_stopped(tenant, Side.QAD, timezone.now())
    return stopped or certified.why_not_certified(tenant) or _probe_problem(tenant)


def is_switched_on(tenant: Tenant) -> bool:
    """Whether the tenant's switch is on at this moment."""
    return Tenant.objects.filter(pk=tenant.pk, is_posting_on=True).exists()


def may_claim(tenant: Tenant) -> bool:
    """What may change while a drain is under way: the switch, and whose documents these are."""
    return is_switched_on(tenant) and belonging.is_followed(tenant)


def assert_guarded() -> None:
    """Raises Configuration where the database lacks a guard. Call it at the end of a claim's transaction, which keeps
    the tables as they are: nothing is claimed while a migration runs, also by a drain that began before it."""
    if missing := guards.missing(connection):
        raise Configuration(_unguarded(missing))


def _unguarded(missing: list[str]) -> str:
    return f"The database lacks its guards ({', '.join(missing[:3])}). Run manage.py migrate, then try again."


def _probe_problem(tenant: Tenant) -> str:
    probe = ProbeResult.objects.filter(tenant=tenant, side=Side.QAD, subject=INVOICE_PROBE).first()
    if probe is None:
        return "Posting of invoices is off until it has been tested. Run manage.py ping, or press Test connection."
    if probe.answer != "ok" and not probe.overridden_reason:
        return f"Posting of invoices is off because their last test was not ok: {probe.sentence}"
    return ""
