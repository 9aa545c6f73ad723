"""Reads QAD's lists into the mirrors: pages over the network first, rows in short transactions after."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from django.db import transaction
from django.db.models import Model

from connector.ledger.names import normalised
from connector.ledger.party_fields import of_qad, version_of
from mappings import revision
from mappings.mirror import ACCOUNTS, CUSTOMERS
from mappings.models import MirrorState, QadAccount, QadCustomer
from tenants.models import Tenant

_BATCH = 400
Row = Mapping[str, Any]


class Lists(Protocol):
    """What a refresh needs of a QAD client: pages of rows under our own names."""

    def browse(self, list_name: str, filters: tuple[Any, ...] = ()) -> Iterator[list[dict[str, Any]]]: ...


@dataclass(frozen=True, slots=True)
class Mirrored:
    """One list: its model, and how a row of QAD becomes the fields of a mirror row."""

    model: type[Model]
    title: str
    fields: Callable[[Row], dict[str, Any]]


def refresh_mirror(tenant: Tenant, client: Lists, list_name: str, now: dt.datetime) -> MirrorState:
    """Read one list ('gl_accounts' or 'customers') and keep what it said.

    Rows that QAD lists no more are marked gone, and only after a whole pass: an error on the way leaves the rows of
    the pages before it refreshed and nothing marked. A list that was full and comes back empty is not believed.
    Raises what the client raises.
    """
    mirrored = LISTS[list_name]
    seen: set[str] = set()
    for page in client.browse(list_name):
        rows = [fields for row in page if (fields := mirrored.fields(row))["code"]]
        _store(tenant, mirrored.model, {fields["code"]: fields for fields in rows}, now)
        seen.update(fields["code"] for fields in rows)
    return _settle(tenant, list_name, seen, now)


def _store(tenant: Tenant, model: type[Model], rows: Mapping[str, dict[str, Any]], now: dt.datetime) -> None:
    """Insert or update one page."""
    names = [field for field in next(iter(rows.values()), {}) if field != "code"]
    made = [model(tenant=tenant, seen_at=now, is_gone=False, **fields) for fields in rows.values()]
    model._default_manager.bulk_create(
        made,
        batch_size=_BATCH,
        update_conflicts=True,
        unique_fields=["tenant", "code"],
        update_fields=[*names, "seen_at", "is_gone"],
    )


def _settle(tenant: Tenant, list_name: str, seen: set[str], now: dt.datetime) -> MirrorState:
    mirrored = LISTS[list_name]
    rows = mirrored.model._default_manager.filter(tenant=tenant)
    with transaction.atomic():
        state, _ = MirrorState.objects.select_for_update().get_or_create(tenant=tenant, list_name=list_name)
        known = rows.filter(is_gone=False).count()
        if not seen:
            state.sentence = _empty(mirrored.title, known)
        else:
            gone = rows.filter(is_gone=False, seen_at__lt=now).update(is_gone=True)
            state.refreshed_at, state.rows = now, len(seen)
            state.sentence = f"QAD lists {len(seen)} {mirrored.title}" + (f"; {gone} are gone." if gone else ".")
        state.save()
        revision.bump(tenant.pk)
    return state


def _empty(title: str, known: int) -> str:
    """QAD answers an unknown or forbidden list with nothing at all, so nothing is no proof that nothing is there."""
    kept = f" The {known} known ones are kept." if known else ""
    return f"Empty, not confirmed: QAD listed no {title}.{kept} Check the list's address and your rights in QAD."


def _account(row: Row) -> dict[str, Any]:
    return {
        "code": _text(row, "code", 20),
        "description": _text(row, "description", 200),
        "account_type": _text(row, "type", 60),
        "is_active": _flag(row, "is_active", unknown=True),
        "needs_sub_account": _flag(row, "sub_account_required", unknown=False),
        "needs_cost_centre": _flag(row, "cost_centre_required", unknown=False),
        "needs_project": _flag(row, "project_required", unknown=False),
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


def _text(row: Row, name: str, longest: int) -> str:
    value = row.get(name)
    return "" if value is None else str(value).strip()[:longest]


def _flag(row: Row, name: str, *, unknown: bool) -> bool:
    value = row.get(name)
    if value is None or value == "":
        return unknown
    return value if isinstance(value, bool) else str(value).strip().casefold() in {"true", "yes", "1", "y"}


LISTS: dict[str, Mirrored] = {
    ACCOUNTS: Mirrored(QadAccount, "GL accounts", _account),
    CUSTOMERS: Mirrored(QadCustomer, "customers", _customer),
}
