"""What follows when a posting has reached QAD, in the same transaction: edges, reversals, and who may go on now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import F

from connector.money import Money
from syncs.models import Edge, Posting, SourceDocument
from syncs.renewing import renew
from syncs.states import STANDING, PostingState, SourceState
from tenants import audit

CARRIERS = ("credit_note", "payment")  # their document names the invoices that it settles at once
EDGES = ("application", "unapplication")


def follow(tenant_id: int, postings: Sequence[Posting], now: dt.datetime) -> None:
    """Call it with postings that have just become posted."""
    for posting in postings:
        if posting.kind in CARRIERS:
            _apply(posting, posting.document["applications"], 1, now)
        elif posting.kind in EDGES:
            _apply(posting, posting.document["applications"], 1 if posting.kind == "application" else -1, now)
            _look_again(posting, now)
        elif posting.kind == "reversal":
            _reversed(posting, now)
    _wake(tenant_id, [posting for posting in postings if posting.kind not in (*EDGES, "reversal")], now)
    _settle_rest(tenant_id, [posting.source_id for posting in postings if posting.kind in CARRIERS], now)


def _apply(posting: Posting, applications: Iterable[dict[str, Any]], sign: int, now: dt.datetime) -> None:
    for row in applications:
        kind = row.get("kind", "invoice")
        if kind == "invoice":
            _move_edge(posting, row, sign)
        if sign < 0:
            _free(posting.tenant_id, kind, row["source_id"], now)


def _look_again(posting: Posting, now: dt.datetime) -> None:
    """What was sent may not be wanted any more: its owner is decided anew, unless the invoice is to be taken back."""
    edges = Edge.objects.filter(owner_id=posting.source_id, invoice_id=posting.invoice_id)
    differs = edges.exclude(wanted_minor=F("applied_minor")).exists()
    invoice = Posting.objects.filter(
        tenant_id=posting.tenant_id, source__source_id=posting.invoice_id, kind="invoice", is_ending=False
    )
    if differs and invoice.filter(state__in=STANDING).exists():
        owner = SourceDocument.objects.filter(pk=posting.source_id, state=SourceState.CODED)
        renew(posting.tenant_id, owner, f"{posting.reference} is in QAD, and not wanted there any more.", now=now)


def _move_edge(posting: Posting, row: dict[str, Any], sign: int) -> None:
    amount = Money(Decimal(row["amount"]), posting.currency).minor
    edge, _ = Edge.objects.get_or_create(
        owner_id=posting.source_id,
        invoice_id=row["source_id"],
        defaults={"tenant_id": posting.tenant_id, "currency": posting.currency},
    )
    Edge.objects.filter(pk=edge.pk).update(applied_minor=F("applied_minor") + sign * amount)


def _free(tenant_id: int, kind: str, source_id: str, now: dt.datetime) -> None:
    """What waited for something to come off this document is looked at again."""
    what = f"edges:{source_id}" if kind == "invoice" else f"refunds:{source_id}"
    waiting = SourceDocument.objects.filter(tenant_id=tenant_id, waits_for=what[:130], state=SourceState.WAITING)
    why = f"What settled {kind.replace('_', ' ')} {source_id} was taken off."
    renew(tenant_id, waiting, why, now=now)


def _reversed(posting: Posting, now: dt.datetime) -> None:
    """The original is undone with everything that it settled; its source is looked at again."""
    undone = Posting.objects.filter(reversals=posting).exclude(state=PostingState.REVERSED)
    lines = [
        audit.Line(
            "reversed",
            f"posting:{one.reference}",
            before={"state": one.state},
            after={"state": "reversed", "by": posting.reference},
        )
        for one in undone.only("reference", "state")
    ]
    undone.update(state=PostingState.REVERSED, changed_at=now)
    audit.record(posting.tenant_id, lines, actor="sync", now=now)
    _apply(posting, posting.document["original"].get("applications", ()), -1, now)
    why = f"{posting.reference} took back what was posted of it."
    renew(posting.tenant_id, SourceDocument.objects.filter(pk=posting.source_id), why, now=now)


def _settle_rest(tenant_id: int, owners: Sequence[int], now: dt.datetime) -> None:
    """An invoice that QAD has only from a later day on could not ride in its payment or note: it is settled after."""
    edges = Edge.objects.filter(owner_id__in=owners).exclude(wanted_minor=F("applied_minor"))
    left = list(edges.values_list("owner_id", "invoice_id"))
    if not left:
        return
    invoices = Posting.objects.filter(
        tenant_id=tenant_id,
        kind="invoice",
        state__in=STANDING,
        is_ending=False,
        source__source_id__in={invoice for _, invoice in left},
    )
    posted = set(invoices.values_list("source__source_id", flat=True))
    keys = {owner for owner, invoice in left if invoice in posted}
    settling = SourceDocument.objects.filter(pk__in=keys, state=SourceState.CODED)
    renew(tenant_id, settling, "It settles an invoice that is in QAD already.", now=now)


def _wake(tenant_id: int, postings: Sequence[Posting], now: dt.datetime) -> None:
    """Documents that waited for one of these, and owners of edges to these invoices."""
    sources = SourceDocument.objects.filter(pk__in=[posting.source_id for posting in postings])
    named = list(sources.values_list("kind", "source_id"))
    if not named:
        return
    waiting = SourceDocument.objects.filter(
        tenant_id=tenant_id, waits_for__in=[f"{kind}:{source_id}"[:130] for kind, source_id in named]
    )
    why = "What it waited for is in QAD."
    renew(tenant_id, waiting.filter(state__in=(SourceState.WAITING, SourceState.CODED)), why, now=now)
    invoices = [source_id for kind, source_id in named if kind == "invoice"]
    open_edges = Edge.objects.filter(tenant_id=tenant_id, invoice_id__in=invoices)
    owners = open_edges.exclude(wanted_minor=F("applied_minor")).values("owner_id")
    settling = SourceDocument.objects.filter(pk__in=owners, state__in=(SourceState.CODED, SourceState.WAITING))
    renew(tenant_id, settling, "An invoice that it settles is in QAD.", now=now)
