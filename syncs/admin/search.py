"""Finding one document by what people hold in their hands: an id, a reference, a QAD number, a customer."""

from __future__ import annotations

from django.db.models import QuerySet
from django.db.models.functions import Upper

from syncs.models import Kind, Posting, SourceDocument
from tenants.models import Tenant

FOUND_AT_MOST = 500  # of each field; who finds more types more


def documents(tenant: Tenant, text: str) -> set[int]:
    """Keys of documents with exactly this text in an indexed field, else of those that begin with it."""
    sources = SourceDocument.objects.filter(tenant=tenant, kind__in=Kind.values)
    return _first(
        [
            [sources.filter(source_id=text).values("pk"), sources.filter(customer_id=text).values("pk")],
            [postings.values("source_id") for postings in _exact(tenant, text)],
            [
                sources.filter(source_id__startswith=text).values("pk"),
                sources.filter(customer_id__startswith=text).values("pk"),
                *(postings.values("source_id") for postings in _prefixed(tenant, text)),
            ],
        ]
    )


def postings(tenant: Tenant, text: str) -> set[int]:
    """The same for postings, by reference, QAD number and QAD customer."""
    return _first(
        [[rows.values("pk") for rows in _exact(tenant, text)], [rows.values("pk") for rows in _prefixed(tenant, text)]]
    )


def _exact(tenant: Tenant, text: str) -> list[QuerySet[Posting]]:
    rows = Posting.objects.filter(tenant=tenant)
    by_reference = rows.annotate(upper=Upper("reference")).filter(upper=text.upper())
    return [by_reference, rows.filter(qad_number=text), rows.filter(customer_code=text)]


def _prefixed(tenant: Tenant, text: str) -> list[QuerySet[Posting]]:
    rows = Posting.objects.filter(tenant=tenant)
    by_reference = rows.annotate(upper=Upper("reference")).filter(upper__startswith=text.upper())
    return [by_reference, rows.filter(qad_number__startswith=text)]


def _first(steps: list[list[QuerySet]]) -> set[int]:
    """What the first step that finds anything finds."""
    for step in steps:
        found = {key for rows in step for row in rows[:FOUND_AT_MOST] for key in row.values()}
        if found:
            return found
    return set()
