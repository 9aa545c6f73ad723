"""Documents and profiles for the tests of this folder."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import lru_cache
from typing import Any

from connector.ledger.documents import Coding, CustomerInvoice, DocumentLine, QadCustomer, TaxLine
from connector.money import Money
from connector.qad.presets import preset
from connector.qad.profile import Profile, load, merge

CONTEXT = {"domain": "10USA", "entity": "10USACO", "shared_set": "SS1"}

# What only a tenant can know, laid over a preset: here the codes of the sandbox's company.
TENANT: dict[str, dict[str, Any]] = {
    "adaptive": {
        "context": CONTEXT,
        "auth": {"client_id": "sandbox-client"},
        "writes": {
            "customer": {
                "constants": {
                    "invoiceStatusCode": "OK",
                    "invoiceControlGLProfileCode": "AR",
                    "creditNoteControlGLProfileCode": "AR",
                    "prePaymentControlGLProfileCode": "PRE",
                    "salesAccountGLProfileCode": "SALES",
                }
            },
            "customer_domain": {"constants": {"siteCode": "10-100", "daybookSetCode": "DBS1"}},
        },
    },
    "offset-rest": {
        "context": CONTEXT,
        "writes": {"customer": {"constants": {"operational.site": "10-100", "operational.daybook_set": "DBS1"}}},
    },
}
DIALECTS = {"adaptive": "/clouderp", "offset-rest": "/finrest"}


def mapping(name: str = "adaptive", **override: Any) -> dict[str, Any]:
    """A tenant's profile as it is stored; `override` is merged over it."""
    return merge(merge(preset(name), TENANT[name]), override)


@lru_cache
def tenant_profile(name: str = "adaptive") -> Profile:
    return load(mapping(name))


def usd(amount: str) -> Money:
    return Money(Decimal(amount), "USD")


def a_line(amount: str, account: str = "4000", description: str = "Pro plan", **values: Any) -> DocumentLine:
    coding = Coding(account, **{name: values.pop(name) for name in ("sub_account", "project") if name in values})
    return DocumentLine("sale", description, usd(amount), coding, **values)


def an_invoice(**changes: Any) -> CustomerInvoice:
    """Two lines, one discount, one tax: 120.00 in all."""
    values: dict[str, Any] = {
        "reference": "CB-INV-1042",
        "source_id": "1042",
        "customer": "C0000001",
        "description": "Invoice 1042",
        "currency": "USD",
        "document_date": dt.date(2026, 11, 1),
        "posting_date": dt.date(2026, 11, 2),
        "due_date": dt.date(2026, 12, 1),
        "lines": (
            a_line("90.00", service_from=dt.date(2026, 11, 1), service_to=dt.date(2026, 11, 30)),
            a_line("20.10", description="Add-on"),
            DocumentLine("discount", "Spring offer", usd("-10.10"), Coding("4000")),
        ),
        "taxes": (TaxLine("VAT", Decimal("20"), usd("100.00"), usd("20.00"), "GB", Coding("2200")),),
        "total": usd("120.00"),
    }
    return CustomerInvoice(**{**values, **changes})


def a_customer(**changes: Any) -> QadCustomer:
    values: dict[str, Any] = {
        "code": "CB000001",
        "name": "Alder Foods Inc",
        "search_name": "ALDER FOODS",
        "external_reference": "CB-CUS-alder",
        "currency": "USD",
        "credit_terms": "N30",
        "email": "ap@alder.example",
        "city": "Denver",
        "country": "US",
    }
    return QadCustomer(**{**values, **changes})
