"""A document's questions to the mappings, and the answers with their reasons."""

import datetime as dt
from decimal import Decimal

import pytest

from connector.ledger.coding import BankRule, ItemRule, MappingTable, RoleRule, TaxRule
from connector.ledger.documents import Coding
from connector.ledger.explaining import Question, explain, recording

ON, SINCE = dt.date(2026, 11, 30), dt.date(2026, 1, 1)
TABLE = MappingTable(
    items=(
        ItemRule("item", "pro", SINCE, Coding("4000", source="item:1@1")),
        ItemRule("item_price", "pro-EUR", dt.date(2027, 1, 1), Coding("4100", source="item:2@1")),
        ItemRule("fallback", "", SINCE, Coding("4900", source="item:3@1")),
    ),
    taxes=(TaxRule("", "VAT", "", SINCE, Coding("2230", source="tax:1@1")),),
    roles=(RoleRule("discount", SINCE, Coding("4800", source="role:1@1")),),
    banks=(BankRule("stripe", "", "", SINCE, Coding("1050", source="bank:1@1")),),
)


def test_it_answers_as_the_table_does_and_remembers_each_question_once():
    table = recording(TABLE)
    for _ in range(2):
        assert table.item(item_price="pro-EUR", item="pro", on=ON) == TABLE.item(
            item_price="pro-EUR", item="pro", on=ON
        )
        assert table.tax("DE", "VAT", Decimal("19.0"), ON) == TABLE.tax("DE", "VAT", Decimal("19.0"), ON)
        assert table.role("discount", ON) == TABLE.role("discount", ON)
        assert table.bank("stripe", "card", "EUR", ON) == TABLE.bank("stripe", "card", "EUR", ON)
    assert list(table.asked) == [
        Question("item", ("pro-EUR", "pro", "", ""), ON),
        Question("tax", ("DE", "VAT", "19"), ON),
        Question("role", ("discount",), ON),
        Question("bank", ("stripe", "card", "EUR"), ON),
    ]


def test_a_question_without_an_answer_is_remembered_too():
    table = recording(TABLE)
    assert table.role("write_off", ON) is None
    assert explain(table, *table.asked).winner is None


@pytest.mark.parametrize(
    ("question", "winner", "outcomes"),
    [
        (
            Question("item", ("pro-EUR", "pro", "", "plan_item_price"), ON),
            "item:1@1",
            ["starts on 2027-01-01", "wins", "no row", "a more specific row won"],
        ),
        (
            Question("tax", ("DE", "VAT", "19"), ON),
            "tax:1@1",
            ["no row", "no row", "no row", "wins", "no row"],
        ),
        (Question("role", ("discount",), ON), "role:1@1", ["wins"]),
        (
            Question("bank", ("stripe", "card", "EUR"), ON),
            "bank:1@1",
            [*["no row"] * 4, "wins", *["no row"] * 3],
        ),
    ],
)
def test_each_kind_says_why(question, winner, outcomes):
    found = explain(TABLE, question)
    assert found.winner.coding.source == winner
    assert [step.outcome for step in found.steps] == outcomes


@pytest.mark.parametrize(
    ("kind", "names", "said"),
    [
        ("item", ("pro-EUR", "pro", "", "plan_item_price"), "pro-EUR · pro · plan_item_price"),
        ("item", ("", "", "", ""), "anything else"),
        ("tax", ("DE", "VAT", "19"), "VAT at 19 % in DE"),
        ("tax", ("", "", ""), "Any tax"),
    ],
)
def test_a_question_in_words(kind, names, said):
    assert str(Question(kind, names, ON)) == said
