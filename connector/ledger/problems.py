"""Every problem that the ledger finds in a document, as a sentence with its next step."""

from __future__ import annotations

import datetime as dt

from connector.errors import Problem
from connector.money import Money

ROLE_NAMES = {
    "discount": "discounts",
    "promotional_granted": "promotional credits granted",
    "promotional_bought": "promotional credits bought",
    "round_off": "rounding",
    "write_off": "write-offs",
    "withheld_tax": "withheld tax",
    "refund_clearing": "refund clearing",
    "on_account": "payments on account",
    "receivable": "receivables",
}


def item_not_mapped(subject: str, on: dt.date) -> Problem:
    return Problem(
        "item-not-mapped",
        subject,
        f"{subject} has no GL account on {on}.",
        "Map it under Mappings > Item mappings; the documents that wait for it are released when you save.",
        "item_mappings",
    )


def tax_not_mapped(name: str, rate: str, jurisdiction: str, on: dt.date) -> Problem:
    where = f" in {jurisdiction}" if jurisdiction else ""
    subject = f"Tax '{name}' at {rate} %{where}"
    return Problem(
        "tax-not-mapped",
        subject,
        f"{subject} has no account or QAD tax code on {on}.",
        "Map it under Mappings > Tax mappings.",
        "tax_mappings",
    )


def role_not_mapped(role: str, on: dt.date) -> Problem:
    name = ROLE_NAMES.get(role, role)
    return Problem(
        "role-not-mapped",
        f"Account for {name}",
        f"No GL account is set for {name} on {on}.",
        "Set it under Mappings > Account roles.",
        "account_roles",
    )


def account_unknown(account: str, subject: str) -> Problem:
    return Problem(
        "account-unknown",
        f"GL account {account}",
        f"{subject} is mapped to GL account {account}, which QAD does not have.",
        "Choose another account for it, or create the account in QAD and refresh the list of GL accounts.",
        "item_mappings",
    )


def account_inactive(account: str, subject: str) -> Problem:
    return Problem(
        "account-inactive",
        f"GL account {account}",
        f"{subject} is mapped to GL account {account}, which is inactive in QAD.",
        "Choose another account for it, or activate the account in QAD and refresh the list of GL accounts.",
        "item_mappings",
    )


def dimension_missing(account: str, dimension: str, subject: str) -> Problem:
    return Problem(
        "dimension-missing",
        f"GL account {account}",
        f"GL account {account} needs a {dimension}, and the mapping of {subject} gives none.",
        f"Add the {dimension} to that mapping.",
        "item_mappings",
    )


def account_currency(account: str, only: str, currency: str) -> Problem:
    return Problem(
        "account-currency",
        f"GL account {account}",
        f"GL account {account} takes only {only}, and this document is in {currency}.",
        "Map the line to an account that takes this currency.",
        "item_mappings",
    )


def customer_not_linked(customer_id: str) -> Problem:
    return Problem(
        "customer-not-linked",
        f"Customer '{customer_id}'",
        f"Chargebee customer '{customer_id}' has no customer in QAD.",
        "Link it under Mappings > Customer mappings, or let the connector create it (policy create_customers).",
        "customer_mappings",
    )


def customer_unknown(customer_id: str, code: str) -> Problem:
    return Problem(
        "customer-unknown",
        f"QAD customer {code}",
        f"Chargebee customer '{customer_id}' is linked to QAD customer {code}, which QAD does not have.",
        "Correct the link under Mappings > Customer mappings, or refresh the list of QAD customers.",
        "customer_mappings",
    )


def customer_inactive(customer_id: str, code: str) -> Problem:
    return Problem(
        "customer-inactive",
        f"QAD customer {code}",
        f"QAD customer {code} of Chargebee customer '{customer_id}' is inactive.",
        "Activate it in QAD, or link the Chargebee customer to another one.",
        "customer_mappings",
    )


def customer_incomplete(customer_id: str, code: str) -> Problem:
    return Problem(
        "customer-incomplete",
        f"QAD customer {code}",
        f"QAD customer {code} of Chargebee customer '{customer_id}' has no complete domain data (site, daybook set).",
        "Complete it in QAD, then refresh the list of QAD customers.",
        "customer_mappings",
    )


def not_equal(code: str, document: str, left: str, left_amount: Money, right: str, right_amount: Money) -> Problem:
    """Two figures of one document that should be the same."""
    difference = left_amount - right_amount
    return Problem(
        code,
        document,
        f"{document}: {left} is {left_amount}, but {right} is {right_amount}; they differ by {difference}.",
        "Look at the document in Chargebee; if it is right there, tell the people who support this connector.",
        "document",
    )


def rounding_too_large(document: str, difference: Money, tolerance_minor: int) -> Problem:
    return Problem(
        "rounding-too-large",
        document,
        f"{document}: lines and taxes miss the total by {difference}, over the limit of {tolerance_minor} minor units.",
        "Look at the document in Chargebee; the limit is the policy rounding_tolerance_minor.",
        "document",
    )


def lines_missing(document: str) -> Problem:
    return Problem(
        "lines-missing",
        document,
        f"{document}: Chargebee sent only some of its lines.",
        "Sync it again; if it stays so, tell the people who support this connector.",
        "document",
    )


def changed_after_posting(document: str, posted: Money, now: Money) -> Problem:
    return Problem(
        "changed-after-posting",
        document,
        f"{document} was posted with {posted} and has been changed in Chargebee since; it now totals {now}.",
        "Let the policy edited_after_posting be 'correct' and press Replay, or take the change back in Chargebee.",
        "document",
    )


def reopened(document: str) -> Problem:
    return Problem(
        "pending-after-posting",
        document,
        f"{document} was posted, and Chargebee calls it pending again.",
        "Close it in Chargebee; it is looked at again when it has changed there.",
        "document",
    )


def customer_has_candidates(customer_id: str, candidates: tuple[tuple[str, str], ...]) -> Problem:
    named = ", ".join(f"{code} (by {why})" for code, why in candidates[:5])
    return Problem(
        "customer-has-candidates",
        f"Customer '{customer_id}'",
        f"Chargebee customer '{customer_id}' may be in QAD already: {named}.",
        "Link it to the right one under Mappings > Customer mappings.",
        "customer_mappings",
    )


def customer_linked_already(customer_id: str, there: str, wanted: str) -> Problem:
    return Problem(
        "customer-linked-already",
        f"Customer '{customer_id}'",
        f"Chargebee customer '{customer_id}' is linked to QAD customer {there} already, not to {wanted}.",
        "Keep that link, or change it under Mappings > Customer mappings.",
        "customer_mappings",
    )


def customer_not_in_qad(customer_id: str, name: str) -> Problem:
    return Problem(
        "customer-not-in-qad",
        f"Customer '{customer_id}'",
        f"QAD has no customer for '{name}' (Chargebee customer '{customer_id}').",
        "Create it in QAD and link it under Mappings > Customer mappings, or let policy create_customers be create.",
        "customer_mappings",
    )


def customer_code_taken(customer_id: str, code: str) -> Problem:
    return Problem(
        "customer-code-taken",
        f"Customer '{customer_id}'",
        f"QAD customer {code} exists already and is not Chargebee customer '{customer_id}'.",
        "Link the customer by hand under Mappings > Customer mappings.",
        "customer_mappings",
    )


def bank_not_mapped(subject: str, gateway: str, method: str, currency: str, on: dt.date) -> Problem:
    return Problem(
        "bank-not-mapped",
        subject,
        f"{subject} came through gateway '{gateway}' by {method or 'an unnamed method'} in {currency}, "
        f"and no clearing or bank account is set for that on {on}.",
        "Map it under Mappings > Bank mappings.",
        "bank_mappings",
    )


def offline_in_qad(subject: str, method: str) -> Problem:
    return Problem(
        "offline-in-qad",
        subject,
        f"{subject} was recorded offline by {method or 'an unnamed method'}, which this tenant books in QAD first.",
        "Match it to the QAD receipt: press 'Mark as posted by hand' and give its number. Or let the policy "
        "offline_payments name Chargebee as the origin of that method.",
        "document",
    )


def date_missing(subject: str) -> Problem:
    return Problem(
        "date-missing",
        subject,
        f"{subject} has no date, so no posting date can be given to it.",
        "Give it a date in Chargebee, then sync it again.",
        "document",
    )


def before_cut_off(subject: str, parent: str) -> Problem:
    return Problem(
        "before-cut-off",
        subject,
        f"{subject} belongs to {parent}, which is from before the cut-off.",
        "Post it on account, link it to the opening item in QAD, or ignore it.",
        "document",
    )


def parent_not_posted(subject: str, parent: str) -> Problem:
    return Problem(
        "parent-not-posted",
        subject,
        f"{subject} pays out {parent}, which is not in QAD.",
        f"Mend what holds {parent}; this document follows by itself.",
        "document",
    )


def edge_of_another_customer(subject: str, target: str, own: str, other: str) -> Problem:
    return Problem(
        "edge-of-another-customer",
        subject,
        f"{subject} of QAD customer {own} settles {target} of QAD customer {other}.",
        "Settle it in QAD by hand, between the two customers.",
        "document",
    )


def edge_in_another_currency(subject: str, target: str, own: str, other: str) -> Problem:
    return Problem(
        "edge-in-another-currency",
        subject,
        f"{subject} in {own} settles {target} in {other}.",
        "Look at both in Chargebee; if that is right there, settle it in QAD by hand.",
        "document",
    )


def edge_of_another_invoice(subject: str, own: str, other: str) -> Problem:
    return Problem(
        "edge-of-another-invoice",
        subject,
        f"{subject} adjusts invoice {own or '(none)'}, but is applied to invoice {other}.",
        "Look at the credit note in Chargebee; if it is right there, tell the people who support this connector.",
        "document",
    )


def refund_without_payment(subject: str, rest: Money) -> Problem:
    return Problem(
        "refund-without-payment",
        subject,
        f"{subject}: its credit notes leave {rest} that no known payment gives back.",
        "Look at the refund in Chargebee: it should name the credit note or the payment that it pays out.",
        "document",
    )


def waits_for(subject: str, parent: str) -> Problem:
    return Problem(
        "waits-for-parent",
        subject,
        f"{subject} waits for {parent}, which is not in QAD yet.",
        "Nothing to do here: it follows by itself when that is posted.",
        "document",
    )


def waits_for_refunds(subject: str) -> Problem:
    return Problem(
        "waits-for-refunds",
        subject,
        f"{subject} was posted and has been edited in Chargebee since; the refunds that use it up are taken off first.",
        "Nothing to do here: it follows by itself.",
        "document",
    )


def mixed_currencies(document: str, currency: str, amount: Money) -> Problem:
    return Problem(
        "invariant-a19",
        document,
        f"{document} is in {currency}, and one of its amounts is {amount}.",
        "Look at the document in Chargebee; if it is right there, tell the people who support this connector.",
        "document",
    )


def empty_application(document: str, target: str, amount: Money) -> Problem:
    return Problem(
        "invariant-a7",
        document,
        f"{document} settles {amount} of {target}, and what is settled must be above zero.",
        "Look at both in Chargebee; if they are right there, tell the people who support this connector.",
        "document",
    )


def reversal_too_early(document: str, day: dt.date, original: dt.date) -> Problem:
    return Problem(
        "invariant-a10",
        document,
        f"{document} is dated {day}, before the document of {original} that it takes back.",
        "Sync it again; if it stays so, tell the people who support this connector.",
        "document",
    )


def amount_not_exact(document: str, amount: Money) -> Problem:
    return Problem(
        "invariant-a20",
        document,
        f"{document} holds {amount.amount:f} {amount.currency}, which is finer than that currency or too large.",
        "Look at the document in Chargebee; if it is right there, tell the people who support this connector.",
        "document",
    )


def over_applied(document: str, target: str, amount: Money, left: Money) -> Problem:
    return Problem(
        "over-applied",
        document,
        f"{document} settles {amount} of {target}, of which QAD has {left} left to settle.",
        "It follows by itself when something else comes off; if that never comes, compare both in Chargebee.",
        "document",
    )
