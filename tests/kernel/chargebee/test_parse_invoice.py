"""An invoice becomes a typed record or the list of all that is wrong with it."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.chargebee import parse
from connector.chargebee.records import Invoice
from connector.errors import Problem
from connector.money import Money
from tests.kernel.chargebee.documents import DAY, a_line, a_line_tax, a_payment, an_invoice


def parsed(row: dict[str, Any], **minor_units: int) -> Invoice:
    found = parse.invoice(row, minor_units=minor_units)
    assert isinstance(found, Invoice), [str(problem) for problem in found]
    return found


def problems(row: Any, **minor_units: int) -> list[Problem]:
    found = parse.invoice(row, minor_units=minor_units)
    assert isinstance(found, list), "the document was believed"
    return found


def eur(text: str) -> Money:
    return Money(Decimal(text), "EUR")


def test_it_reads_every_part_of_an_invoice():
    invoice = parsed(an_invoice(site_details_at_creation={"timezone": "Europe/Berlin"}, po_number="PO 7"))
    line, tax, payment = invoice.lines[0], invoice.line_taxes[0], invoice.linked_payments[0]
    assert (invoice.total, invoice.sub_total, invoice.tax) == (eur("119"), eur("100"), eur("19"))
    assert (invoice.exchange_rate, invoice.base_currency) == (Decimal("1.0875"), "USD")
    assert invoice.date == dt.datetime.fromtimestamp(DAY, dt.UTC)
    assert (invoice.time_zone, invoice.po_number, invoice.is_complete) == ("Europe/Berlin", "PO 7", True)
    assert (line.amount, line.tax_amount, line.tax_rate, line.quantity) == (eur("100"), eur("19"), 19, 2)
    assert (tax.amount, tax.taxable_amount, tax.jurisdiction_code) == (eur("19"), eur("100"), "DE")
    assert (payment.applied, payment.amount, payment.status) == (eur("119"), eur("200"), "success")
    assert invoice.taxes[0].amount == eur("19")


@pytest.mark.parametrize(
    ("currency", "wire", "confirmed", "amount"),
    [
        ("EUR", 11_900, {}, "119"),
        ("USD", 1, {}, "0.01"),
        ("JPY", 1_200, {}, "1200"),
        ("KRW", 1_200, {}, "1200"),
        ("XAF", 500, {}, "500"),
        ("KWD", 1_250, {}, "12.5"),  # hundredths, whatever ISO 4217 says
        ("BHD", 1_250, {}, "12.5"),
        ("HUF", 99_900, {}, "999"),
        ("CLP", 12_000, {"CLP": 0}, "12000"),
        ("CLP", 12_000, {"CLP": 2}, "120"),
        ("ISK", 12_000, {"ISK": 0}, "12000"),
        ("USD", 9_007_199_254_740_991, {}, "90071992547409.91"),
    ],
)
def test_it_scales_amounts_as_chargebee_counts_them(currency: str, wire: int, confirmed: dict[str, int], amount: str):
    row = an_invoice(currency_code=currency, total=wire)
    assert parsed(row, **confirmed).total == Money(Decimal(amount), currency)


@pytest.mark.parametrize(
    ("currency", "code"),
    [("CLP", "currency-unconfirmed"), ("VND", "currency-unconfirmed"), ("XXX", "currency-unknown"),
     ("usd", "currency-unknown"), ("", "field-missing"), (7, "field-wrong-type")],
)  # fmt: skip
def test_it_believes_no_amount_in_a_currency_nobody_knows(currency: Any, code: str):
    found = problems(an_invoice(currency_code=currency))
    assert [problem.code for problem in found] == [code]
    assert "Invoice 'INV-1'" in found[0].message


def test_it_sends_a_person_to_the_policy_of_an_unconfirmed_currency():
    assert "minor_units" in problems(an_invoice(currency_code="CLP"))[0].fix


HUGE = 2**53
BAD_AMOUNTS = [
    ("12.50", "field-wrong-type"), (12.5, "field-wrong-type"), (Decimal("12.5"), "field-wrong-type"),
    (Decimal("12"), "field-wrong-type"), (True, "field-wrong-type"), (False, "field-wrong-type"),
    ([], "field-wrong-type"), ({}, "field-wrong-type"), (float("nan"), "field-wrong-type"), ("", "field-wrong-type"),
    (HUGE, "amount-out-of-range"), (10**5000, "amount-out-of-range"),
]  # fmt: skip
AMOUNTS = ["sub_total", "tax", "total", "amount_due", "amount_paid", "amount_adjusted", "write_off_amount",
           "credits_applied", "round_off_amount", "amount_to_collect"]  # fmt: skip


@pytest.mark.parametrize("field", AMOUNTS)
@pytest.mark.parametrize(("value", "code"), BAD_AMOUNTS, ids=range(len(BAD_AMOUNTS)))
def test_it_believes_no_amount_of_the_wrong_kind(field: str, value: Any, code: str):
    found = problems(an_invoice(**{field: value}))
    assert [problem.code for problem in found] == [code]
    assert f"'{field}'" in found[0].message and "INV-1" in found[0].message


@pytest.mark.parametrize("field", [name for name in AMOUNTS if name != "round_off_amount"])
def test_it_believes_no_negative_amount_where_none_can_be(field: str):
    assert [problem.code for problem in problems(an_invoice(**{field: -1}))] == ["amount-negative"]


def test_it_reads_what_may_be_negative():
    invoice = parsed(an_invoice(round_off_amount=-4, line_items=[a_line(amount=-500, tax_amount=-95)]))
    assert (invoice.round_off, invoice.lines[0].amount) == (eur("-0.04"), eur("-5"))


@pytest.mark.parametrize("field", ["id", "customer_id", "status", "price_type", "date", "sub_total", "tax", "total",
                                   "amount_due", "currency_code"])  # fmt: skip
def test_it_misses_what_must_be_there(field: str):
    assert [problem.code for problem in problems(an_invoice(**{field: None}))] == ["field-missing"]


@pytest.mark.parametrize(
    ("part", "row", "field", "code"),
    [
        ("line_items", a_line(id=None), "line_items[0].id", "field-missing"),
        ("line_items", a_line(id=7), "line_items[0].id", "field-wrong-type"),
        ("line_items", a_line(amount=None), "line_items[0].amount", "field-missing"),
        ("line_items", a_line(amount="5"), "line_items[0].amount", "field-wrong-type"),
        ("line_items", a_line(entity_type="gift_card"), "line_items[0].entity_type", "value-unknown"),
        ("line_items", a_line(entity_type="plan"), "line_items[0].entity_type", "value-unknown"),
        ("line_items", a_line(entity_id=None), "line_items[0].entity_id", "field-missing"),
        ("line_items", a_line(is_taxed="yes"), "line_items[0].is_taxed", "field-wrong-type"),
        ("line_items", a_line(date_from=DAY * 1000), "line_items[0].date_from", "time-out-of-range"),
        ("line_items", a_line(quantity=-1), "line_items[0].quantity", "number-out-of-range"),
        ("line_items", a_line(tax_rate="nineteen"), "line_items[0].tax_rate", "field-wrong-type"),
        ("line_items", "li_1", "line_items[0]", "field-wrong-type"),
        ("line_item_taxes", a_line_tax(tax_rate=None), "line_item_taxes[0].tax_rate", "field-missing"),
        ("line_item_taxes", a_line_tax(tax_amount=1.9), "line_item_taxes[0].tax_amount", "field-wrong-type"),
        ("line_item_taxes", a_line_tax(tax_rate=Decimal("1e400")),
         "line_item_taxes[0].tax_rate", "number-out-of-range"),
        ("line_item_discounts", {"line_item_id": "li_1", "discount_type": "gift", "discount_amount": 5},
         "line_item_discounts[0].discount_type", "value-unknown"),
        ("linked_payments", a_payment(txn_status="maybe"), "linked_payments[0].txn_status", "value-unknown"),
        ("linked_payments", a_payment(applied_amount=-1), "linked_payments[0].applied_amount", "amount-negative"),
        ("applied_credits", {"cn_id": "CN-1", "applied_amount": 5, "cn_status": "lost"},
         "applied_credits[0].cn_status", "value-unknown"),
        ("adjustment_credit_notes", {"cn_id": "", "cn_total": 5, "cn_status": "adjusted"},
         "adjustment_credit_notes[0].cn_id", "field-missing"),
        ("taxes", {"name": "VAT"}, "taxes[0].amount", "field-missing"),
    ],
)  # fmt: skip
def test_it_names_the_place_of_a_problem_inside_the_document(part: str, row: Any, field: str, code: str):
    found = problems(an_invoice(**{part: [row]}))
    assert [(problem.code, f"'{field}'" in problem.message) for problem in found] == [(code, True)]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("status", "half_paid", "value-unknown"), ("status", 1, "field-wrong-type"),
        ("price_type", "tax_free", "value-unknown"), ("date", "2026-11-30", "field-wrong-type"),
        ("date", DAY * 1000, "time-out-of-range"), ("date", -1, "time-out-of-range"), ("date", 0, "time-out-of-range"),
        ("date", True, "field-wrong-type"), ("due_date", 1.5, "field-wrong-type"), ("id", " INV", "id-unusable"),
        ("id", "a\nb", "id-unusable"), ("id", "a\0", "id-unusable"), ("id", "\ud800", "id-unusable"),
        ("customer_id", 7, "field-wrong-type"), ("net_term_days", -1, "number-out-of-range"),
        ("net_term_days", "30", "field-wrong-type"), ("exchange_rate", -1, "number-out-of-range"),
        ("exchange_rate", True, "field-wrong-type"), ("exchange_rate", float("inf"), "field-wrong-type"),
        ("line_items", {}, "field-wrong-type"), ("taxes", "none", "field-wrong-type"),
        ("deleted", 1, "field-wrong-type"),
        ("resource_version", "1", "field-wrong-type"), ("po_number", 7, "field-wrong-type"),
        ("site_details_at_creation", [], "field-wrong-type"),
    ],
)  # fmt: skip
def test_it_takes_no_field_of_the_wrong_kind(field: str, value: Any, code: str):
    assert [problem.code for problem in problems(an_invoice(**{field: value}))] == [code]


def test_it_returns_all_problems_of_a_document_together():
    row = an_invoice(status="odd", total="12", date=None, line_items=[a_line(amount=1.5), a_line(id="")])
    assert [problem.code for problem in problems(row)] == [
        "value-unknown", "field-missing", "field-wrong-type", "field-wrong-type", "field-missing",
    ]  # fmt: skip


@pytest.mark.parametrize("row", [None, [], "INV-1", 7, True])
def test_it_says_so_when_there_is_no_document_at_all(row: Any):
    assert [problem.code for problem in problems(row)] == ["document-not-an-object"]


def test_it_names_a_document_without_an_id():
    assert problems(an_invoice(id=None))[0].subject == "Invoice without an id"


def test_it_takes_missing_and_null_arrays_as_empty():
    arrays = ["line_items", "line_item_taxes", "taxes", "line_item_discounts", "linked_payments", "applied_credits"]
    for value in (None, "null"):
        row = an_invoice(**dict.fromkeys(arrays))
        invoice = parsed(row if value is None else {**row, **dict.fromkeys(arrays)})
        assert (invoice.lines, invoice.taxes, invoice.line_discounts, invoice.applied_credits) == ((), (), (), ())


def test_it_ignores_fields_it_does_not_know():
    row = an_invoice(mrr=5, einvoice={"id": "x"}, new_thing=[1], line_items=[a_line(object="line_item", novelty={})])
    assert parsed(row) == parsed(an_invoice())


def test_it_says_that_lines_are_missing_while_an_offset_says_so():
    assert not parsed(an_invoice(line_items_next_offset='["2"]')).is_complete


def test_it_reads_a_line_without_an_item_price():
    line = parsed(an_invoice(line_items=[a_line(entity_type="adhoc", entity_id=None)])).lines[0]
    assert (line.entity_type, line.entity_id) == ("adhoc", "")


def test_it_reads_a_tiered_line_with_more_decimals_than_the_currency():
    row = a_line(pricing_model="tiered", amount=3_333, unit_amount=0, unit_amount_in_decimal="0.0033333",
                 quantity=10_000, quantity_in_decimal="10000.0000000001", amount_in_decimal="33.33")  # fmt: skip
    line = parsed(an_invoice(line_items=[row])).lines[0]
    assert (line.amount, line.quantity) == (eur("33.33"), Decimal("10000.0000000001"))


def test_it_reads_a_consolidated_tax_inclusive_invoice():
    lines = [
        a_line(id="li_1", subscription_id="sub_1"),
        a_line(id="li_2", subscription_id="sub_2", customer_id="child"),
    ]
    invoice = parsed(an_invoice(price_type="tax_inclusive", subscription_id=None, line_items=lines))
    assert invoice.subscription_id == "" and invoice.price_type == "tax_inclusive"
    assert [(line.subscription_id, line.customer_id) for line in invoice.lines] == [
        ("sub_1", "acme-1"),
        ("sub_2", "child"),
    ]


def test_it_reads_discounts_credits_notes_and_withheld_tax():
    invoice = parsed(
        an_invoice(
            line_item_discounts=[
                {"line_item_id": "li_1", "discount_type": "document_level_coupon", "discount_amount": 500,
                 "coupon_id": "C"},
                {"line_item_id": "li_1", "discount_type": "promotional_credits", "discount_amount": 100},
            ],
            applied_credits=[{"cn_id": "CN-1", "applied_amount": 7, "applied_at": DAY, "cn_status": "refunded",
                              "cn_reason_code": "waiver", "cn_create_reason_code": "Goodwill"}],
            adjustment_credit_notes=[{"cn_id": "CN-2", "cn_total": 9, "cn_status": "adjusted",
                                      "cn_reason_code": "write_off"}],
            linked_taxes_withheld=[{"id": "tw_1", "amount": 3, "date": DAY, "reference_number": "R"}],
        )
    )  # fmt: skip
    assert [(d.kind, d.amount, d.entity_id) for d in invoice.line_discounts] == [
        ("document_level_coupon", eur("5"), "C"),
        ("promotional_credits", eur("1"), ""),
    ]
    assert (invoice.applied_credits[0].applied, invoice.applied_credits[0].reason_code) == (eur("0.07"), "Goodwill")
    assert (invoice.adjustment_notes[0].total, invoice.adjustment_notes[0].reason_code) == (eur("0.09"), "write_off")
    assert (invoice.withheld_taxes[0].amount, invoice.withheld_taxes[0].reference) == (eur("0.03"), "R")


@pytest.mark.parametrize(
    "status", ["in_progress", "success", "voided", "failure", "timeout", "needs_attention", "late_failure"]
)
def test_it_keeps_every_attempt_to_pay_with_its_status(status: str):
    assert parsed(an_invoice(linked_payments=[a_payment(txn_status=status)])).linked_payments[0].status == status


@pytest.mark.parametrize("status", ["pending", "posted", "payment_due", "not_paid", "paid", "voided"])
def test_it_knows_every_status(status: str):
    assert parsed(an_invoice(status=status)).status == status


@pytest.mark.parametrize("rate", [Decimal("0.1"), 0.1, "0.1"])
def test_it_reads_a_rate_exactly_from_the_wire_and_from_storage(rate: Any):
    assert parsed(an_invoice(exchange_rate=rate)).exchange_rate == Decimal("0.1")


def test_it_takes_an_exchange_rate_of_zero_as_not_known():
    assert parsed(an_invoice(exchange_rate=0)).exchange_rate is None


def test_it_replaces_what_no_database_stores_in_a_text():
    line = parsed(an_invoice(line_items=[a_line(description="a\0b\ud800c <script>ü")])).lines[0]
    assert line.description == "a\ufffdb\ufffd\ufffd\ufffdc <script>ü" and line.description.encode()


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.decimals()
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
NAMES = sorted(
    {*an_invoice(), "applied_credits", "line_item_discounts", "site_details_at_creation", "round_off_amount"}
)
LINE_NAMES = sorted(a_line())


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(st.sampled_from(NAMES), values, max_size=5),
    st.lists(st.dictionaries(st.sampled_from(LINE_NAMES), values, max_size=4), max_size=2),
)
@pytest.mark.slow
def test_it_never_raises_whatever_stands_in_a_document(changes: dict[str, Any], lines: list[dict[str, Any]]):
    row = {**an_invoice(), "line_items": [{**a_line(), **line} for line in lines], **changes}
    found = parse.invoice(row, minor_units={})
    assert isinstance(found, Invoice) or (found and all(problem.message and problem.fix for problem in found))
    json.dumps([str(problem) for problem in found] if isinstance(found, list) else []).encode()


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([parse.customer, parse.item, parse.item_price, parse.item_family, parse.invoice]), values)
def test_it_never_raises_on_anything_else_either(read: Any, row: Any):
    read(row, minor_units={})
