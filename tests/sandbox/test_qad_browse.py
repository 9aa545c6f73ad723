from __future__ import annotations

import json

import pytest

from tests.sandbox.qad_desk import Desk, an_invoice

FINANCE = "urn:browse:bebrowse:com.qad.erp.financials."
BASE = "urn:browse:bebrowse:com.qad.erp.base."


def column(rows, name):
    return [row[name] for row in rows]


@pytest.fixture(scope="module")
def desk():
    """Two hundred and fifty invoices, R-000 to R-249, of 1 to 250 dollars."""
    desk = Desk()
    for number in range(250):
        desk.posted("invoice", an_invoice(f"R-{number:03d}", number + 1))
    return desk


@pytest.mark.parametrize("missing", ["page", "action"])
def test_it_is_silently_empty_without_page_or_page_action(desk, missing):
    assert desk.browse("customerInvoices", **{missing: 0}) == ([], "false")


def test_it_gives_flat_keys_with_the_prefix_of_the_component(desk):
    rows, _ = desk.browse("customerInvoices", size=1)
    assert rows[0]["customerInvoice.externalReference"] == "R-000"
    assert rows[0]["customerInvoice.postingDate"] == "2026-11-22T00:00:00.000Z"
    assert all(name.startswith("customerInvoice.") for name in rows[0])


def test_it_never_gives_more_than_a_hundred_rows_and_says_more_in_a_text(desk):
    seen = []
    for page in (1, 2, 3):
        rows, more = desk.browse("customerInvoices", page=page, size=99999, action="next")
        seen += column(rows, "customerInvoice.externalReference")
        assert more == ("true" if page < 3 else "false")
    assert seen == [f"R-{number:03d}" for number in range(250)]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (["customerInvoice.externalReference,eq,R-007,literal"], ["R-007"]),
        (["customerInvoice.externalReference,eq,r-007,literal"], ["R-007"]),
        (["customerInvoice.externalReference,sw,R-24,literal"], [f"R-24{n}" for n in range(10)]),
        (["customerInvoice.externalReference,ew,-000,literal"], ["R-000"]),
        (
            ["customerInvoice.externalReference,cn,-03,literal", "customerInvoice.invoiceTCAmount,gt,39,literal"],
            ["R-039"],
        ),
        (["customerInvoice.invoiceTCAmount,ge,249,literal"], ["R-248", "R-249"]),
        (["customerInvoice.invoiceTCAmount,lt,2,literal"], ["R-000"]),
        (["customerInvoice.invoiceTCAmount,le,1,literal"], ["R-000"]),
        (["customerInvoice.invoiceTCAmount,rg,5,literal,6,literal"], ["R-004", "R-005"]),
        (["customerInvoice.postingDate,rg,2026-12-01,literal,2026-12-31,literal"], []),
        (["customerInvoice.openTCAmount,eq,3,literal"], ["R-002"]),
        (["customerInvoice.documentNumber,eq,2026-CINV-000002,literal"], ["R-001"]),
    ],
)
def test_it_filters_with_every_operator_and_joins_repeated_filters(desk, filters, expected):
    rows, _ = desk.browse("customerInvoices", *filters)
    assert column(rows, "customerInvoice.externalReference") == expected


@pytest.mark.parametrize(
    "filter_text",
    [
        "customerinvoice.externalReference,eq,R-1,literal",
        "customerInvoice.ExternalReference,eq,R-1,literal",
        "externalReference,eq,R-1,literal",
        "customerInvoice.externalReference,like,R-1,literal",
        "customerInvoice.externalReference,eq,R-1",
    ],
)
def test_it_calls_a_column_in_another_case_an_invalid_uri(desk, filter_text):
    assert desk.browse("customerInvoices", filter_text)["errors"][0]["message"].startswith("Invalid URI")


def test_it_does_not_know_other_browses(desk):
    assert desk.browse("urn:browse:bebrowse:com.qad.erp.base.suppliers")["errors"][0]["code"] == "404"


def test_it_counts_rows(desk):
    query = (("browseId", f"{FINANCE}customerInvoices"),)
    reply = desk.send("GET", "/api/qracore/browses/totalCount/", query)
    assert json.loads(reply.body) == {"data": {"totalCount": 250}}


def test_it_keeps_the_rows_of_one_call_through_its_pages():
    desk = Desk()
    for number in range(3):
        desk.posted("invoice", an_invoice(f"R-{number}"))
    assert desk.browse("customerInvoices", size=2, call="same")[1] == "true"
    desk.posted("invoice", an_invoice("R-3"))
    rows, more = desk.browse("customerInvoices", page=2, size=2, call="same", action="next")
    assert (column(rows, "customerInvoice.externalReference"), more) == (["R-2"], "false")


@pytest.mark.parametrize(
    ("browse_id", "key", "codes"),
    [
        (f"{FINANCE}glAccounts", "glAccount.glAccountCode", {"1200", "4000", "4600", "4990"}),
        (f"{FINANCE}subAccounts", "subAccount.subAccountCode", {"SUB1"}),
        (f"{FINANCE}costCenters", "costCenter.costCenterCode", {"CC10"}),
        (f"{FINANCE}projects", "project.projectCode", {"PRJ1"}),
        (f"{BASE}items", "item.itemCode", {"SUBS"}),
        ("urn:browse:bebrowse:com.qad.erp.tax.taxCodes", "taxCode.taxCode", {"VAT"}),
        (f"{FINANCE}daybooks", "daybook.daybookCode", {"CINV", "CCRNC", "CPAY"}),
        (f"{BASE}creditTerms", "creditTerm.creditTermsCode", {"N30"}),
        (f"{BASE}currencies", "currency.currencyCode", {"USD", "KWD"}),
        (f"{BASE}daybookSets", "daybookSet.daybookSetCode", {"DBS1"}),
        (f"{BASE}sites", "site.siteCode", {"10-100"}),
        (f"{BASE}domainV3s", "domainV3.domainCode", {"10USA"}),
        (f"{BASE}customers", "customerV2.customerCode", {"C1"}),
        (f"{BASE}mfgCustomers", "mfgCustomer.customerCode", {"C1"}),
        (f"{BASE}businessRelationV2s", "businessRelationV2.businessRelationCode", {"C1"}),
    ],
)
def test_it_lists_master_data(desk, browse_id, key, codes):
    rows, _ = desk.browse(browse_id)
    assert codes <= set(column(rows, key))


def test_it_shows_inactive_accounts_as_such(desk):
    rows, _ = desk.browse(f"{FINANCE}glAccounts", "glAccount.isActive,eq,false,literal")
    assert column(rows, "glAccount.glAccountCode") == ["4990"]


def test_it_shows_periods_with_their_locks():
    desk = Desk()
    desk.qad.lock_period(2026, 10)
    desk.qad.lock_daybook("CINV", 2026, 11)
    rows, _ = desk.browse(f"{FINANCE}glCalendarPeriods", "glCalendarPeriod.postingYear,eq,2026,literal")
    found = {row["glCalendarPeriod.postingPeriod"]: row for row in rows}
    assert [found[10]["glCalendarPeriod.isOpen"], found[11]["glCalendarPeriod.isOpen"]] == [False, True]
    assert found[11]["glCalendarPeriod.lockedDaybooks"] == "CINV"
    assert found[11]["glCalendarPeriod.startDate"] == "2026-11-01T00:00:00.000Z"
