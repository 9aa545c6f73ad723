"""One document in three books: what differs, what is left over, and what a reason accounts for."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from connector.ledger.compare import Copy, Period, Sent, Statement, Variance, Verdict, differences, judge, shift

DAY = dt.date(2026, 11, 30)
SENT = Sent("CB-INV-1", "C1", "EUR", Decimal("10.00"), DAY, "2026-CINV-1")
COPY = Copy("CB-INV-1", "2026-CINV-1", "C1", "EUR", Decimal("10"), DAY)


def test_a_period_is_a_month_of_the_accounting_zone():
    period = Period.named("2026-11")
    begins, ends = period.moments("America/Denver")

    assert (period.first, period.last, period.name) == (dt.date(2026, 11, 1), DAY, "2026-11")
    assert begins == dt.datetime(2026, 11, 1, 6, tzinfo=dt.UTC)  # summer time ends on this day
    assert ends == dt.datetime(2026, 12, 1, 7, tzinfo=dt.UTC)
    assert DAY in period
    assert dt.date(2026, 12, 1) not in period


@pytest.mark.parametrize("text", ["", "2026", "2026-13", "11-2026", "2026-11-30", "next"])
def test_anything_else_is_no_period(text):
    with pytest.raises(ValueError):
        Period.named(text)


@pytest.mark.parametrize(
    ("changed", "clause"),
    [
        ({"reference": "cb-inv-1"}, "its reference is cb-inv-1 and ours is CB-INV-1"),
        ({"customer": "C2"}, "its customer is C2 and ours is C1"),
        ({"currency": "USD"}, "its currency is USD and ours is EUR"),
        ({"total": Decimal("10.01")}, "its total is 10.01 and ours is 10.00"),
        ({"total": Decimal("-10.00")}, "its total is -10.00 and ours is 10.00"),
    ],
)
def test_each_property_that_is_not_the_same_is_a_clause(changed, clause):
    copy = replace(COPY, **changed)

    assert [str(one) for one in differences(SENT, copy)] == [clause]
    assert judge(SENT, [copy]).verdict == Verdict.DIFFERENT
    assert clause in judge(SENT, [copy]).sentence


def test_what_a_list_does_not_show_differs_from_nothing():
    assert differences(SENT, Copy("CB-INV-1", "7")) == []
    assert judge(SENT, [Copy("CB-INV-1", "7")]).verdict == Verdict.SAME
    assert differences(replace(SENT, total=None), COPY) == []


def test_a_date_that_was_moved_says_whether_the_period_is_another_one():
    assert str(shift(SENT, replace(COPY, posting_date=DAY - dt.timedelta(days=1)))) == (
        "its posting date is 2026-11-29 and ours is 2026-11-30"
    )
    assert "in another period" in judge(SENT, [replace(COPY, posting_date=DAY + dt.timedelta(days=1))]).sentence
    assert judge(SENT, [replace(COPY, posting_date=DAY + dt.timedelta(days=1))]).verdict == Verdict.SHIFTED


def test_nothing_and_two_are_verdicts_of_their_own():
    assert judge(SENT, []).verdict == Verdict.ABSENT
    twice = judge(SENT, [COPY, replace(COPY, number="2026-CINV-9")])
    assert twice.verdict == Verdict.TWICE
    assert twice.sentence == "QAD has reference CB-INV-1 more than once: 2026-CINV-1, 2026-CINV-9."


def a_statement() -> Statement:
    statement = Statement(cap=2)
    statement.expect("invoice", "EUR", chargebee=Decimal(100), ours=Decimal(100), qad=Decimal(100))
    statement.expect("invoice", "EUR", chargebee=Decimal(20), ours=Decimal(0), qad=Decimal(0), reason="held")
    return statement


def test_a_reason_accounts_for_what_qad_lacks():
    statement = a_statement()

    (row,) = statement.rows()
    assert (row["documents"], row["chargebee"], row["ours"], row["qad"]) == (2, "120.00", "100.00", "100.00")
    assert (row["explained"], row["residual"]) == ({"held": "20.00"}, "0.00")
    assert statement.is_balanced


def test_what_no_reason_accounts_for_is_left_over():
    statement = a_statement()
    left = statement.expect("invoice", "EUR", chargebee=Decimal(7), ours=Decimal(7), qad=Decimal(5))

    assert left == Decimal(2)
    assert statement.rows()[0]["residual"] == "2.00"
    assert not statement.is_balanced


def test_two_differences_that_cancel_each_other_out_are_no_balance():
    statement = a_statement()
    for qad in (Decimal(6), Decimal(8)):
        statement.expect("invoice", "EUR", chargebee=Decimal(7), ours=Decimal(7), qad=qad)
        statement.tell(Variance("differs", "invoice", "EUR", "It differs."))

    assert statement.rows()[0]["residual"] == "0.00"
    assert not statement.is_balanced


def test_what_only_we_make_is_compared_without_chargebee():
    statement = Statement()
    statement.expect("reversal", "JPY", chargebee=None, ours=Decimal(500), qad=Decimal(500))

    (row,) = statement.rows()
    assert (row["chargebee"], row["ours"], row["residual"]) == (None, "500", "0")
    assert statement.is_balanced


def test_every_variance_is_counted_and_a_capped_number_is_kept():
    statement = Statement(cap=2)
    for number in range(5):
        statement.tell(Variance("held", "invoice", "EUR", f"{number}", is_explained=True))
    statement.tell(Variance("differs", "invoice", "EUR", "The one that matters."))

    assert statement.counts == {"held": 5, "differs": 1}
    assert [one.sentence for one in statement.variances] == ["0", "1", "The one that matters."]
    assert (statement.unexplained, statement.is_balanced) == (1, False)


def test_a_currency_that_nobody_knows_is_shown_as_it_stands():
    assert Variance("held", "invoice", "ZZZ", "x", chargebee=Decimal("1.5")).as_dict()["chargebee"] == "1.5"
