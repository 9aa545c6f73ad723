"""Which lists of QAD are mirrored, and what becomes of a row of each: one table, read by every refresh and page."""

from __future__ import annotations

import datetime as dt
from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet

from connector.ledger.names import normalised
from connector.ledger.party_fields import of_qad, version_of
from connector.qad.browse import Filter
from mappings.models import QadAccount, QadCode, QadCustomer
from tenants.models import Tenant

Row = Mapping[str, Any]
ACCOUNTS, CUSTOMERS, PERIODS, RATES, DOMAINS = "gl_accounts", "customers", "periods", "exchange_rates", "domains"
RATES_KEPT = dt.timedelta(days=400)  # older rates are not asked for


@dataclass(frozen=True, slots=True)
class Mirrored:
    """One list. `fields` makes a mirror row, without a code if the row is not wanted; `serves` says what for.

    `filters` narrow what is asked for, where the instance can filter so; then what is not shown is not gone.
    """

    name: str
    title: str
    serves: str
    fields: Callable[[Row], dict[str, Any]]
    model: type[Model] = QadCode
    filters: Callable[[dt.datetime], tuple[Filter, ...]] = lambda now: ()
    is_complete: bool = True  # what it lists no more is gone

    @property
    def fixed(self) -> dict[str, str]:
        """What tells its rows from those of other lists in the same table."""
        return {"list_name": self.name} if self.model is QadCode else {}

    def rows(self, tenant: Tenant) -> QuerySet[Any]:
        return self.model._default_manager.filter(tenant=tenant, **self.fixed)


def _account(row: Row) -> dict[str, Any]:
    return {
        "code": _text(row, "code", 20),
        "description": _text(row, "description", 200),
        "account_type": _text(row, "type", 60),
        "is_active": _flag(row, "is_active", unknown=True),
        "needs_sub_account": _flag(row, "sub_account_required", unknown=False),
        "needs_cost_centre": _flag(row, "cost_centre_required", unknown=False),
        "needs_project": _flag(row, "project_required", unknown=False),
        "takes_sub_account": _flag(row, "sub_account_allowed", unknown=True),
        "takes_cost_centre": _flag(row, "cost_centre_allowed", unknown=True),
        "takes_project": _flag(row, "project_allowed", unknown=True),
        "currency": _text(row, "currency", 3),
    }


def _customer(row: Row) -> dict[str, Any]:
    name = _text(row, "name", 200)
    content = of_qad(row)
    return {
        "code": _text(row, "code", 20),
        "name": name,
        "search_key": normalised(name)[:200],
        "tax_id": _text(row, "tax_id", 60),
        "external_reference": _text(row, "external_reference", 100),
        "country": _text(row, "country", 20),
        "currency": _text(row, "currency", 3),
        "is_active": _flag(row, "is_active", unknown=True),
        "is_complete": _is_complete(row),
        "content": content,
        "version": version_of(row, content),
        "customer_type": _text(row, "customer_type", 20),
        "customer_group": _text(row, "customer_group", 40),
        "shared_flag": _text(row, "shared_flag", 40),
        "added_on": row.get("added_on"),
    }


def _is_complete(row: Row) -> bool:
    """Site and daybook set make a customer usable in its domain; a list that tells neither leaves it to QAD."""
    told = [row.get(name) for name in ("site", "daybook_set")]
    return all(value for value in told if value is not None)


def _coded(*facts: str) -> Callable[[Row], dict[str, Any]]:
    """A row of code, text and flag, with these further fields kept as text."""

    def fields(row: Row) -> dict[str, Any]:
        return {
            "code": _text(row, "code", 60),
            "description": _text(row, "description", 200),
            "is_active": _flag(row, "is_active", unknown=True),
            "facts": {name: text for name in facts if (text := _text(row, name, 100))},
        }

    return fields


def _period(row: Row) -> dict[str, Any]:
    """Without its days it is the month of its number, as calendars mostly are; else it is left out."""
    year, number, entity = _text(row, "year", 8), _text(row, "period", 8), _text(row, "entity", 20)
    first, last = row.get("starts_on"), row.get("ends_on")
    if not (first and last) and year.isdigit() and number.isdigit() and 1 <= int(number) <= 12:
        first = dt.date(int(year), int(number), 1)
        last = first.replace(day=monthrange(first.year, first.month)[1])
    if not (isinstance(first, dt.date) and isinstance(last, dt.date)):
        return {"code": ""}
    is_open, locked = _flag(row, "is_open", unknown=True), _text(row, "locked_daybooks", 400)
    name = f"{year or first.year}/{number.zfill(2)}"
    return {
        "code": f"{entity}:{name}" if entity else name,
        "description": f"{first} to {last}",
        "is_active": True,
        "facts": {
            "name": name,
            "entity": entity,
            "first": first.isoformat(),
            "last": last.isoformat(),
            "is_open": is_open,
            "locked": [code for code in locked.replace(";", ",").replace(" ", ",").split(",") if code],
        },
    }


def _rate(row: Row) -> dict[str, Any]:
    start, end, rate = row.get("valid_from"), row.get("valid_to"), row.get("rate")
    source, target, kind = (_text(row, name, 12) for name in ("from_currency", "to_currency", "type"))
    if not (isinstance(start, dt.date) and rate and rate > 0 and source and target):
        return {"code": ""}
    return {
        "code": f"{source}/{target}:{kind}:{start}"[:60],
        "description": f"{rate.normalize():f} {target} for one {source} from {start}",
        "is_active": True,
        "facts": {
            "from": source,
            "to": target,
            "rate": f"{rate:f}",
            "first": start.isoformat(),
            "last": end.isoformat() if isinstance(end, dt.date) else "",
            "type": kind,
        },
    }


def _recent(now: dt.datetime) -> tuple[Filter, ...]:
    return (Filter("valid_from", "at_least", (now - RATES_KEPT).date()),)


def _text(row: Row, name: str, longest: int) -> str:
    value = row.get(name)
    return "" if value is None else str(value).strip()[:longest]


def _flag(row: Row, name: str, *, unknown: bool) -> bool:
    value = row.get(name)
    if value is None or value == "":
        return unknown
    return value if isinstance(value, bool) else str(value).strip().casefold() in {"true", "yes", "1", "y"}


LISTS: dict[str, Mirrored] = {
    one.name: one
    for one in (
        Mirrored(ACCOUNTS, "GL accounts", "accounts and what they demand", _account, QadAccount),
        Mirrored(CUSTOMERS, "customers", "the customers that documents are for", _customer, QadCustomer),
        Mirrored("sub_accounts", "sub-accounts", "sub-accounts of mappings", _coded()),
        Mirrored("cost_centres", "cost centres", "cost centres of mappings", _coded()),
        Mirrored("projects", "projects", "projects of mappings", _coded()),
        Mirrored("items", "items", "QAD items of item mappings", _coded("product_line", "site", "status")),
        Mirrored("tax_codes", "tax codes", "tax codes of mappings", _coded("rate", "gl_account")),
        Mirrored("daybooks", "daybooks", "daybooks and their locks", _coded("type", "layer", "control")),
        Mirrored(PERIODS, "periods", "closed periods, before anything is sent", _period),
        Mirrored("credit_terms", "credit terms", "credit terms of new customers", _coded("days")),
        Mirrored("currencies", "currencies", "currencies of documents", _coded("decimals")),
        Mirrored(RATES, "exchange rates", "the named rate of a document", _rate, filters=_recent, is_complete=False),
        Mirrored(DOMAINS, "domains", "QAD's base currency", _coded("base_currency")),
    )
}
