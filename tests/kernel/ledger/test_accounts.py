"""Does QAD have what a document names? One table of every code, dimension and currency that can be wrong."""

from __future__ import annotations

import pytest

from connector.ledger.accounts import coding_problems, currency_problems, customer_problems, daybook_problems
from connector.ledger.coding import AccountFacts, CustomerLink
from connector.ledger.documents import Coding, DocumentLine
from connector.ledger.reference_data import ReferenceData
from tests.kernel.ledger.cases import a_table, eur

KNOWN = ReferenceData(
    codes={
        "sub_accounts": {"SUB1": True, "SUB9": False},
        "cost_centres": {"CC10": True, "CC99": False},
        "projects": {"PRJ1": True, "PRJ9": False},
        "items": {"SUBS": True, "OLD": False},
        "tax_codes": {"ST": True, "XX": False},
        "daybooks": {"CPAY": True, "CADJ": False},
        "currencies": {"EUR": True, "XPF": False},
    }
)
STRICT = AccountFacts(needs_sub_account=True, needs_cost_centre=True, needs_project=True)
FREE = AccountFacts(takes_sub_account=False, takes_cost_centre=False, takes_project=False)


def found(coding, facts=AccountFacts(), known=KNOWN):  # noqa: B008 - a frozen value
    table = a_table(accounts={"4000": facts}, known=known)
    return coding_problems([DocumentLine("sale", "Pro", eur("1"), coding)], [], table, "EUR")


@pytest.mark.parametrize(
    ("coding", "facts", "codes"),
    [
        (Coding("4000", "SUB1", "CC10", "PRJ1", "SUBS", "ST"), AccountFacts(), []),
        (Coding("4000", "SUB2"), AccountFacts(), ["code-unknown"]),
        (Coding("4000", "SUB9"), AccountFacts(), ["code-inactive"]),
        (Coding("4000", cost_centre="CC11"), AccountFacts(), ["code-unknown"]),
        (Coding("4000", cost_centre="CC99"), AccountFacts(), ["code-inactive"]),
        (Coding("4000", project="PRJ2"), AccountFacts(), ["code-unknown"]),
        (Coding("4000", project="PRJ9"), AccountFacts(), ["code-inactive"]),
        (Coding("4000", qad_item="NEW"), AccountFacts(), ["code-unknown"]),
        (Coding("4000", qad_item="OLD"), AccountFacts(), ["code-inactive"]),
        (Coding("4000", tax_code="VAT"), AccountFacts(), ["code-unknown"]),
        (Coding("4000", tax_code="XX"), AccountFacts(), ["code-inactive"]),
        (Coding("", tax_code="XX"), AccountFacts(), ["code-inactive"]),
        (Coding("4000"), STRICT, ["dimension-missing"] * 3),
        (Coding("4000", "SUB1", "CC10", "PRJ1"), FREE, ["dimension-not-allowed"] * 3),
        (Coding("4000"), AccountFacts(is_active=False), ["account-inactive"]),
        (Coding("4000"), AccountFacts(currency="USD"), ["account-currency"]),
        (Coding("4001"), AccountFacts(), ["account-unknown"]),
    ],
)
def test_each_thing_that_is_wrong_is_named_with_its_value_and_the_next_step(coding, facts, codes):
    problems = found(coding, facts)
    assert [problem.code for problem in problems] == codes
    assert all("Line 'Pro'" in p.message or "4000" in p.message for p in problems)
    assert all(problem.fix and problem.link for problem in problems)


def test_a_list_that_was_never_read_is_not_checked_against():
    assert found(Coding("4000", "SUB2", "CC11", "PRJ2", "NEW", "VAT"), known=ReferenceData()) == []


def test_a_list_that_the_profile_does_not_have_holds_nothing():
    left_out = ReferenceData(left_out=frozenset({"gl_accounts", "customers"}))
    assert found(Coding("4001"), known=left_out) == []
    table = a_table(customers_known={}, known=left_out)
    assert customer_problems("acme-1", CustomerLink("C1"), table) == []


@pytest.mark.parametrize(
    ("code", "expected"), [("", []), ("CPAY", []), ("X", ["code-unknown"]), ("CADJ", ["code-inactive"])]
)
def test_a_daybook_of_a_bank_mapping_is_checked(code, expected):
    assert [problem.code for problem in daybook_problems("The bank mapping", code, KNOWN)] == expected


@pytest.mark.parametrize(("code", "words"), [("GBP", "does not have it"), ("XPF", "only as inactive")])
def test_a_currency_of_qad_is_checked(code, words):
    (problem,) = currency_problems("Invoice 1", code, KNOWN)
    assert f"Invoice 1 is in {code}, and QAD" in problem.message
    assert words in problem.message
