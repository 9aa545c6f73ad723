"""What QAD listed last, as the value that the rules ask."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models import QuerySet

from connector.ledger.coding import AccountFacts, CustomerFacts
from mappings.models import MirrorState, QadAccount, QadCustomer
from mappings.rules import Mirror

ACCOUNTS = "gl_accounts"
CUSTOMERS = "customers"
FEW = 400  # so many values are asked for by name; for more, all rows of the tenant are read


def few(rows: QuerySet[Any], field: str, values: Collection[str]) -> QuerySet[Any]:
    """The rows with one of these values, or all of them where the values are too many to name."""
    return rows.filter(**{f"{field}__in": values}) if len(values) <= FEW else rows


def read(tenant_id: int, kinds: Collection[str], customer_codes: Collection[str] = ()) -> Mirror:
    """What rows of these kinds are checked against; of QAD's customers only those with these codes."""
    was_read = set(
        MirrorState.objects.filter(tenant_id=tenant_id, refreshed_at__isnull=False).values_list("list_name", flat=True)
    )
    accounts, gone_accounts = _accounts(tenant_id) if set(kinds) - {"customers"} else ({}, frozenset[str]())
    customers, gone_customers = _customers(tenant_id, customer_codes) if customer_codes else ({}, frozenset[str]())
    return Mirror(
        accounts=accounts,
        gone_accounts=gone_accounts,
        has_accounts=ACCOUNTS in was_read,
        customers=customers,
        gone_customers=gone_customers,
        has_customers=CUSTOMERS in was_read,
    )


def _accounts(tenant_id: int) -> tuple[dict[str, AccountFacts], frozenset[str]]:
    rows = QadAccount.objects.filter(tenant_id=tenant_id).values_list(
        "code", "is_active", "needs_sub_account", "needs_cost_centre", "needs_project", "currency", "account_type",
        "is_gone",
    )  # fmt: skip
    found = {row[0]: (AccountFacts(*row[1:7]), row[7]) for row in rows}
    gone = frozenset(code for code, (_, is_gone) in found.items() if is_gone)
    return {code: facts for code, (facts, _) in found.items()}, gone


def _customers(tenant_id: int, codes: Collection[str]) -> tuple[dict[str, CustomerFacts], frozenset[str]]:
    rows = few(QadCustomer.objects.filter(tenant_id=tenant_id), "code", codes).values_list(
        "code", "is_active", "is_complete", "currency", "is_gone"
    )
    found = {row[0]: (CustomerFacts(*row[1:4]), row[4]) for row in rows}
    gone = frozenset(code for code, (_, is_gone) in found.items() if is_gone)
    return {code: facts for code, (facts, _) in found.items()}, gone
