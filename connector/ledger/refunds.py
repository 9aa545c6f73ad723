"""From a Chargebee refund (or chargeback) to money out: against credit notes, or what a payment left unused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from connector.chargebee.records import Transaction
from connector.errors import Problem
from connector.ledger import problems
from connector.ledger.accounts import currency_problems, customer_problems
from connector.ledger.applications import application
from connector.ledger.billed import once
from connector.ledger.coding import BankRule, MappingTable
from connector.ledger.currency_rates import own_rate
from connector.ledger.documents import Application, CustomerRefund, JournalEntry, Posted
from connector.ledger.payments import (
    TransactionRules,
    bank_of,
    bank_problems,
    cash_journal,
    origin_problem,
    own_date,
)
from connector.ledger.validate_transactions import name_of, note_total, payment_id, refund_problems
from connector.money import Money

CHARGEBACK = "chargeback"  # the payment method of a refund that the customer's bank took


@dataclass(frozen=True, slots=True)
class RefundParents:
    """What a refund follows. `payment` is its record where it was read; `kind` of its posting says the mode it had."""

    payment: Transaction | None = None
    payment_posted: Posted | None = None  # kind payment, or journal where it was posted to clearing
    notes: Mapping[str, Posted] = field(default_factory=dict)  # credit note id -> as QAD holds it


def posting_date(refund: Transaction, zone: str, parents: RefundParents) -> dt.date | None:
    """Its own date, but never before the notes and the payment that it gives back; None if it has no date."""
    own = own_date(refund, zone)
    known = [parents.notes.get(row.credit_note_id) for row in refund.linked_notes]
    days = [each.posting_date for each in (*known, parents.payment_posted) if each]
    return max([own, *days]) if own else None


def translate(
    refund: Transaction,
    table: MappingTable,
    rules: TransactionRules,
    reference: str,
    parents: RefundParents,
    *,
    posted_on: dt.date | None = None,
) -> CustomerRefund | JournalEntry | list[Problem]:
    """The document that QAD is told, or every problem that holds it. It is posted the way its payment was."""
    if refund.type != "refund":
        raise ValueError(f"'{refund.id}' is a {refund.type}, not a refund.")
    found = refund_problems(refund)
    if parents.payment is None and (problem := origin_problem(refund, rules)) is not None:
        found.append(problem)
    found += currency_problems(name_of(refund), refund.currency, table.known)
    rate = own_rate(refund, name_of(refund), rules.fx, found)
    earliest, own = posting_date(refund, rules.zone, parents), own_date(refund, rules.zone)
    if earliest is None or own is None:
        return [*found, problems.date_missing(name_of(refund))]
    day = max(posted_on or earliest, earliest)
    cash = _cash(refund, parents.payment, table, rules, day, found)
    if _mode(parents, rules) == "journal_to_clearing":
        on_account = table.role("on_account", day)
        if on_account is None:
            found.append(problems.role_not_mapped("on_account", day))
        if found or cash is None or on_account is None:
            return once(found)
        return cash_journal(
            refund, -refund.amount, cash.coding, on_account, reference, table=table, own=own, day=day, rate=rate
        )
    link = table.customer(refund.customer_id)
    found += customer_problems(refund.customer_id, link, table)
    applications = tuple(_applications(refund, parents, link.qad_code if link else "", found))
    if found or link is None or cash is None:
        return once(found)
    payment = parents.payment_posted
    return CustomerRefund(
        reference=reference,
        source_id=refund.id,
        customer=link.qad_code,
        description=f"Chargebee refund {refund.id}",
        currency=refund.currency,
        document_date=own,
        posting_date=day,
        account=cash.coding,
        total=refund.amount,
        applications=applications,
        on_account=table.role("on_account", day),
        daybook=cash.daybook,
        payment_method=refund.payment_method,
        payment_reference=refund.reference_number or refund.id_at_gateway,
        exchange_rate=rate,
        original_reference=payment.reference if payment else "",
        original_number=payment.number if payment else "",
    )


def _mode(parents: RefundParents, rules: TransactionRules) -> str:
    if parents.payment_posted is None:
        return rules.payment_mode
    return "journal_to_clearing" if parents.payment_posted.kind == "journal" else "customer_payment"


def _cash(
    refund: Transaction,
    payment: Transaction | None,
    table: MappingTable,
    rules: TransactionRules,
    on: dt.date,
    found: list[Problem],
) -> BankRule | None:
    """Where the money leaves: by the refund's own gateway and method, else its payment's, else refund clearing.

    A chargeback is taken from where its payment came in.
    """
    sources = [refund, payment] if refund.payment_method != CHARGEBACK else [payment, refund]
    mapped = (bank_of(source, table, on) for source in sources if source)
    bank = next(filter(None, mapped), None) if rules.refund_account == "gateway" else None
    clearing = table.role("refund_clearing", on) if bank is None else None
    if clearing is not None:
        bank = BankRule("", "", "", on, clearing)
    if bank is not None:
        found += bank_problems(refund, bank.coding, table)
    elif rules.refund_account == "gateway":
        found.append(
            problems.bank_not_mapped(name_of(refund), refund.gateway, refund.payment_method, refund.currency, on)
        )
    else:
        found.append(problems.role_not_mapped("refund_clearing", on))
    return bank


def _applications(
    refund: Transaction, parents: RefundParents, customer: str, found: list[Problem]
) -> Iterator[Application]:
    """Its credit notes, then the payment for what they leave; each must be in QAD and of the same customer."""
    used = [
        (f"credit note {row.credit_note_id}", row.credit_note_id, row.applied, parents.notes.get(row.credit_note_id))
        for row in refund.linked_notes
        if row.applied
    ]
    rest = refund.amount - note_total(refund)
    if rest > Money.zero(refund.currency) and payment_id(refund):
        used.append((f"payment {payment_id(refund)}", payment_id(refund), rest, parents.payment_posted))
    for name, source_id, amount, target in used:
        if target is None:
            found.append(problems.parent_not_posted(name_of(refund), name))
        elif customer and target.customer != customer:
            found.append(problems.edge_of_another_customer(name_of(refund), name, customer, target.customer))
        else:
            yield application(source_id, target, amount)
