"""Where cash goes: the most specific bank mapping that is in force wins."""

from __future__ import annotations

import datetime as dt

import pytest

from connector.ledger.coding import BankRule, MappingTable
from connector.ledger.documents import Coding
from tests.kernel.ledger.cases import ON, START

CASH = ("stripe", "card", "EUR")


def a_table(*rows: str, since: dt.date = START) -> MappingTable:
    """Rows as 'gateway method currency account', * for any."""
    parts = [["" if part == "*" else part for part in row.split()] for row in rows]
    return MappingTable(banks=tuple(BankRule(g, m, c, since, Coding(account)) for g, m, c, account in parts))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], None),
        (["* * * 9"], "9"),
        (["* * * 9", "* * EUR 8"], "8"),
        (["* * EUR 8", "* card * 7"], "7"),
        (["* card * 7", "stripe * * 6"], "6"),
        (["stripe * * 6", "* card EUR 5"], "5"),
        (["* card EUR 5", "stripe * EUR 4"], "4"),
        (["stripe * EUR 4", "stripe card * 3"], "3"),
        (["stripe card * 3", "stripe card EUR 2"], "2"),
        (["paypal * * 1", "stripe check * 1", "* * USD 1"], None),
    ],
)
def test_it_takes_the_most_specific_row(rows, expected):
    rule = a_table(*rows).bank(*CASH, ON)
    assert (rule.coding.gl_account if rule else None) == expected


def test_a_row_counts_from_its_day_and_carries_its_daybook():
    rule = BankRule("stripe", "", "", ON, Coding("1090"), "CPAY2")
    table = MappingTable(banks=(rule,))
    assert table.bank(*CASH, ON - dt.timedelta(days=1)) is None
    assert table.bank(*CASH, ON) == rule


def test_it_explains_its_choice():
    explanation = a_table("stripe * * 6", "* card * 7").explain_bank(*CASH, ON)
    assert explanation.winner.coding.gl_account == "6"
    assert {step.place: step.outcome for step in explanation.steps if step.rule} == {
        "stripe": "wins",
        "card": "a more specific row won",
    }
