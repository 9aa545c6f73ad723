"""Where each of our field names finds its value: one table for each document class. A new kind is a new table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Literal

from connector.ledger.documents import (
    Adjustment,
    CustomerCreditNote,
    CustomerInvoice,
    CustomerPayment,
    CustomerRefund,
    JournalEntry,
    QadCustomer,
    Unapplication,
)
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
    `correction` names the rule of the entity that every document of this class is written by, '' for none.
    """

    entity: str
    names: str
    key: Callable[[Any], str]
    reference: Callable[[Any], str]
    fields: Getters
    rows: Mapping[str, Rows] = field(default_factory=dict)
    correction: Literal["", "refund", "unapplication"] = ""


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

_APPLICATIONS = Rows(attrgetter("applications"), _attributes("reference", "number", "amount"))
_EDGES = Rows(
    lambda adjustment: [(adjustment.credit, row) for row in adjustment.applications],
    {
        "credit_reference": lambda edge: edge[0].reference,
        "credit_number": lambda edge: edge[0].number,
        "reference": lambda edge: edge[1].reference,
        "number": lambda edge: edge[1].number,
        "amount": lambda edge: edge[1].amount,
    },
)

_COMMON: dict[str, Callable[[Any], Any]] = {
    **_attributes(
        "reference",
        "customer",
        "description",
        "currency",
        "document_date",
        "posting_date",
        "exchange_rate",
        "source_id",
    ),
    "period": lambda document: year_and_period(document.posting_date),
}
_DOCUMENT = {**_COMMON, **_attributes("due_date", "total", "purchase_order")}
_CREDIT_NOTE = {**_COMMON, **_attributes("total", "original_number")}
_PAYMENT = {
    **_COMMON,
    **_attributes("total", "daybook", "payment_method", "payment_reference", bank_account="account.gl_account"),
}

_CUSTOMER = _attributes(
    "code", "name", "search_name", "external_reference", "currency", "credit_terms", "email", "telephone",
    "street1", "street2", "street3", "city", "zip", "state", "country", "tax_id", "is_active", "contact",
)  # fmt: skip

_REFERENCE = attrgetter("reference")


def _ledger(
    entity: str, names: str, fields: Getters, rows: Mapping[str, Rows], **correction: Any
) -> tuple[Source, ...]:
    return (Source(entity, names, _REFERENCE, _REFERENCE, fields, rows, **correction),)


SOURCES: dict[type, tuple[Source, ...]] = {
    CustomerInvoice: _ledger("invoice", "Invoice", _DOCUMENT, {"lines": _LINES, "taxes": _TAXES}),
    CustomerCreditNote: _ledger(
        "credit_note", "Credit note", _CREDIT_NOTE, {"lines": _LINES, "taxes": _TAXES, "applications": _APPLICATIONS}
    ),
    CustomerPayment: _ledger("payment", "Payment", _PAYMENT, {"applications": _APPLICATIONS}),
    CustomerRefund: _ledger("payment", "Refund", _PAYMENT, {"applications": _APPLICATIONS}, correction="refund"),
    Adjustment: _ledger("adjustment", "Application", _COMMON, {"applications": _EDGES}),
    Unapplication: _ledger(
        "adjustment", "Un-application", _COMMON, {"applications": _EDGES}, correction="unapplication"
    ),
    JournalEntry: _ledger("journal", "Journal", _COMMON, {"lines": _LINES}),
    QadCustomer: (
        Source("customer", "Customer", attrgetter("code"), attrgetter("external_reference"), _CUSTOMER),
        Source("customer_domain", "Customer", attrgetter("code"), lambda _: "", _CUSTOMER),
    ),
}  # fmt: skip
