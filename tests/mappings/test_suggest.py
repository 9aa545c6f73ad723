"""Suggestions: what speaks for an account, how signs add up, and how often they are right."""

import csv
from pathlib import Path

import pytest

from connector.sandbox.chargebee.catalog import CURRENCIES, PRODUCTS, price_id
from mappings.suggest import Entry, Knowledge, Target, suggest

ACCOUNTS = {"4000": "Subscription revenue", "4300": "Services revenue", "4900": "Other revenue"}
DEMO = Path(__file__).resolve().parents[2] / "deploy" / "demo" / "mappings.csv"


def entry(price="pro-EUR", item="pro", **fields):
    return Entry(price, item, **fields)


def mapped(price, item, account="4000", family="cloud", **fields):
    return Entry(price, item, family, target=Target(account, **fields.pop("codes", {})), **fields)


def accounts_of(found):
    return [one.target.gl_account for one in found]


def test_the_accounting_code_of_chargebee_comes_first():
    known = Knowledge([mapped("basic-EUR", "basic", "4300")], ACCOUNTS)
    found = suggest(entry(family="cloud", accounting_code="4000"), known)
    assert accounts_of(found) == ["4000", "4300"]
    assert found[0].reasons == ("Chargebee gives it the accounting code 4000",)


def test_a_code_that_qad_does_not_have_says_nothing():
    assert suggest(entry(accounting_code="REV-1"), Knowledge([], ACCOUNTS)) == []


def test_an_account_that_may_not_be_posted_to_is_never_suggested():
    known = Knowledge([mapped("basic-EUR", "basic", "1200")], ACCOUNTS)
    assert suggest(entry(family="cloud"), known) == []


def test_other_prices_of_the_item_weigh_more_than_its_family():
    family = [mapped(f"f{n}-EUR", f"f{n}", "4300") for n in range(5)]
    known = Knowledge([mapped("pro-USD", "pro", "4000"), *family], ACCOUNTS)
    found = suggest(entry(family="cloud"), known)
    assert accounts_of(found) == ["4000", "4300"]
    assert "1 of 1 of the item's other prices" in found[0].reasons


def test_the_dimensions_come_along_and_the_qad_item_does_not():
    sibling = mapped("pro-USD", "pro", codes={"cost_centre": "SALES", "qad_item": "PRO-USD", "tax_code": "S"})
    found = suggest(entry(), Knowledge([sibling], ACCOUNTS))
    assert found[0].target == Target("4000", cost_centre="SALES", tax_code="S")


def test_the_sku_is_the_qad_item_where_qad_lists_it():
    known = Knowledge([mapped("pro-USD", "pro")], ACCOUNTS, items=frozenset({"SKU-PRO"}))
    assert suggest(entry(sku="SKU-PRO"), known)[0].target.qad_item == "SKU-PRO"
    assert suggest(entry(sku="SKU-X"), known)[0].target.qad_item == ""


def test_where_it_was_mapped_before_counts():
    found = suggest(entry(), Knowledge([], ACCOUNTS, former={"pro": Target("4900")}))
    assert (accounts_of(found), found[0].reasons) == (["4900"], ("'pro' was mapped there before",))


def test_names_and_account_names_count():
    known = Knowledge([mapped("t-EUR", "training", "4300", family="x", name="Training day")], ACCOUNTS)
    assert accounts_of(suggest(entry(item="w", name="Training week"), known)) == ["4300"]
    assert accounts_of(suggest(entry(item="w", name="Consulting services"), Knowledge([], ACCOUNTS))) == ["4300"]


def test_signs_for_one_account_add_up_and_never_pass_one():
    known = Knowledge([mapped("pro-USD", "pro"), mapped("basic-USD", "basic")], ACCOUNTS)
    alone = suggest(entry(accounting_code="4000"), Knowledge([], ACCOUNTS))[0].score
    together = suggest(entry(accounting_code="4000", family="cloud"), known)[0].score
    assert alone < together < 1


def truth():
    with DEMO.open(encoding="utf-8-sig") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "items"]
    return {(row["level"], row["key"]): Target(row["gl_account"]) for row in rows}


def right_answer(product, answers):
    for key in (("item", product.id), ("item_family", product.family)):
        if key in answers:
            return answers[key]
    return answers.get(("item_price", price_id(product, "USD")))


def test_it_finds_the_account_of_most_items_of_the_sandbox_when_they_are_taken_out_one_by_one():
    answers = truth()
    right = {product.id: right_answer(product, answers) for product in PRODUCTS}
    asked = [product for product in PRODUCTS if right[product.id] is not None]
    assert len(asked) == len(PRODUCTS)
    accounts = {target.gl_account: f"Account {target.gl_account}" for target in right.values() if target}
    entries = [
        Entry(price_id(one, currency), one.id, one.family, one.name, one.account, target=right[one.id])
        for one in PRODUCTS
        for currency in CURRENCIES
    ]
    first = third = 0
    for product in asked:
        rest = [one for one in entries if one.item != product.id]
        plain = Entry(price_id(product, "USD"), product.id, product.family, product.name, product.account)
        found = accounts_of(suggest(plain, Knowledge([*rest, plain], accounts)))
        first += found[:1] == [right[product.id].gl_account]
        third += right[product.id].gl_account in found[:3]
    assert first >= 7, f"{first} of {len(asked)}"
    assert third == len(asked)


@pytest.mark.parametrize("name", ["", "Ωμέγα", "=cmd|'/c calc'!A1", "a" * 500])
def test_a_name_of_any_kind_is_borne_and_resembles_nothing(name):
    assert suggest(entry(name=name), Knowledge([mapped("b-EUR", "b", name="Basic")], ACCOUNTS)) == []
