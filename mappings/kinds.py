"""The kinds of mapping as one table: model, key, columns of its spreadsheet, and how each cell is read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Model

from mappings import cells
from mappings.models import (
    AccountRole,
    BankMapping,
    CreditTermsMapping,
    CustomerKind,
    CustomerMapping,
    ItemMapping,
    Level,
    RoleName,
    TaxMapping,
)

Values = Mapping[str, Any]  # model field -> text or date


@dataclass(frozen=True, slots=True)
class Column:
    """`name` is the heading in a spreadsheet, `field` the field of the model."""

    name: str
    parse: cells.Parse
    field: str


@dataclass(frozen=True, slots=True)
class Kind:
    """`key` names the fields that say which row is meant."""

    name: str
    title: str
    model: type[Model]
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    narrow: str  # the part of the key that tells most rows apart
    is_versioned: bool = True

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(column.field for column in self.columns)

    def key_of(self, values: Values) -> tuple[Any, ...]:
        """The natural key of a row given as values."""
        return tuple(values[field] for field in self.key)

    def values_of(self, row: Model) -> dict[str, Any]:
        """The values of a stored row."""
        return {field: getattr(row, field) for field in self.fields}

    def subject(self, values: Values) -> str:
        """What a person calls the row: "Item mapping 'item_price pro-EUR' from 2026-01-01"."""
        names = " ".join(str(values[field]) for field in self.key if field != "valid_from" and values[field])
        since = values.get("valid_from")
        dated = f" from {since:%Y-%m-%d}" if isinstance(since, dt.date) else ""
        return f"{self.title} '{names or 'default'}'{dated}"


def _column(name: str, parse: cells.Parse, field: str = "") -> Column:
    return Column(name, parse, field or name)


def _choices(choices: type[CustomerKind | Level | RoleName]) -> cells.Parse:
    return cells.choice({str(value): str(label) for value, label in choices.choices})


_DIMENSIONS = tuple(_column(name, cells.code) for name in ("gl_account", "sub_account", "cost_centre", "project"))
_SINCE = _column("valid_from", cells.date)


def _link(cell: object) -> str | dt.date:
    return _choices(CustomerKind)(cell) if cells.text(cell) else CustomerKind.DIRECT.value


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "customers",
            "Customer mapping",
            CustomerMapping,
            ("chargebee_id",),
            (
                _column("chargebee_id", cells.text),
                _column("qad_code", cells.code),
                _column("link", _link, "kind"),
                _column("note", cells.text),
            ),
            narrow="chargebee_id",
            is_versioned=False,
        ),
        Kind(
            "items",
            "Item mapping",
            ItemMapping,
            ("level", "key", "valid_from"),
            (
                _column("level", _choices(Level)),
                _column("key", cells.text),
                _SINCE,
                *_DIMENSIONS,
                _column("qad_item", cells.text),
                _column("tax_code", cells.text),
            ),
            narrow="key",
        ),
        Kind(
            "taxes",
            "Tax mapping",
            TaxMapping,
            ("jurisdiction", "name", "rate", "valid_from"),
            (
                _column("jurisdiction", cells.text),
                _column("name", cells.text),
                _column("rate", cells.rate),
                _SINCE,
                _column("gl_account", cells.code),
                _column("qad_tax_code", cells.text),
            ),
            narrow="name",
        ),
        Kind(
            "banks",
            "Bank mapping",
            BankMapping,
            ("gateway", "method", "currency", "valid_from"),
            (
                _column("gateway", cells.text),
                _column("method", cells.text),
                _column("currency", cells.text),
                _SINCE,
                *_DIMENSIONS,
                _column("daybook", cells.code),
            ),
            narrow="gateway",
        ),
        Kind(
            "account_roles",
            "Account role",
            AccountRole,
            ("role", "valid_from"),
            (_column("role", _choices(RoleName)), _SINCE, *_DIMENSIONS),
            narrow="role",
        ),
        Kind(
            "credit_terms",
            "Credit terms mapping",
            CreditTermsMapping,
            ("days", "valid_from"),
            (_column("days", cells.days), _SINCE, _column("qad_terms", cells.code)),
            narrow="days",
        ),
    )
}
KIND_OF_MODEL: dict[type[Model], Kind] = {kind.model: kind for kind in KINDS.values()}
