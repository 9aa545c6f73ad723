"""Does QAD have what a document names? Checked against the mirrors before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from connector.errors import Problem
from connector.ledger import problems
from connector.ledger.coding import AccountFacts, CustomerLink, MappingTable
from connector.ledger.documents import Coding, DocumentLine, TaxLine


def customer_problems(customer_id: str, link: CustomerLink | None, table: MappingTable) -> list[Problem]:
    """Why a document of this customer may not be sent, [] if it may."""
    if link is None:
        return [problems.customer_not_linked(customer_id)]
    facts = table.customers_known.get(link.qad_code)
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
    """The same for one account; `label` names what is mapped to it."""
    if not coding.gl_account:
        return []
    facts = table.accounts.get(coding.gl_account)
    if facts is None:
        return [problems.account_unknown(coding.gl_account, label)]
    return list(_account_problems(label, coding, facts, currency))


def _coded(lines: Sequence[DocumentLine], taxes: Sequence[TaxLine]) -> Iterator[tuple[str, Coding]]:
    yield from ((f"Line '{line.description}'", line.coding) for line in lines)
    yield from ((f"Tax '{tax.name}'", tax.coding) for tax in taxes)


def _account_problems(label: str, coding: Coding, facts: AccountFacts, currency: str) -> Iterator[Problem]:
    account = coding.gl_account
    if not facts.is_active:
        yield problems.account_inactive(account, label)
    if facts.needs_sub_account and not coding.sub_account:
        yield problems.dimension_missing(account, "sub-account", label)
    if facts.needs_cost_centre and not coding.cost_centre:
        yield problems.dimension_missing(account, "cost centre", label)
    if facts.needs_project and not coding.project:
        yield problems.dimension_missing(account, "project", label)
    if facts.currency and facts.currency != currency:
        yield problems.account_currency(account, facts.currency, currency)
