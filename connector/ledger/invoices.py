"""From a Chargebee invoice to a customer invoice for QAD, to a rule that skips it, or to what a person must mend."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from connector.chargebee.records import Invoice, LineItem, LineTax
from connector.errors import Problem
from connector.ledger import problems
from connector.ledger.accounts import coding_problems, customer_problems
from connector.ledger.coding import MappingTable
from connector.ledger.documents import Coding, CustomerInvoice, DocumentLine, TaxLine
from connector.ledger.rounding import rounding_line
from connector.ledger.validate import invoice_problems
from connector.money import Money, total
from connector.periods import business_date


@dataclass(frozen=True, slots=True)
class InvoiceRules:
    """What a tenant decided about invoices."""

    zone: str
    zero_invoices: str = "post"  # post | skip
    voided_before_posting: str = "skip"  # skip | post_and_reverse
    promotional_credits: str = "granted"  # granted (contra-revenue) | bought (liability)
    rounding_tolerance_minor: int = 5
    business_entities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Skipped:
    """Not posted, by a rule that anyone can read."""

    rule: str
    sentence: str


def skip_rule(invoice: Invoice, rules: InvoiceRules) -> Skipped | None:
    """The rule that keeps this invoice out of QAD, None if it belongs there."""
    if rules.business_entities and invoice.business_entity_id not in rules.business_entities:
        return Skipped(
            "other-entity", f"It belongs to business entity '{invoice.business_entity_id}' of another tenant."
        )
    if invoice.deleted:
        return Skipped("deleted-before-posting", "It was deleted in Chargebee before it was posted.")
    if invoice.status == "pending":
        return Skipped("pending", "Chargebee has not closed it yet.")
    if invoice.status == "voided" and rules.voided_before_posting == "skip":
        return Skipped("voided-before-posting", "It was voided in Chargebee before it was posted.")
    if not invoice.total and rules.zero_invoices == "skip":
        return Skipped("zero-total", "Its total is zero, and the policy zero_invoices says skip.")
    return None


def translate(
    invoice: Invoice, table: MappingTable, rules: InvoiceRules, reference: str
) -> CustomerInvoice | list[Problem]:
    """The document that QAD is told, or every problem that holds it."""
    found = invoice_problems(invoice)
    on = business_date(invoice.date, rules.zone)
    link = table.customer(invoice.customer_id)
    found += customer_problems(invoice.customer_id, link, table)
    lines = _collect(_sale_lines(invoice, table, rules, on), found)
    lines += _collect(_discount_lines(invoice, table, rules, on), found)
    lines += _collect(_withheld_lines(invoice, table, on), found)
    taxes = list(_tax_lines(invoice, table, on, found))
    if found or link is None:
        return _once(found)
    owed = invoice.total - total((tax.amount for tax in invoice.withheld_taxes), invoice.currency)
    parts = total([line.amount for line in lines] + [tax.amount for tax in taxes], invoice.currency)
    rounding = rounding_line(invoice, owed - parts, table, on=on, tolerance_minor=rules.rounding_tolerance_minor)
    if isinstance(rounding, Problem):
        return [rounding]
    if rounding is not None:
        lines.append(rounding)
    found = coding_problems(lines, taxes, table, invoice.currency)
    if found:
        return _once(found)
    return CustomerInvoice(
        reference=reference,
        source_id=invoice.id,
        customer=link.qad_code,
        description=f"Chargebee invoice {invoice.id}",
        currency=invoice.currency,
        document_date=on,
        posting_date=on,
        due_date=business_date(invoice.due_date, rules.zone) if invoice.due_date else None,
        lines=tuple(lines),
        taxes=tuple(taxes),
        total=owed,
        purchase_order=invoice.po_number,
    )


def _sale_lines(
    invoice: Invoice, table: MappingTable, rules: InvoiceRules, on: dt.date
) -> Iterator[DocumentLine | Problem]:
    for line in invoice.lines:
        coding = _item_coding(line, table, on)
        if coding is None:
            yield problems.item_not_mapped(_line_subject(line), on)
            continue
        amount = line.amount - line.tax_amount if invoice.price_type == "tax_inclusive" else line.amount
        yield DocumentLine(
            kind="sale",
            description=line.description,
            amount=amount,
            coding=coding,
            source_line_id=line.id,
            service_from=business_date(line.date_from, rules.zone) if line.date_from else None,
            service_to=business_date(line.date_to, rules.zone) if line.date_to else None,
        )


def _item_coding(line: LineItem, table: MappingTable, on: dt.date) -> Coding | None:
    item, family = table.item_of_price.get(line.entity_id, ("", "")) if line.entity_id else ("", "")
    return table.item(item_price=line.entity_id, item=item, family=family, charge=line.entity_type, on=on)


def _line_subject(line: LineItem) -> str:
    if line.entity_id:
        return f"Item price '{line.entity_id}'"
    return f"Line '{line.description}' ({line.entity_type})"


def _discount_lines(
    invoice: Invoice, table: MappingTable, rules: InvoiceRules, on: dt.date
) -> Iterator[DocumentLine | Problem]:
    """One line for each discount of each line; document discounts are among them already."""
    for line_id, kind, amount in _discounts(invoice):
        is_promotional = kind == "promotional_credits"
        role = f"promotional_{rules.promotional_credits}" if is_promotional else "discount"
        coding = table.role(role, on)
        if coding is None:
            yield problems.role_not_mapped(role, on)
            continue
        label = "Promotional credits" if is_promotional else "Discount"
        yield DocumentLine("promotional_credit" if is_promotional else "discount", label, -amount, coding, line_id)


def _discounts(invoice: Invoice) -> Iterator[tuple[str, str, Money]]:
    if invoice.line_discounts:
        yield from ((row.line_item_id, row.kind, row.amount) for row in invoice.line_discounts if row.amount)
        return
    yield from ((line.id, "discount", line.discount) for line in invoice.lines if line.discount)


def _withheld_lines(invoice: Invoice, table: MappingTable, on: dt.date) -> Iterator[DocumentLine | Problem]:
    for tax in invoice.withheld_taxes:
        coding = table.role("withheld_tax", on)
        if coding is None:
            yield problems.role_not_mapped("withheld_tax", on)
        else:
            yield DocumentLine("withheld_tax", f"Tax withheld {tax.reference}".strip(), -tax.amount, coding)


def _tax_lines(invoice: Invoice, table: MappingTable, on: dt.date, found: list[Problem]) -> Iterator[TaxLine]:
    for (name, rate, jurisdiction), rows in _taxes(invoice).items():
        coding = table.tax(jurisdiction=jurisdiction, name=name, rate=rate if invoice.line_taxes else None, on=on)
        if coding is None:
            found.append(problems.tax_not_mapped(name, f"{rate.normalize():f}", jurisdiction, on))
            continue
        base = total((row.taxable_amount for row in rows), invoice.currency)
        amount = total((row.amount for row in rows), invoice.currency)
        yield TaxLine(name, rate, base, amount, jurisdiction, coding)


def _taxes(invoice: Invoice) -> dict[tuple[str, Decimal, str], list[LineTax]]:
    """Line taxes by name, rate and jurisdiction; the document's own totals where no line has any."""
    groups: dict[tuple[str, Decimal, str], list[LineTax]] = {}
    for row in invoice.line_taxes or _document_taxes(invoice):
        groups.setdefault((row.name, row.rate, row.jurisdiction_code or row.jurisdiction_name), []).append(row)
    return groups


def _document_taxes(invoice: Invoice) -> tuple[LineTax, ...]:
    zero = Money.zero(invoice.currency)
    return tuple(
        LineTax("", tax.name, Decimal(0), tax.amount, zero, "", "", "", is_non_compliance=False)
        for tax in invoice.taxes
    )


def _collect(parts: Iterator[DocumentLine | Problem], found: list[Problem]) -> list[DocumentLine]:
    lines = []
    for part in parts:
        if isinstance(part, Problem):
            found.append(part)
        else:
            lines.append(part)
    return lines


def _once(found: list[Problem]) -> list[Problem]:
    return list(dict.fromkeys(found))


def projection(invoice: Invoice) -> str:
    """Hash of just what is posted: a payment does not change it, an edited amount, line, date or customer does."""
    parts = [invoice.id, invoice.customer_id, invoice.currency, invoice.date.isoformat(), invoice.price_type]
    parts += [f"{line.id}|{line.entity_id}|{line.amount}|{line.discount}|{line.tax_amount}" for line in invoice.lines]
    parts += [f"{tax.name}|{tax.rate}|{tax.jurisdiction_code}|{tax.amount}" for tax in invoice.line_taxes]
    parts += [f"{tax.name}|{tax.amount}" for tax in invoice.taxes]
    parts += [f"{row.line_item_id}|{row.kind}|{row.amount}" for row in invoice.line_discounts]
    parts += [str(invoice.round_off), str(invoice.total)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
