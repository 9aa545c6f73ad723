"""What an instance must have before it is posted to, asked of both dialects of the sandbox."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from connector.qad import certificate
from connector.qad.certificate import Wanted
from connector.qad.profile import load
from tests.kernel.qad.cases import DIALECTS, mapping

TODAY = dt.date(2026, 11, 20)
GOOD = Wanted(
    TODAY,
    "USD",
    {"gl_accounts": {"1090", "6900"}, "daybooks": {"CPAY"}, "credit_terms": {"N30"}, "currencies": {"EUR"}},
)
both = pytest.mark.parametrize("dialect", list(DIALECTS))


def asked(client, wanted=GOOD):
    return {probe.subject.removeprefix("reference "): probe for probe in certificate.run(client, wanted)}


@both
def test_everything_that_is_leaned_on_is_there(bench, dialect):
    found = asked(bench.client(dialect))
    assert {probe.answer for probe in found.values()} == {"ok"}
    assert found["gl_accounts"].sentence == "QAD has GL account 1090, 6900."
    assert found["period"].sentence == "Period 2026/11, in which today falls, is open."
    assert not [name for name in bench.qad.requests if name.startswith("POST") and "oauth" not in name]


@both
@pytest.mark.parametrize(
    ("changes", "subject", "sentence"),
    [
        ({"codes": {"gl_accounts": {"1090", "9999"}}}, "gl_accounts", "QAD does not have GL account 9999."),
        ({"codes": {"gl_accounts": {"4990"}}}, "gl_accounts", "QAD holds GL account 4990 as inactive."),
        ({"codes": {"daybooks": {"cpay"}}}, "daybooks", "QAD does not have daybook cpay."),
        ({"codes": {"credit_terms": {"N99"}}}, "credit_terms", "QAD does not have credit terms N99."),
        ({"base_currency": "GBP"}, "base currency", "QAD keeps the books of 10USA in USD, the tenant's base currency"),
        ({"today": dt.date(2050, 1, 1)}, "period", "QAD's calendar has no period for 2050-01-01"),
    ],
)
def test_what_is_missing_is_named_with_the_next_step(bench, dialect, changes, subject, sentence):
    found = asked(bench.client(dialect), replace(GOOD, **changes))[subject]
    assert found.answer == "missing"
    assert sentence in found.sentence


def test_a_closed_period_and_locked_daybooks_of_today_are_told(bench):
    bench.qad.lock_daybook("CINV", 2026, 11)
    assert asked(bench.client())["period"].sentence.endswith("is open. Locked in it: CINV.")
    bench.qad.lock_period(2026, 11)
    found = asked(bench.client())["period"]
    assert (found.answer, "Open it in QAD." in found.sentence) == ("closed", True)


def test_a_daybook_that_the_profile_names_is_asked_for_and_an_absent_list_is_no_failure(bench):
    constants = {
        "writes": {"invoice": {"constants": {"daybookCode": "NOPE"}}},
        "lists": {"domains": "-", "periods": "-"},
    }
    found = asked(bench.client(profile=load(mapping(**constants))), Wanted(TODAY, "USD"))
    assert (found["daybooks"].answer, found["currencies"].answer) == ("missing", "ok")
    assert found["base currency"].answer == found["period"].answer == "not_configured"
