"""Whether an invoice's own copy of what settles it agrees with the credit notes and payments, which own that."""

from __future__ import annotations

from collections.abc import Iterable

from connector.chargebee.records import CreditNote, Invoice, Transaction
from connector.errors import Problem
from connector.ledger import credit_notes, payments
from connector.ledger.validate_transactions import edge_problems
from connector.money import Money


def copy_problems(invoice: Invoice, owners: Iterable[CreditNote | Transaction]) -> list[Problem]:
    """E1 in both directions, at most one problem for each owner; a copy of what nobody has read is not judged."""
    found = []
    for owner in owners:
        wanted = credit_notes.edges(owner) if isinstance(owner, CreditNote) else payments.edges(owner)
        found += edge_problems(owner, wanted.get(invoice.id, Money.zero(invoice.currency)), invoice)[-1:]
    return found


def named_payments(invoice: Invoice) -> set[str]:
    """Transactions that the invoice says it was paid with, or should have been."""
    return {row.transaction_id for row in invoice.linked_payments}


def named_notes(invoice: Invoice) -> set[str]:
    """Credit notes that the invoice says settle it."""
    credits = {row.credit_note_id for row in invoice.applied_credits}
    return credits | {row.credit_note_id for row in invoice.adjustment_notes}
