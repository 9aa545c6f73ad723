"""Problems that QAD's own lists show: codes, dimensions, periods, rates; each with its next step."""

from __future__ import annotations

import datetime as dt

from connector.errors import Problem
from connector.money import Money

NAMES = {  # list of QAD -> what one entry is called
    "sub_accounts": "sub-account",
    "cost_centres": "cost centre",
    "projects": "project",
    "items": "item",
    "tax_codes": "tax code",
    "daybooks": "daybook",
    "currencies": "currency",
    "credit_terms": "credit terms",
}


def code_unknown(list_name: str, code: str, subject: str) -> Problem:
    what = NAMES[list_name]
    return Problem(
        "code-unknown",
        f"QAD {what} {code}",
        f"{subject} names {what} {code}, which QAD does not have.",
        f"Correct the mapping, or create the {what} in QAD and refresh QAD's lists.",
        "mappings",
    )


def code_inactive(list_name: str, code: str, subject: str) -> Problem:
    what = NAMES[list_name]
    return Problem(
        "code-inactive",
        f"QAD {what} {code}",
        f"{subject} names {what} {code}, which is inactive in QAD.",
        f"Correct the mapping, or activate the {what} in QAD and refresh QAD's lists.",
        "mappings",
    )


def dimension_not_allowed(account: str, dimension: str, code: str, subject: str) -> Problem:
    return Problem(
        "dimension-not-allowed",
        f"GL account {account}",
        f"GL account {account} takes no {dimension}, and the mapping of {subject} gives '{code}'.",
        f"Take the {dimension} out of that mapping, or map to an account that takes one.",
        "mappings",
    )


def currency_unknown(name: str, currency: str, *, is_inactive: bool) -> Problem:
    how = "has it only as inactive" if is_inactive else "does not have it"
    return Problem(
        "currency-unknown",
        name,
        f"{name} is in {currency}, and QAD {how}.",
        f"Set {currency} up in QAD and refresh QAD's lists.",
        "qad_lists",
    )


def rate_unknown(name: str, currency: str, base: str, day: dt.date) -> Problem:
    return Problem(
        "no-exchange-rate",
        name,
        f"{name}: QAD has no exchange rate from {currency} to {base} on {day}.",
        "Enter the rate in QAD and refresh QAD's list of exchange rates.",
        "qad_lists",
    )


def rate_missing(name: str, currency: str) -> Problem:
    return Problem(
        "no-exchange-rate",
        name,
        f"{name} is in {currency} and Chargebee gives no exchange rate for it.",
        "Set the policy exchange_rate to qad, or correct the document in Chargebee.",
        "policies",
    )


def base_currency_differs(name: str, theirs: str, ours: str) -> Problem:
    return Problem(
        "base-currency-differs",
        name,
        f"{name}: its exchange rate leads to {theirs}, but the books in QAD are kept in {ours}.",
        "Set the policy exchange_rate to qad: a rate to another base currency cannot be used.",
        "policies",
    )


def base_currency_wrong(tenant: str, ours: str, theirs: str) -> Problem:
    return Problem(
        "base-currency-wrong",
        f"Base currency of {tenant}",
        f"{tenant} is set up with base currency {ours}, but QAD keeps these books in {theirs}.",
        f"Set the tenant's base currency to {theirs}, or correct the domain of the QAD connection.",
        "tenant",
    )


def base_does_not_balance(rest: Money, lines: int) -> Problem:
    return Problem(
        "base-unbalanced",
        "Base currency",
        f"In base currency {rest} are left over, more than one unit for each of its {lines} lines.",
        "Compare the exchange rate with QAD's; the document itself is right.",
        "document",
    )


def period_closed(name: str, day: dt.date, refusal: str) -> Problem:
    return Problem(
        "period-closed",
        name,
        f"{name} is to be posted on {day}, but {refusal}.",
        "Open it in QAD and refresh QAD's periods, or let the policy closed_periods choose another date.",
        "qad_lists",
    )


def date_needs_approval(name: str, day: dt.date, refusal: str) -> Problem:
    return Problem(
        "date-needs-approval",
        name,
        f"{name} is to be posted on {day}, but {refusal}. It goes out on that date after an accountant has approved.",
        "Open the period in QAD for it, then approve the date under Month end > Posting dates.",
        "posting_dates",
    )


def no_open_period(name: str, day: dt.date, refusal: str) -> Problem:
    return Problem(
        "no-open-period",
        name,
        f"{name} is to be posted on {day}, but {refusal}, and no later period in QAD's calendar takes it.",
        "Open a period in QAD and refresh QAD's periods.",
        "qad_lists",
    )
