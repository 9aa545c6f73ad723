"""Does QAD have what a document names? Checked against the mirrors before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from connector.errors import Problem
from connector.ledger import problems, qad_problems
from connector.ledger.coding import AccountFacts, CustomerLink, MappingTable
from connector.ledger.documents import Coding, DocumentLine, TaxLine
from connector.ledger.reference_data import ReferenceData

LISTED_PARTS = {  # list of QAD -> the part of a coding that it has
    "sub_accounts": "sub_account",
    "cost_centres": "cost_centre",
    "projects": "project",
    "items": "qad_item",
    "tax_codes": "tax_code",
}


def customer_problems(customer_id: str, link: CustomerLink | None, table: MappingTable) -> list[Problem]:
    """Why a document of this customer may not be sent, [] if it may."""
    if link is None:
        return [problems.customer_not_linked(customer_id)]
    facts = table.customers_known.get(link.qad_code)
    if "customers" in table.known.left_out:
        return []
    if facts is None:
        return [problems.customer_unknown(customer_id, link.qad_code)]
    if not facts.is_active:
        return [problems.customer_inactive(customer_id, link.qad_code)]
    if not facts.is_complete:
        return [problems.customer_incomplete(customer_id, link.qad_code)]
    return []


def coding_problems(
    lines: Sequence[DocumentLine], taxes: Sequence[TaxLine], table: MappingTable, currency: str
) -> list[Problem]:
    """Accounts that QAD does not have, or that cannot take these lines."""
    found: list[Problem] = []
    for label, coding in _coded(lines, taxes):
        found.extend(one_coding_problems(label, coding, table, currency))
    return found


def one_coding_problems(label: str, coding: Coding, table: MappingTable, currency: str) -> list[Problem]:
    """The same for one account with its dimensions; `label` names what is mapped to it."""
    found = list(code_problems(label, coding, table.known))
    if not coding.gl_account or "gl_accounts" in table.known.left_out:
        return found
    facts = table.accounts.get(coding.gl_account)
    if facts is None:
        return [problems.account_unknown(coding.gl_account, label), *found]
    return [*_account_problems(label, coding, facts, currency), *found]


def code_problems(label: str, coding: Coding, known: ReferenceData) -> Iterator[Problem]:
    """Dimensions, item and tax code that QAD does not have or holds as inactive, as far as it told."""
    for name, part in LISTED_PARTS.items():
        code = getattr(coding, part)
        state = known.state(name, code) if code else "unchecked"
        if state == "unknown":
            yield qad_problems.code_unknown(name, code, label)
        elif state == "inactive":
            yield qad_problems.code_inactive(name, code, label)


def daybook_problems(label: str, daybook: str, known: ReferenceData) -> list[Problem]:
    """The same for the daybook that a mapping names; '' is the profile's own."""
    state = known.state("daybooks", daybook) if daybook else "unchecked"
    if state == "unknown":
        return [qad_problems.code_unknown("daybooks", daybook, label)]
    return [qad_problems.code_inactive("daybooks", daybook, label)] if state == "inactive" else []


def currency_problems(name: str, currency: str, known: ReferenceData) -> list[Problem]:
    """A currency that QAD cannot post in."""
    state = known.state("currencies", currency)
    if state in ("active", "unchecked"):
        return []
    return [qad_problems.currency_unknown(name, currency, is_inactive=state == "inactive")]


def _coded(lines: Sequence[DocumentLine], taxes: Sequence[TaxLine]) -> Iterator[tuple[str, Coding]]:
    yield from ((f"Line '{line.description}'", line.coding) for line in lines)
    yield from ((f"Tax '{tax.name}'", tax.coding) for tax in taxes)


def _account_problems(label: str, coding: Coding, facts: AccountFacts, currency: str) -> Iterator[Problem]:
    account = coding.gl_account
    if not facts.is_active:
        yield problems.account_inactive(account, label)
    dimensions = (
        ("sub-account", coding.sub_account, facts.needs_sub_account, facts.takes_sub_account),
        ("cost centre", coding.cost_centre, facts.needs_cost_centre, facts.takes_cost_centre),
        ("project", coding.project, facts.needs_project, facts.takes_project),
    )
    for dimension, code, is_needed, is_taken in dimensions:
        if is_needed and not code:
            yield problems.dimension_missing(account, dimension, label)
        elif code and not is_taken:
            yield qad_problems.dimension_not_allowed(account, dimension, code, label)
    if facts.currency and facts.currency != currency:
        yield problems.account_currency(account, facts.currency, currency)
