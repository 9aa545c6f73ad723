"""Taking a posted document back: when it ended, and the one document that says so."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace

from connector.chargebee.records import CreditNote, Invoice, Transaction
from connector.ledger.documents import Application, CustomerInvoice, JournalEntry, Reversal, Reversible
from connector.ledger.payments import own_date
from connector.ledger.validate_transactions import payment_id
from connector.periods import business_date


def reversed_payment_id(reversal: Transaction, by_link: dict[str, str]) -> str:
    """The payment that a payment_reversal takes back; `by_link`: reversal id -> payment, as the payments tell it."""
    return by_link.get(reversal.id) or payment_id(reversal)


def payment_ended_on(payment: Transaction, reversals: Iterable[Transaction], zone: str) -> dt.date | None:
    """The day on which a payment that had succeeded went back, None while it stands.

    One reversal for each payment, whichever signal comes first: a payment_reversal of its own that succeeded, or the
    payment voided, deleted or failed late. `updated_at` counts only where nothing else tells the day.
    """
    days = [day for each in reversals if each.status == "success" and (day := own_date(each, zone))]
    stands = payment.status == "success" and not payment.deleted
    if not stands and (payment.voided_at or not days):
        days.append(ended_on(payment, zone))
    return min(days, default=None)


def ended_on(record: Invoice | CreditNote | Transaction, zone: str) -> dt.date:
    """The day on which a voided, deleted or failed document ceased to stand, as far as Chargebee tells."""
    moment = record.voided_at or record.updated_at or record.date
    if moment is None:
        raise ValueError(f"Nothing says when '{record.id}' ended.")
    return business_date(moment, zone)


def reversal(
    original: Reversible, reference: str, *, on: dt.date, number: str, applications: tuple[Application, ...] = ()
) -> Reversal:
    """The document that takes `original` back, never dated before it.

    `number` is QAD's own of the original; `applications` are all that it settles at that moment, also those that were
    applied after it was posted: they come off with it.
    """
    if not isinstance(original, CustomerInvoice | JournalEntry):
        original = replace(original, applications=applications)
    day = max(on, original.posting_date)
    return Reversal(reference, document_date=day, posting_date=day, original=original, original_number=number)
