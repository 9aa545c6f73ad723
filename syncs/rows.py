"""What is read off a Chargebee document before anyone parses it; wrong types become empty values here."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import orjson

from connector.chargebee.versions import Version
from syncs.models.source import pack

NAMELESS = "(no id) "  # first words of the name of a document that has no usable id
# An invoice may change in these without a new version (Chargebee's own description of updated_at).
QUIET = ("next_retry_at", "dunning_status", "has_advance_charges")
# Of SourceDocument, besides its key: see Row.values.
COLUMNS = (
    *("raw", "content_hash", "resource_version", "updated_at", "is_deleted", "status"),
    *("customer_id", "parent_id", "currency", "total_minor", "dated_at"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One document as it came off the wire, as JSON in UTF-8, and the columns that are stored beside it."""

    source_id: str
    content: bytes
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

    @property
    def version(self) -> Version:
        return Version(self.updated_at, self.resource_version, self.is_deleted, self.digest)

    @property
    def values(self) -> tuple[Any, ...]:
        """What stands in COLUMNS."""
        return (
            *(pack(self.content), self.digest, self.resource_version, self.updated_at, self.is_deleted, self.status),
            *(self.customer_id, self.parent_id, self.currency, self.total, self.dated_at),
        )

    @property
    def columns(self) -> dict[str, Any]:
        return dict(zip(COLUMNS, self.values, strict=True))

    @property
    def facts(self) -> dict[str, Any]:
        """What the audit trail says of it."""
        return {
            "version": self.resource_version,
            "status": self.status,
            "total": self.total,
            "currency": self.currency,
            **({"deleted": True} if self.is_deleted else {}),
        }


def row_of(document: Any) -> Row:
    """The row of any JSON value, also of one that is no document at all."""
    content = canonical(document)
    fields = document if isinstance(document, dict) else {}
    digest = hashlib.blake2b(content, digest_size=32).hexdigest()
    return Row(
        source_id=_identity(fields.get("id"), digest),
        content=content,
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


def tombstone(row: Row, source_id: str, at: dt.datetime | None = None) -> Row:
    """The end of the document `source_id` as `row` tells it; `at` is the moment of a deletion that nobody stamped."""
    fields = {**json.loads(row.content), "id": source_id, "deleted": True}
    if at is not None:
        fields["updated_at"] = int(at.timestamp())
    return replace(row_of(fields), source_id=source_id)


def is_quiet(before: bytes, after: bytes) -> bool:
    """Whether two contents of one version differ only where Chargebee changes a document without a new version."""
    one, other = json.loads(before), json.loads(after)
    if not isinstance(one, dict) or not isinstance(other, dict):
        return False
    names = {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}
    return names <= set(QUIET)


def _parent(fields: dict[str, Any]) -> str:
    """What the document hangs on: see SourceDocument.parent_id."""
    relationship = fields.get("relationship")
    if isinstance(relationship, dict):
        return _text(relationship.get("parent_id"), 100)
    names = ("reference_invoice_id", "refunded_txn_id", "reference_transaction_id")
    return next((found for name in names if (found := _text(fields.get(name), 100))), "")


def canonical(value: Any) -> bytes:
    """The same bytes for the same JSON value, whatever the order of its keys."""
    try:
        return orjson.dumps(value, default=_number, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # whole numbers beyond 64 bits, halves of a surrogate pair, bottomless nesting
        return _beyond(value).encode()


def _number(value: Any) -> float | str:
    """Decimals as JSON numbers where that is exact, else as text."""
    if isinstance(value, Decimal):
        return float(value) if Decimal(repr(float(value))) == value else str(value)
    raise TypeError(f"{value!r} is not JSON.")


_beyond = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=_number).encode


def _identity(value: Any, digest: str) -> str:
    """The id, or a name for a document that has none, so that it is counted and shown and not lost."""
    return value if isinstance(value, str) and value and _text(value, 100) == value else f"{NAMELESS}{digest[:16]}"


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63 else None


def _moment(value: Any) -> dt.datetime | None:
    seconds = _whole(value)
    if seconds is None or not 0 <= seconds < 253402300800:
        return None
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def _text(value: Any, longest: int) -> str:
    """Cut to fit, without what a database column cannot hold (NUL, half of a surrogate pair)."""
    if not isinstance(value, str):
        return ""
    if value.isascii() and value.isprintable():
        return value[:longest]
    return value.encode("utf-8", "replace").decode().replace("\x00", "")[:longest]
