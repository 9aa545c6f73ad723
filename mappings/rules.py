"""Is a mapping row one that QAD can take? Pure: a row's values against what QAD listed, problems out."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from connector.errors import Problem
from connector.ledger.coding import LEVELS, AccountFacts, CustomerFacts
from connector.ledger.qad_problems import NAMES
from connector.qad.closed import forbidden_word, refusal

CODE_LENGTH = 8
_LONGEST = {
    "chargebee_id": 100, "key": 100, "jurisdiction": 100, "name": 100, "note": 200, "qad_item": 18, "tax_code": 16,
    "qad_tax_code": 16, "qad_code": CODE_LENGTH, "gl_account": CODE_LENGTH, "sub_account": CODE_LENGTH,
    "cost_centre": CODE_LENGTH, "project": CODE_LENGTH, "qad_terms": CODE_LENGTH,
}  # fmt: skip
LIST_OF_COLUMN = {  # column of a mapping -> the list of QAD that has its codes
    "sub_account": "sub_accounts",
    "cost_centre": "cost_centres",
    "project": "projects",
    "qad_item": "items",
    "tax_code": "tax_codes",
    "qad_tax_code": "tax_codes",
    "daybook": "daybooks",
    "qad_terms": "credit_terms",
}
_CONTROL_ROLES = frozenset({"receivable", "on_account"})
_EARLIEST = dt.date(1990, 1, 1)
# A key that is the name of a purchasing document or ledger. An item price may well be called 'one-time-purchase'.
_FOREIGN_KEY = re.compile(
    r"(accounts?[\W_]*)?(supplier|vendor|purchas(e|ing)|procurement|payable)s?"
    r"([\W_]*(invoice|order|bill|payment|credit|note|ledger|account|item)s?)?",
    re.IGNORECASE,
)

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem and the field it is about ('' for the whole row)."""

    field: str
    problem: Problem


@dataclass(frozen=True, slots=True)
class Mirror:
    """What QAD listed last. `has_…` is False until a list was read once."""

    accounts: Mapping[str, AccountFacts] = field(default_factory=dict)
    gone_accounts: frozenset[str] = frozenset()
    has_accounts: bool = False
    customers: Mapping[str, CustomerFacts] = field(default_factory=dict)
    gone_customers: frozenset[str] = frozenset()
    has_customers: bool = False
    codes: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)  # list -> code -> active; absent: unknown
    left_out: frozenset[str] = frozenset()  # lists that the profile does not have


def check(kind: str, values: Values, mirror: Mirror, subject: str) -> list[Finding]:
    """Every reason against this row; `subject` is what the person calls it."""
    found = [*_lengths(values, subject), *_CHECKS[kind](values, subject)]
    if kind == "customers":
        found += _customer(values["qad_code"], mirror, subject) if "customers" not in mirror.left_out else ()
        return found
    if values.get("gl_account") and "gl_accounts" not in mirror.left_out:
        found += _account(values, mirror, subject)
    return [*found, *_codes(values, mirror, subject)]


def _codes(values: Values, mirror: Mirror, subject: str) -> Iterator[Finding]:
    """Dimensions, items, tax codes and daybooks, as far as QAD's lists of them were read."""
    for column, name in LIST_OF_COLUMN.items():
        code, listed = values.get(column), mirror.codes.get(name)
        if not code or listed is None:
            continue
        what = NAMES[name]
        if code not in listed:
            yield _finding(
                column, "code-unknown", subject, f"QAD does not have {what} {code}.",
                f"Correct it, or create the {what} in QAD and refresh QAD's lists.",
            )  # fmt: skip
        elif not listed[code]:
            yield _finding(
                column, "code-inactive", subject, f"{what} {code} is inactive in QAD.",
                f"Choose another, or activate the {what} in QAD and refresh QAD's lists.",
            )  # fmt: skip


def _finding(column: str, code: str, subject: str, message: str, fix: str) -> Finding:
    return Finding(column, Problem(code, subject, f"{subject}: {message}", fix, "mappings"))


def _lengths(values: Values, subject: str) -> Iterator[Finding]:
    for name, value in values.items():
        longest = _LONGEST.get(name)
        if longest is None or not isinstance(value, str):
            continue
        if len(value) > longest:
            fix = "GL account codes have 8 at most." if name == "gl_account" else f"Use {longest} characters at most."
            yield _finding(name, "code-too-long", subject, f"'{value[:120]}' has {len(value)} characters.", fix)
        if longest == CODE_LENGTH and any(c.isspace() for c in value):
            yield _finding(name, "code-with-blanks", subject, f"'{value}' has a blank in it.", "Codes have none.")


def _item_row(values: Values, subject: str) -> Iterator[Finding]:
    level, key = values["level"], values["key"]
    word = forbidden_word(level) or (forbidden_word(key) if level == "charge" else "")
    if word or _FOREIGN_KEY.fullmatch(key):
        yield _finding("key", "not-ours", subject, refusal(word or key), "Map only what Chargebee bills.")
    if level not in LEVELS:
        yield _finding(
            "level", "level-unknown", subject, f"'{level}' is no level.", f"Use one of: {', '.join(LEVELS)}."
        )
    elif level == "fallback" and key:
        yield _finding("key", "key-not-empty", subject, f"the fallback has the key '{key}'.", "Leave the key empty.")
    elif level != "fallback" and not key:
        yield _finding(
            "key", "key-missing", subject, "the key is empty.", f"Write the Chargebee ID of the {_name(level)}."
        )
    yield from _coded_row(values, subject)


def _name(level: str) -> str:
    return level.replace("_", " ")


def _coded_row(values: Values, subject: str) -> Iterator[Finding]:
    if not values["gl_account"]:
        yield _finding("gl_account", "account-missing", subject, "the GL account is empty.", "Choose a GL account.")
    yield from _dated_row(values, subject)


def _dated_row(values: Values, subject: str) -> Iterator[Finding]:
    since = values["valid_from"]
    if since < _EARLIEST:
        yield _finding("valid_from", "date-too-old", subject, f"{since} lies before 1990.", "Check the year.")


def _tax_row(values: Values, subject: str) -> Iterator[Finding]:
    if not values["gl_account"] and not values["qad_tax_code"]:
        yield _finding(
            "gl_account",
            "tax-target-missing",
            subject,
            "it names no GL account and no QAD tax code.",
            "Give one or both.",
        )
    if not values["name"] and (values["jurisdiction"] or values["rate"]):
        yield _finding("name", "tax-name-missing", subject, "it has no tax name.", "Write the tax's name in Chargebee.")
    yield from _dated_row(values, subject)


def _customer_row(values: Values, subject: str) -> Iterator[Finding]:
    if not values["chargebee_id"]:
        yield _finding(
            "chargebee_id",
            "key-missing",
            subject,
            "the Chargebee customer is empty.",
            "Write the customer's Chargebee ID.",
        )


def _terms_row(values: Values, subject: str) -> Iterator[Finding]:
    if not values["qad_terms"]:
        yield _finding("qad_terms", "terms-missing", subject, "the QAD credit terms are empty.", "Write their code.")
    yield from _dated_row(values, subject)


_CHECKS = {
    "credit_terms": _terms_row,
    "customers": _customer_row,
    "items": _item_row,
    "taxes": _tax_row,
    "banks": _coded_row,
    "account_roles": _coded_row,
}


def _customer(code: str, mirror: Mirror, subject: str) -> Iterator[Finding]:
    if not code:
        yield _finding("qad_code", "customer-missing", subject, "the QAD customer is empty.", "Choose a QAD customer.")
    elif not mirror.has_customers:
        yield _finding(
            "qad_code", "mirror-never-read", subject, f"QAD customer {code} cannot be checked.",
            "Refresh the list of QAD customers first.",
        )  # fmt: skip
    elif code in mirror.gone_customers or code not in mirror.customers:
        gone = "QAD no longer lists" if code in mirror.gone_customers else "QAD does not have"
        yield _finding(
            "qad_code", "customer-unknown", subject, f"{gone} customer {code}.",
            "Choose another customer, or create it in QAD and refresh the list of QAD customers.",
        )  # fmt: skip
    elif not mirror.customers[code].is_active:
        yield _finding(
            "qad_code", "customer-inactive", subject, f"QAD customer {code} is inactive.",
            "Choose another customer, or activate it in QAD and refresh the list of QAD customers.",
        )  # fmt: skip


def _account(values: Values, mirror: Mirror, subject: str) -> Iterator[Finding]:
    account = values["gl_account"]
    facts = mirror.accounts.get(account)
    if not mirror.has_accounts:
        yield _finding(
            "gl_account", "mirror-never-read", subject, f"GL account {account} cannot be checked.",
            "Refresh the list of GL accounts first.",
        )  # fmt: skip
    elif facts is None or account in mirror.gone_accounts:
        gone = "QAD no longer lists" if account in mirror.gone_accounts else "QAD does not have"
        yield _finding(
            "gl_account", "account-unknown", subject, f"{gone} GL account {account}.",
            "Choose another account, or create it in QAD and refresh the list of GL accounts.",
        )  # fmt: skip
    else:
        yield from _listed_account(values, facts, subject)


def _listed_account(values: Values, facts: AccountFacts, subject: str) -> Iterator[Finding]:
    account = values["gl_account"]
    if not facts.is_active:
        yield _finding(
            "gl_account", "account-inactive", subject, f"GL account {account} is inactive in QAD.",
            "Choose another account, or activate it in QAD and refresh the list of GL accounts.",
        )  # fmt: skip
    if is_control(facts) and values.get("role") not in _CONTROL_ROLES:
        yield _finding(
            "gl_account", "account-is-control", subject,
            f"GL account {account} is a control account, which QAD books by itself.", "Choose another account.",
        )  # fmt: skip
    yield from _dimensions(values, facts, subject)


def is_control(facts: AccountFacts) -> bool:
    """An account that only documents of a customer may touch, such as accounts receivable."""
    return "control" in facts.account_type.casefold()


def _dimensions(values: Values, facts: AccountFacts, subject: str) -> Iterator[Finding]:
    needed = (
        ("sub_account", "sub-account", facts.needs_sub_account),
        ("cost_centre", "cost centre", facts.needs_cost_centre),
        ("project", "project", facts.needs_project),
    )
    for name, shown, is_needed in needed:
        if is_needed and not values.get(name):
            may_have_one = name in values  # a tax mapping has no dimensions
            yield _finding(
                name if may_have_one else "gl_account", "dimension-missing", subject,
                f"GL account {values['gl_account']} needs a {shown}.",
                f"Add the {shown}." if may_have_one else "Choose another account.",
            )  # fmt: skip
    taken = (facts.takes_sub_account, facts.takes_cost_centre, facts.takes_project)
    for (name, shown, _), is_taken in zip(needed, taken, strict=True):
        if values.get(name) and not is_taken:
            yield _finding(
                name, "dimension-not-allowed", subject, f"GL account {values['gl_account']} takes no {shown}.",
                f"Leave the {shown} empty, or choose another account.",
            )  # fmt: skip
