"""What a rebuild would change in a stored document, field by field, in a reader's words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_NAMES: dict[str, str] = {
    "customer": "QAD customer",
    "description": "description",
    "currency": "currency",
    "document_date": "document date",
    "posting_date": "posting date",
    "due_date": "due date",
    "total": "total",
    "exchange_rate": "exchange rate",
    "purchase_order": "purchase order",
    "lines": "line",
    "taxes": "tax",
    "amount": "amount",
    "kind": "kind",
    "name": "name",
    "rate": "rate",
    "base": "base",
    "jurisdiction": "jurisdiction",
    "gl_account": "GL account",
    "sub_account": "sub-account",
    "cost_centre": "cost centre",
    "project": "project",
    "qad_item": "QAD item",
    "tax_code": "tax code",
    "source": "mapping row",
    "service_from": "service from",
    "service_to": "service to",
    "cause": "cause",
    "source_line_id": "Chargebee line",
    "reference": "reference",
    "source_id": "Chargebee id",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """`before` or `after` is empty where only one of the two documents has the field."""

    field: str
    before: str
    after: str


def differences(stored: dict[str, Any], rebuilt: dict[str, Any]) -> list[Difference]:
    """In the order of the rebuilt document; [] if nothing that QAD is told would change."""
    before, after = dict(_flat(stored)), dict(_flat(rebuilt))
    names = [*after, *(name for name in before if name not in after)]
    return [
        Difference(name, before.get(name, ""), after.get(name, ""))
        for name in names
        if before.get(name, "") != after.get(name, "")
    ]


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            said = "" if key == "coding" else _NAMES.get(key, key)
            yield from _flat(inner, ", ".join(filter(None, (name, said))))
    elif isinstance(value, list):
        for place, inner in enumerate(value, start=1):
            yield from _flat(inner, f"{name} {place}")
    else:
        yield name[:1].upper() + name[1:], "" if value is None else str(value)
