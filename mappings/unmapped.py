"""Unmapped items of the catalogue as rows to decide: what they are, what is suggested, and the changes that follow."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass

from mappings import coverage, knowledge
from mappings.kinds import KINDS
from mappings.models import CatalogPrice, ItemMapping, Level
from mappings.planning import Change
from mappings.suggest import Entry, Suggestion, Target, suggest

_SEPARATOR = "|"


@dataclass(frozen=True, slots=True)
class Row:
    """One decision: an item with all its unmapped prices, or a single price whose siblings are mapped one by one."""

    level: str
    key: str
    name: str
    prices: tuple[str, ...]
    suggestions: tuple[Suggestion, ...]


def rows(tenant_id: int, on: dt.date) -> list[Row]:
    """Every decision that is open on a date, those with the surest suggestion first."""
    open_prices = list(coverage.unmapped(tenant_id, on))
    if not open_prices:
        return []
    known = knowledge.knowledge(tenant_id, on)
    by_price = {entry.item_price: entry for entry in known.entries}
    found = []
    for (level, key), prices in _decisions(tenant_id, open_prices):
        entry = _entry_of(level, prices[0], by_price)
        names = tuple(price.item_price for price in prices)
        found.append(Row(level, key, entry.name or key, names, tuple(suggest(entry, known))))
    return sorted(found, key=lambda row: (-(row.suggestions[0].score if row.suggestions else 0.0), row.key))


def _decisions(tenant_id: int, prices: Sequence[CatalogPrice]) -> Iterable[tuple[tuple[str, str], list[CatalogPrice]]]:
    """An item's prices together, unless somebody maps its prices one by one."""
    one_by_one = set(
        CatalogPrice.objects.filter(
            tenant_id=tenant_id,
            item__in={price.item for price in prices},
            item_price__in=ItemMapping.objects.filter(tenant_id=tenant_id, level=Level.ITEM_PRICE).values("key"),
        ).values_list("item", flat=True)
    )
    found: dict[tuple[str, str], list[CatalogPrice]] = defaultdict(list)
    for price in prices:
        is_alone = price.item in one_by_one or not price.item
        found[(Level.ITEM_PRICE, price.item_price) if is_alone else (Level.ITEM, price.item)].append(price)
    return found.items()


def _entry_of(level: str, price: CatalogPrice, by_price: dict[str, Entry]) -> Entry:
    """The price as the suggestions see it; an item goes by its own id where the price's name only repeats its own."""
    entry = by_price[price.item_price]
    if level != Level.ITEM:
        return entry
    return Entry(
        item_price=entry.item_price,
        item=entry.item,
        family=entry.family,
        name=entry.name if entry.name.casefold() != entry.item_price.replace("-", " ").casefold() else entry.item,
        accounting_code=entry.accounting_code,
        sku=entry.sku,
    )


def packed(target: Target) -> str:
    """A target as the value of a choice in a form."""
    return _SEPARATOR.join(astuple(target))


def change(level: str, key: str, choice: str, valid_from: dt.date) -> Change | None:
    """What a choice of a form means; None for one that no form of ours has made."""
    codes = choice.split(_SEPARATOR)
    if len(codes) != len(astuple(Target(""))) or level not in (Level.ITEM, Level.ITEM_PRICE) or not key:
        return None
    target = Target(*codes)
    values = {field: getattr(target, field, "") for field in KINDS["items"].fields}
    return Change("items", {**values, "level": level, "key": key, "valid_from": valid_from}, place=key)
