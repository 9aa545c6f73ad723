"""Chargebee's catalogue as records: item families, items, item prices."""

from __future__ import annotations

from typing import Any

from connector.chargebee.fields import Fields, not_an_object, subject_of
from connector.chargebee.records import Item, ItemFamily, ItemPrice
from connector.errors import Problem

_STATUS = ("active", "archived", "deleted")
_TYPES = ("plan", "addon", "charge")
_CATEGORIES = tuple(f"accounting_category{number}" for number in range(1, 5))


def item_family(row: dict[str, Any], *, minor_units: dict[str, int]) -> ItemFamily | list[Problem]:
    """The record, or every problem of the document."""
    if type(row) is not dict:
        return not_an_object("Item family", row)
    fields = Fields(row, subject_of("Item family", row), [])
    status = fields.choice("status", _STATUS, "active")
    record = ItemFamily(
        id=fields.id("id"),
        name=fields.text("name"),
        status=status,
        deleted=fields.flag("deleted") or status == "deleted",
        resource_version=fields.whole("resource_version"),
        updated_at=fields.moment("updated_at"),
    )
    return fields.problems or record


def item(row: dict[str, Any], *, minor_units: dict[str, int]) -> Item | list[Problem]:
    """The record, or every problem of the document."""
    if type(row) is not dict:
        return not_an_object("Item", row)
    fields = Fields(row, subject_of("Item", row), [])
    status = fields.choice("status", _STATUS, "active")
    record = Item(
        id=fields.id("id"),
        name=fields.text("name"),
        type=fields.choice("type", _TYPES),
        item_family_id=fields.text("item_family_id"),
        business_entity_id=fields.text("business_entity_id"),
        status=status,
        deleted=fields.flag("deleted") or status == "deleted",
        resource_version=fields.whole("resource_version"),
        updated_at=fields.moment("updated_at"),
    )
    return fields.problems or record


def item_price(row: dict[str, Any], *, minor_units: dict[str, int]) -> ItemPrice | list[Problem]:
    """The record, or every problem of the document. Its price is not read: the lines of invoices carry amounts."""
    if type(row) is not dict:
        return not_an_object("Item price", row)
    fields = Fields(row, subject_of("Item price", row), [])
    status = fields.choice("status", _STATUS, "active")
    accounting = fields.inner("accounting_detail")
    record = ItemPrice(
        id=fields.id("id"),
        name=fields.text("name"),
        item_id=fields.text("item_id"),
        item_type=fields.choice("item_type", _TYPES, ""),
        item_family_id=fields.text("item_family_id"),
        currency=fields.id("currency_code"),
        pricing_model=fields.text("pricing_model"),
        business_entity_id=fields.text("business_entity_id"),
        status=status,
        sku=accounting.text("sku"),
        accounting_code=accounting.text("accounting_code"),
        accounting_categories=_filled(tuple(accounting.text(name) for name in _CATEGORIES)),
        deleted=fields.flag("deleted") or status == "deleted",
        resource_version=fields.whole("resource_version"),
        updated_at=fields.moment("updated_at"),
    )
    return fields.problems or record


def _filled(categories: tuple[str, ...]) -> tuple[str, ...]:
    """Without the empty ones at the end; a gap keeps its place, since the number of a category has a meaning."""
    while categories and not categories[-1]:
        categories = categories[:-1]
    return categories
