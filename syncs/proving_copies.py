"""The last step of a sweep: an invoice's own copy of what settles it against the documents that own that.

What owns it is what was posted, so a difference changes nothing: it is said, for somebody to look which of the two is
right. Compared is only what reading must have seen on both sides, so that a change on its way is no difference.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import Q, QuerySet

from connector.chargebee.records import CreditNote, Invoice, Transaction
from connector.ledger.copies import copy_problems, named_notes, named_payments
from syncs.batch import PARSERS
from syncs.intake import Clock
from syncs.models import Edge, Kind, Notice, SourceDocument, SweepWindow
from syncs.notices import notice
from syncs.proving_window import settled_before
from tenants import policies
from tenants.models import Tenant

COPIES = "copy"
CODE = "identity-e1"
KINDS = (Kind.INVOICE, Kind.CREDIT_NOTE, Kind.TRANSACTION)
PORTION = 200
FIX = "Look at both documents in Chargebee. What is applied in QAD is what the credit note or payment says."
Owners = dict[tuple[str, str], SourceDocument]  # kind, id


def prove_copies(tenant: Tenant, window: SweepWindow, *, clock: Clock) -> None:
    """One window of invoices, by their dates; the open one takes those of which something was said before, too."""
    settled = _settled(tenant)
    if settled is not None:
        for rows in _portions(_invoices(tenant, window)):
            _compare(tenant, [row for row in rows if _is_settled(row, settled)], settled, clock())
    SweepWindow.objects.filter(pk=window.pk).update(done_at=clock())


def _settled(tenant: Tenant) -> dt.datetime | None:
    """What changed before this has been read of every kind; None while some kind was never read whole."""
    marks = [mark for kind in KINDS if (mark := settled_before(tenant, kind)) is not None]
    return min(marks) if len(marks) == len(KINDS) else None


def _is_settled(row: SourceDocument, settled: dt.datetime) -> bool:
    return row.updated_at is None or row.updated_at < settled


def _invoices(tenant: Tenant, window: SweepWindow) -> QuerySet[SourceDocument]:
    rows = SourceDocument.objects.filter(tenant=tenant, kind=Kind.INVOICE, is_deleted=False)
    if window.ends_at is not None:
        rows = rows.filter(dated_at__lt=window.ends_at)
    if window.starts_at is None:
        return rows
    within = Q(dated_at__gte=window.starts_at)
    return rows.filter(within | Q(source_id__in=_told(tenant)) if window.ends_at is None else within)


def _told(tenant: Tenant) -> list[str]:
    """Invoices of which a difference was said and not cleared: a clean sweep clears what it does not say again."""
    said = Notice.objects.filter(tenant=tenant, code=CODE, cleared_at=None).values_list("subject", flat=True)
    return [subject.removeprefix(f"{Kind.INVOICE.label} ") for subject in said]


def _portions(rows: QuerySet[SourceDocument]) -> Iterator[list[SourceDocument]]:
    after = 0
    while portion := list(rows.filter(pk__gt=after).order_by("pk")[:PORTION]):
        yield portion
        after = portion[-1].pk


def _compare(tenant: Tenant, rows: Sequence[SourceDocument], settled: dt.datetime, now: dt.datetime) -> None:
    digits = policies.read(tenant)["minor_units"]

    def record(row: SourceDocument) -> Any:
        return PARSERS[row.kind](row.content, minor_units=digits)

    invoices = {row: found for row in rows if isinstance(found := record(row), Invoice)}
    wanting = _wanting(tenant, rows)
    keys = {row: _named(invoice) | wanting.get(row.source_id, set()) for row, invoice in invoices.items()}
    owners = _owners(tenant, set().union(*keys.values()), settled)
    records = {key: record(row) for key, row in owners.items()}
    for row, invoice in invoices.items():
        mine = [records[key] for key in sorted(keys[row] & records.keys())]
        found = copy_problems(invoice, [one for one in mine if isinstance(one, CreditNote | Transaction)])
        if found:
            notice(tenant, CODE, str(row), " ".join(one.message for one in found), FIX, now=now)


def _named(invoice: Invoice) -> set[tuple[str, str]]:
    notes = {(Kind.CREDIT_NOTE.value, name) for name in named_notes(invoice)}
    return notes | {(Kind.TRANSACTION.value, name) for name in named_payments(invoice)}


def _wanting(tenant: Tenant, rows: Sequence[SourceDocument]) -> dict[str, set[tuple[str, str]]]:
    """Invoice id -> the credit notes and payments that say that they settle it."""
    names = [row.source_id for row in rows]
    edges = Edge.objects.filter(tenant=tenant, invoice_id__in=names).exclude(wanted_minor=0)
    found: dict[str, set[tuple[str, str]]] = {}
    for invoice_id, kind, owner in edges.values_list("invoice_id", "owner__kind", "owner__source_id"):
        if kind != Kind.INVOICE:
            found.setdefault(invoice_id, set()).add((kind, owner))
    return found


def _owners(tenant: Tenant, keys: set[tuple[str, str]], settled: dt.datetime) -> Owners:
    """Those of them that are here and have been read as late as the invoices."""
    found: Owners = {}
    for kind in (Kind.CREDIT_NOTE, Kind.TRANSACTION):
        ids = [source_id for of, source_id in keys if of == kind]
        rows = SourceDocument.objects.filter(tenant=tenant, kind=kind, source_id__in=ids)
        found |= {(kind.value, row.source_id): row for row in rows if _is_settled(row, settled)}
    return found
