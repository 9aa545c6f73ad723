"""What suggestions for unmapped items are drawn from, read from a tenant's rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from connector.ledger.coding import AccountFacts
from mappings.models import CatalogPrice, ItemMapping, Level, QadAccount
from mappings.rules import is_control
from mappings.suggest import Entry, Knowledge, Target
from tenants.models import AuditEntry

_CODES = ("gl_account", "sub_account", "cost_centre", "project", "qad_item", "tax_code")
_REMEMBERED = 1000  # deleted rows that are looked through


def knowledge(tenant_id: int, on: dt.date) -> Knowledge:
    """The catalogue with its mappings of a date, postable accounts, and what was mapped before."""
    prices = CatalogPrice.objects.filter(tenant_id=tenant_id).exclude(status="deleted")
    return Knowledge(entries=entries(tenant_id, prices, on), accounts=_accounts(tenant_id), former=_former(tenant_id))


def entries(tenant_id: int, prices: Iterable[CatalogPrice], on: dt.date) -> list[Entry]:
    """Catalogue rows with what a row of their own or of their item says; families and fallbacks say too little."""
    in_force = _in_force(tenant_id, on)
    return [
        Entry(
            item_price=price.item_price,
            item=price.item,
            family=price.family,
            name=price.name,
            accounting_code=price.accounting_code,
            sku=price.sku,
            target=in_force.get((Level.ITEM_PRICE, price.item_price)) or in_force.get((Level.ITEM, price.item)),
        )
        for price in prices
    ]


def _in_force(tenant_id: int, on: dt.date) -> dict[tuple[str, str], Target]:
    rows = ItemMapping.objects.filter(
        tenant_id=tenant_id, level__in=(Level.ITEM_PRICE, Level.ITEM), valid_from__lte=on
    ).order_by("valid_from")
    return {(level, key): Target(*codes) for level, key, *codes in rows.values_list("level", "key", *_CODES)}


def _accounts(tenant_id: int) -> dict[str, str]:
    rows = QadAccount.objects.filter(tenant_id=tenant_id, is_active=True, is_gone=False)
    listed = rows.values_list("code", "description", "account_type")
    return {code: name for code, name, kind in listed if not is_control(AccountFacts(account_type=kind))}


def _former(tenant_id: int) -> dict[str, Target]:
    """Chargebee id -> codes of its last deleted row."""
    lines = AuditEntry.objects.filter(tenant_id=tenant_id, action="itemmapping.deleted").order_by("-id")
    found: dict[str, Target] = {}
    for before in reversed(lines.values_list("before", flat=True)[:_REMEMBERED]):
        if before and before.get("level") in (Level.ITEM_PRICE, Level.ITEM):
            found[str(before.get("key", ""))] = Target(*(str(before.get(name, "")) for name in _CODES))
    return found
