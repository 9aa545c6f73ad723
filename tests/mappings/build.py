"""Mapping rows and mirrors, each naming only what matters to the test that calls it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone

from mappings.kinds import KINDS
from mappings.models import CustomerMapping, ItemMapping, MirrorState, QadAccount, QadCustomer
from mappings.planning import Change
from tenants.models import Tenant

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
SINCE = dt.date(2026, 1, 1)
_EMPTY: dict[str, dict[str, Any]] = {name: dict.fromkeys(kind.fields, "") for name, kind in KINDS.items()}


def a_chart(tenant: Tenant, *codes: str, **flags: Any) -> None:
    """GL accounts that QAD lists; '4000' and '4100' unless named."""
    for code in codes or ("4000", "4100"):
        QadAccount.objects.create(
            tenant=tenant, code=code, **{"description": f"Account {code}", "seen_at": NOW, **flags}
        )
    MirrorState.objects.update_or_create(
        tenant=tenant, list_name="gl_accounts", defaults={"refreshed_at": timezone.now(), "sentence": "Read."}
    )


def qad_customers(tenant: Tenant, *codes: str, **flags: Any) -> None:
    """Customers that QAD lists."""
    for code in codes:
        QadCustomer.objects.create(tenant=tenant, code=code, **{"name": f"Customer {code}", "seen_at": NOW, **flags})
    MirrorState.objects.update_or_create(
        tenant=tenant, list_name="customers", defaults={"refreshed_at": timezone.now(), "sentence": "Read."}
    )


def an_item(tenant: Tenant, key: str = "pro-EUR", account: str = "4000", **fields: Any) -> ItemMapping:
    """A saved item mapping."""
    given = {"level": "item_price", "valid_from": SINCE, **fields}
    return ItemMapping.objects.create(tenant=tenant, key=key, gl_account=account, **given)


def a_link(tenant: Tenant, chargebee_id: str = "cust-1", qad_code: str = "C0000001", **fields: Any) -> CustomerMapping:
    """A saved customer mapping."""
    return CustomerMapping.objects.create(tenant=tenant, chargebee_id=chargebee_id, qad_code=qad_code, **fields)


def item(key: str = "pro-EUR", account: str = "4000", *, pk: int | None = None, **values: Any) -> Change:
    """How an item mapping should be."""
    given = {**_EMPTY["items"], "level": "item_price", "valid_from": SINCE, "key": key, "gl_account": account}
    return Change("items", {**given, **values}, pk=pk)


def customer(chargebee_id: str = "cust-1", qad_code: str = "C0000001", kind: str = "direct", **values: Any) -> Change:
    """How a customer mapping should be."""
    given = {"chargebee_id": chargebee_id, "qad_code": qad_code, "kind": kind, "note": ""}
    return Change("customers", {**given, **values})


def tax(name: str = "VAT", account: str = "2230", **values: Any) -> Change:
    """How a tax mapping should be."""
    return Change("taxes", {**_EMPTY["taxes"], "name": name, "gl_account": account, "valid_from": SINCE, **values})


def role(name: str = "discount", account: str = "4800", **values: Any) -> Change:
    """How an account role should be."""
    given = {**_EMPTY["account_roles"], "role": name, "gl_account": account, "valid_from": SINCE}
    return Change("account_roles", {**given, **values})
