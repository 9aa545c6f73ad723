from __future__ import annotations

import pytest

from tests.sandbox.site_desk import T0, a_site, body, get, ids, post, refusal, rows

ADDRESS = {
    "billing_address[line1]": "1 Main",
    "billing_address[city]": "Lyon",
    "billing_address[country]": "FR",
    "vat_number": "12345678901",
}


def test_it_creates_a_customer_with_an_id_of_ones_own():
    site = a_site(customers=0)
    reply = post(
        site,
        "customers",
        {
            **ADDRESS,
            "id": "C1",
            "company": "Müller & Söhne",
            "net_term_days": "30",
            "meta_data": '{"a":1}',
            "cf_x": "y",
        },
    )
    made = body(reply)["customer"]
    assert body(get(site, "customers/C1"))["customer"] == made
    wanted = {"id": "C1", "company": "Müller & Söhne", "net_term_days": 30, "meta_data": {"a": 1}, "cf_x": "y",
              "created_at": T0, "updated_at": T0, "vat_number": "12345678901", "deleted": False}  # fmt: skip
    assert {name: made[name] for name in wanted} == wanted
    assert made["billing_address"]["city"] == "Lyon"
    event = rows(site, "events")[0]
    assert (event["event_type"], event["source"], event["user"]) == ("customer_created", "api", "full_access_key_v1")


def test_an_id_that_is_taken_is_a_duplicate():
    site = a_site()
    post(site, "customers", {"id": "C1"})
    assert refusal(post(site, "customers", {"id": "C1"})) == (400, "duplicate_entry", "id")


def test_without_an_id_it_makes_one():
    made = body(post(a_site(), "customers", {"company": "X"}))["customer"]
    assert len(made["id"]) == 16


def test_an_update_changes_named_fields_clears_empty_ones_and_leaves_billing_alone():
    site = a_site(customers=0)
    post(site, "customers", {**ADDRESS, "id": "C1", "company": "Old", "phone": "1", "email": "a@example.com"})
    before = site.get("customer", "C1")["resource_version"]
    site.clock.advance(5)
    form = {"company": "New", "phone": "", "vat_number": "9", "billing_address[city]": "Paris"}
    after = body(post(site, "customers/C1", form))["customer"]
    assert (after["company"], after.get("phone"), after["email"]) == ("New", None, "a@example.com")
    assert (after["vat_number"], after["billing_address"]["city"]) == ("12345678901", "Lyon")
    assert after["updated_at"] == T0 + 5
    assert after["resource_version"] > before


def test_an_update_of_billing_info_clears_what_it_does_not_name():
    site = a_site(customers=0)
    post(site, "customers", {**ADDRESS, "id": "C1"})
    after = body(post(site, "customers/C1/update_billing_info", {"billing_address[city]": "Nice"}))["customer"]
    assert "vat_number" not in after
    assert after["billing_address"] == {
        "object": "billing_address", "validation_status": "not_validated", "city": "Nice",
    }  # fmt: skip


@pytest.mark.parametrize("path", ["customers/none", "customers/none/update_billing_info", "customers/none/delete"])
def test_a_write_to_nobody_is_not_found(path):
    assert refusal(post(a_site(), path, {"company": "X"}))[:2] == (404, "resource_not_found")


def test_the_answer_to_a_delete_still_shows_the_customer_as_he_was():
    site = a_site()
    post(site, "customers", {"id": "C1"})
    assert body(post(site, "customers/C1/delete", {}))["customer"]["deleted"] is False
    assert get(site, "customers/C1").status == 404
    assert ids(site, "customers", id__is="C1") == []
    assert ids(site, "customers", id__is="C1", include_deleted="true") == ["C1"]


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ({"company": "x" * 251}, "company"),
        ({"id": "x" * 51}, "id"),
        ({"billing_address[zip]": "x" * 21}, "zip"),
        ({"net_term_days": "soon"}, "net_term_days"),
        ({"meta_data": "[1]"}, "meta_data"),
        ({"meta_data": "{"}, "meta_data"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(form, param):
    site = a_site()
    before = len(site.all("customer"))
    assert refusal(post(site, "customers", form)) == (400, "param_wrong_value", param)
    assert len(site.all("customer")) == before


def test_only_customers_are_written():
    site = a_site()
    assert refusal(post(site, "invoices", {"id": "x"}))[:2] == (405, "http_method_not_supported")


def test_a_repeated_idempotency_key_gives_the_first_answer_again():
    site = a_site(customers=0)
    first = post(site, "customers", {"company": "X"}, chargebee_idempotency_key="k1")
    again = post(site, "customers", {"company": "X"}, chargebee_idempotency_key="k1")
    assert again.body == first.body
    assert dict(again.headers)["chargebee-idempotency-replayed"] == "true"
    assert len(site.all("customer")) == 1


def test_an_idempotency_key_with_another_request_is_refused_and_is_forgotten_after_half_an_hour():
    site = a_site(customers=0)
    post(site, "customers", {"company": "X"}, chargebee_idempotency_key="k1")
    other = post(site, "customers", {"company": "Y"}, chargebee_idempotency_key="k1")
    assert refusal(other)[:2] == (422, "unable_to_process_request")
    site.clock.advance(1801)
    assert post(site, "customers", {"company": "Y"}, chargebee_idempotency_key="k1").status == 200
    assert len(site.all("customer")) == 2
