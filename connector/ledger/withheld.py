"""Tax that a customer keeps back for his state: he owes us less, his state owes us a credit; and the way back."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from connector.chargebee.records import CreditNote, Invoice, WithheldTax
from connector.errors import Problem
from connector.ledger import problems
from connector.ledger.accounts import one_coding_problems
from connector.ledger.applications import application
from connector.ledger.coding import MappingTable
from connector.ledger.documents import Coding, CustomerPayment, CustomerRefund, Posted
from connector.money import total
from connector.periods import business_date


def withheld(
    invoice: Invoice,
    tax: WithheldTax,
    table: MappingTable,
    zone: str,
    reference: str,
    posted: Posted,
    rate: Decimal | None = None,
) -> CustomerPayment | list[Problem]:
    """Debit withholding receivable, credit the customer on his invoice, which QAD holds as `posted`.

    It is a document of its own, since Chargebee is told of it with the payment: long after the invoice was posted.
    `rate` is the invoice's.
    """
    day = max(posted.posting_date, business_date(tax.date, zone)) if tax.date else posted.posting_date
    coding = _coding(table, day, invoice.currency)
    if isinstance(coding, list):
        return coding
    return CustomerPayment(
        reference=reference,
        source_id=invoice.id,
        customer=posted.customer,
        description=f"Tax withheld, invoice {invoice.id}",
        currency=invoice.currency,
        document_date=day,
        posting_date=day,
        account=coding,
        total=tax.amount,
        applications=(application(invoice.id, posted, tax.amount),),
        payment_reference=tax.reference,
        exchange_rate=rate,
    )


def withheld_returned(
    note: CreditNote,
    table: MappingTable,
    zone: str,
    reference: str,
    posted: Posted,
    rate: Decimal | None = None,
) -> CustomerRefund | list[Problem] | None:
    """Withheld tax that goes back with a note uses the note up, against the account that holds withheld tax.

    None if the note returns none. `posted` is the note as QAD holds it.
    """
    amount = total((row.amount for row in note.withheld_refunds), note.currency)
    if not amount:
        return None
    days = [business_date(row.date, zone) for row in note.withheld_refunds if row.date]
    day = max([posted.posting_date, *days])
    coding = _coding(table, day, note.currency)
    if isinstance(coding, list):
        return coding
    return CustomerRefund(
        reference=reference,
        source_id=note.id,
        customer=posted.customer,
        description=f"Withheld tax back, credit note {note.id}",
        currency=note.currency,
        document_date=day,
        posting_date=day,
        account=coding,
        total=amount,
        applications=(application(note.id, posted, amount),),
        exchange_rate=rate,
    )


def _coding(table: MappingTable, day: dt.date, currency: str) -> Coding | list[Problem]:
    coding = table.role("withheld_tax", day)
    if coding is None:
        return [problems.role_not_mapped("withheld_tax", day)]
    return one_coding_problems("Withheld tax", coding, table, currency) or coding
