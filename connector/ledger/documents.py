"""What QAD is told: documents in the words of its ledger, independent of any instance's field names."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from connector.money import Money, total


@dataclass(frozen=True, slots=True)
class Coding:
    """Where an amount lands. `source` names the mapping row and its version ('item:12@3') for the audit."""

    gl_account: str
    sub_account: str = ""
    cost_centre: str = ""
    project: str = ""
    qad_item: str = ""
    tax_code: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """One line beside the receivable. `amount` is positive where it adds to what the customer owes."""

    kind: str  # sale | discount | promotional_credit | rounding
    description: str
    amount: Money
    coding: Coding
    source_line_id: str = ""
    service_from: dt.date | None = None
    service_to: dt.date | None = None
    cause: str = ""  # why a rounding line exists


@dataclass(frozen=True, slots=True)
class TaxLine:
    """Tax of one name, rate and jurisdiction over all lines."""

    name: str
    rate: Decimal
    base: Money
    amount: Money
    jurisdiction: str
    coding: Coding


@dataclass(frozen=True, slots=True)
class CustomerInvoice:
    """`total` is what the customer owes: the sum of lines and taxes, checked before it may be sent."""

    reference: str
    source_id: str
    customer: str  # QAD customer code
    description: str
    currency: str
    document_date: dt.date
    posting_date: dt.date
    due_date: dt.date | None
    lines: tuple[DocumentLine, ...]
    taxes: tuple[TaxLine, ...]
    total: Money
    exchange_rate: Decimal | None = None  # None: QAD's own rate by posting date
    purchase_order: str = ""

    @property
    def kind(self) -> str:
        return "invoice"


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One side of a document's journal; exactly one of debit and credit is not zero."""

    account: str
    label: str
    debit: Money
    credit: Money
    coding: Coding | None = None


@dataclass(frozen=True, slots=True)
class QadCustomer:
    """A customer as QAD is told to create it: business relation and customer in one write, domain data in a second."""

    code: str
    name: str
    search_name: str
    external_reference: str
    currency: str
    credit_terms: str
    email: str = ""
    telephone: str = ""
    street1: str = ""
    street2: str = ""
    street3: str = ""
    city: str = ""
    zip: str = ""
    state: str = ""
    country: str = ""
    tax_id: str = ""
    is_active: bool = True


def journal(invoice: CustomerInvoice, receivable: str) -> tuple[JournalLine, ...]:
    """Debit and credit of an invoice; `receivable` is the customer control account (QAD decides it at posting)."""
    zero = Money.zero(invoice.currency)
    sides = [JournalLine(receivable, "Customer control account", *_sides(invoice.total, zero))]
    for line in invoice.lines:
        sides.append(JournalLine(line.coding.gl_account, line.description, *_sides(-line.amount, zero), line.coding))
    for tax in invoice.taxes:
        label = f"{tax.name} {tax.rate.normalize():f} %"
        sides.append(JournalLine(tax.coding.gl_account, label, *_sides(-tax.amount, zero), tax.coding))
    return tuple(side for side in sides if side.debit or side.credit)


def _sides(amount: Money, zero: Money) -> tuple[Money, Money]:
    return (amount, zero) if amount > zero else (zero, -amount)


def line_total(invoice: CustomerInvoice) -> Money:
    """Sum of lines and taxes; equals `total` in a document that may be sent."""
    parts = [line.amount for line in invoice.lines] + [tax.amount for tax in invoice.taxes]
    return total(parts, invoice.currency)
