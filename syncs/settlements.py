"""What settles a document in QAD, or soon may: it must come off before the document can be taken back."""

from __future__ import annotations

from django.db.models import F, Q

from syncs.models import Edge, Kind, Posting, SourceDocument
from syncs.states import IN_FLIGHT, STANDING, PostingState

S = PostingState
CARRIERS = ("credit_note", "payment", "refund")  # their document names what it settles at once
# Not in QAD yet, but as it stands it may get there.
UNDER_WAY = (S.READY, S.REJECTED, S.PARKED, *IN_FLIGHT, S.CONFLICT, S.DUPLICATE)


def of_invoice(row: SourceDocument) -> set[int]:
    """Sources whose credit note or payment is applied to this invoice in QAD, or may be by a posting under way."""
    edges = Edge.objects.filter(tenant=row.tenant_id, invoice_id=row.source_id).exclude(owner=row)
    applied = set(edges.exclude(applied_minor=0).values_list("owner_id", flat=True))
    ours = Q(kind__in=(*CARRIERS, "application"))
    under_way = Posting.objects.filter(ours, source__in=edges.values("owner_id"), state__in=UNDER_WAY)
    return applied | {one.source_id for one in under_way if names(one, "invoice", row.source_id)}


def wanted_by(row: SourceDocument) -> set[int]:
    """Sources that Chargebee applies to this invoice otherwise than QAD does, or soon will."""
    edges = Edge.objects.filter(tenant=row.tenant_id, invoice_id=row.source_id).exclude(owner=row)
    differing = edges.exclude(wanted_minor=F("applied_minor")).values_list("owner_id", flat=True)
    leaving = Posting.objects.filter(
        source__in=edges.values("owner_id"), kind="unapplication", invoice_id=row.source_id, state__in=UNDER_WAY
    )
    return {*differing, *leaving.values_list("source_id", flat=True)}


def of_credit(row: SourceDocument, told: set[str]) -> set[int]:
    """Refunds that use this credit note or payment up; `told` are the refunds that Chargebee names on it."""
    refunds = SourceDocument.objects.filter(
        Q(source_id__in=told) | Q(parent_id=row.source_id), tenant=row.tenant_id, kind=Kind.TRANSACTION
    )
    kind = "credit_note" if row.kind == Kind.CREDIT_NOTE else "payment"
    postings = Posting.objects.filter(source__in=refunds, kind="refund", state__in=(*UNDER_WAY, *STANDING))
    return {one.source_id for one in postings if names(one, kind, row.source_id)}


def names(posting: Posting, kind: str, source_id: str) -> bool:
    """Whether the posting's document is applied to this one."""
    rows = posting.document.get("applications", ())
    return any(row.get("kind", "invoice") == kind and row["source_id"] == source_id for row in rows)
