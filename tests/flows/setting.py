"""A tenant wired to a sandbox, mapped, probed and ready: what every flow starts from."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone

from mappings.models import AccountRole, BankMapping, ItemMapping, TaxMapping
from syncs import intake, running
from tenants.models import (
    ChargebeeConnection,
    ChargebeeCredential,
    PolicySetting,
    ProbeResult,
    QadConnection,
    QadCredential,
    Tenant,
)

SINCE = dt.date(2020, 1, 1)
ADAPTIVE = {
    "path": "/clouderp",
    "workspace": "10USA_10USACO",
    "override": {
        "writes": {
            "customer": {
                "constants": {
                    "invoiceStatusCode": "APPROVED",
                    "invoiceControlGLProfileCode": "CI-PROF",
                    "creditNoteControlGLProfileCode": "CC-PROF",
                    "prePaymentControlGLProfileCode": "CP-PROF",
                    "salesAccountGLProfileCode": "SA-PROF",
                }
            },
            "customer_domain": {"constants": {"siteCode": "10-100", "daybookSetCode": "DBS1"}},
        }
    },
}
OFFSET_REST = {
    "path": "/finrest",
    "workspace": "10USACO",
    "override": {
        "writes": {"customer": {"constants": {"operational.site": "10-100", "operational.daybook_set": "DBS1"}}}
    },
}
DIALECTS: dict[str, dict[str, Any]] = {"adaptive": ADAPTIVE, "offset-rest": OFFSET_REST}
ROLES = {
    "discount": "4800",
    "promotional_granted": "4850",
    "promotional_bought": "2450",
    "round_off": "6900",
    "withheld_tax": "1250",
    "write_off": "6500",
    "refund_clearing": "1090",
    "receivable": "1200",
}


def a_connected_tenant(
    url: str,
    *,
    slug: str = "acme",
    dialect: str = "adaptive",
    concurrency: int = 4,
    prefix: str = "CB",
    policies: dict[str, Any] | None = None,
) -> Tenant:
    """A tenant whose two systems are the sandbox at `url`; customers are created, answers settle in a second."""
    speech = DIALECTS[dialect]
    tenant = Tenant.objects.create(slug=slug, name=slug.title(), time_zone="America/Denver")
    ChargebeeConnection.objects.create(tenant=tenant, site="acme-test", base_url=url, calls_per_minute=600_000)
    ChargebeeCredential.objects.create(tenant=tenant, api_key="test_sandbox_key")
    QadConnection.objects.create(
        tenant=tenant,
        base_url=url + speech["path"],
        domain="10USA",
        entity="10USACO",
        workspace=speech["workspace"],
        shared_set="SS1",
        reference_prefix=prefix,
        preset=dialect,
        profile_override=speech["override"],
        concurrency=concurrency,
        deadline_seconds=10,
    )
    QadCredential.objects.create(
        tenant=tenant, username="connector", password="sandbox-password", client_id="sandbox-client"
    )
    decided = {
        "create_customers": "create",
        "credit_terms": "N30",
        "settle_seconds": 1,
        "offline_payments": {"": "chargebee"},
        **(policies or {}),
    }
    for key, value in decided.items():
        PolicySetting.objects.create(tenant=tenant, key=key, value=value)
    ProbeResult.objects.create(
        tenant=tenant, side="qad", subject="invoice", answer="ok", sentence="", seconds=0, probed_at=timezone.now()
    )
    return tenant


def map_everything(tenant: Tenant, since: dt.date = SINCE) -> None:
    """Every line, tax and role of the sandbox has an account."""
    for level, key, account in (
        ("item_family", "cloud-platform", "4000"),
        ("item_family", "services", "4300"),
        ("charge", "adhoc", "4400"),
    ):
        ItemMapping.objects.create(tenant=tenant, level=level, key=key, gl_account=account, valid_from=since)
    TaxMapping.objects.create(tenant=tenant, gl_account="2230", valid_from=since)
    BankMapping.objects.create(tenant=tenant, gl_account="1090", valid_from=since)
    BankMapping.objects.create(tenant=tenant, gateway="not_applicable", gl_account="1010", valid_from=since)
    for role, account in ROLES.items():
        AccountRole.objects.create(tenant=tenant, role=role, gl_account=account, valid_from=since)


def a_sync(tenant: Tenant) -> running.Story:
    """One whole sync."""
    return running.sync(
        tenant, intake.PULL_ORDER, trigger="test", clock=timezone.now, tell=lambda step: None, actor="test"
    )
