"""Every policy a tenant may set: key, allowed values, default, and who reads it. Anything else is refused."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from zoneinfo import available_timezones

from connector.errors import Problem
from connector.ledger.sharing import sharing
from tenants.models import Tenant


@dataclass(frozen=True, slots=True)
class Policy:
    """`values` lists the allowed texts; or `kind` says what is accepted: whole (low..high), text, table."""

    key: str
    default: Any
    sentence: str
    values: tuple[str, ...] = ()
    kind: str = "choice"
    low: int = 0
    high: int = 0


POLICIES: dict[str, Policy] = {
    policy.key: policy
    for policy in (
        Policy("create_customers", "hold", "A Chargebee customer that QAD does not have", ("create", "hold")),
        Policy("zero_invoices", "post", "Invoices with a total of zero", ("post", "skip")),
        Policy(
            "voided_before_posting",
            "skip",
            "Documents voided or deleted before they were posted: skipped, or posted and reversed",
            ("skip", "post_and_reverse"),
        ),
        Policy(
            "edited_after_posting",
            "correct",
            "Documents edited in Chargebee after they were posted: reversed and posted anew, or held for a person",
            ("correct", "hold"),
        ),
        Policy(
            "promotional_credits",
            "granted",
            "Promotional credits: given away (contra-revenue), or bought by the customer (liability)",
            ("granted", "bought"),
        ),
        Policy(
            "payment_mode",
            "customer_payment",
            "Payments: posted as customer payments, or as journals to the clearing account (then QAD keeps no ageing)",
            ("customer_payment", "journal_to_clearing"),
        ),
        Policy("write_off_tax", "gross", "Write-offs: gross, or with relief of the note's taxes", ("gross", "relief")),
        Policy(
            "refund_account",
            "gateway",
            "Refunds leave through the account of their gateway, or all through refund clearing",
            ("gateway", "refund_clearing"),
        ),
        Policy(
            "offline_payments",
            {},
            "Who books offline payments first: payment method ('' for any other) -> qad or chargebee",
            kind="origins",
        ),
        Policy(
            "rounding_tolerance_minor",
            5,
            "Largest rounding line of a document, in minor units of its currency; above it the document is held",
            kind="whole",
            low=0,
            high=100,
        ),
        Policy(
            "settle_seconds",
            900,
            "How long an unanswered posting waits before it is looked up in QAD",
            kind="whole",
            low=1,
            high=86400,
        ),
        Policy("attempt_budget", 8, "Attempts before a posting is parked for a person", kind="whole", low=1, high=100),
        Policy(
            "minor_units",
            {},
            "How this site counts currencies that Chargebee's page leaves open: currency -> 0 or 2",
            kind="minor_units",
        ),
        Policy(
            "closed_periods",
            "hold",
            "A document whose period is closed in QAD: held, posted on the first open day after it, or posted on its "
            "own date after an accountant has approved",
            ("hold", "next_open_period", "original_after_approval"),
        ),
        Policy(
            "exchange_rate",
            "qad",
            "Exchange rate: QAD's own by posting date, or the one that Chargebee gives the document (only where both "
            "have the same base currency)",
            ("qad", "document"),
        ),
        Policy(
            "lists_hours",
            24,
            "After how many hours QAD's lists are read again; accounts, customers and periods are read by every sync",
            kind="whole",
            low=1,
            high=168,
        ),
        Policy(
            "site_time_zone",
            "",
            "The time zone of the Chargebee site, such as America/Denver, shown beside the accounting zone",
            kind="zone",
        ),
        Policy(
            "cut_off",
            {},
            "Going live: the first document date that is posted from here, for invoice, credit_note and transaction; "
            "older ones belong to the books as they were kept before",
            kind="days",
        ),
        Policy(
            "parallel_run",
            "off",
            "A parallel run: on means that documents are prepared and compared with QAD, and nothing is sent",
            ("off", "on"),
        ),
        Policy("credit_terms", "", "QAD credit terms code for customers created there", kind="text"),
        Policy("customer_code_prefix", "C", "First letters of the QAD codes of customers created there", kind="text"),
        Policy(
            "align_customers",
            "off",
            "Customers kept the same: off, from Chargebee to QAD only, or both ways",
            ("off", "chargebee_to_qad", "both"),
        ),
        Policy(
            "shared_customers",
            {},
            "Which QAD customers belong in Chargebee: types, groups or flags (codes with blanks between), added_after",
            kind="sharing",
        ),
        Policy(
            "country_codes", {}, "Country codes that QAD writes differently: Chargebee's code -> QAD's", kind="codes"
        ),
        Policy("state_codes", {}, "State codes that QAD writes differently: Chargebee's code -> QAD's", kind="codes"),
        Policy("audit_retention_years", 10, "How many years the audit trail is kept", kind="whole", low=1, high=100),
    )
}


def check(key: str, value: Any) -> list[Problem]:
    """Problems of one setting, [] if it may be stored."""
    policy = POLICIES.get(key)
    if policy is None:
        known = ", ".join(sorted(POLICIES))
        return [_problem(key, f"'{key}' is not a policy.", f"Use one of: {known}.")]
    if policy.kind == "choice" and value not in policy.values:
        return [_problem(key, f"Policy '{key}' is {value!r}.", f"Use one of: {', '.join(policy.values)}.")]
    if policy.kind == "whole" and not _is_whole(value, policy):
        return [_problem(key, f"Policy '{key}' is {value!r}.", f"Use a whole number {policy.low}..{policy.high}.")]
    if policy.kind == "text" and not isinstance(value, str):
        return [_problem(key, f"Policy '{key}' is {value!r}.", "Use a text.")]
    if policy.kind == "zone" and not _is_zone(value):
        fix = "Use a name such as Europe/Berlin, or leave it empty."
        return [_problem(key, f"Policy '{key}' is {value!r}, which is no time zone.", fix)]
    if policy.kind == "minor_units" and not _is_minor_units(value):
        return [_problem(key, f"Policy '{key}' is {value!r}.", "Use a table such as { CLP = 0 } with 0 or 2.")]
    if policy.kind == "days" and not _is_days(value):
        fix = 'Use a table such as { invoice = "2026-11-01", transaction = "2026-11-01" }.'
        return [_problem(key, f"Policy '{key}' is {value!r}.", fix)]
    if policy.kind == "codes" and not _is_codes(value):
        fix = 'Use a table such as { GB = "UK", DE = "DEU" }.'
        return [_problem(key, f"Policy '{key}' is {value!r}.", fix)]
    if policy.kind == "sharing" and not _is_sharing(value):
        fix = 'Use a table such as { types = "SUB WEB", added_after = "2026-01-01" }.'
        return [_problem(key, f"Policy '{key}' is {value!r}.", fix)]
    if policy.kind == "origins" and not _is_origins(value):
        fix = 'Use a table such as { check = "chargebee", bank_transfer = "qad" }.'
        return [_problem(key, f"Policy '{key}' is {value!r}.", fix)]
    return []


def _is_whole(value: Any, policy: Policy) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and policy.low <= value <= policy.high


def _is_zone(value: Any) -> bool:
    return isinstance(value, str) and (value == "" or value in available_timezones())


def _is_origins(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(method, str) and origin in ("qad", "chargebee") for method, origin in value.items()
    )


def _is_codes(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(text, str) and text and len(text) <= 20 for pair in value.items() for text in pair
    )


def _is_sharing(value: Any) -> bool:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        return False
    try:
        sharing(value)
    except ValueError:
        return False
    return True


def _is_days(value: Any) -> bool:
    return isinstance(value, dict) and all(
        kind in ("invoice", "credit_note", "transaction") and isinstance(day, str) and _is_day(day)
        for kind, day in value.items()
    )


def _is_day(text: str) -> bool:
    try:
        return dt.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _is_minor_units(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(code, str) and len(code) == 3 and code.isupper() and digits in (0, 2)
        for code, digits in value.items()
    )


def _problem(key: str, message: str, fix: str) -> Problem:
    return Problem("policy-refused", f"Policy {key}", message, fix)


def read(tenant: Tenant) -> dict[str, Any]:
    """Every policy of a tenant with defaults filled in."""
    stored = dict(tenant.policy_settings.values_list("key", "value"))
    return {key: stored.get(key, policy.default) for key, policy in POLICIES.items()}
