from __future__ import annotations

from collections import Counter
from math import gcd

import pytest

from connector.sandbox.chargebee import billing, recipes
from connector.sandbox.chargebee.arithmetic import share
from tests.sandbox.chargebee_sums import broken
from tests.sandbox.site_desk import T0, a_site

DAY = 86_400


@pytest.fixture(scope="module")
def month():
    """A site of full size after one cycle of everything. Tests read it only."""
    site = a_site(customers=300)
    site.bill_cycle(kinds="all")
    return site


@pytest.fixture(scope="module")
def plain():
    """The same site after a cycle of invoices and their payments alone."""
    site = a_site(customers=300)
    site.bill_cycle()
    return site


@pytest.fixture(scope="module")
def small():
    site = a_site(customers=60)
    site.bill_cycle()
    return site


@pytest.mark.parametrize("kinds", ["invoices", "all"])
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
@pytest.mark.slow
def test_every_identity_holds_on_every_document_of_every_seed(seed, kinds):
    site = a_site(customers=57, seed=seed)
    site.bill_cycle(kinds=kinds)
    site.bill_cycle(kinds=kinds)
    assert broken(site) == []


@pytest.mark.slow
def test_three_hundred_customers_get_a_thousand_invoices(plain):
    assert len(plain.all("invoice")) == 1000
    assert plain.all("credit_note") == []
    assert {row["type"] for row in plain.all("transaction")} == {"payment"}


def test_the_same_seed_bills_the_same_to_the_byte():
    one, two, other = a_site(), a_site(), a_site(seed=8)
    for site in (one, two, other):
        site.bill_cycle(kinds="all")
    assert one.all("invoice") == two.all("invoice")
    assert one.all("transaction") == two.all("transaction")
    assert one.all("event") == two.all("event")
    assert [row["total"] for row in one.all("invoice")] != [row["total"] for row in other.all("invoice")]


def test_the_next_cycle_bills_everybody_again_under_new_numbers():
    site = a_site()
    made = site.bill_cycle()["invoice"]
    assert site.bill_cycle()["invoice"] == made
    assert len({row["id"] for row in site.all("invoice")}) == 2 * made
    assert {row["first_invoice"] for row in site.all("invoice")} == {True, False}


@pytest.mark.slow
def test_all_statuses_occur_and_most_are_paid(plain):
    count = Counter(row["status"] for row in plain.all("invoice"))
    assert set(count) == {"paid", "posted", "payment_due", "not_paid", "pending", "voided"}
    assert count.most_common(1)[0][0] == "paid"


def test_all_currencies_and_both_price_types_occur(plain):
    rows = plain.all("invoice")
    assert {row["currency_code"] for row in rows} == {"USD", "EUR", "GBP", "JPY", "KWD"}
    assert {row["price_type"] for row in rows} == {"tax_exclusive", "tax_inclusive"}
    assert {row["currency_code"] for row in rows if row["price_type"] == "tax_inclusive"} == {"GBP", "JPY"}


VARIETY = {
    "line discount": lambda row: any(
        d["discount_type"] == "item_level_coupon" for d in row.get("line_item_discounts", [])
    ),
    "document discount": lambda row: any(d["entity_type"] == "document_level_coupon" for d in row.get("discounts", [])),
    "promotional credits": lambda row: any(d["entity_type"] == "promotional_credits" for d in row.get("discounts", [])),
    "both discounts": lambda row: len({d["entity_type"] for d in row.get("discounts", [])}) > 1,
    "three taxes on a line": lambda row: len(row.get("line_item_taxes", [])) >= 3 * len(row["line_items"]),
    "VAT": lambda row: any("VAT" in tax["name"] for tax in row.get("taxes", [])),
    "reverse charge": lambda row: any(line.get("tax_exempt_reason") == "reverse_charge" for line in row["line_items"]),
    "ad-hoc line": lambda row: any(
        line["entity_type"] == "adhoc" and "entity_id" not in line for line in row["line_items"]
    ),
    "consolidated": lambda row: (
        "subscription_id" not in row and len({line["subscription_id"] for line in row["line_items"]}) > 1
    ),
    "tiers": lambda row: len(row.get("line_item_tiers", [])) > 1,
    "decimals": lambda row: any("amount_in_decimal" in line for line in row["line_items"]),
    "charges": lambda row: any(line["entity_type"] == "charge_item_price" for line in row["line_items"]),
    "rounded up": lambda row: row["round_off_amount"] > 0,
    "rounded down": lambda row: row["round_off_amount"] < 0,
    "zero total": lambda row: row["total"] == 0 and row["status"] == "paid" and "linked_payments" not in row,
    "failed attempt before payment": lambda row: (
        [link["txn_status"] for link in row.get("linked_payments", [])] == ["failure", "success"]
    ),
    "pending": lambda row: row["id"].startswith("draft_inv_") and row["status"] == "pending" and "due_date" not in row,
    "voided": lambda row: row["status"] == "voided" and row["amount_due"] == row["total"] > 0 and row["voided_at"],
    "dinars": lambda row: row["currency_code"] == "KWD" and row["total"] > 0,
    "yen": lambda row: row["currency_code"] == "JPY" and row["total"] > 1000,
}


@pytest.mark.parametrize("kind", VARIETY)
def test_a_cycle_has_every_kind_of_invoice(plain, kind):
    assert sum(1 for row in plain.all("invoice") if VARIETY[kind](row)) >= 3


@pytest.mark.parametrize("kind", [kind for kind in VARIETY if kind not in ("both discounts", "dinars", "zero total")])
def test_a_small_site_has_most_kinds_too(small, kind):
    assert any(VARIETY[kind](row) for row in small.all("invoice"))


def test_a_rounded_off_invoice_has_a_whole_total(plain):
    totals = [row["total"] for row in plain.all("invoice") if row["round_off_amount"]]
    assert totals
    assert {total % 100 for total in totals} == {0}


def test_every_line_names_an_item_price_that_exists_in_its_currency(plain):
    prices = {row["id"]: row for row in plain.all("item_price")}
    lines = [(row["currency_code"], line) for row in plain.all("invoice") for line in row["line_items"]]
    named = [(currency, prices[line["entity_id"]]) for currency, line in lines if "entity_id" in line]
    assert len(named) > 1000
    assert all(price["currency_code"] == currency for currency, price in named)


def test_a_tiered_line_is_the_sum_of_its_tiers_and_no_product(plain):
    seen = 0
    for row in plain.all("invoice"):
        tiers = row.get("line_item_tiers", [])
        for line in row["line_items"]:
            own = [tier for tier in tiers if tier["line_item_id"] == line["id"]]
            if own:
                seen += 1
                assert line["amount"] == sum(tier["quantity_used"] * tier["unit_amount"] for tier in own)
                assert line["quantity"] == sum(tier["quantity_used"] for tier in own)
                assert line["amount"] != line["unit_amount"] * line["quantity"]
    assert seen > 50


def test_dates_lie_in_the_billing_days_and_changes_in_the_order_they_were_made(plain):
    rows = plain.all("invoice")
    assert {row["date"] // DAY for row in rows} == {T0 // DAY, T0 // DAY - 1}
    assert all(T0 - 37 * 3600 <= row["date"] <= T0 for row in rows)
    assert all(T0 <= row["updated_at"] <= T0 + 50 for row in rows)
    ends = [row["resource_version"] for row in rows]
    assert len(set(ends)) == len(ends)


def test_paid_invoices_have_their_payment(plain):
    payments = {row["id"]: row for row in plain.all("transaction")}
    paid = [row for row in plain.all("invoice") if row["status"] == "paid" and row["total"]]
    for row in paid:
        link = row["linked_payments"][-1]
        assert payments[link["txn_id"]]["amount"] == row["total"] == row["amount_paid"]
        assert payments[link["txn_id"]]["customer_id"] == row["customer_id"]
    offline = [row for row in payments.values() if row["gateway"] == "not_applicable"]
    assert {row["payment_method"] for row in offline} == {"bank_transfer"}


def test_each_invoice_is_told_as_an_event(plain):
    told = Counter(row["event_type"] for row in plain.all("event"))
    assert told["invoice_generated"] + told["pending_invoice_created"] == 1000
    assert told["payment_succeeded"] == sum(1 for row in plain.all("transaction") if row["status"] == "success")


STORIES = {
    "adjustment": lambda row: row["type"] == "adjustment" and row["status"] == "adjusted",
    "write-off": lambda row: row["create_reason_code"] == "Write Off" and row["reason_code"] == "write_off",
    "voided adjustment": lambda row: row["type"] == "adjustment" and row["status"] == "voided",
    "refunded": lambda row: row["type"] == "refundable" and row["status"] == "refunded" and row["linked_refunds"],
    "refund due": lambda row: row["type"] == "refundable" and row["status"] == "refund_due",
    "chargeback": lambda row: row["create_reason_code"] == "Chargeback",
    "voided refundable": lambda row: row["type"] == "refundable" and row["status"] == "voided",
    "store": lambda row: row["type"] == "store" and row["taxes"] == [],
    "with tax": lambda row: sum(tax["amount"] for tax in row["taxes"]) > 0,
}


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.slow
def test_a_cycle_of_all_kinds_has_every_kind_of_credit_note(month, story):
    assert any(STORIES[story](row) for row in month.all("credit_note"))


TRANSACTIONS = {
    "refund": lambda row: row["type"] == "refund" and row.get("linked_credit_notes"),
    "chargeback": lambda row: row["type"] == "refund" and row["payment_method"] == "chargeback",
    "refund of an excess payment": lambda row: row["type"] == "refund" and "linked_credit_notes" not in row,
    "excess payment": lambda row: row["type"] == "payment" and row["amount_unused"] > 0 and row["linked_refunds"],
    "reversal": lambda row: row["type"] == "payment_reversal",
    "reversed payment": lambda row: row["status"] == "late_failure" and "reversal_transaction_id" in row,
    "late failure alone": lambda row: row["status"] == "late_failure" and "reversal_transaction_id" not in row,
    "authorization without updated_at": lambda row: row["type"] == "authorization" and "updated_at" not in row,
    "in progress": lambda row: row["status"] == "in_progress",
    "failure": lambda row: row["status"] == "failure" and row["error_code"],
}


@pytest.mark.parametrize("kind", TRANSACTIONS)
def test_a_cycle_of_all_kinds_has_every_kind_of_transaction(month, kind):
    assert any(TRANSACTIONS[kind](row) for row in month.all("transaction"))


def test_a_share_loses_nothing():
    assert share(100, [1, 1, 1]) == [33, 33, 34]
    assert share(5, [0, 3, 0]) == [0, 5, 0]
    assert share(0, [1, 2]) == [0, 0]
    assert share(7, []) == []


def test_recipes_and_endings_meet_in_every_pair():
    assert gcd(len(recipes._RECIPES), len(billing._ENDINGS)) == 1
