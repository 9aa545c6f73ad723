"""Builders of rows, each naming only what matters to the test that calls it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import User

from tenants.models import (
    ChargebeeConnection,
    ChargebeeCredential,
    Membership,
    QadConnection,
    QadCredential,
    Role,
    Tenant,
)

_numbers = itertools.count(1)


def a_tenant(slug: str = "acme", *, mode: str = "test", **fields: Any) -> Tenant:
    """A saved tenant; its name is the slug with a capital letter unless told otherwise."""
    return Tenant.objects.create(slug=slug, mode=mode, **{"name": slug.title(), **fields})


def a_user(
    roles: dict[Tenant, str | Iterable[str]] | None = None, *, is_superuser: bool = False, name: str = ""
) -> User:
    """A saved user with the roles named for each tenant: `a_user({tenant: "accountant"})`."""
    username = name or f"user-{next(_numbers)}"
    user = User.objects.create(username=username, is_superuser=is_superuser, password="!")
    for tenant, named in (roles or {}).items():
        for role in [named] if isinstance(named, str) else named:
            Membership.objects.create(tenant=tenant, user=user, role=Role(role))
    return user


def moved(tenant: Tenant, *, qad: str = "", chargebee: str = "") -> None:
    """Another address, with the secrets entered again for it."""
    if qad:
        QadConnection.objects.filter(tenant=tenant).update(base_url=qad)
        credential = QadCredential.objects.get(tenant=tenant)
        credential.password = "sandbox-password"
        credential.save()
    if chargebee:
        ChargebeeConnection.objects.filter(tenant=tenant).update(base_url=chargebee)
        key = ChargebeeCredential.objects.get(tenant=tenant)
        key.api_key = "test_sandbox_key"
        key.save()


# What only a company can know, laid over a preset: here the codes of the sandbox's company.
COMPANY_CODES: dict[str, dict[str, Any]] = {
    "adaptive": {
        "writes": {
            "customer": {
                "constants": {
                    "invoiceStatusCode": "OK",
                    "invoiceControlGLProfileCode": "AR",
                    "creditNoteControlGLProfileCode": "AR",
                    "prePaymentControlGLProfileCode": "PRE",
                    "salesAccountGLProfileCode": "SALES",
                }
            },
            "customer_domain": {"constants": {"siteCode": "10-100", "daybookSetCode": "DBS1"}},
        },
    },
    "offset-rest": {
        "writes": {"customer": {"constants": {"operational.site": "10-100", "operational.daybook_set": "DBS1"}}},
    },
}


def connected(tenant: Tenant, url: str, *, preset: str = "adaptive", **qad: Any) -> Tenant:
    """The tenant with both connections to a sandbox at `url`, in the dialect of the preset."""
    ChargebeeConnection.objects.create(tenant=tenant, site="acme-test", base_url=url, calls_per_minute=60_000)
    ChargebeeCredential.objects.create(tenant=tenant, api_key="test_sandbox_key")
    given = {
        "base_url": url + {"adaptive": "/clouderp", "offset-rest": "/finrest"}[preset],
        "domain": "10USA",
        "entity": "10USACO",
        "shared_set": "SS1",
        "profile_override": COMPANY_CODES[preset],
    }
    QadConnection.objects.create(tenant=tenant, preset=preset, **{**given, **qad})
    QadCredential.objects.create(
        tenant=tenant, client_id="sandbox-client", username="connector", password="sandbox-password"
    )
    return tenant
