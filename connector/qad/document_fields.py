"""Where each of our field names finds its value: one table for each document class. A new kind is a new table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from connector.ledger.documents import CustomerInvoice, QadCustomer
from connector.periods import year_and_period

Getters = Mapping[str, Callable[[Any], Any]]


@dataclass(frozen=True, slots=True)
class Rows:
    """A list inside a document; `debit` and `credit` are made from `amount` by the renderer."""

    of: Callable[[Any], Any]
    fields: Getters


@dataclass(frozen=True, slots=True)
class Source:
    """The fields and lists of one document class.

    `names` and `key` are what its problems call it by; `reference` is what QAD echoes, '' where it cannot.
    """

    entity: str
    names: str
    key: Callable[[Any], str]
    reference: Callable[[Any], str]
    fields: Getters
    rows: Mapping[str, Rows] = field(default_factory=dict)


def _attributes(*names: str, **renamed: str) -> dict[str, Callable[[Any], Any]]:
    return {name: attrgetter(path) for name, path in {**dict(zip(names, names, strict=True)), **renamed}.items()}


_CODING = {
    name: f"coding.{name}" for name in ("gl_account", "sub_account", "cost_centre", "project", "qad_item", "tax_code")
}
_LINES = Rows(
    attrgetter("lines"),
    _attributes("kind", "description", "amount", "service_from", "service_to", "source_line_id", **_CODING),
)
_TAXES = Rows(attrgetter("taxes"), _attributes("name", "rate", "base", "amount", "jurisdiction", **_CODING))

_DOCUMENT: dict[str, Callable[[Any], Any]] = {
    **_attributes(
        "reference", "customer", "description", "currency", "document_date", "posting_date", "due_date", "total",
        "exchange_rate", "purchase_order", "source_id",
    ),
    "period": lambda document: year_and_period(document.posting_date),
}  # fmt: skip

_CUSTOMER = _attributes(
    "code", "name", "search_name", "external_reference", "currency", "credit_terms", "email", "telephone",
    "street1", "street2", "street3", "city", "zip", "state", "country", "tax_id", "is_active",
)  # fmt: skip

SOURCES: dict[type, tuple[Source, ...]] = {
    CustomerInvoice: (
        Source(
            "invoice",
            "Invoice",
            attrgetter("reference"),
            attrgetter("reference"),
            _DOCUMENT,
            {"lines": _LINES, "taxes": _TAXES},
        ),
    ),
    QadCustomer: (
        Source("customer", "Customer", attrgetter("code"), attrgetter("external_reference"), _CUSTOMER),
        Source("customer_domain", "Customer", attrgetter("code"), lambda _: "", _CUSTOMER),
    ),
}  # fmt: skip
