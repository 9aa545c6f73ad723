"""Finding one document by what people hold in their hands: an id, a reference, a QAD number, a customer."""

from __future__ import annotations

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.functions import Upper

from mappings.models import CustomerMapping
from syncs.models import Kind, Posting, SourceDocument
from tenants.models import Tenant

FOUND_AT_MOST = 500  # of each field; who finds more types more
_LAST = chr(0x10FFFF)


def documents(tenant: Tenant, text: str) -> set[int]:
    """Keys of documents with exactly this text in one of the fields, else of those that begin with it."""
    sources = SourceDocument.objects.filter(tenant=tenant, kind__in=Kind.values)
    customers = CustomerMapping.objects.filter(tenant=tenant, qad_code=text).values("chargebee_id")
    return _first(
        [
            [
                sources.filter(source_id=text).values("pk"),
                sources.filter(customer_id=text).values("pk"),
                sources.filter(customer_id__in=customers).values("pk"),
                *(rows.values("source_id") for rows in _postings(tenant, text)),
            ],
            [
                sources.filter(_begins("source_id", text)).values("pk"),
                sources.filter(_begins("customer_id", text)).values("pk"),
                *(rows.values("source_id") for rows in _postings_beginning(tenant, text)),
            ],
        ]
    )


def postings(tenant: Tenant, text: str) -> set[int]:
    """The same for postings, by reference and QAD number."""
    steps = (_postings(tenant, text), _postings_beginning(tenant, text))
    return _first([[rows.values("pk") for rows in step] for step in steps])


def _postings(tenant: Tenant, text: str) -> list[QuerySet[Posting]]:
    rows = Posting.objects.filter(tenant=tenant).order_by()
    return [rows.annotate(upper=Upper("reference")).filter(upper=text.upper()), rows.filter(qad_number=text)]


def _postings_beginning(tenant: Tenant, text: str) -> list[QuerySet[Posting]]:
    rows = Posting.objects.filter(tenant=tenant).order_by()
    by_reference = rows.annotate(upper=Upper("reference")).filter(_begins("upper", text.upper()))
    return [by_reference, rows.filter(_begins("qad_number", text))]


def _begins(field: str, text: str) -> Q:
    """Begins with the text; as a range too where LIKE does not use an index and texts are ordered by their bytes."""
    found = Q(**{f"{field}__startswith": text})
    if connection.vendor == "sqlite":
        found &= Q(**{f"{field}__gte": text, f"{field}__lt": text + _LAST})
    return found


def _first(steps: list[list[QuerySet]]) -> set[int]:
    """What the first step that finds anything finds."""
    for step in steps:
        found = {key for rows in step for row in rows.order_by()[:FOUND_AT_MOST] for key in row.values()}
        if found:
            return found
    return set()
