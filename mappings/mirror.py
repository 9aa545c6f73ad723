"""What QAD listed last, as the value that the rules ask."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import QuerySet

from connector.ledger.coding import AccountFacts, CustomerFacts
from mappings.listed import ACCOUNTS, CUSTOMERS
from mappings.models import MirrorAnswer, MirrorState, QadAccount, QadCode, QadCustomer
from mappings.rules import Mirror

ACCOUNT_FACTS = (
    "is_active", "needs_sub_account", "needs_cost_centre", "needs_project", "currency", "account_type",
    "takes_sub_account", "takes_cost_centre", "takes_project",
)  # fmt: skip
FEW = 400  # so many values are asked for by name; for more, all rows of the tenant are read


def few(rows: QuerySet[Any], field: str, values: Collection[str]) -> QuerySet[Any]:
    """The rows with one of these values, or all of them where the values are too many to name."""
    return rows.filter(**{f"{field}__in": values}) if len(values) <= FEW else rows


def read(
    tenant_id: int,
    kinds: Collection[str],
    customer_codes: Collection[str] = (),
    codes: Mapping[str, Collection[str]] | None = None,
) -> Mirror:
    """What rows of these kinds are checked against; of QAD's customers and of its lists only these codes."""
    was_read, left_out = standing(tenant_id)
    accounts, gone_accounts = _accounts(tenant_id) if set(kinds) - {"customers"} else ({}, frozenset[str]())
    customers, gone_customers = _customers(tenant_id, customer_codes) if customer_codes else ({}, frozenset[str]())
    return Mirror(
        accounts=accounts,
        gone_accounts=gone_accounts,
        has_accounts=ACCOUNTS in was_read,
        customers=customers,
        gone_customers=gone_customers,
        has_customers=CUSTOMERS in was_read,
        codes={name: listed(tenant_id, name, wanted) for name, wanted in _asked(codes) if name in was_read},
        left_out=frozenset(left_out),
    )


def standing(tenant_id: int) -> tuple[set[str], set[str]]:
    """Lists that were read once and are still configured, and those that the profile does not have."""
    rows = MirrorState.objects.filter(tenant_id=tenant_id).values_list("list_name", "refreshed_at", "answer")
    left_out = {name for name, _, answer in rows if answer == MirrorAnswer.NOT_CONFIGURED}
    return {name for name, refreshed_at, _ in rows if refreshed_at is not None} - left_out, left_out


def _asked(codes: Mapping[str, Collection[str]] | None) -> list[tuple[str, Collection[str]]]:
    return [(name, wanted) for name, wanted in (codes or {}).items() if wanted]


def listed(tenant_id: int, list_name: str, codes: Collection[str]) -> dict[str, bool]:
    """Code -> is it active, of those of these codes that QAD lists."""
    rows = QadCode.objects.filter(tenant_id=tenant_id, list_name=list_name, is_gone=False)
    return dict(few(rows, "code", codes).values_list("code", "is_active"))


def _accounts(tenant_id: int) -> tuple[dict[str, AccountFacts], frozenset[str]]:
    rows = QadAccount.objects.filter(tenant_id=tenant_id).values_list("code", *ACCOUNT_FACTS, "is_gone")
    found = {row[0]: (AccountFacts(*row[1:-1]), row[-1]) for row in rows}
    gone = frozenset(code for code, (_, is_gone) in found.items() if is_gone)
    return {code: facts for code, (facts, _) in found.items()}, gone


def _customers(tenant_id: int, codes: Collection[str]) -> tuple[dict[str, CustomerFacts], frozenset[str]]:
    rows = few(QadCustomer.objects.filter(tenant_id=tenant_id), "code", codes).values_list(
        "code", "is_active", "is_complete", "currency", "is_gone"
    )
    found = {row[0]: (CustomerFacts(*row[1:4]), row[4]) for row in rows}
    gone = frozenset(code for code, (_, is_gone) in found.items() if is_gone)
    return {code: facts for code, (facts, _) in found.items()}, gone
