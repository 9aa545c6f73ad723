"""The books as plain values, for comparing with a literal."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from decimal import Decimal
from typing import Any

from connector.sandbox.qad.books import Document
from connector.sandbox.qad.company import Company
from connector.sandbox.qad.tables import face

_HIDDEN = frozenset({"postings", "effect", "open", "open_base", "visible_at", "created_at", "rate", "exchange_rate"})


def ledger(company: Company) -> dict[str, Any]:
    """Amounts are texts, debit above zero.

    trial_balance {account: {currency: amount}}; base_balance {account: amount}; open_items {customer: [{number,
    reference, kind, currency, open}]}, open above zero where the customer owes; documents in the order of posting, with
    lines, taxes, applications, journal; duplicates {reference: how many}; customers {code: {...}}.
    """
    books = company.books
    trial: dict[str, dict[str, str]] = {}
    base: dict[str, Decimal] = {}
    for (account, currency), (amount, in_base) in sorted(books.balances.items()):
        if amount:
            trial.setdefault(account, {})[currency] = _plain(amount)
        base[account] = base.get(account, Decimal(0)) + in_base
    documents = list(books.by_number.values())
    references = Counter(document["reference"] for document in documents if document["reference"])
    return {
        "trial_balance": trial,
        "base_balance": {account: _plain(amount) for account, amount in base.items() if amount},
        "open_items": _open_items(documents),
        "documents": [_document(document) for document in documents],
        "duplicates": {reference: count for reference, count in references.items() if count > 1},
        "customers": {code: _customer(company, code) for code in company.parties.customers},
    }


def _open_items(documents: list[Document]) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    for document in documents:
        if document["open"]:
            item = {name: document[name] for name in ("number", "reference", "kind", "currency")}
            found.setdefault(document["customer"], []).append({**item, "open": _plain(document["open"])})
    return found


def _document(document: Document) -> dict[str, Any]:
    value = {name: _value(value) for name, value in face(document).items() if name not in _HIDDEN}
    value["rate"] = _plain(document["rate"])
    value["journal"] = [
        {"account": account, "currency": currency, "amount": _plain(amount), "base": _plain(base)}
        for account, currency, amount, base in document["postings"]
    ]
    return value


def _customer(company: Company, code: str) -> dict[str, Any]:
    row, domain = company.parties.customers[code], company.parties.domains[code]
    value = {name: _value(value) for name, value in row.items() if name != "modified_at"}
    return {**value, "site": domain["site"], "daybook_set": domain["daybook_set"], "is_complete": domain["is_complete"]}


def _value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return _plain(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, list):
        return [{name: _value(inner) for name, inner in row.items()} for row in value]
    return value


def _plain(amount: Decimal) -> str:
    return f"{amount:f}"
