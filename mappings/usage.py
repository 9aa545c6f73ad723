"""Mappings that lean on what QAD no longer lists, or holds as inactive: told before the next documents meet it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.utils import timezone

from connector.ledger.qad_problems import NAMES
from mappings.kinds import KINDS, Kind
from mappings.models import QadAccount, QadCode, QadCustomer
from mappings.rules import LIST_OF_COLUMN
from tenants.models import Tenant

SHOWN = 200  # mappings that are named; more have one cause mostly
_LOST = Q(is_gone=True) | Q(is_active=False)


@dataclass(frozen=True, slots=True)
class Use:
    """A mapping row that names a lost code; `row` is the mapping, `lost_at` since when it is seen so here."""

    kind: str
    row: Model
    subject: str
    code: str
    is_gone: bool
    lost_at: dt.datetime | None
    sentence: str


def of_lost_codes(tenant: Tenant) -> list[Use]:
    """Every mapping that names one, at most SHOWN; a query for each column that names codes."""
    found: list[Use] = []
    for kind in KINDS.values():
        for column in kind.fields:
            for use in _of_column(tenant, kind, column):
                if len(found) == SHOWN:
                    return found
                found.append(use)
    return found


def _of_column(tenant: Tenant, kind: Kind, column: str) -> Iterator[Use]:
    listed = _list_of(tenant, column)
    if listed is None:
        return
    what, codes = listed
    lost = codes.filter(_LOST)
    rows = _in_force(kind).filter(Exists(lost.filter(code=OuterRef(column))), tenant=tenant)
    named = list(rows.order_by("pk")[:SHOWN])
    facts = {row.code: row for row in lost.filter(code__in={getattr(row, column) for row in named})}
    for row in named:
        yield _use(kind, row, what, facts[getattr(row, column)])


def _in_force(kind: Kind) -> QuerySet[Any]:
    """Rows that hold today or later: a newer row of the same key has not taken their place."""
    rows = kind.model._default_manager.all()
    if "valid_from" not in kind.key:
        return rows
    key = {field: OuterRef(field) for field in kind.key if field != "valid_from"}
    newer = kind.model._default_manager.filter(
        tenant=OuterRef("tenant"), valid_from__gt=OuterRef("valid_from"), valid_from__lte=timezone.localdate(), **key
    )
    return rows.exclude(Exists(newer))


def _use(kind: Kind, row: Any, what: str, lost: Any) -> Use:
    values: Mapping[str, Any] = kind.values_of(row)
    how = "which QAD no longer lists" if lost.is_gone else "which is inactive in QAD"
    since = f" (seen so since {lost.lost_at:%Y-%m-%d %H:%M} UTC)" if lost.lost_at else ""
    subject = kind.subject(values)
    sentence = f"{subject} names {what} {lost.code}, {how}{since}. Choose another before the next sync."
    return Use(kind.name, row, subject, lost.code, lost.is_gone, lost.lost_at, sentence)


def _list_of(tenant: Tenant, column: str) -> tuple[str, QuerySet[Any]] | None:
    """What a column's codes are called, and the mirror that has them."""
    if column == "gl_account":
        return "GL account", QadAccount.objects.filter(tenant=tenant)
    if column == "qad_code":
        return "QAD customer", QadCustomer.objects.filter(tenant=tenant)
    name = LIST_OF_COLUMN.get(column)
    return (NAMES[name], QadCode.objects.filter(tenant=tenant, list_name=name)) if name else None
