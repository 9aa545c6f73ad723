"""Which level of the item mappings covers an item price of the catalogue, told by the database."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Case, CharField, Exists, OuterRef, QuerySet, Value, When
from django.db.models.functions import Concat

from mappings.models import CatalogPrice, ItemMapping, Level

# The level, and the column of the catalogue that its key is compared with; most specific first.
_KEYS = (
    (Level.ITEM_PRICE, OuterRef("item_price")),
    (Level.ITEM, OuterRef("item")),
    (Level.ITEM_FAMILY, OuterRef("family")),
    (Level.CHARGE, Concat(OuterRef("item_type"), Value("_item_price"))),
    (Level.FALLBACK, Value("")),
)


def levelled(prices: QuerySet[Any], on: dt.date) -> QuerySet[Any]:
    """With `mapped_level`: the level of the row that wins on a date, '' where there is none."""
    rules = ItemMapping.objects.filter(tenant=OuterRef("tenant"), valid_from__lte=on)
    found = [When(Exists(rules.filter(level=level, key=key)), then=Value(level.value)) for level, key in _KEYS]
    return prices.annotate(mapped_level=Case(*found, default=Value(""), output_field=CharField()))


def on_sale(tenant_id: int, on: dt.date) -> QuerySet[Any]:
    """Prices that may bill, with their level."""
    return levelled(CatalogPrice.objects.filter(tenant_id=tenant_id, status="active"), on)


def unmapped(tenant_id: int, on: dt.date) -> QuerySet[Any]:
    """Prices that may bill and would hold their invoices."""
    return on_sale(tenant_id, on).filter(mapped_level="")
