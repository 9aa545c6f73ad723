"""Checks a payment or refund must pass before it may be posted; a breach holds it and shows both numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from connector.chargebee.records import CreditNote, Invoice, Transaction
from connector.errors import Problem
from connector.ledger import problems
from connector.ledger.validate_notes import REFUND_COUNTS
from connector.money import Money, total


def payment_problems(payment: Transaction) -> list[Problem]:
    """Everything that is wrong with the arithmetic of a payment, [] for a sound one."""
    checks = (amount_is_applied_unused_and_refunded, nothing_is_used_twice)
    return [problem for check in checks if (problem := check(payment)) is not None]


def refund_problems(refund: Transaction) -> list[Problem]:
    """Everything that is wrong with the arithmetic of a refund, [] for a sound one."""
    checks = (notes_take_no_more_than_the_refund, what_no_note_covers_comes_from_a_payment)
    return [problem for check in checks if (problem := check(refund)) is not None]


def amount_is_applied_unused_and_refunded(payment: Transaction) -> Problem | None:
    """P1 (A7); not judged where Chargebee does not say what is unused."""
    if payment.amount_unused is None:
        return None
    parts = applied(payment) + payment.amount_unused + refunded(payment)
    return _same(payment, "p1", "its amount", payment.amount, "what is applied, unused and refunded", parts)


def nothing_is_used_twice(payment: Transaction) -> Problem | None:
    """P2 (A7): applications and refunds together are not more than came in."""
    used = applied(payment) + refunded(payment)
    if used > payment.amount and payment.amount_unused is None:
        return _same(payment, "p2", "its amount", payment.amount, "what is applied and refunded", used)
    return None


def notes_take_no_more_than_the_refund(refund: Transaction) -> Problem | None:
    """R1 (A15)."""
    notes = note_total(refund)
    if notes > refund.amount:
        return _same(refund, "r1", "its amount", refund.amount, "what it pays of credit notes", notes)
    return None


def what_no_note_covers_comes_from_a_payment(refund: Transaction) -> Problem | None:
    """R2 (A15): the rest of a refund is money that a payment left unused."""
    rest = refund.amount - note_total(refund)
    if rest > Money.zero(refund.currency) and not payment_id(refund):
        return problems.refund_without_payment(name_of(refund), rest)
    return None


def refunds_are_within_the_payment(payment: Transaction, refunds: Mapping[str, Money]) -> Problem | None:
    """P3 (A7): what goes back of a payment, by refund id, is of its currency and not more than came in."""
    for refund_id, amount in refunds.items():
        if amount.currency != payment.currency:
            name = f"Refund {refund_id}"
            return problems.edge_in_another_currency(name, f"payment {payment.id}", amount.currency, payment.currency)
    gone = total(refunds.values(), payment.currency)
    if gone > payment.amount:
        return _same(payment, "p3", "its amount", payment.amount, "the sum of its refunds", gone)
    return None


def it_goes_back_whole(payment: Transaction, reversals: Iterable[Transaction]) -> Problem | None:
    """P4 (A16): a reversal takes back its whole payment; nobody can tell which invoices a part of it reopens."""
    for reversal in reversals:
        if payment.status != "success" or reversal.status != "success" or reversal.amount == payment.amount:
            continue
        mine, other = payment.currency, reversal.currency
        if other != mine:
            return problems.edge_in_another_currency(name_of(reversal), f"payment {payment.id}", other, mine)
        return _same(
            payment, "p4", "its amount", payment.amount, f"what reversal {reversal.id} takes back", reversal.amount
        )
    return None


def edge_problems(owner: CreditNote | Transaction, amount: Money, invoice: Invoice) -> list[Problem]:
    """E1 (A7, A8): an edge has the invoice's currency, is within its total, and the invoice's copy says the same."""
    name, target = name_of(owner), f"invoice {invoice.id}"
    if owner.currency != invoice.currency:
        return [problems.edge_in_another_currency(name, target, owner.currency, invoice.currency)]
    found = []
    if amount > invoice.total:
        label = f"the total of {target}"
        found.append(problems.not_equal("identity-e1", name, f"its part for {target}", amount, label, invoice.total))
    copy = _copy(owner, invoice)
    if copy != amount:
        label = f"the copy in {target}"
        found.append(problems.not_equal("identity-e1", name, f"its part for {target}", amount, label, copy))
    return found


def applied(payment: Transaction) -> Money:
    return total((row.applied for row in payment.linked_invoices), payment.currency)


def refunded(payment: Transaction) -> Money:
    rows = (row.applied for row in payment.linked_refunds if row.status in REFUND_COUNTS)
    return total(rows, payment.currency)


def note_total(refund: Transaction) -> Money:
    return total((row.applied for row in refund.linked_notes), refund.currency)


def payment_id(transaction: Transaction) -> str:
    """The payment that a refund or reversal gives back, '' if Chargebee names none."""
    return transaction.refunded_transaction_id or transaction.reference_transaction_id


def name_of(document: CreditNote | Transaction) -> str:
    """How a problem names it: Refund txn_1."""
    kind = "credit note" if isinstance(document, CreditNote) else document.type.replace("_", " ")
    return f"{kind.capitalize()} {document.id}"


def _copy(owner: CreditNote | Transaction, invoice: Invoice) -> Money:
    """What the invoice says that the owner settles of it: attempts that failed and voided notes settle nothing."""
    mine = owner.id
    if isinstance(owner, Transaction):
        paid = (row for row in invoice.linked_payments if row.transaction_id == mine)
        rows = [row.applied for row in paid if row.status == "success"]
    elif owner.type == "adjustment":
        adjusted = (row for row in invoice.adjustment_notes if row.credit_note_id == mine)
        rows = [row.total for row in adjusted if row.status != "voided"]
    else:
        applied_notes = (row for row in invoice.applied_credits if row.credit_note_id == mine)
        rows = [row.applied for row in applied_notes if row.status != "voided"]
    return total(rows, invoice.currency)


def _same(
    transaction: Transaction, rule: str, left: str, left_amount: Money, right: str, right_amount: Money
) -> Problem | None:
    if left_amount == right_amount:
        return None
    code = f"identity-{rule}"
    return problems.not_equal(code, name_of(transaction), left, left_amount, right, right_amount)
