"""What follows when a posting has reached QAD, in the same transaction: edges, reversals, and who may go on now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import F

from connector.money import Money
from syncs.models import Edge, Posting, SourceDocument
from syncs.states import PostingState, SourceState

CARRIERS = ("credit_note", "payment")  # their document names the invoices that it settles at once
EDGES = ("application", "unapplication")


def follow(tenant_id: int, postings: Sequence[Posting], now: dt.datetime) -> None:
    """Call it with postings that have just become posted."""
    for posting in postings:
        if posting.kind in CARRIERS:
            _apply(posting, posting.document["applications"], 1, now)
        elif posting.kind in EDGES:
            _apply(posting, posting.document["applications"], 1 if posting.kind == "application" else -1, now)
        elif posting.kind == "reversal":
            _reversed(posting, now)
    _wake(tenant_id, [posting for posting in postings if posting.kind not in (*EDGES, "reversal")], now)


def _apply(posting: Posting, applications: Iterable[dict[str, Any]], sign: int, now: dt.datetime) -> None:
    for row in applications:
        if row.get("kind", "invoice") != "invoice":
            continue
        amount = Money(Decimal(row["amount"]), posting.currency).minor
        edge, _ = Edge.objects.get_or_create(
            owner_id=posting.source_id,
            invoice_id=row["source_id"],
            defaults={"tenant_id": posting.tenant_id, "currency": posting.currency},
        )
        Edge.objects.filter(pk=edge.pk).update(applied_minor=F("applied_minor") + sign * amount)
        if sign < 0:
            waiting = SourceDocument.objects.filter(tenant_id=posting.tenant_id, waits_for=f"edges:{row['source_id']}")
            _renew(waiting.filter(state=SourceState.WAITING), now)


def _reversed(posting: Posting, now: dt.datetime) -> None:
    """The original is undone with everything that it settled; its source is looked at again."""
    Posting.objects.filter(reversals=posting).update(state=PostingState.REVERSED, changed_at=now)
    Edge.objects.filter(owner_id=posting.source_id).update(applied_minor=0)
    _renew(SourceDocument.objects.filter(pk=posting.source_id), now)


def _wake(tenant_id: int, postings: Sequence[Posting], now: dt.datetime) -> None:
    """Documents that waited for one of these, and owners of edges to these invoices."""
    sources = SourceDocument.objects.filter(pk__in=[posting.source_id for posting in postings])
    named = list(sources.values_list("kind", "source_id"))
    if not named:
        return
    waiting = SourceDocument.objects.filter(
        tenant_id=tenant_id, waits_for__in=[f"{kind}:{source_id}" for kind, source_id in named]
    )
    _renew(waiting.filter(state=SourceState.WAITING), now)
    invoices = [source_id for kind, source_id in named if kind == "invoice"]
    open_edges = Edge.objects.filter(tenant_id=tenant_id, invoice_id__in=invoices)
    owners = open_edges.exclude(wanted_minor=F("applied_minor")).values("owner_id")
    _renew(SourceDocument.objects.filter(pk__in=owners, state=SourceState.CODED), now)


def _renew(sources: Any, now: dt.datetime) -> None:
    sources.update(state=SourceState.NEW, waits_for="", changed_at=now)
