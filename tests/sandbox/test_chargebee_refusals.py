from __future__ import annotations

import base64

import pytest

from connector.sandbox.chargebee.failures import NAMED
from connector.sandbox.wire import Request
from tests.sandbox.site_desk import FULL_KEY, READ_KEY, a_site, body, get, key_header, post, refusal


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic " + FULL_KEY,
        "Basic " + base64.b64encode(FULL_KEY.encode()).decode(),
        "Basic " + base64.b64encode(b"wrong:").decode(),
        "Bearer " + FULL_KEY,
    ],
)
def test_only_the_key_with_its_colon_in_base64_is_believed(header):
    reply = a_site().handle(Request("GET", "/api/v2/customers", (), {"authorization": header}))
    assert refusal(reply)[:2] == (401, "api_authentication_failed")


def test_an_error_carries_the_new_and_the_old_keys():
    error = body(get(a_site(), "customers", {"limit": 500}))
    assert error == {
        "message": "limit : value must be between 1 and 100",
        "type": "invalid_request",
        "api_error_code": "param_wrong_value",
        "param": "limit",
        "error_param": "limit",
        "error_code": "param_wrong_value",
        "error_msg": "limit : value must be between 1 and 100",
        "http_status_code": 400,
    }


def test_a_wrong_site_name_is_told_even_before_the_key_is_looked_at():
    site = a_site()
    site.switches.site_found = False
    assert refusal(get(site, "customers", key="wrong"))[:2] == (404, "site_not_found")


@pytest.mark.parametrize("path", ["customers/nobody", "invoices/none", "unheard_of", "invoices/a/b"])
def test_what_is_not_there_is_not_found(path):
    assert refusal(get(a_site(), path))[:2] == (404, "resource_not_found")


def test_a_method_it_does_not_have_is_refused():
    reply = a_site().handle(Request("PUT", "/api/v2/customers", (), key_header()))
    assert refusal(reply)[:2] == (405, "http_method_not_supported")


def test_a_read_only_key_reads_but_does_not_write():
    site = a_site()
    assert get(site, "customers", key=READ_KEY).status == 200
    assert refusal(post(site, "customers", {"id": "x"}, READ_KEY))[:2] == (403, "api_authorization_failed")
    assert refusal(get(site, "customers/x"))[0] == 404


def test_a_site_in_maintenance_takes_no_writes():
    site = a_site()
    site.switches.is_read_only = True
    assert refusal(post(site, "customers", {"id": "x"}))[:2] == (503, "site_read_only_mode")


def test_the_limit_of_a_minute_is_kept_and_says_when_it_ends():
    site = a_site()
    site.limit(3)
    assert [get(site, "customers").status for _ in range(4)] == [200, 200, 200, 429]
    site.clock.advance(20)
    reply = get(site, "customers")
    assert refusal(reply)[:2] == (429, "api_request_limit_exceeded")
    assert dict(reply.headers)["Retry-After"] == "40"
    site.clock.advance(40)
    assert get(site, "customers").status == 200


def test_without_a_limit_nothing_is_counted():
    site = a_site()
    assert {get(site, "customers").status for _ in range(200)} == {200}


@pytest.mark.parametrize("code", NAMED)
def test_every_error_can_be_switched_on_by_its_name(code):
    site = a_site()
    site.faults.add(code, times=1)
    assert refusal(get(site, "customers"))[1] == code
    assert get(site, "customers").status == 200


def test_a_lock_timeout_is_a_429_without_retry_after():
    site = a_site()
    site.faults.add("lock_timeout")
    reply = get(site, "customers")
    assert (reply.status, dict(reply.headers).get("Retry-After")) == (429, None)


def test_configurations_name_the_site_and_its_catalog():
    assert body(get(a_site(), "configurations"))["configurations"][0]["domain"] == "acme-test"
    assert body(get(a_site(), "configurations"))["configurations"][0]["product_catalog_version"] == "v2"
