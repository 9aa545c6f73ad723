"""Which day a document is posted on: QAD's calendar, the policy, and what it leans on."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from connector.ledger.calendar import Period, calendar
from connector.ledger.dating import daybook_type, folded, posting_day
from connector.ledger.documents import Reversal
from connector.periods import business_date
from tests.kernel.qad.cases import an_invoice

SEPTEMBER, OCTOBER, NOVEMBER = (dt.date(2026, month, 1) for month in (9, 10, 11))
BOOKS = calendar(
    [
        Period("2026/11", NOVEMBER, dt.date(2026, 11, 30)),
        Period("2026/09", SEPTEMBER, dt.date(2026, 9, 30), is_open=False),
        Period("2026/10", OCTOBER, dt.date(2026, 10, 31), locked=frozenset({"CINV"})),
    ]
)


def dated(day, *, books=BOOKS, policy="next_open_period", daybook="CINV", **given):
    document = replace(an_invoice(), document_date=day, posting_date=given.pop("earliest", day))
    return posting_day(document, daybook, books, policy=policy, **given)


@pytest.mark.parametrize(
    ("day", "daybook", "expected"),
    [
        (dt.date(2026, 11, 5), "CINV", dt.date(2026, 11, 5)),
        (dt.date(2026, 10, 5), "CPAY", dt.date(2026, 10, 5)),
        (dt.date(2026, 10, 5), "", dt.date(2026, 10, 5)),  # nobody knows the daybook: QAD will say
        (dt.date(2026, 10, 5), "cinv", NOVEMBER),
        (dt.date(2026, 9, 30), "CPAY", OCTOBER),
        (dt.date(2026, 9, 30), "CINV", NOVEMBER),
        (dt.date(2026, 8, 31), "CPAY", OCTOBER),
    ],
)
def test_it_takes_the_first_day_that_the_calendar_and_the_daybook_allow(day, daybook, expected):
    found = dated(day, daybook=daybook)
    assert (found.day, found.own, found.problem) == (expected, day, None)
    assert bool(found.reason) == found.is_shifted == (expected != day)


@pytest.mark.parametrize(
    ("policy", "code"), [("hold", "period-closed"), ("original_after_approval", "date-needs-approval")]
)
def test_it_waits_where_the_tenant_wants_no_other_date(policy, code):
    found = dated(SEPTEMBER, policy=policy)
    assert (found.problem.code, found.day) == (code, SEPTEMBER)
    assert "period 2026/09 is closed in QAD" in found.problem.message


def test_an_approval_counts_for_its_own_day_only():
    asked = []
    found = dated(SEPTEMBER, policy="original_after_approval", is_approved=lambda day: asked.append(day) or True)
    assert (found.day, found.problem, asked) == (SEPTEMBER, None, [SEPTEMBER])
    assert found.reason.startswith("An accountant approved 2026-09-01")


def test_no_later_period_is_no_reason_to_guess_one():
    assert dated(dt.date(2027, 1, 1)).problem.code == "no-open-period"


@pytest.mark.parametrize(
    ("earliest", "expected"), [(SEPTEMBER, NOVEMBER), (dt.date(2026, 11, 9), dt.date(2026, 11, 9))]
)
def test_it_never_goes_before_what_it_leans_on(earliest, expected):
    found = dated(dt.date(2026, 8, 1), earliest=earliest)
    assert found.day == expected
    assert found.reason


def test_a_reversal_does_not_go_before_its_original_as_qad_dated_it():
    document = Reversal("R", NOVEMBER, NOVEMBER, an_invoice())
    found = posting_day(document, "", BOOKS, policy="hold", not_before=dt.date(2026, 11, 20))
    assert found.day == dt.date(2026, 11, 20)
    assert daybook_type(document) == "customerinvoicecorrection"


def test_without_a_calendar_nobody_knows_better_than_qad():
    assert dated(SEPTEMBER, books=None, policy="hold").problem is None


@pytest.mark.parametrize("text", ["customer_invoice", "Customer Invoices", "CUSTOMER INVOICE"])
def test_daybook_types_are_recognised_however_they_are_written(text):
    assert folded(text) == "customerinvoice"
    assert folded("Journal Entries") == folded("journal_entry") == "journalentry"


@pytest.mark.parametrize(
    ("moment", "zone", "expected"),
    [
        ("2026-10-31T23:59:59+00:00", "UTC", "2026-10-31"),
        ("2026-11-01T05:59:59+00:00", "America/Denver", "2026-10-31"),  # daylight saving: UTC-6
        ("2026-11-01T06:00:00+00:00", "America/Denver", "2026-11-01"),
        ("2026-11-02T06:59:59+00:00", "America/Denver", "2026-11-01"),  # standard time since that night: UTC-7
        ("2026-11-02T07:00:00+00:00", "America/Denver", "2026-11-02"),
        ("2026-03-28T22:59:59+00:00", "Europe/Berlin", "2026-03-28"),
        ("2026-03-29T21:59:59+00:00", "Europe/Berlin", "2026-03-29"),  # the day of 23 hours
        ("2026-03-29T22:00:00+00:00", "Europe/Berlin", "2026-03-30"),
        ("2026-10-24T22:00:00+00:00", "Europe/Berlin", "2026-10-25"),  # the day of 25 hours
        ("2026-10-25T22:59:59+00:00", "Europe/Berlin", "2026-10-25"),
        ("2026-12-31T10:00:00+00:00", "Pacific/Kiritimati", "2027-01-01"),  # fourteen hours ahead
        ("2027-01-01T10:59:59+00:00", "Pacific/Pago_Pago", "2026-12-31"),  # eleven hours behind
        ("2028-02-29T18:30:00+00:00", "Asia/Kolkata", "2028-03-01"),
        ("2028-02-29T18:29:59+00:00", "Asia/Kolkata", "2028-02-29"),
        ("2026-04-04T13:30:00+00:00", "Australia/Lord_Howe", "2026-04-05"),  # half an hour of daylight saving
        ("2026-11-01T00:30:00-05:00", "UTC", "2026-11-01"),
        ("2011-12-30T09:59:59+00:00", "Pacific/Apia", "2011-12-29"),
        ("2011-12-30T10:00:00+00:00", "Pacific/Apia", "2011-12-31"),  # a day that never was
    ],
)
def test_a_moment_becomes_a_date_once_in_the_accounting_zone(moment, zone, expected):
    assert business_date(dt.datetime.fromisoformat(moment), zone).isoformat() == expected
