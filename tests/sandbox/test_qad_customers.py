from __future__ import annotations

import pytest

from tests.sandbox.qad_desk import Desk, a_customer, an_invoice

KEYS = {"sharedSetCode": "SS1", "customerCode": "NEW00001"}
DOMAIN_KEYS = {"domainCode": "10USA", "customerCode": "NEW00001"}


def complaint(answer):
    assert answer["submitResult"]["success"] is False
    return answer["submitResult"]["errors"][0]


def test_it_creates_a_customer_in_two_steps_and_only_then_takes_invoices():
    desk = Desk()
    created = desk.save("customerV2s", a_customer(customShort0="cb-77"))["data"]["customerV2s"][0]
    assert created["uri"] == "urn:be:com.qad.base.customer.ICustomerV2:SS1.NEW00001"
    assert created["businessRelationCode"] == "NEW00001"
    invoice = an_invoice(customerCode="NEW00001")
    refused = complaint(desk.save("customerInvoices", invoice))
    assert refused["message"] == "Operational data of customer NEW00001 is incomplete in domain 10USA."
    desk.save("mfgCustomers", {"siteCode": "10-100", "daybookSetCode": "DBS1"}, **DOMAIN_KEYS)
    assert desk.save("customerInvoices", invoice)["submitResult"]["success"] is True


def test_it_finds_a_customer_by_its_external_reference():
    desk = Desk()
    desk.save("customerV2s", a_customer(customShort0="cb-77"))
    rows, _ = desk.browse("customerV2s", "customerV2.customShort0,eq,cb-77,literal")
    assert [row["customerV2.customerCode"] for row in rows] == ["NEW00001"]


@pytest.mark.parametrize(
    ("changes", "field", "message", "code"),
    [
        ({"addressSearchName": "N" * 29}, "AddressSearchName", "Field length should be less than 29.", "47"),
        ({"customerCode": "NEW000001"}, "CustomerCode", "Field length should be less than 9.", "47"),
        ({"customerCode": "C1"}, "CustomerCode", "Customer C1 already exists.", "110"),
        ({"currencyCode": "ZZZ"}, "CurrencyCode", "Field is mandatory.", "8"),
        ({"creditTermsCode": "N99"}, "CreditTermsCode", "Field is mandatory.", "8"),
        ({"salesAccountGLProfileCode": ""}, "SalesAccountGLProfileCode", "Field is mandatory.", "8"),
        ({"isActive": None}, "IsActive", "Field is mandatory.", "8"),
        ({"isActive": "yes"}, "IsActive", "The value yes has a wrong format.", "52"),
        ({"addressName": ""}, "AddressName", "Field is mandatory.", "8"),
    ],
)
def test_it_refuses_a_customer_that_breaks_a_rule_with_http_200(changes, field, message, code):
    desk = Desk()
    reply = desk.save_raw("customerV2s", a_customer(**changes))
    assert reply.status == 200
    error = complaint(desk.save("customerV2s", a_customer(**changes)))
    assert (error["fieldName"], error["message"], error["code"], error["severity"]) == (field, message, code, 1)
    assert list(desk.qad.ledger()["customers"]) == ["C1"]


def test_it_takes_a_search_name_of_28_letters():
    desk = Desk()
    assert desk.save("customerV2s", a_customer(addressSearchName="N" * 28))["submitResult"]["success"] is True


def test_it_updates_the_whole_record_with_its_hash_and_rotates_the_hash():
    desk = Desk()
    first = desk.save("customerV2s", a_customer(customShort5="vip"))["data"]["customerV2s"][0]
    desk.clock.advance(60)
    second = desk.save("customerV2s", first | {"city": "Tulsa"}, **KEYS)["data"]["customerV2s"][0]
    assert (second["city"], second["customShort5"]) == ("Tulsa", "vip")
    assert second["concurrencyHash"] != first["concurrencyHash"]
    assert second["lastModifiedTime"] == first["lastModifiedTime"] + 60
    stale = complaint(desk.save("customerV2s", first | {"city": "Austin"}, **KEYS))
    assert stale["message"] == "The record was changed by another user. Read it again."
    assert desk.get("customerV2s", **KEYS)[1]["data"]["customerV2s"][0]["city"] == "Tulsa"


def test_it_can_leave_hashes_alone():
    desk = Desk()
    desk.qad.company.parties.rotates_hash = False
    first = desk.save("customerV2s", a_customer())["data"]["customerV2s"][0]
    second = desk.save("customerV2s", first | {"city": "Tulsa"}, **KEYS)["data"]["customerV2s"][0]
    assert second["concurrencyHash"] == first["concurrencyHash"]


def test_it_refuses_to_update_a_customer_that_it_does_not_have():
    error = complaint(Desk().save("customerV2s", a_customer(), **KEYS))
    assert error["message"] == "Customer NEW00001 does not exist."


def test_it_wants_every_key_of_a_keyed_read():
    desk = Desk()
    status, value = desk.get("customerV2s", customerCode="C1")
    assert (status, value["errors"][0]["fieldName"]) == (400, "SharedSetCode")
    assert desk.get("customerV2s", sharedSetCode="SS1", customerCode="NOBODY")[1] == {"data": {"customerV2s": []}}
    assert desk.get("customerV2s", sharedSetCode="SS2", customerCode="C1")[1] == {"data": {"customerV2s": []}}


def test_it_wants_the_view_of_the_resource():
    assert Desk().send("GET", "/api/erp/customerV2s", (("viewUri", "urn:be:other"),)).status == 400


def test_it_refuses_domain_data_with_codes_that_do_not_resolve():
    desk = Desk()
    desk.save("customerV2s", a_customer())
    error = complaint(desk.save("mfgCustomers", {"siteCode": "99", "daybookSetCode": "DBS1"}, **DOMAIN_KEYS))
    assert (error["fieldName"], error["message"]) == ("SiteCode", "Field is mandatory.")
    assert desk.qad.ledger()["customers"]["NEW00001"]["is_complete"] is False


def test_it_keeps_business_relations_of_their_own():
    desk = Desk()
    relation = {"businessRelationCode": "BR1", "businessRelationName": "Group", "isActive": True}
    saved = desk.save("businessRelationV2s", relation)["data"]["businessRelationV2s"][0]
    keys = {"sharedSetCode": "SS1", "businessRelationCode": "BR1"}
    assert desk.save("businessRelationV2s", saved | {"businessRelationName": "Holding"}, **keys)["submitResult"][
        "success"
    ]
    found = desk.get("businessRelationV2s", **keys)[1]["data"]["businessRelationV2s"][0]
    assert found["businessRelationName"] == "Holding"
    assert complaint(desk.save("businessRelationV2s", relation))["code"] == "110"


def test_it_shows_what_a_qad_user_changed():
    desk = Desk()
    desk.clock.advance(86400)
    desk.qad.change_customer("C1", email="new@example.com", is_active=False)
    record = desk.get("customerV2s", sharedSetCode="SS1", customerCode="C1")[1]["data"]["customerV2s"][0]
    assert (record["EMail"], record["isActive"]) == ("new@example.com", False)
    assert record["lastModifiedDate"] == "2026-11-23T00:00:00.000Z"


@pytest.mark.parametrize("body", [b"", b"[]", b'{"customerV2s":[]}', b'{"customerV2s":[1]}', b'{"customers":[{}]}'])
def test_it_answers_400_to_anything_but_one_record_in_the_envelope(body):
    view = (("viewUri", "urn:be:com.qad.base.customer.ICustomerV2"),)
    assert Desk().send("POST", "/api/erp/customerV2s", view, body).status == 400


def test_it_names_its_methods_and_fails_on_others():
    desk = Desk()
    assert ("Allow", "GET,POST,OPTIONS") in desk.send("OPTIONS", "/api/erp/customerV2s").headers
    assert desk.send("DELETE", "/api/erp/customerV2s").status == 500
