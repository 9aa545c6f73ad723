"""From a Chargebee payment to a customer payment for QAD, to a rule that skips it, or to what a person must mend."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from connector.chargebee.records import Transaction
from connector.errors import Problem
from connector.ledger import problems
from connector.ledger.accounts import (
    currency_problems,
    customer_problems,
    daybook_problems,
    one_coding_problems,
)
from connector.ledger.applications import riding, summed
from connector.ledger.billed import once
from connector.ledger.coding import BankRule, MappingTable
from connector.ledger.currency_rates import RatePolicy, own_rate
from connector.ledger.documents import Coding, CustomerPayment, DocumentLine, JournalEntry, Posted
from connector.ledger.skipping import Skipped, other_entity
from connector.ledger.validate_transactions import name_of, payment_problems
from connector.money import Money
from connector.periods import business_date

OFFLINE = "not_applicable"  # the gateway of money that Chargebee did not move itself


@dataclass(frozen=True, slots=True)
class TransactionRules:
    """What a tenant decided about payments and refunds."""

    zone: str
    payment_mode: str = "customer_payment"  # customer_payment | journal_to_clearing
    offline: Mapping[str, str] = field(default_factory=dict)  # payment method ('' any other) -> qad | chargebee
    refund_account: str = "gateway"  # gateway: as mapped | refund_clearing: all through that role
    business_entities: tuple[str, ...] = ()
    fx: RatePolicy = field(default_factory=RatePolicy)


_NEVER_POSTED = {
    "failure": Skipped("payment-failed", "It failed; no money moved."),
    "in_progress": Skipped("payment-in-progress", "It is still in progress; it is posted when it succeeds."),
    "timeout": Skipped("payment-timed-out", "The gateway did not answer in time; no money is known to have moved."),
    "needs_attention": Skipped("payment-needs-attention", "Chargebee does not know yet whether it succeeded."),
    "voided": Skipped("voided-before-posting", "It was voided in Chargebee before it was posted."),
    "late_failure": Skipped("late-failure-before-posting", "It failed late, before it was posted."),
}


def skip_rule(
    transaction: Transaction, rules: TransactionRules, matched_receipts: Collection[str] = ()
) -> Skipped | None:
    """The rule that keeps a transaction out of QAD, None if it belongs there; `matched_receipts` are ids whose
    receipt was found in QAD. Judges what was never posted: a posted payment that fails later is reversed."""
    if rule := other_entity(rules.business_entities, transaction.business_entity_id):
        return rule
    if transaction.type == "authorization":
        return Skipped("authorization", "It only reserves money; the payment that captures it is posted.")
    if transaction.deleted:
        return Skipped("deleted-before-posting", "It was deleted in Chargebee before it was posted.")
    if transaction.status in _NEVER_POSTED:
        return _NEVER_POSTED[transaction.status]
    if transaction.id in matched_receipts:
        return Skipped("booked-in-qad", "QAD has its receipt already.")
    if not transaction.amount:
        return Skipped("zero-amount", "Its amount is zero.")
    return None


def origin_problem(transaction: Transaction, rules: TransactionRules) -> Problem | None:
    """Why an offline transaction waits: QAD books that method first, and its receipt has not been matched yet."""
    if transaction.gateway != OFFLINE:
        return None
    origin = rules.offline.get(transaction.payment_method, rules.offline.get("", "qad"))
    return None if origin == "chargebee" else problems.offline_in_qad(name_of(transaction), transaction.payment_method)


def edges(payment: Transaction) -> dict[str, Money]:
    """What the payment settles now, by invoice id; a payment that did not succeed settles nothing."""
    if payment.type != "payment" or payment.status != "success" or payment.deleted:
        return {}
    return summed((row.invoice_id, row.applied) for row in payment.linked_invoices)


def own_date(transaction: Transaction, zone: str) -> dt.date | None:
    """The document date, None if Chargebee gives none."""
    moment = transaction.date or transaction.settled_at
    return business_date(moment, zone) if moment else None


def translate(
    payment: Transaction,
    table: MappingTable,
    rules: TransactionRules,
    reference: str,
    posted: Mapping[str, Posted],
    *,
    posted_on: dt.date | None = None,
) -> CustomerPayment | JournalEntry | list[Problem]:
    """The document that QAD is told, or every problem that holds it.

    `posted`: the invoices that QAD has, by id. What it settles later is an adjustment of its own, no reason to wait.
    `posted_on`: the day that a closed period moved it to. Accounts are those of the posting date.
    """
    if payment.type != "payment":
        raise ValueError(f"'{payment.id}' is a {payment.type}, not a payment.")  # it would book money in that went out
    own = own_date(payment, rules.zone)
    found = payment_problems(payment)
    if (problem := origin_problem(payment, rules)) is not None:
        found.append(problem)
    found += currency_problems(name_of(payment), payment.currency, table.known)
    rate = own_rate(payment, name_of(payment), rules.fx, found)
    if own is None:
        return [*found, problems.date_missing(name_of(payment))]
    day = posted_on or own
    bank = bank_of(payment, table, day)
    if bank is None:
        gateway, method = payment.gateway, payment.payment_method
        found.append(problems.bank_not_mapped(name_of(payment), gateway, method, payment.currency, day))
    else:
        found += bank_problems(payment, bank.coding, table)
        found += daybook_problems(f"The bank mapping of {name_of(payment)}", bank.daybook, table.known)
    if rules.payment_mode == "journal_to_clearing":
        return _journal(payment, table, reference, bank, own=own, day=day, rate=rate, found=found)
    link = table.customer(payment.customer_id)
    found += customer_problems(payment.customer_id, link, table)
    if found or link is None or bank is None:
        return once(found)
    return CustomerPayment(
        reference=reference,
        source_id=payment.id,
        customer=link.qad_code,
        description=f"Chargebee payment {payment.id}",
        currency=payment.currency,
        document_date=own,
        posting_date=day,
        account=bank.coding,
        total=payment.amount,
        applications=riding(edges(payment), posted, customer=link.qad_code, on=day),
        on_account=table.role("on_account", day),
        daybook=bank.daybook,
        payment_method=payment.payment_method,
        payment_reference=payment.reference_number or payment.id_at_gateway,
        exchange_rate=rate,
    )


def _journal(
    payment: Transaction,
    table: MappingTable,
    reference: str,
    bank: BankRule | None,
    *,
    own: dt.date,
    day: dt.date,
    rate: Decimal | None,
    found: list[Problem],
) -> JournalEntry | list[Problem]:
    """Debit clearing, credit on account: the receivable is not touched, so the role must be set."""
    on_account = table.role("on_account", day)
    if on_account is None:
        found.append(problems.role_not_mapped("on_account", day))
    if found or bank is None or on_account is None:
        return once(found)
    cash = bank.coding
    return cash_journal(payment, payment.amount, cash, on_account, reference, table=table, own=own, day=day, rate=rate)


def cash_journal(
    transaction: Transaction,
    amount: Money,
    cash: Coding,
    on_account: Coding,
    reference: str,
    *,
    table: MappingTable,
    own: dt.date,
    day: dt.date,
    rate: Decimal | None = None,
) -> JournalEntry:
    """Cash against on account; an `amount` below zero went out."""
    name = name_of(transaction)
    link = table.customer(transaction.customer_id)
    return JournalEntry(
        reference=reference,
        source_id=transaction.id,
        customer=link.qad_code if link else "",
        description=f"Chargebee {name[0].lower()}{name[1:]}",
        currency=transaction.currency,
        document_date=own,
        posting_date=day,
        lines=(DocumentLine("cash", name, amount, cash), DocumentLine("on_account", name, -amount, on_account)),
        exchange_rate=rate,
    )


def bank_of(transaction: Transaction, table: MappingTable, on: dt.date) -> BankRule | None:
    """The row of the bank mappings that the transaction's own gateway, method and currency find."""
    return table.bank(transaction.gateway, transaction.payment_method, transaction.currency, on)


def bank_problems(transaction: Transaction, cash: Coding, table: MappingTable) -> list[Problem]:
    label = f"Cash through '{transaction.gateway}' by {transaction.payment_method}"
    return one_coding_problems(label, cash, table, transaction.currency)


def projection(transaction: Transaction) -> str:
    """Hash of just what is posted of a payment or refund: an application that changes is an adjustment, not an edit."""
    moment = transaction.date or transaction.settled_at
    parts = [transaction.id, transaction.type, transaction.customer_id, str(transaction.amount), str(moment)]
    parts += [transaction.gateway, transaction.payment_method]
    parts += [f"{row.credit_note_id}|{row.applied}" for row in transaction.linked_notes]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
