"""Customers and the catalogue as records."""

from __future__ import annotations

from typing import Any

import pytest

from connector.chargebee import parse
from connector.chargebee.records import Customer, Item, ItemFamily, ItemPrice
from tests.kernel.chargebee.documents import a_customer, an_item_price


def customer(**changes: Any) -> Customer:
    found = parse.customer(a_customer(**changes), minor_units={})
    assert isinstance(found, Customer), [str(problem) for problem in found]
    return found


def test_it_reads_a_customer():
    read = customer()
    assert (read.id, read.company, read.net_term_days, read.parent_id) == ("acme-1", "Acme GmbH", 30, "holding")
    assert (read.billing_address.city, read.billing_address.country, read.billing_address.line2) == ("Bremen", "DE", "")
    assert not read.pii_cleared and not read.deleted and read.qad_reference == ""


@pytest.mark.parametrize(
    ("prefix", "number", "whole"),
    [
        (None, None, ""),
        (None, "de 123 456 789", "DE123456789"),
        ("XI", "GB123456789", "XI123456789"),
        ("XI", "123456789", "XI123456789"),
        ("xi", "XI 123456789", "XI123456789"),
        ("XI", None, ""),
    ],
)
def test_it_writes_a_vat_number_with_its_prefix_and_without_blanks(prefix: Any, number: Any, whole: str):
    assert customer(vat_number_prefix=prefix, vat_number=number).vat_number == whole


@pytest.mark.parametrize(
    ("changes", "reference"),
    [
        ({"meta_data": {"qad_customer": " 10C1000 "}}, "10C1000"),
        ({"meta_data": {"qad_customer": 1000}}, "1000"),
        ({"meta_data": '{"qad_customer": "C7"}'}, "C7"),
        ({"cf_qad_customer": "C8"}, "C8"),
        ({"meta_data": {"qad_customer": "C7"}, "cf_qad_customer": "C8"}, "C7"),
        ({"meta_data": {"other": 1}, "cf_qad_customer": "C8"}, "C8"),
        ({"meta_data": "not json"}, ""),
        ({"meta_data": [1]}, ""),
    ],
)
def test_it_finds_the_qad_code_that_a_person_noted(changes: dict[str, Any], reference: str):
    assert customer(**changes).qad_reference == reference


@pytest.mark.parametrize("state", ["active", "scheduled_for_clear", "cleared"])
def test_it_sees_that_personal_details_were_cleared(state: str):
    assert customer(pii_cleared=state).pii_cleared is (state == "cleared")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"id": None}, "field-missing"),
        ({"id": 7}, "field-wrong-type"),
        ({"taxability": "sometimes"}, "value-unknown"),
        ({"billing_address": "Bremen"}, "field-wrong-type"),
        ({"billing_address": {"city": 5}}, "field-wrong-type"),
        ({"net_term_days": "30"}, "field-wrong-type"),
        ({"meta_data": {"qad_customer": True}}, "field-wrong-type"),
        ({"pii_cleared": "gone"}, "value-unknown"),
        ({"updated_at": "now"}, "field-wrong-type"),
    ],
)
def test_it_refuses_a_customer_that_it_cannot_trust(changes: dict[str, Any], code: str):
    found = parse.customer(a_customer(**changes), minor_units={})
    assert isinstance(found, list) and [problem.code for problem in found] == [code]


def test_it_reads_an_item_price_with_its_accounting_detail():
    read = parse.item_price(an_item_price(), minor_units={})
    assert isinstance(read, ItemPrice)
    assert (read.sku, read.accounting_code, read.accounting_categories) == ("S1", "4000", ("", "north"))
    assert parse.item_price(an_item_price(accounting_detail=None), minor_units={}).accounting_categories == ()


@pytest.mark.parametrize(
    ("changes", "is_deleted"),
    [({}, False), ({"status": "archived"}, False), ({"status": "deleted"}, True), ({"deleted": True}, True)],
)
def test_it_sees_both_marks_of_deletion(changes: dict[str, Any], is_deleted: bool):
    assert parse.item_price(an_item_price(**changes), minor_units={}).deleted is is_deleted


def test_it_reads_items_and_families():
    item = parse.item({"id": "pro", "name": "Pro", "type": "plan", "status": "active"}, minor_units={})
    family = parse.item_family({"id": "software", "name": "Software", "status": "active"}, minor_units={})
    assert isinstance(item, Item) and (item.type, item.updated_at) == ("plan", None)
    assert isinstance(family, ItemFamily) and family.name == "Software"


def test_it_refuses_an_item_of_an_unknown_type():
    found = parse.item({"id": "pro", "type": "subscription"}, minor_units={})
    assert [problem.code for problem in found] == ["value-unknown"] and found[0].subject == "Item 'pro'"
