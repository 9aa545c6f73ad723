"""The mappings as they would be after changes that nobody has saved: the same table with rows put over it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from connector.ledger.coding import BankRule, CustomerLink, ItemRule, MappingTable, RoleRule, TaxRule
from connector.ledger.documents import Coding
from mappings.kinds import KIND_OF_MODEL, Values
from mappings.planning import Planned

UNSAVED = "new"  # stands for the key of a row that does not exist yet


def overlaid(table: MappingTable, planned: Sequence[Planned], deleted: Iterable[Any] = ()) -> MappingTable:
    """`planned` rows changed or added, `deleted` rows taken away."""
    gone = {_source(KIND_OF_MODEL[type(row)].name, row.pk) for row in deleted}
    gone |= {_source(one.change.kind, one.row.pk) for one in planned if one.row is not None and not one.is_unchanged}
    fresh = [one for one in planned if not one.is_unchanged]
    fields = {
        name: (*(rule for rule in getattr(table, name) if _name(rule) not in gone), *_rules(kind, fresh))
        for kind, name in (("items", "items"), ("taxes", "taxes"), ("banks", "banks"), ("account_roles", "roles"))
    }
    customers = {**table.customers}
    for row in deleted:
        if KIND_OF_MODEL[type(row)].name == "customers":
            customers.pop(row.chargebee_id, None)
    for one in fresh:
        if one.change.kind == "customers":
            if one.before is not None:
                customers.pop(one.before["chargebee_id"], None)
            customers[one.change.values["chargebee_id"]] = CustomerLink(
                one.change.values["qad_code"], one.change.values["kind"]
            )
    kept = {one.name: getattr(table, one.name) for one in dataclasses.fields(MappingTable) if one.init}
    return MappingTable(**{**kept, **fields, "customers": customers})


_PREFIX = {
    "items": "item",
    "taxes": "tax",
    "banks": "bank",
    "account_roles": "role",
    "customers": "customer",
    "credit_terms": "terms",
}


def _source(kind: str, pk: int) -> str:
    return f"{_PREFIX[kind]}:{pk}"


def _name(rule: Any) -> str:
    """'item:12@3' -> 'item:12'."""
    return str(rule.coding.source).partition("@")[0]


def _rules(kind: str, planned: Sequence[Planned]) -> list[Any]:
    return [_RULES[kind](one.change.values, _coding(one)) for one in planned if one.change.kind == kind]


def _coding(one: Planned) -> Coding:
    values = one.change.values
    pk, version = (one.row.pk, one.row.version + 1) if one.row is not None else (UNSAVED, 1)
    return Coding(
        values["gl_account"],
        values.get("sub_account", ""),
        values.get("cost_centre", ""),
        values.get("project", ""),
        qad_item=values.get("qad_item", ""),
        tax_code=values.get("tax_code", values.get("qad_tax_code", "")),
        source=f"{_PREFIX[one.change.kind]}:{pk}@{version}",
    )


_RULES: dict[str, Callable[[Values, Coding], Any]] = {
    "items": lambda values, coding: ItemRule(values["level"], values["key"], values["valid_from"], coding),
    "taxes": lambda values, coding: TaxRule(
        values["jurisdiction"], values["name"], values["rate"], values["valid_from"], coding
    ),
    "banks": lambda values, coding: BankRule(
        values["gateway"], values["method"], values["currency"], values["valid_from"], coding, values["daybook"]
    ),
    "account_roles": lambda values, coding: RoleRule(values["role"], values["valid_from"], coding),
}
