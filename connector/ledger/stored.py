"""A document as JSON, for the posting row that freezes it, and back."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any

from connector.ledger.documents import (
    Adjustment,
    Application,
    Coding,
    CustomerCreditNote,
    CustomerInvoice,
    CustomerPayment,
    CustomerRefund,
    DocumentLine,
    JournalEntry,
    LedgerDocument,
    Posted,
    Reversal,
    TaxLine,
    Unapplication,
)
from connector.money import Money


def to_json(document: LedgerDocument) -> dict[str, Any]:
    """Amounts are decimal text in the document's currency, dates ISO 8601; keys are the fields' own names."""
    if isinstance(document, CustomerInvoice):
        return _invoice(document)
    return {"kind": document.kind, **_written(document)}


def _invoice(document: CustomerInvoice) -> dict[str, Any]:
    return {
        "kind": document.kind,
        "reference": document.reference,
        "source_id": document.source_id,
        "customer": document.customer,
        "description": document.description,
        "currency": document.currency,
        "document_date": document.document_date.isoformat(),
        "posting_date": document.posting_date.isoformat(),
        "due_date": _date_text(document.due_date),
        "lines": [_line(line) for line in document.lines],
        "taxes": [_tax(tax) for tax in document.taxes],
        "total": str(document.total.amount),
        "exchange_rate": str(document.exchange_rate) if document.exchange_rate is not None else None,
        "purchase_order": document.purchase_order,
    }


def restore(stored: dict[str, Any]) -> LedgerDocument:
    """The document of any class that `to_json` was given."""
    if stored["kind"] == "invoice":
        return from_json(stored)
    return _read(_CLASSES[stored["kind"]], stored, stored.get("currency", ""))


def from_json(stored: dict[str, Any]) -> CustomerInvoice:
    """The invoice that `to_json` was given."""
    currency = stored["currency"]
    rate = stored["exchange_rate"]
    return CustomerInvoice(
        reference=stored["reference"],
        source_id=stored["source_id"],
        customer=stored["customer"],
        description=stored["description"],
        currency=currency,
        document_date=dt.date.fromisoformat(stored["document_date"]),
        posting_date=dt.date.fromisoformat(stored["posting_date"]),
        due_date=_date(stored["due_date"]),
        lines=tuple(_line_back(line, currency) for line in stored["lines"]),
        taxes=tuple(_tax_back(tax, currency) for tax in stored["taxes"]),
        total=_money(stored["total"], currency),
        exchange_rate=Decimal(rate) if rate is not None else None,
        purchase_order=stored["purchase_order"],
    )


def content_hash(stored: dict[str, Any]) -> str:
    """SHA-256 of the canonical JSON: the same document gives the same hash, whenever it is built."""
    return hashlib.sha256(json.dumps(stored, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _written(value: Any) -> Any:
    """Any part of a document as JSON, by its type."""
    if isinstance(value, CustomerInvoice):
        return _invoice(value)
    if isinstance(value, Money):
        return str(value.amount)
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_written(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        own = {"kind": _KINDS[type(value)]} if type(value) in _KINDS else {}
        return {**own, **{field.name: _written(getattr(value, field.name)) for field in fields(value)}}
    return value


def _read(document: type[Any], stored: dict[str, Any], currency: str) -> Any:
    """The value of this class; the field's name says what its JSON means."""
    return document(
        **{
            field.name: _READ[field.name](stored[field.name], currency) if field.name in _READ else stored[field.name]
            for field in fields(document)
        }
    )


def _coding_back(stored: dict[str, str] | None, currency: str) -> Coding | None:
    return Coding(**stored) if stored is not None else None


def _line(line: DocumentLine) -> dict[str, Any]:
    return {
        "kind": line.kind,
        "description": line.description,
        "amount": str(line.amount.amount),
        "coding": _coding(line.coding),
        "source_line_id": line.source_line_id,
        "service_from": _date_text(line.service_from),
        "service_to": _date_text(line.service_to),
        "cause": line.cause,
    }


def _line_back(line: dict[str, Any], currency: str) -> DocumentLine:
    return DocumentLine(
        kind=line["kind"],
        description=line["description"],
        amount=_money(line["amount"], currency),
        coding=Coding(**line["coding"]),
        source_line_id=line["source_line_id"],
        service_from=_date(line["service_from"]),
        service_to=_date(line["service_to"]),
        cause=line["cause"],
    )


def _tax(tax: TaxLine) -> dict[str, Any]:
    return {
        "name": tax.name,
        "rate": str(tax.rate),
        "base": str(tax.base.amount),
        "amount": str(tax.amount.amount),
        "jurisdiction": tax.jurisdiction,
        "coding": _coding(tax.coding),
    }


def _tax_back(tax: dict[str, Any], currency: str) -> TaxLine:
    return TaxLine(
        name=tax["name"],
        rate=Decimal(tax["rate"]),
        base=_money(tax["base"], currency),
        amount=_money(tax["amount"], currency),
        jurisdiction=tax["jurisdiction"],
        coding=Coding(**tax["coding"]),
    )


def _coding(coding: Coding) -> dict[str, str]:
    return {
        "gl_account": coding.gl_account,
        "sub_account": coding.sub_account,
        "cost_centre": coding.cost_centre,
        "project": coding.project,
        "qad_item": coding.qad_item,
        "tax_code": coding.tax_code,
        "source": coding.source,
    }


def _money(text: str, currency: str) -> Money:
    return Money(Decimal(text), currency)


def _date(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


def _date_text(date: dt.date | None) -> str | None:
    return date.isoformat() if date else None


_CLASSES: dict[str, type[Any]] = {
    "credit_note": CustomerCreditNote,
    "payment": CustomerPayment,
    "refund": CustomerRefund,
    "application": Adjustment,
    "unapplication": Unapplication,
    "journal": JournalEntry,
    "reversal": Reversal,
}
_KINDS = {document: kind for kind, document in _CLASSES.items()}
_READ: dict[str, Callable[[Any, str], Any]] = {
    "document_date": lambda text, _: _date(text),
    "posting_date": lambda text, _: _date(text),
    "total": _money,
    "amount": _money,
    "exchange_rate": lambda text, _: Decimal(text) if text is not None else None,
    "lines": lambda rows, currency: tuple(_line_back(row, currency) for row in rows),
    "taxes": lambda rows, currency: tuple(_tax_back(row, currency) for row in rows),
    "applications": lambda rows, currency: tuple(_read(Application, row, currency) for row in rows),
    "account": _coding_back,
    "on_account": _coding_back,
    "credit": lambda stored, currency: _read(Posted, stored, currency),
    "original": lambda stored, _: restore(stored),
}
