"""What changes a customer in Chargebee: only named fields, and billing details whole, since they are replaced."""

from __future__ import annotations

import json

from connector.chargebee.customer_form import Forms, changes, creation

ADA = {
    "id": "ada",
    "company": "Ada Ltd",
    "vat_number": "123456789",
    "vat_number_prefix": "XI",
    "billing_address": {"object": "billing_address", "line1": "1 Mill Road", "city": "Leeds", "state": "Yorkshire"},
    "meta_data": {"tier": "gold"},
}


def test_a_field_of_the_customer_names_nothing_else():
    assert changes(ADA, {"name": "Ada plc"}) == Forms(customer=(("company", "Ada plc"),))


def test_an_address_goes_back_whole_with_the_tax_id_beside_it():
    pairs = dict(changes(ADA, {"city": "York"}).billing)
    assert pairs == {
        "billing_address[line1]": "1 Mill Road",
        "billing_address[city]": "York",
        "billing_address[state]": "Yorkshire",
        "vat_number": "123456789",
        "vat_number_prefix": "XI",
    }


def test_a_state_code_takes_the_place_of_a_states_name():
    pairs = dict(changes(ADA, {"state": "CO"}).billing)
    assert (pairs["billing_address[state_code]"], "billing_address[state]" in pairs) == ("CO", False)


def test_another_tax_id_loses_the_old_prefix():
    pairs = dict(changes(ADA, {"tax_id": "GB987654321"}).billing)
    assert (pairs["vat_number"], "vat_number_prefix" in pairs) == ("GB987654321", False)


def test_what_qad_owns_is_noted_beside_what_others_keep_there():
    ((name, value),) = changes(ADA, {"tax_class": "EXPORT"}).customer
    assert (name, json.loads(value)) == ("meta_data", {"tier": "gold", "qad_tax_class": "EXPORT"})


def test_a_new_customer_names_his_code_in_qad_and_leaves_out_what_is_blank():
    pairs = dict(creation("CB-C1", "C1", {"name": "Ada", "email": "", "city": "Leeds"}, currency="GBP"))
    assert json.loads(pairs.pop("meta_data")) == {"qad_customer": "C1"}
    assert pairs == {
        "id": "CB-C1", "company": "Ada", "billing_address[city]": "Leeds", "preferred_currency_code": "GBP",
    }  # fmt: skip


def test_the_flags_that_a_replaced_address_would_lose_go_back_with_it():
    record = {**ADA, "registered_for_gst": True, "business_customer_without_vat_number": True, "vat_number": None}
    pairs = dict(changes(record, {"city": "York"}).billing)
    assert (pairs["registered_for_gst"], pairs["business_customer_without_vat_number"]) == ("true", "true")
    pairs = dict(changes(record, {"tax_id": "GB987654321"}).billing)
    assert (pairs["registered_for_gst"], "business_customer_without_vat_number" in pairs) == ("true", False)
    assert not {"registered_for_gst", "business_customer_without_vat_number"} & set(
        dict(changes(ADA, {"city": "York"}).billing)
    )
