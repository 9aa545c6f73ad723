"""The way of one document into the books: shift, rules, duplicate, number, applications."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from connector.sandbox.qad.applications import Plan
from connector.sandbox.qad.books import Document
from connector.sandbox.qad.company import Company
from connector.sandbox.qad.complaints import Complaint, complain
from connector.sandbox.qad.dialects import DAYBOOKS
from connector.sandbox.qad.rules import check


@dataclass(frozen=True, slots=True)
class Outcome:
    """`errors`: nothing was kept. `warnings` stand beside a posted document."""

    document: Document
    errors: list[Complaint]
    warnings: list[Complaint]


def post(company: Company, document: Document) -> Outcome:
    warnings = _shift(company, document) if company.modes.shifts_dates else []
    errors = check(company, document)
    if not errors:
        _write_out(document, company.masters["currency"][document["currency"]]["decimals"])
        plan = Plan(company, document)
        plan.make()
        errors = plan.complaints
    duplicate = _duplicate(company, document)
    if company.modes.duplicates == "reject":
        errors = errors + duplicate
    else:
        warnings = warnings + duplicate
    if errors:
        return Outcome(document, errors, [])
    document["created_at"] = company.clock.now()
    company.books.enter(document)
    for item, change, other in plan.moves:
        company.books.move(item, change, other)
    original = company.books.find(document["reverses"], document["reverses_number"])
    if original is not None:
        original["reversed_by"] = document["number"]
    if company.modes.lookup_lag:
        company.hide(document, company.modes.lookup_lag)
    return Outcome(document, [], warnings)


def _duplicate(company: Company, document: Document) -> list[Complaint]:
    reference = document["reference"]
    if reference and company.books.twins(document["kind"], reference):
        return [complain("duplicate", "reference", reference)]
    return []


def _write_out(document: Document, decimals: int) -> None:
    """Amounts with the decimals of their currency, as the database keeps them."""
    unit = Decimal(1).scaleb(-decimals)
    if document.get("total") is not None:
        document["total"] = document["total"].quantize(unit)
    for group in ("lines", "taxes", "applications"):
        for row in document[group]:
            if row["amount"] is not None:
                row["amount"] = row["amount"].quantize(unit)


def _shift(company: Company, document: Document) -> list[Complaint]:
    date = document["posting_date"]
    if date is None:
        return []
    shifted = company.calendar.first_open(date, document["daybook"] or DAYBOOKS[document["kind"]][0])
    if shifted is None or shifted == date:
        return []
    document["posting_date"] = shifted
    period = f"{date.year}/{date.month:02d}"
    return [complain("date_shifted", "posting_date", shifted.isoformat(), period=period)]
