"""What finance refuses: every rule of a document, all complaints at once; the plan says what its applications move."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from connector.sandbox.qad.books import NATURE, ZERO, Document
from connector.sandbox.qad.company import Company
from connector.sandbox.qad.complaints import Complaint, complain
from connector.sandbox.qad.dialects import DAYBOOKS, DESCRIPTION_LENGTH, EXTERNAL_REFERENCE_LENGTH
from connector.sandbox.qad.masters import BASE_CURRENCY, DOMAIN, ENTITY, rate

_DIMENSIONS = (
    ("sub_account", "needs_sub_account", "sub_account_required", "Sub-account"),
    ("cost_centre", "needs_cost_centre", "cost_centre_required", "Cost center"),
    ("project", "needs_project", "project_required", "Project"),
)
_ITEMS = (("item", "Item"), ("tax_code", "Tax code"))
_DAYBOOK_TYPES = {
    "invoice": "customer_invoice",
    "credit_note": "customer_credit_note",
    "payment": "customer_payment",
    "adjustment": "customer_adjustment",
    "journal": "journal_entry",
}


def check(company: Company, document: Document) -> list[Complaint]:
    """Complaints, none if the document may be posted; sets its daybook and rate on the way."""
    found = _header(document)
    if document["kind"] != "journal":
        found += _customer(company, document["customer"])
    found += _currency(company, document)
    found += _period(company, document)
    found += _rows(company, document)
    if not found:
        found += _balance(document)
    return found


def _header(document: Document) -> list[Complaint]:
    found = []
    mandatory = ["document_date", "posting_date", "currency"]
    mandatory += [] if document["kind"] == "adjustment" else ["description"]
    mandatory += ["total"] if document["kind"] in NATURE else []
    for name in mandatory:
        if document.get(name) in ("", None):
            found.append(complain("mandatory", name))
    if document["entity"] not in ("", ENTITY):
        found.append(complain("mandatory", "entity", document["entity"]))
    limits = (("description", DESCRIPTION_LENGTH), ("reference", EXTERNAL_REFERENCE_LENGTH))
    for name, limit in limits:
        if len(document[name]) > limit:
            found.append(complain("too_long", name, document[name], limit=limit + 1))
    return found


def _customer(company: Company, code: str) -> list[Complaint]:
    row = company.parties.customers.get(code)
    if row is None:
        return [complain("mandatory", "customer", code)]
    if not row["is_active"]:
        return [complain("customer_inactive", "customer", code)]
    if not company.parties.domains[code]["is_complete"]:
        return [complain("customer_incomplete", "customer", code, domain=DOMAIN)]
    return []


def _currency(company: Company, document: Document) -> list[Complaint]:
    currency, date = document["currency"], document["posting_date"]
    if currency not in company.masters["currency"]:
        return [complain("mandatory", "currency", currency)]
    own = document.get("exchange_rate")
    if own is not None and own <= 0:
        return [complain("wrong_format", "exchange_rate", own)]
    document["rate"] = own or (rate(currency, date) if date else None)
    if date and document["rate"] is None:
        return [complain("no_rate", "currency", currency, currency=currency, base=BASE_CURRENCY, date=date)]
    return []


def _period(company: Company, document: Document) -> list[Complaint]:
    kind = document["kind"]
    if not document["daybook"]:
        document["daybook"] = DAYBOOKS[kind][1 if document["reverses"] or document["reverses_number"] else 0]
    code, date = document["daybook"], document["posting_date"]
    daybook = company.masters["daybook"].get(code)
    if daybook is None:
        return [complain("mandatory", "daybook", code)]
    if daybook["type"].removesuffix("_correction") != _DAYBOOK_TYPES[kind]:
        return [complain("daybook_type", "daybook", code)]
    if not daybook["is_active"]:
        return [complain("code_inactive", "daybook", code, what="Daybook")]
    if date is None:
        return []
    period = f"{date.year}/{date.month:02d}"
    if not company.calendar.is_open(date.year, date.month):
        return [complain("period_closed", "posting_date", date.isoformat(), period=period, entity=ENTITY)]
    if company.calendar.is_locked(code, date.year, date.month):
        return [complain("daybook_locked", "posting_date", code, period=period)]
    return []


def _rows(company: Company, document: Document) -> list[Complaint]:
    currency = document["currency"]
    decimals = company.masters["currency"].get(currency, {"decimals": 3})["decimals"]
    found: list[Complaint] = []
    total = document.get("total")
    if total is not None:
        found += _precision(total, "total", currency, decimals)
    if document["kind"] == "payment":
        found += _account(company, document, document["bank_account"], "bank_account")
        found += [] if total else [complain("mandatory", "total")]
    for group in ("lines", "taxes"):
        for index, row in enumerate(document[group]):
            place = f"{group}[{index}]."
            if row["amount"] is None:
                found.append(complain("mandatory", f"{place}amount"))
            else:
                found += _precision(row["amount"], f"{place}amount", currency, decimals)
            found += _account(company, document, row["gl_account"], f"{place}gl_account")
            found += _coding(company, row, place)
    return found


def _precision(amount: Decimal, name: str, currency: str, decimals: int) -> list[Complaint]:
    exponent = amount.as_tuple().exponent
    if (isinstance(exponent, int) and -exponent <= decimals) or amount == round(amount, decimals):
        return []
    return [complain("too_precise", name, amount, currency=currency)]


def _account(company: Company, document: Document, code: str, name: str) -> list[Complaint]:
    row = company.masters["gl_account"].get(code)
    if row is None:
        return [complain("mandatory", name, code)]
    if not row["is_active"]:
        return [complain("account_inactive", name, code)]
    if row["type"] == "control":
        return [complain("account_type", name, code)]
    if row["currency"] and row["currency"] != document["currency"]:
        return [complain("account_currency", name, code, currency=row["currency"])]
    return []


def _coding(company: Company, row: dict[str, Any], place: str) -> list[Complaint]:
    found = []
    account = company.masters["gl_account"].get(row["gl_account"], {})
    for name, flag, key, what in _DIMENSIONS:
        code = row[name]
        if code:
            found += _code(company, name, code, place=place, what=what)
            if not account.get(f"takes_{name}", True):
                found.append(complain(f"{name}_refused", f"{place}{name}", row["gl_account"]))
        elif account.get(flag):
            found.append(complain(key, f"{place}{name}", row["gl_account"]))
    for name, what in _ITEMS:
        if row.get(name):
            found += _code(company, name, row[name], place=place, what=what)
    return found


def _code(company: Company, kind: str, code: str, *, place: str, what: str) -> list[Complaint]:
    row = company.masters[kind].get(code)
    if row is None:
        return [complain("mandatory", f"{place}{kind}", code)]
    return [] if row["is_active"] else [complain("code_inactive", f"{place}{kind}", code, what=what)]


def _balance(document: Document) -> list[Complaint]:
    kind = document["kind"]
    if kind in ("payment", "adjustment"):
        return []
    amounts = [row["amount"] for row in document["lines"]] + [row["amount"] for row in document["taxes"]]
    total = document["total"] if kind != "journal" else ZERO
    if not document["lines"] and not document["taxes"] and (total or kind == "journal"):
        return [complain("no_lines", "lines")]
    made = sum(amounts, ZERO)
    return [] if made == total else [complain("unbalanced", "total", made, total=total)]
