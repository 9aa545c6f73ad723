"""What follows when a posting has reached QAD, in the same transaction: edges, reversals, and who may go on now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db.models import F

from connector.money import Money
from syncs.models import Edge, Posting, SourceDocument
from syncs.renewing import renew
from syncs.states import STANDING, PostingState, SourceState
from tenants import audit
from tenants.appending import append

CARRIERS = ("credit_note", "payment")  # their document names the invoices that it settles at once
EDGES = ("application", "unapplication")
_ADDED = (
    'ON CONFLICT ("owner_id", "invoice_id") '
    'DO UPDATE SET "applied_minor" = "syncs_edge"."applied_minor" + EXCLUDED."applied_minor"'
)


def follow(tenant_id: int, postings: Sequence[Posting], now: dt.datetime) -> None:
    """Call it with postings that have just become posted."""
    _move_edges(postings)
    for posting in postings:
        if posting.kind == "reversal":
            _reversed(posting, now)
        if _sign(posting) < 0:
            _free(posting, now)
        if posting.kind in EDGES:
            _look_again(posting, now)
    _wake(tenant_id, [posting for posting in postings if posting.kind not in (*EDGES, "reversal")], now)
    _settle_rest(tenant_id, [posting.source_id for posting in postings if posting.kind in CARRIERS], now)


def _sign(posting: Posting) -> int:
    """Whether it settles what its document names, or takes that off."""
    return -1 if posting.kind in ("unapplication", "reversal") else 1


def _applications(posting: Posting) -> Sequence[dict[str, Any]]:
    """What it settles or takes off; nothing for an invoice, or a refund."""
    if posting.kind not in (*CARRIERS, *EDGES, "reversal"):
        return ()
    document = posting.document["original"] if posting.kind == "reversal" else posting.document
    return document.get("applications", ())


def _move_edges(postings: Sequence[Posting]) -> None:
    """What QAD has of every edge that these touch, in one statement."""
    moved = [
        (posting.tenant_id, posting.source_id, row["source_id"], posting.currency, _moved(posting, row))
        for posting in postings
        for row in _applications(posting)
        if row.get("kind", "invoice") == "invoice"
    ]
    append(Edge, ("tenant_id", "owner_id", "invoice_id", "currency", "applied_minor"), moved, on_conflict=_ADDED)


def _moved(posting: Posting, row: dict[str, Any]) -> int:
    """In minor units."""
    return _sign(posting) * Money(Decimal(row["amount"]), posting.currency).minor


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


def _free(posting: Posting, now: dt.datetime) -> None:
    """What waited for something to come off these documents is looked at again."""
    for row in _applications(posting):
        kind, source_id = row.get("kind", "invoice"), row["source_id"]
        what = f"edges:{source_id}" if kind == "invoice" else f"refunds:{source_id}"
        waiting = SourceDocument.objects.filter(
            tenant_id=posting.tenant_id, waits_for=what[:130], state=SourceState.WAITING
        )
        why = f"What settled {kind.replace('_', ' ')} {source_id} was taken off."
        renew(posting.tenant_id, waiting, why, now=now)


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
