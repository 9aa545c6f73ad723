"""What a webhook says: which event, whether it can be understood, and which documents it hints at. Nothing is trusted.

The body is the bare event; what it holds of a document is a snapshot of the past and may be forged. It only names what
to read again: events come more than once, late and in any order (apidocs.chargebee.com/docs/api/events).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MOST_BYTES = 1024 * 1024
DEEPEST = 32
TOO_OLD = dt.timedelta(days=7)  # Chargebee gives up after 3 days and 7 hours; polling has read it since
API_VERSION = "v2"
_LONGEST_ID = 100
_LONGEST_KEPT = 64 * 1024  # characters of a redacted body
MASK = "***"

# The kinds that the connector reads, in the order in which they lean on each other; the plural is a list of them.
_PLURALS = {
    "customer": "customers",
    "item_family": "item_families",
    "item": "items",
    "item_price": "item_prices",
    "invoice": "invoices",
    "credit_note": "credit_notes",
    "transaction": "transactions",
}
# Texts that name, count or classify are kept; every other text may be a person's and is masked.
_KEPT = frozenset({
    "id", "object", "event_type", "api_version", "source", "status", "type", "reason_code", "create_reason_code",
    "currency_code", "base_currency_code", "gateway", "payment_method", "price_type", "channel", "period_unit",
    "entity_type", "tax_name", "tax_rate_type", "webhook_status", "item_type", "pricing_model", "auto_collection",
    "dunning_status", "object_type",
})  # fmt: skip


class _TooDeep(ValueError):
    pass


@dataclass(frozen=True, slots=True)
class Notice:
    """`refusal` is a sentence where the body cannot be acted on, '' otherwise; `body` is redacted JSON."""

    event_id: str
    event_type: str = ""
    occurred_at: dt.datetime | None = None
    body: str = ""
    refusal: str = ""


def read(body: bytes) -> Notice:
    """The notice of a body; one that is no event gets a name of its own, so that it is seen and not lost."""
    try:
        event = json.loads(body, parse_constant=_no_number)
        kept = json.dumps(redacted(event), separators=(",", ":"))[:_LONGEST_KEPT]
    except (ValueError, RecursionError):
        return _unreadable(body, "The body is not JSON, or is nested too deeply. Chargebee sends one event as JSON.")
    if len(kept) == _LONGEST_KEPT:
        kept = json.dumps({"left_out": "longer than is kept"})
    event_id = _identifier(event.get("id")) if isinstance(event, dict) else ""
    if not event_id:
        return _unreadable(body, "The body is no event of Chargebee: it has no id.", kept)
    return Notice(event_id, _short(event.get("event_type")), moment(event.get("occurred_at")), kept, _refusal(event))


def documents(event: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(kind, id) of every document that an event names and the connector reads, each once, parents first."""
    content = event.get("content")
    if not isinstance(content, dict):
        return []
    found: dict[tuple[str, str], None] = {}
    for kind, plural in _PLURALS.items():
        several = content.get(plural)
        for one in (content.get(kind), *(several if isinstance(several, list) else ())):
            if isinstance(one, dict) and (identifier := _identifier(one.get("id"))):
                found[kind, identifier] = None
    return list(found)


def is_too_old(occurred_at: dt.datetime | None, now: dt.datetime) -> bool:
    return occurred_at is not None and now - occurred_at > TOO_OLD


def redacted(value: Any, name: str = "", depth: int = 0) -> Any:
    """The same shape without a person's texts. Raises ValueError where it is nested deeper than DEEPEST."""
    if depth > DEEPEST:
        raise _TooDeep
    if isinstance(value, dict):
        return {_short(key): redacted(one, key, depth + 1) for key, one in value.items()}
    if isinstance(value, list):
        return [redacted(one, name, depth + 1) for one in value]
    if isinstance(value, str):
        return _short(value) if name in _KEPT or name.endswith("_id") else MASK
    return value


def _refusal(event: dict[str, Any]) -> str:
    version = event.get("api_version")
    if version == API_VERSION:
        return ""
    said = f"API version '{_short(version)}'" if isinstance(version, str) and version else "no API version"
    return (
        f"This event has {said}; the connector understands v2 only. In Chargebee open Settings > Configure Chargebee > "
        "Webhooks, edit this webhook and choose API version V2."
    )


def _unreadable(body: bytes, refusal: str, kept: str = "") -> Notice:
    return Notice(f"(unreadable) {hashlib.sha256(body).hexdigest()[:16]}", body=kept, refusal=refusal)


def _identifier(value: Any) -> str:
    """An id as it is, '' for what is none."""
    is_one = isinstance(value, str) and 0 < len(value) <= _LONGEST_ID and value.isprintable()
    return value if is_one else ""


def _short(value: Any) -> str:
    """Cut, and without what a column cannot hold."""
    text = value if isinstance(value, str) else ""
    return text.encode("utf-8", "replace").decode().replace("\x00", "")[:80]


def moment(value: Any) -> dt.datetime | None:
    """Unix seconds of an event's `occurred_at` as a moment; None for what is none, or lies before there were events."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 253402300800:
        return None
    return dt.datetime.fromtimestamp(value, dt.UTC)


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON.")
