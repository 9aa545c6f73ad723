"""Which mapping row wins."""

import datetime as dt
import timeit
from decimal import Decimal

import pytest

from connector.ledger.coding import CustomerLink, ItemRule, MappingTable, RoleRule, TaxRule, rate_text
from connector.ledger.documents import Coding

JANUARY, JUNE, DECEMBER = dt.date(2026, 1, 1), dt.date(2026, 6, 1), dt.date(2026, 12, 1)
LINE = {"item_price": "pro-EUR", "item": "pro", "family": "cloud", "charge": "plan_item_price"}


def a_table(*rows, since=JANUARY):
    """Item rows as 'level key account'."""
    rules = (row.split(" ") for row in rows)
    return MappingTable(items=tuple(ItemRule(level, key, since, Coding(account)) for level, key, account in rules))


def account(coding):
    return coding.gl_account if coding else None


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], None),
        (["fallback  9"], "9"),
        (["fallback  9", "charge plan_item_price 4"], "4"),
        (["fallback  9", "charge plan_item_price 4", "item_family cloud 3"], "3"),
        (["item_family cloud 3", "item pro 2"], "2"),
        (["item pro 2", "item_price pro-EUR 1", "fallback  9"], "1"),
        (["item_price pro-USD 1", "item free 2", "item_family other 3", "charge adhoc 4"], None),
        (["item pro-EUR 2", "item_price pro 1"], None),
    ],
)
def test_it_takes_the_most_specific_row(rows, expected):
    assert account(a_table(*rows).item(**LINE, on=JUNE)) == expected


def test_an_empty_key_of_a_line_matches_no_row():
    table = a_table("item_price x 1", "fallback  9")
    assert account(table.item(item_price="", item="", family="", charge="adhoc", on=JUNE)) == "9"


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (dt.date(2025, 12, 31), "9"),
        (JANUARY, "1"),
        (dt.date(2026, 5, 31), "1"),
        (JUNE, "2"),
        (DECEMBER, "2"),
    ],
)
def test_a_row_is_in_force_from_its_date_until_the_next_one_of_its_key(on, expected):
    table = MappingTable(
        items=(
            ItemRule("item", "pro", JUNE, Coding("2")),
            ItemRule("item", "pro", JANUARY, Coding("1")),
            ItemRule("fallback", "", dt.date(2000, 1, 1), Coding("9")),
        )
    )
    assert account(table.item(**LINE, on=on)) == expected


def test_a_specific_row_of_the_future_leaves_today_to_the_general_one():
    table = MappingTable(
        items=(ItemRule("item_price", "pro-EUR", DECEMBER, Coding("1")), ItemRule("item", "pro", JANUARY, Coding("2")))
    )
    assert account(table.item(**LINE, on=JUNE)) == "2"


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["||"], "||"),
        (["||", "|VAT|"], "|VAT|"),
        (["|VAT|", "|VAT|19"], "|VAT|19"),
        (["|VAT|19", "DE|VAT|"], "DE|VAT|"),
        (["DE|VAT|", "DE|VAT|19"], "DE|VAT|19"),
        (["DE|VAT|7", "FR|VAT|19", "|Sales|"], None),
        (["DE|VAT|7", "||"], "||"),
    ],
)
def test_a_tax_goes_by_jurisdiction_name_and_rate_in_that_order(keys, expected):
    table = MappingTable(taxes=tuple(TaxRule(*key.split("|"), JANUARY, Coding(key)) for key in keys))
    assert account(table.tax("DE", "VAT", Decimal("19.00"), JUNE)) == expected


def test_a_tax_without_a_known_rate_finds_no_row_with_one():
    table = MappingTable(taxes=(TaxRule("", "VAT", "19", JANUARY, Coding("1")),))
    assert table.tax("", "VAT", None, JUNE) is None


@pytest.mark.parametrize(("rate", "text"), [("19.0", "19"), ("8.8750", "8.875"), ("0.00", "0"), ("100", "100")])
def test_a_rate_has_one_text(rate, text):
    assert rate_text(Decimal(rate)) == text


def test_a_role_changes_its_account_on_a_date():
    table = MappingTable(roles=(RoleRule("discount", JANUARY, Coding("1")), RoleRule("discount", JUNE, Coding("2"))))
    answers = [account(table.role("discount", on)) for on in (dt.date(2025, 1, 1), JANUARY, DECEMBER)]
    assert answers == [None, "1", "2"]
    assert table.role("write_off", JUNE) is None


def test_questions_of_different_kinds_are_never_confused_in_memory():
    table = MappingTable(
        roles=(RoleRule("discount", JANUARY, Coding("role")),), taxes=(TaxRule("", "", "", JANUARY, Coding("tax")),)
    )
    for _ in range(2):
        assert account(table.role("discount", JUNE)) == "role"
        assert account(table.tax("", "discount", None, JUNE)) == "tax"
        assert table.item(item_price="discount", on=JUNE) is None


def test_it_knows_the_customer():
    table = MappingTable(customers={"c1": CustomerLink("C0000001", "alias")})
    assert table.customer("c1") == CustomerLink("C0000001", "alias")
    assert table.customer("c2") is None


def test_it_explains_every_place_it_looked_at():
    table = MappingTable(
        items=(
            ItemRule("item_price", "pro-EUR", DECEMBER, Coding("1")),
            ItemRule("item_family", "cloud", JANUARY, Coding("3", source="item:7@2")),
            ItemRule("fallback", "", JANUARY, Coding("9")),
        )
    )
    told = table.explain_item(**LINE, on=JUNE)
    assert told.winner.coding.source == "item:7@2"
    assert [(step.place, step.outcome) for step in told.steps] == [
        ("item_price pro-EUR", "starts on 2026-12-01"),
        ("item pro", "no row"),
        ("item_family cloud", "wins"),
        ("charge plan_item_price", "no row"),
        ("fallback", "a more specific row won"),
    ]


def test_it_explains_that_nothing_matches():
    told = MappingTable().explain_tax("DE", "VAT", Decimal(19), JUNE)
    assert told.winner is None
    assert [step.place for step in told.steps] == ["DE VAT 19", "DE VAT", "VAT 19", "VAT", "default"]
    assert MappingTable().explain_role("discount", JUNE).winner is None


def test_asking_again_costs_microseconds():
    table = a_table(*(f"item_price p{n} {n}" for n in range(2000)))
    seconds = min(
        timeit.repeat(lambda: table.item(item_price="p7", item="i", family="f", charge="c", on=JUNE), number=2000)
    )
    assert seconds / 2000 < 20e-6  # measured 0.5 microseconds; room for a busy machine


def test_its_memory_stays_bounded():
    table = a_table("fallback  9")
    for n in range(60_000):
        table.item(item_price=str(n), on=JUNE)
    assert len(table._memo) <= 50_000
