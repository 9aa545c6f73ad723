from __future__ import annotations

import json

import pytest

from connector.sandbox.wire import Request
from tests.sandbox.qad_desk import BASIC, Desk, a_customer, an_invoice

WRITE = {"method": "POST", "path": "customerInvoices"}


def references(desk):
    return [document["reference"] for document in desk.qad.ledger()["documents"]]


def listed(desk, reference):
    return desk.browse("customerInvoices", f"customerInvoice.externalReference,eq,{reference},literal")[0]


@pytest.mark.parametrize(
    ("name", "settings", "line", "is_applied"),
    [
        ("drop", {}, "drop", False),
        ("hang", {"delay": 60}, "hang", False),
        ("drop_after_commit", {}, "drop", True),
        ("slow", {"delay": 60}, "hang", True),
        ("cut", {}, "cut", True),
    ],
)
def test_it_breaks_the_line_before_or_after_the_work(name, settings, line, is_applied):
    desk = Desk()
    desk.faults.add(name, **WRITE, **settings)
    assert desk.save_raw("customerInvoices", an_invoice()).fault == line
    assert references(desk) == (["R-1"] if is_applied else [])
    assert desk.save_raw("customerInvoices", an_invoice("R-2")).fault == ""


@pytest.mark.parametrize(
    ("name", "status", "is_applied"),
    [
        ("status", 500, False),
        ("status_after_commit", 500, True),
        ("html", 200, False),
        ("html", 403, False),
        ("html", 503, False),
        ("html_after_commit", 200, True),
    ],
)
def test_it_answers_with_an_error_or_a_page_before_or_after_the_work(name, status, is_applied):
    desk = Desk()
    desk.faults.add(name, status=status, **WRITE)
    reply = desk.save_raw("customerInvoices", an_invoice())
    assert reply.status == status
    assert (b"<html" in reply.body) == name.startswith("html")
    assert references(desk) == (["R-1"] if is_applied else [])


def test_it_gives_half_a_reply_to_a_write_that_is_applied():
    desk = Desk()
    desk.faults.add("truncate", **WRITE)
    reply = desk.save_raw("customerInvoices", an_invoice())
    with pytest.raises(json.JSONDecodeError):
        json.loads(reply.body)
    assert references(desk) == ["R-1"]


@pytest.mark.parametrize("settings", [{}, {"status": 504}])
def test_it_applies_a_write_after_its_caller_gave_up(settings):
    desk = Desk()
    desk.faults.add("late", delay=3600, **WRITE, **settings)
    reply = desk.save_raw("customerInvoices", an_invoice())
    assert (reply.fault, reply.status) == (("", 504) if settings else ("drop", 200))
    desk.clock.advance(3599)
    assert references(desk) == []
    desk.clock.advance(1)
    desk.token = ""
    assert len(listed(desk, "R-1")) == 1


def test_it_applies_a_late_write_of_the_other_dialect():
    desk = Desk()
    desk.faults.add("late", delay=10, path="customers")
    value = {"action": "create", "code": "L1", "active": True, "relation": {"name": "L", "search_name": "L"}}
    value["terms"] = {"currency": "USD", "credit_terms": "N30"}
    request = Request(
        "POST",
        "/finrest/v1/customers",
        (),
        {"authorization": BASIC, "x-company": "10USACO"},
        json.dumps([value]).encode(),
    )
    assert desk.qad.handle(request).fault == "drop"
    desk.clock.advance(10)
    assert "L1" in desk.qad.ledger()["customers"]


def test_it_forgets_a_session_in_the_middle_of_a_run():
    desk = Desk()
    desk.posted("invoice", an_invoice("R-1"))
    desk.faults.add("unauthorized", **WRITE)
    assert desk.save_raw("customerInvoices", an_invoice("R-2")).status == 401
    assert desk.save_raw("customerInvoices", an_invoice("R-2")).status == 401
    desk.log_in()
    desk.posted("invoice", an_invoice("R-2"))
    assert references(desk) == ["R-1", "R-2"]


def test_it_forbids_with_bare_errors():
    desk = Desk()
    desk.faults.add("forbidden", **WRITE)
    reply = desk.save_raw("customerInvoices", an_invoice())
    error = {"severity": 1, "code": "403", "message": "Access is denied", "fieldName": ""}
    assert (reply.status, json.loads(reply.body)) == (403, {"errors": [error]})


def test_it_fails_at_the_second_step_of_a_customer():
    desk = Desk()
    desk.faults.add("customer_domain_fails")
    desk.save("customerV2s", a_customer())
    keys = {"domainCode": "10USA", "customerCode": "NEW00001"}
    domain = {"siteCode": "10-100", "daybookSetCode": "DBS1"}
    answer = desk.save("mfgCustomers", domain, **keys)["submitResult"]
    assert (answer["success"], answer["errors"][0]["message"]) == (
        False,
        "Customer created but domain settings failed.",
    )
    assert desk.qad.ledger()["customers"]["NEW00001"]["is_complete"] is False
    desk.save("mfgCustomers", domain, **keys)
    assert desk.qad.ledger()["customers"]["NEW00001"]["is_complete"] is True


def test_it_hides_everything_for_one_list():
    desk = Desk()
    desk.posted("invoice", an_invoice())
    desk.faults.add("browse_empty", times=2)
    assert desk.browse("customerInvoices") == ([], "false")
    assert desk.rest("GET", "/v1/ar-documents")[1]["rows"] == []
    assert len(listed(desk, "R-1")) == 1


@pytest.mark.parametrize("by_mode", [True, False])
def test_it_lists_a_document_only_after_a_while(by_mode):
    desk = Desk()
    if by_mode:
        desk.qad.modes.lookup_lag = 30
    else:
        desk.faults.add("lookup_lag", delay=30, **WRITE)
    desk.posted("invoice", an_invoice())
    desk.clock.advance(29)
    assert listed(desk, "R-1") == []
    assert desk.browse("customerInvoices")[0] == []
    assert desk.rest("GET", "/v1/ar-documents", [("filter[ext_ref]", "R-1")])[1]["total"] == 0
    desk.clock.advance(1)
    assert len(listed(desk, "R-1")) == 1


def test_it_moves_the_date_of_one_write():
    desk = Desk()
    desk.qad.lock_period(2026, 11)
    desk.faults.add("date_shift", **WRITE)
    assert desk.posted("invoice", an_invoice("R-1"))["postingPeriod"] == 12
    assert desk.save("customerInvoices", an_invoice("R-2"))["submitResult"]["success"] is False


def test_its_faults_can_start_later_and_repeat():
    desk = Desk()
    desk.faults.add("drop_after_commit", times=None, every=3, after=1, **WRITE)
    lines = [desk.save_raw("customerInvoices", an_invoice(f"R-{number}")).fault for number in range(7)]
    assert lines == ["", "", "", "drop", "", "", "drop"]
    assert len(references(desk)) == 7
