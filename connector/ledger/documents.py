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

    kind: str  # sale | discount | promotional_credit | rounding | withheld_tax | write_off | cash | on_account
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
    contact: str = ""


@dataclass(frozen=True, slots=True)
class Posted:
    """A document that QAD holds, as far as another one that names it must know it."""

    reference: str
    number: str
    posting_date: dt.date
    customer: str  # QAD customer code
    kind: str = "invoice"  # invoice | credit_note | payment


@dataclass(frozen=True, slots=True)
class Application:
    """An amount above zero of one document that settles another, named as QAD knows it."""

    reference: str
    number: str
    amount: Money
    kind: str = "invoice"  # what is settled: invoice | credit_note | payment
    source_id: str = ""


@dataclass(frozen=True, slots=True)
class CustomerCreditNote:
    """A positive `total` reduces what the customer owes; lines and taxes are positive where they add to it.

    What `applications` leave of the total stays open in the customer's favour.
    """

    reference: str
    source_id: str
    customer: str
    description: str
    currency: str
    document_date: dt.date
    posting_date: dt.date
    lines: tuple[DocumentLine, ...]
    taxes: tuple[TaxLine, ...]
    total: Money
    applications: tuple[Application, ...] = ()
    original_number: str = ""  # QAD's number of the invoice that it corrects
    exchange_rate: Decimal | None = None

    @property
    def kind(self) -> str:
        return "credit_note"


@dataclass(frozen=True, slots=True)
class CustomerPayment:
    """Money in: `total` lands on `account`, settles `applications`, and what is left stays on account.

    `on_account` is where QAD keeps such a rest, None for the customer control account itself.
    """

    reference: str
    source_id: str
    customer: str
    description: str
    currency: str
    document_date: dt.date
    posting_date: dt.date
    account: Coding  # clearing or bank
    total: Money
    applications: tuple[Application, ...] = ()
    on_account: Coding | None = None
    daybook: str = ""
    payment_method: str = ""
    payment_reference: str = ""
    exchange_rate: Decimal | None = None

    @property
    def kind(self) -> str:
        return "payment"


@dataclass(frozen=True, slots=True)
class CustomerRefund(CustomerPayment):
    """Money out: a positive `total` leaves `account` and uses up the credit notes and payments it is applied to."""

    original_reference: str = ""  # of the payment that goes back, '' if none
    original_number: str = ""

    @property
    def kind(self) -> str:
        return "refund"


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A credit note or payment settles invoices after it was posted: one edge, or several of one day."""

    reference: str
    source_id: str  # of the note or payment that owns the edge
    customer: str
    description: str
    currency: str
    document_date: dt.date
    posting_date: dt.date
    credit: Posted
    applications: tuple[Application, ...]
    on_account: Coding | None = None
    exchange_rate: Decimal | None = None

    @property
    def kind(self) -> str:
        return "application"


@dataclass(frozen=True, slots=True)
class Unapplication(Adjustment):
    """The opposite of an Adjustment: both open items grow again by the amounts above zero."""

    @property
    def kind(self) -> str:
        return "unapplication"


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A journal without an open item; a line is a debit where its amount is positive, and their sum is zero."""

    reference: str
    source_id: str
    customer: str  # whom it is about; QAD is not told
    description: str
    currency: str
    document_date: dt.date
    posting_date: dt.date
    lines: tuple[DocumentLine, ...]
    exchange_rate: Decimal | None = None

    @property
    def kind(self) -> str:
        return "journal"


Reversible = CustomerInvoice | CustomerCreditNote | CustomerPayment | JournalEntry  # a refund is a payment, too


@dataclass(frozen=True, slots=True)
class Reversal:
    """A posted document taken back whole. Its applications are those that stand when it is taken back."""

    reference: str
    document_date: dt.date
    posting_date: dt.date
    original: Reversible
    original_number: str = ""

    @property
    def kind(self) -> str:
        return "reversal"

    @property
    def source_id(self) -> str:
        return self.original.source_id

    @property
    def customer(self) -> str:
        return self.original.customer

    @property
    def currency(self) -> str:
        return self.original.currency

    @property
    def description(self) -> str:
        return self.original.description


LedgerDocument = Reversible | Adjustment | Reversal


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


def line_total(document: CustomerInvoice | CustomerCreditNote) -> Money:
    """Sum of lines and taxes; equals `total` in a document that may be sent."""
    parts = [line.amount for line in document.lines] + [tax.amount for tax in document.taxes]
    return total(parts, document.currency)


def applied_total(document: CustomerCreditNote | CustomerPayment | Adjustment) -> Money:
    """What its applications settle."""
    return total((row.amount for row in document.applications), document.currency)
