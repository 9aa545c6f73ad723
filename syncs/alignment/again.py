"""Customers that are held are decided anew when both systems, or the policies, say something else of them by now."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Q

from connector.chargebee import parse
from connector.ledger.identity import Index
from syncs.models import Kind, MatchReview, ReviewState, SourceDocument
from syncs.states import SourceState
from tenants.models import Tenant

CANDIDATES, NOT_IN_QAD = "|customer-has-candidates|", "|customer-not-in-qad|"


def look_again(tenant: Tenant, index: Index, decided: dict[str, Any], *, now: dt.datetime) -> int:
    """Make those new whose verdict would be another one, or whose question nobody was asked; returns how many."""
    asked = set(
        MatchReview.objects.filter(tenant=tenant, state=ReviewState.OPEN).values_list("chargebee_id", "qad_code")
    )
    held = SourceDocument.objects.filter(tenant=tenant, kind=Kind.CUSTOMER, state=SourceState.HELD)
    waiting = held.filter(Q(codes=CANDIDATES) | Q(codes=NOT_IN_QAD))
    news = [row.pk for row in waiting.iterator() if _is_news(row, index, decided, asked)]
    return held.filter(pk__in=news).update(state=SourceState.NEW, codes="", problems=[], changed_at=now)


def _is_news(row: SourceDocument, index: Index, decided: dict[str, Any], asked: set[tuple[str, str]]) -> bool:
    record = parse.customer(row.content, minor_units=decided["minor_units"])
    if isinstance(record, list):
        return False
    match = index.match(record)
    if match.code:
        return True
    if match.candidates:
        return any((record.id, code) not in asked for code, _ in match.candidates)
    return row.codes == CANDIDATES or decided["create_customers"] == "create"
