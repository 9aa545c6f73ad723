"""A tenant's mappings as one value for the kernel: a query for each table, whatever the number of rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from connector.ledger.accounts import LISTED_PARTS
from connector.ledger.coding import (
    AccountFacts,
    BankRule,
    CustomerFacts,
    CustomerLink,
    ItemRule,
    MappingTable,
    RoleRule,
    Rule,
    TaxRule,
)
from connector.ledger.documents import Coding
from mappings import mirror, reference
from mappings.models import (
    AccountRole,
    BankMapping,
    CatalogPrice,
    CustomerMapping,
    ItemMapping,
    QadAccount,
    QadCustomer,
    TaxMapping,
)

_DIMENSIONS = ("gl_account", "sub_account", "cost_centre", "project")


def load(tenant_id: int, *, item_of_price: Mapping[str, tuple[str, str]] | None = None) -> MappingTable:
    """Everything mapped now.

    `item_of_price` is Chargebee's catalogue, item price -> (item, item family); None: as the catalogue rows say.
    """
    items, taxes, roles, banks = _items(tenant_id), _taxes(tenant_id), _roles(tenant_id), _banks(tenant_id)
    return MappingTable(
        items=items,
        taxes=taxes,
        roles=roles,
        banks=banks,
        known=reference.load(tenant_id, used(rule for rules in (items, taxes, roles, banks) for rule in rules)),
        customers=_customers(tenant_id),
        accounts=accounts(tenant_id),
        customers_known=_customers_known(tenant_id),
        item_of_price=_item_of_price(tenant_id) if item_of_price is None else item_of_price,
    )


def with_reference(tenant_id: int, table: MappingTable) -> MappingTable:
    """The table with what QAD's lists say of every code that its rows name now."""
    rows: tuple[Rule, ...] = (*table.items, *table.taxes, *table.roles, *table.banks)
    return replace(table, known=reference.load(tenant_id, used(rows)))


def rules(tenant_id: int, kind: str) -> MappingTable:
    """Only the rows that answer one kind of question: item, tax, role or bank."""
    return {
        "item": lambda: MappingTable(items=_items(tenant_id)),
        "tax": lambda: MappingTable(taxes=_taxes(tenant_id)),
        "role": lambda: MappingTable(roles=_roles(tenant_id)),
        "bank": lambda: MappingTable(banks=_banks(tenant_id)),
    }[kind]()


def codes_in_use(tenant_id: int) -> dict[str, set[str]]:
    """List of QAD -> the codes of it that mappings of this tenant name."""
    return used([*_items(tenant_id), *_taxes(tenant_id), *_roles(tenant_id), *_banks(tenant_id)])


def used(rules: Iterable[Rule]) -> dict[str, set[str]]:
    """List of QAD -> the codes of it that mappings name."""
    found: dict[str, set[str]] = {name: set() for name in (*LISTED_PARTS, "daybooks")}
    for rule in rules:
        for name, part in LISTED_PARTS.items():
            found[name].add(getattr(rule.coding, part))
        found["daybooks"].add(getattr(rule, "daybook", ""))
    return {name: codes - {""} for name, codes in found.items()}


def _items(tenant_id: int) -> tuple[ItemRule, ...]:
    rows = ItemMapping.objects.filter(tenant_id=tenant_id).values_list(
        "pk", "version", "level", "key", "valid_from", *_DIMENSIONS, "qad_item", "tax_code"
    )
    return tuple(
        ItemRule(level, key, since, _coding(f"item:{pk}@{version}", *codes))
        for pk, version, level, key, since, *codes in rows
    )


def _taxes(tenant_id: int) -> tuple[TaxRule, ...]:
    rows = TaxMapping.objects.filter(tenant_id=tenant_id).values_list(
        "pk", "version", "jurisdiction", "name", "rate", "valid_from", "gl_account", "qad_tax_code"
    )
    return tuple(
        TaxRule(place, name, rate, since, Coding(account, tax_code=code, source=f"tax:{pk}@{version}"))
        for pk, version, place, name, rate, since, account, code in rows
    )


def _roles(tenant_id: int) -> tuple[RoleRule, ...]:
    rows = AccountRole.objects.filter(tenant_id=tenant_id).values_list(
        "pk", "version", "role", "valid_from", *_DIMENSIONS
    )
    return tuple(
        RoleRule(role, since, _coding(f"role:{pk}@{version}", *codes)) for pk, version, role, since, *codes in rows
    )


def _coding(source: str, *codes: str) -> Coding:
    return replace(Coding(*codes), source=source)


def _banks(tenant_id: int) -> tuple[BankRule, ...]:
    rows = BankMapping.objects.filter(tenant_id=tenant_id).values_list(
        "pk", "version", "gateway", "method", "currency", "valid_from", "daybook", *_DIMENSIONS
    )
    return tuple(
        BankRule(gateway, method, currency, since, _coding(f"bank:{pk}@{version}", *codes), daybook)
        for pk, version, gateway, method, currency, since, daybook, *codes in rows
    )


def _customers(tenant_id: int) -> dict[str, CustomerLink]:
    rows = CustomerMapping.objects.filter(tenant_id=tenant_id).values_list("chargebee_id", "qad_code", "kind")
    return {chargebee_id: CustomerLink(qad_code, kind) for chargebee_id, qad_code, kind in rows}


def accounts(tenant_id: int) -> dict[str, AccountFacts]:
    """The GL accounts of the mirror, without those that QAD no longer lists."""
    rows = QadAccount.objects.filter(tenant_id=tenant_id, is_gone=False).values_list("code", *mirror.ACCOUNT_FACTS)
    return {row[0]: AccountFacts(*row[1:]) for row in rows}


def _customers_known(tenant_id: int) -> dict[str, CustomerFacts]:
    rows = QadCustomer.objects.filter(tenant_id=tenant_id, is_gone=False).values_list(
        "code", "is_active", "is_complete", "currency"
    )
    return {row[0]: CustomerFacts(*row[1:]) for row in rows}


def _item_of_price(tenant_id: int) -> dict[str, tuple[str, str]]:
    rows = CatalogPrice.objects.filter(tenant_id=tenant_id).values_list("item_price", "item", "family")
    return {price: (item, family) for price, item, family in rows}
