"""Which rows are refused, and with what words."""

import datetime as dt

import pytest

from connector.ledger.coding import AccountFacts, CustomerFacts
from mappings.kinds import KINDS
from mappings.rules import Mirror, check
from tests.mappings.build import customer, item, role, tax

MIRROR = Mirror(
    accounts={
        "4000": AccountFacts(),
        "4990": AccountFacts(is_active=False),
        "1200": AccountFacts(account_type="Customer control"),
        "6100": AccountFacts(needs_cost_centre=True, needs_sub_account=True),
        "6200": AccountFacts(needs_project=True),
        "3999": AccountFacts(),
        "2230": AccountFacts(account_type="tax"),
    },
    gone_accounts=frozenset({"3999"}),
    has_accounts=True,
    customers={"C1": CustomerFacts(), "C2": CustomerFacts(is_active=False), "C3": CustomerFacts()},
    gone_customers=frozenset({"C3"}),
    has_customers=True,
)


def findings(change, mirror=MIRROR):
    return check(change.kind, change.values, mirror, KINDS[change.kind].subject(change.values))


def codes(change, mirror=MIRROR):
    return [(finding.field, finding.problem.code) for finding in findings(change, mirror)]


@pytest.mark.parametrize(
    "change",
    [
        item(account="4000"),
        item(account="6100", cost_centre="CC1", sub_account="S1"),
        item("", "4000", level="fallback"),
        item("adhoc", level="charge"),
        item("one-time-purchase"),
        item("vendor-portal-monthly"),
        customer(qad_code="C1"),
        tax(account="2230"),
        tax(account="", qad_tax_code="USTAX"),
        tax("", jurisdiction="", account="2230"),
        role("receivable", "1200"),
        role("on_account", "1200"),
    ],
)
def test_it_has_nothing_against_a_good_row(change):
    assert codes(change) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (item(account="9999"), [("gl_account", "account-unknown")]),
        (item(account="3999"), [("gl_account", "account-unknown")]),
        (item(account="4990"), [("gl_account", "account-inactive")]),
        (item(account="1200"), [("gl_account", "account-is-control")]),
        (role("discount", "1200"), [("gl_account", "account-is-control")]),
        (tax(account="1200"), [("gl_account", "account-is-control")]),
        (item(account=""), [("gl_account", "account-missing")]),
        (item(account="6100"), [("sub_account", "dimension-missing"), ("cost_centre", "dimension-missing")]),
        (item(account="6200"), [("project", "dimension-missing")]),
        (tax(account="6200"), [("gl_account", "dimension-missing")]),
        (item(account="400000001"), [("gl_account", "code-too-long"), ("gl_account", "account-unknown")]),
        (item(account="40 00"), [("gl_account", "code-with-blanks"), ("gl_account", "account-unknown")]),
        (item(sub_account="123456789"), [("sub_account", "code-too-long")]),
        (item(""), [("key", "key-missing")]),
        (item("pro", level="fallback"), [("key", "key-not-empty")]),
        (item("pro", level="product"), [("level", "level-unknown")]),
        (item("pro", level="supplier"), [("key", "not-ours"), ("level", "level-unknown")]),
        (item("purchase_order", level="charge"), [("key", "not-ours")]),
        (item("vendor_bill"), [("key", "not-ours")]),
        (item("accounts-payable"), [("key", "not-ours")]),
        (item("Suppliers", level="item_family"), [("key", "not-ours")]),
        (item(valid_from=dt.date(26, 1, 1)), [("valid_from", "date-too-old")]),
        (tax(account="", qad_tax_code=""), [("gl_account", "tax-target-missing")]),
        (tax("", rate="19"), [("name", "tax-name-missing")]),
        (customer(qad_code="C9"), [("qad_code", "customer-unknown")]),
        (customer(qad_code="C3"), [("qad_code", "customer-unknown")]),
        (customer(qad_code="C2"), [("qad_code", "customer-inactive")]),
        (customer(qad_code=""), [("qad_code", "customer-missing")]),
        (customer("", "C1"), [("chargebee_id", "key-missing")]),
    ],
)
def test_it_refuses_a_row_that_qad_cannot_take(change, expected):
    assert codes(change) == expected


def test_it_names_the_row_the_code_and_the_next_step():
    (finding,) = findings(item("pro-EUR", "9999"))
    assert str(finding.problem) == (
        "Item mapping 'item_price pro-EUR' from 2026-01-01: QAD does not have GL account 9999. "
        "Choose another account, or create it in QAD and refresh the list of GL accounts."
    )


@pytest.mark.parametrize(
    ("change", "step"),
    [(item(), "Refresh the list of GL accounts first."), (customer(), "Refresh the list of QAD customers first.")],
)
def test_it_asks_for_the_list_when_none_was_ever_read(change, step):
    (finding,) = findings(change, Mirror())
    assert finding.problem.fix == step
