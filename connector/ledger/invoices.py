"""From a Chargebee invoice to a customer invoice for QAD, to a rule that skips it, or to what a person must mend."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from connector.chargebee.records import Invoice
from connector.errors import Problem
from connector.ledger.accounts import coding_problems, currency_problems, customer_problems
from connector.ledger.billed import collect, discount_lines, once, sale_lines, tax_lines
from connector.ledger.coding import MappingTable
from connector.ledger.currency_rates import RatePolicy, own_rate
from connector.ledger.documents import CustomerInvoice
from connector.ledger.rounding import rounding_line
from connector.ledger.skipping import Skipped, other_entity
from connector.ledger.validate import invoice_problems
from connector.money import total
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
    fx: RatePolicy = field(default_factory=RatePolicy)


def skip_rule(invoice: Invoice, rules: InvoiceRules) -> Skipped | None:
    """The rule that keeps this invoice out of QAD, None if it belongs there."""
    if rule := other_entity(rules.business_entities, invoice.business_entity_id):
        return rule
    if invoice.status == "pending":
        return Skipped("pending", "Chargebee has not closed it yet.")
    if is_gone(invoice) and rules.voided_before_posting == "skip":
        how = "deleted" if invoice.deleted else "voided"
        return Skipped(f"{how}-before-posting", f"It was {how} in Chargebee before it was posted.")
    if not invoice.total and rules.zero_invoices == "skip":
        return Skipped("zero-total", "Its total is zero, and the policy zero_invoices says skip.")
    return None


def is_gone(invoice: Invoice) -> bool:
    """Voided or deleted. Chargebee leaves its total and amount due as they were."""
    return invoice.status == "voided" or invoice.deleted


def translate(
    invoice: Invoice, table: MappingTable, rules: InvoiceRules, reference: str
) -> CustomerInvoice | list[Problem]:
    """The document that QAD is told, or every problem that holds it."""
    found = invoice_problems(invoice)
    on = business_date(invoice.date, rules.zone)
    link = table.customer(invoice.customer_id)
    found += customer_problems(invoice.customer_id, link, table)
    found += currency_problems(f"Invoice {invoice.id}", invoice.currency, table.known)
    rate = own_rate(invoice, f"Invoice {invoice.id}", rules.fx, found)
    lines = collect(sale_lines(invoice, table, rules.zone, on), found)
    lines += collect(discount_lines(invoice, table, rules.promotional_credits, on), found)
    taxes = list(tax_lines(invoice, table, on, found))
    if found or link is None:
        return once(found)
    parts = total([line.amount for line in lines] + [tax.amount for tax in taxes], invoice.currency)
    rounding = rounding_line(
        invoice, invoice.total - parts, table, on=on, tolerance_minor=rules.rounding_tolerance_minor
    )
    if isinstance(rounding, Problem):
        return [rounding]
    if rounding is not None:
        lines.append(rounding)
    found = coding_problems(lines, taxes, table, invoice.currency)
    if found:
        return once(found)
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
        total=invoice.total,
        exchange_rate=rate,
        purchase_order=invoice.po_number,
    )


def projection(invoice: Invoice) -> str:
    """Hash of just what is posted: a payment does not change it, an edited amount, line, date or customer does."""
    parts = [invoice.id, invoice.customer_id, invoice.currency, invoice.date.isoformat(), invoice.price_type]
    parts += [f"{line.id}|{line.entity_id}|{line.amount}|{line.discount}|{line.tax_amount}" for line in invoice.lines]
    parts += [f"{tax.name}|{tax.rate}|{tax.jurisdiction_code}|{tax.amount}" for tax in invoice.line_taxes]
    parts += [f"{tax.name}|{tax.amount}" for tax in invoice.taxes]
    parts += [f"{row.line_item_id}|{row.kind}|{row.amount}" for row in invoice.line_discounts]
    parts += [str(invoice.round_off), str(invoice.total)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
