"""From Chargebee's pages to SourceDocument rows; the watermark moves only at the end of a whole pass."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Max

from connector.chargebee.client import ChargebeeClient, Page
from connector.chargebee.paging import all_lines, pages
from syncs.models import Cursor, Kind, Run, RunPage, SourceDocument, SourceVersion
from syncs.models.source import pack
from syncs.states import SourceState
from tenants import audit
from tenants.models import Tenant

OVERLAP = dt.timedelta(minutes=10)  # a change may become visible minutes after its stamp
PULL_ORDER = (
    *(Kind.CUSTOMER, Kind.ITEM_FAMILY, Kind.ITEM, Kind.ITEM_PRICE),
    *(Kind.INVOICE, Kind.CREDIT_NOTE, Kind.TRANSACTION),
)


@dataclass(frozen=True, slots=True)
class Reading:
    """How a kind is listed: its resource, the key it may be sorted by, and whether deleted rows must be asked for."""

    resource: str
    sort_by: str = ""
    has_deleted: bool = False


READINGS: dict[str, Reading] = {
    Kind.CUSTOMER: Reading("customers", "updated_at", has_deleted=True),
    Kind.ITEM_FAMILY: Reading("item_families"),
    Kind.ITEM: Reading("items", "updated_at"),
    Kind.ITEM_PRICE: Reading("item_prices", "updated_at"),
    Kind.INVOICE: Reading("invoices", "updated_at", has_deleted=True),
    Kind.CREDIT_NOTE: Reading("credit_notes", "date", has_deleted=True),
    Kind.TRANSACTION: Reading("transactions", "updated_at", has_deleted=True),
}


@dataclass(frozen=True, slots=True)
class Row:
    """What is read off a document before anyone parses it; wrong types become empty values here."""

    source_id: str
    text: str
    digest: str
    resource_version: int | None
    updated_at: dt.datetime | None
    is_deleted: bool
    status: str
    customer_id: str
    parent_id: str
    currency: str
    total: int | None
    dated_at: dt.datetime | None


def pull(
    tenant: Tenant,
    run: Run,
    kind: str,
    client: ChargebeeClient,
    *,
    clock: Callable[[], dt.datetime],
    on_page: Callable[[int], None] = lambda rows: None,
) -> int:
    """Read one kind to its end; returns how many rows were listed.

    The first pass has no updated_at filter, because rows without that field would be dropped silently. Later passes go
    newest first with an overlap, so that an edit between two pages can only show a row twice. Any error leaves the
    watermark where it was.
    """
    cursor, _ = Cursor.objects.get_or_create(tenant=tenant, kind=kind)
    reading, started_at, listed = READINGS[kind], None, 0
    for number, page in enumerate(pages(client, reading.resource, _params(reading, cursor.watermark))):
        started_at = started_at or page.server_time or clock()
        store_page(tenant, run, kind, number, _whole_rows(client, kind, page), now=clock())
        listed += len(page.rows)
        on_page(len(page.rows))
    _advance(cursor, started_at or clock(), clock())
    wake(tenant, f"{kind}:*", now=clock())
    return listed


def wake(tenant: Tenant, waits_for: str, *, now: dt.datetime) -> None:
    """Look again at what waited for a kind to be read."""
    waiting = SourceDocument.objects.filter(tenant=tenant, waits_for=waits_for, state=SourceState.WAITING)
    waiting.update(state=SourceState.NEW, waits_for="", changed_at=now)


def _params(reading: Reading, watermark: dt.datetime | None) -> dict[str, str | int | bool]:
    params: dict[str, str | int | bool] = {"limit": 100}
    if reading.sort_by:
        params["sort_by[desc]"] = reading.sort_by
    if reading.has_deleted:
        params["include_deleted"] = True
    if watermark is not None:
        params["updated_at[after]"] = int((watermark - OVERLAP).timestamp()) - 1
    return params


def _whole_rows(client: ChargebeeClient, kind: str, page: Page) -> list[dict[str, Any]]:
    """The documents themselves, with lines that did not fit the page fetched."""
    if kind not in (Kind.INVOICE, Kind.CREDIT_NOTE):
        return page.rows
    resource = READINGS[kind].resource
    return [all_lines(client, row, resource) if row.get("line_items_next_offset") else row for row in page.rows]


def _advance(cursor: Cursor, reached: dt.datetime, now: dt.datetime) -> None:
    if cursor.watermark is None or reached > cursor.watermark:
        cursor.watermark = reached
    cursor.finished_at = now
    cursor.save(update_fields=["watermark", "finished_at"])


def store_page(
    tenant: Tenant, run: Run, kind: str, number: int, documents: Sequence[dict[str, Any]], *, now: dt.datetime
) -> None:
    """Record what the page listed, then store what is new or newer, in one transaction."""
    rows = [_row(document) for document in documents]
    with transaction.atomic():
        RunPage.objects.create(
            tenant=tenant,
            run=run,
            kind=kind,
            number=number,
            listed=[[row.source_id, row.currency, row.total, row.resource_version] for row in rows],
        )
        keep(tenant, kind, rows, now=now)


def keep(tenant: Tenant, kind: str, rows: Sequence[Row], *, now: dt.datetime) -> None:
    """Insert new documents, replace older versions, leave the rest. The last row of an id in a page wins ties."""
    newest: dict[str, Row] = {}
    for row in rows:
        other = newest.get(row.source_id)
        if other is None or _version(row) >= _version(other):
            newest[row.source_id] = row
    known = {
        document.source_id: document
        for document in SourceDocument.objects.defer("raw").filter(tenant=tenant, kind=kind, source_id__in=newest)
    }
    fresh = [row for source_id, row in newest.items() if source_id not in known]
    SourceDocument.objects.bulk_create([_document(tenant, kind, row, now) for row in fresh])
    changed = [(known[row.source_id], row) for row in newest.values() if _is_newer(row, known.get(row.source_id))]
    _keep_versions(tenant, [document for document, _ in changed], now)
    for document, row in changed:
        _replace(document, row, now)
    new = {"state": SourceState.NEW.value}
    lines = [audit.Line("listed", f"{kind}:{row.source_id}", after={**_facts(row), **new}) for row in fresh]
    lines += [
        audit.Line(
            "changed-in-chargebee",
            f"{kind}:{row.source_id}",
            before=_stored_facts(old),
            after={**_facts(row), **new},
        )
        for old, row in changed
    ]
    audit.record(tenant.pk, lines, actor="sync", now=now)


def _keep_versions(tenant: Tenant, documents: Sequence[SourceDocument], now: dt.datetime) -> None:
    """What these documents were until now, before they are replaced."""
    if not documents:
        return
    keys = [document.pk for document in documents]
    raw = dict(SourceDocument.objects.filter(pk__in=keys).values_list("pk", "raw"))
    earlier = SourceVersion.objects.filter(source__in=keys).order_by().values_list("source_id")
    since = dict(earlier.annotate(last=Max("replaced_at")))
    SourceVersion.objects.bulk_create(
        SourceVersion(
            tenant=tenant,
            source=document,
            raw=raw[document.pk],
            content_hash=document.content_hash,
            resource_version=document.resource_version,
            seen_at=since.get(document.pk, document.first_seen_at),
            replaced_at=now,
        )
        for document in documents
    )


def _is_newer(row: Row, known: SourceDocument | None) -> bool:
    if known is None or row.digest == known.content_hash:
        return False
    stored = (known.resource_version or 0, known.updated_at.timestamp() if known.updated_at else 0)
    return _version(row) >= stored


def _version(row: Row) -> tuple[int, float]:
    return (row.resource_version or 0, row.updated_at.timestamp() if row.updated_at else 0)


def _document(tenant: Tenant, kind: str, row: Row, now: dt.datetime) -> SourceDocument:
    return SourceDocument(
        tenant=tenant, kind=kind, source_id=row.source_id, first_seen_at=now, changed_at=now, **_columns(row)
    )


def _replace(document: SourceDocument, row: Row, now: dt.datetime) -> None:
    SourceDocument.objects.filter(pk=document.pk).update(
        **_columns(row), state=SourceState.NEW, codes="", problems=[], changed_at=now
    )


def _columns(row: Row) -> dict[str, Any]:
    return {
        "raw": pack(row.text),
        "content_hash": row.digest,
        "resource_version": row.resource_version,
        "updated_at": row.updated_at,
        "is_deleted": row.is_deleted,
        "status": row.status,
        "customer_id": row.customer_id,
        "parent_id": row.parent_id,
        "currency": row.currency,
        "total_minor": row.total,
        "dated_at": row.dated_at,
    }


def _facts(row: Row) -> dict[str, Any]:
    return {"version": row.resource_version, "status": row.status, "total": row.total, "currency": row.currency}


def _stored_facts(row: SourceDocument) -> dict[str, Any]:
    facts = {"version": row.resource_version, "status": row.status, "total": row.total_minor, "currency": row.currency}
    return {**facts, "state": row.state}


def _row(document: Any) -> Row:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), default=_number)
    fields = document if isinstance(document, dict) else {}
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Row(
        source_id=_identity(fields.get("id"), digest),
        text=text,
        digest=digest,
        resource_version=_whole(fields.get("resource_version")),
        updated_at=_moment(fields.get("updated_at")),
        is_deleted=fields.get("deleted") is True,
        status=_text(fields.get("status"), 30),
        customer_id=_text(fields.get("customer_id"), 100),
        parent_id=_parent(fields),
        currency=_text(fields.get("currency_code"), 3),
        total=_whole(fields.get("total", fields.get("amount"))),
        dated_at=_moment(fields.get("date")),
    )


def _parent(fields: dict[str, Any]) -> str:
    """What the document hangs on: see SourceDocument.parent_id."""
    relationship = fields.get("relationship")
    if isinstance(relationship, dict):
        return _text(relationship.get("parent_id"), 100)
    names = ("reference_invoice_id", "refunded_txn_id", "reference_transaction_id")
    return next((found for name in names if (found := _text(fields.get(name), 100))), "")


def _number(value: Any) -> float | str:
    """Decimals as JSON numbers where that is exact, else as text."""
    if isinstance(value, Decimal):
        return float(value) if Decimal(repr(float(value))) == value else str(value)
    raise TypeError(f"{value!r} is not JSON.")


def _identity(value: Any, digest: str) -> str:
    """The id, or a name for a document that has none, so that it is counted and shown and not lost."""
    return value if isinstance(value, str) and value and _text(value, 100) == value else f"(no id) {digest[:16]}"


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63 else None


def _moment(value: Any) -> dt.datetime | None:
    seconds = _whole(value)
    if seconds is None or not 0 <= seconds < 253402300800:
        return None
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def _text(value: Any, longest: int) -> str:
    """Cut to fit, without what a database column cannot hold (NUL, half of a surrogate pair)."""
    return value.encode("utf-8", "replace").decode().replace("\x00", "")[:longest] if isinstance(value, str) else ""
