"""What invoices and credit notes have in common: billed lines, discounts and taxes with their accounts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

from connector.chargebee.records import CreditNote, Invoice, LineItem, LineTax
from connector.errors import Problem
from connector.ledger import problems
from connector.ledger.coding import MappingTable
from connector.ledger.documents import Coding, DocumentLine, TaxLine
from connector.money import Money, total
from connector.periods import business_date

Billed = Invoice | CreditNote


def sale_lines(document: Billed, table: MappingTable, zone: str, on: dt.date) -> Iterator[DocumentLine | Problem]:
    """A line for each billed line; where prices include tax, its own tax is taken out."""
    for line in document.lines:
        coding = _item_coding(line, table, on)
        if coding is None:
            yield problems.item_not_mapped(_line_subject(line), on)
            continue
        amount = line.amount - line.tax_amount if document.price_type == "tax_inclusive" else line.amount
        yield DocumentLine(
            kind="sale",
            description=line.description,
            amount=amount,
            coding=coding,
            source_line_id=line.id,
            service_from=business_date(line.date_from, zone) if line.date_from else None,
            service_to=business_date(line.date_to, zone) if line.date_to else None,
        )


def _item_coding(line: LineItem, table: MappingTable, on: dt.date) -> Coding | None:
    item, family = table.item_of_price.get(line.entity_id, ("", "")) if line.entity_id else ("", "")
    return table.item(item_price=line.entity_id, item=item, family=family, charge=line.entity_type, on=on)


def _line_subject(line: LineItem) -> str:
    if line.entity_id:
        return f"Item price '{line.entity_id}'"
    return f"Line '{line.description}' ({line.entity_type})"


def discount_lines(
    document: Billed, table: MappingTable, promotional: str, on: dt.date
) -> Iterator[DocumentLine | Problem]:
    """One line for each discount of each line; document discounts are among them already.

    `promotional` is granted or bought: which role takes promotional credits.
    """
    for line_id, kind, amount in _discounts(document):
        is_promotional = kind == "promotional_credits"
        role = f"promotional_{promotional}" if is_promotional else "discount"
        coding = table.role(role, on)
        if coding is None:
            yield problems.role_not_mapped(role, on)
            continue
        label = "Promotional credits" if is_promotional else "Discount"
        yield DocumentLine("promotional_credit" if is_promotional else "discount", label, -amount, coding, line_id)


def _discounts(document: Billed) -> Iterator[tuple[str, str, Money]]:
    if document.line_discounts:
        yield from ((row.line_item_id, row.kind, row.amount) for row in document.line_discounts if row.amount)
        return
    yield from ((line.id, "discount", line.discount) for line in document.lines if line.discount)


def tax_lines(document: Billed, table: MappingTable, on: dt.date, found: list[Problem]) -> Iterator[TaxLine]:
    """As given, never computed; what has no account is added to `found`."""
    for (name, rate, jurisdiction), rows in _taxes(document).items():
        coding = table.tax(jurisdiction=jurisdiction, name=name, rate=rate if document.line_taxes else None, on=on)
        if coding is None:
            found.append(problems.tax_not_mapped(name, f"{rate.normalize():f}", jurisdiction, on))
            continue
        base = total((row.taxable_amount for row in rows), document.currency)
        amount = total((row.amount for row in rows), document.currency)
        yield TaxLine(name, rate, base, amount, jurisdiction, coding)


def _taxes(document: Billed) -> dict[tuple[str, Decimal, str], list[LineTax]]:
    """Line taxes by name, rate and jurisdiction; the document's own totals where no line has any."""
    groups: dict[tuple[str, Decimal, str], list[LineTax]] = {}
    for row in document.line_taxes or _document_taxes(document):
        groups.setdefault((row.name, row.rate, row.jurisdiction_code or row.jurisdiction_name), []).append(row)
    return groups


def _document_taxes(document: Billed) -> tuple[LineTax, ...]:
    zero = Money.zero(document.currency)
    return tuple(
        LineTax("", tax.name, Decimal(0), tax.amount, zero, "", "", "", is_non_compliance=False)
        for tax in document.taxes
    )


def collect(parts: Iterator[DocumentLine | Problem], found: list[Problem]) -> list[DocumentLine]:
    lines = []
    for part in parts:
        if isinstance(part, Problem):
            found.append(part)
        else:
            lines.append(part)
    return lines


def once(found: list[Problem]) -> list[Problem]:
    return list(dict.fromkeys(found))
