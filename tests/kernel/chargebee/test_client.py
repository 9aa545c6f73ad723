"""Reading a site: what stands on the wire, how failures are told apart, and that retries end."""

from __future__ import annotations

import base64
import datetime as dt
import random
from collections.abc import Callable

import pytest

from connector.chargebee.client import RESOURCES, ChargebeeClient, Patience
from connector.errors import Authentication, Configuration, ConnectorError, Rejected, Transient
from connector.http.session import Http
from tests.kernel.http.wire import ALLOW, Wire, drips, hangs, http, resets, says, wire

NOW = dt.datetime(2026, 11, 30, 12, 0, tzinfo=dt.UTC)
KEY = "test_canary9f3a"
DATE = "Date: Mon, 30 Nov 2026 12:00:05 GMT"
LIST = http(200, b'{"list": [{"customer": {"id": "a"}, "card": {"x": 1}}], "next_offset": "[\\"1\\",\\"2\\"]"}', DATE)


class Site:
    """A client of a scripted server; its sleeps are noted, not slept."""

    def __init__(self, server: Wire, door: Http, **options) -> None:
        self.slept: list[float] = []
        options = {"deadline": 5.0, "rng": random.Random(1), "clock": lambda: NOW, **options}
        self.client = ChargebeeClient(door, server.url, KEY, sleep=self.slept.append, **options)


@pytest.fixture
def door():
    with Http(allow=ALLOW) as open_door:
        yield open_door


def failing(door: Http, answer: Callable, **options) -> tuple[ConnectorError, Site, Wire]:
    with wire(answer) as server:
        site = Site(server, door, **options)
        with pytest.raises(ConnectorError) as caught:
            site.client.list("customers", {"limit": 1})
    return caught.value, site, server


def test_it_sends_the_key_as_the_user_name_with_a_colon_and_no_password(door: Http):
    with wire(says(LIST)) as server:
        Site(server, door).client.list(
            "customers", {"limit": 2, "include_deleted": True, "sort_by[desc]": "updated_at"}
        )
    head = server.requests[0].decode()
    sent = next(line for line in head.split("\r\n") if line.startswith("Authorization: Basic "))
    assert base64.b64decode(sent.removeprefix("Authorization: Basic ")) == f"{KEY}:".encode()
    assert head.startswith(
        "GET /api/v2/customers?limit=2&include_deleted=true&sort_by%5Bdesc%5D=updated_at HTTP/1.1\r\n"
    )
    assert "\r\nchargebee-response-schema-type: items\r\n" in head and "\r\nAccept: application/json\r\n" in head
    assert "User-Agent: QAD-Chargebee-Connector/" in head


def test_it_gives_the_rows_bare_the_offset_verbatim_and_the_servers_time(door: Http):
    with wire(says(LIST)) as server:
        page = Site(server, door).client.list("customers")
        Site(server, door).client.list("customers", {"offset": page.next_offset})
    assert (page.rows, page.next_offset) == ([{"id": "a"}], '["1","2"]')
    assert page.server_time == dt.datetime(2026, 11, 30, 12, 0, 5, tzinfo=dt.UTC)
    assert b"?offset=%5B%221%22%2C%222%22%5D HTTP" in server.requests[1]


def test_it_retrieves_one_document_by_its_quoted_id(door: Http):
    with wire(says(http(200, b'{"invoice": {"id": "A/B 1"}}'))) as server:
        assert Site(server, door).client.retrieve("invoices", "A/B 1") == {"id": "A/B 1"}
    assert server.requests[0].startswith(b"GET /api/v2/invoices/A%2FB%201 HTTP")


def test_it_gives_none_for_a_document_that_is_not_there(door: Http):
    with wire(says(http(404, b'{"api_error_code": "resource_not_found", "message": "x"}'))) as server:
        assert Site(server, door).client.retrieve("customers", "gone") is None


@pytest.mark.parametrize("body", [b'{"api_error_code": "site_not_found", "message": "x"}', b"<html>404</html>", b"{}"])
def test_it_does_not_take_another_404_for_a_missing_document(door: Http, body: bytes):
    with wire(says(http(404, body))) as server, pytest.raises(Configuration):
        Site(server, door).client.retrieve("customers", "a")


def test_it_reads_the_configurations(door: Http):
    body = b'{"configurations": [{"domain": "acme-test", "product_catalog_version": "v2"}]}'
    with wire(says(http(200, body))) as server:
        assert Site(server, door).client.configurations()[0]["product_catalog_version"] == "v2"


@pytest.mark.parametrize("resource", ["suppliers", "purchase_orders", "../customers", "customers/x", "", "Customers"])
def test_it_refuses_whatever_is_not_on_its_list(door: Http, resource: str):
    with wire(says(LIST)) as server:
        client = Site(server, door).client
        for ask in (lambda: client.list(resource), lambda: client.retrieve(resource, "a")):
            with pytest.raises(Configuration, match="not among"):
                ask()
    assert server.requests == []


def test_it_names_nothing_of_procurement():
    assert not [name for name in RESOURCES if "supplier" in name or "purchase" in name or "vendor" in name]


@pytest.mark.parametrize("document_id", ["", ".", ".."])
def test_it_asks_for_no_id_that_would_change_the_path(door: Http, document_id: str):
    with wire(says(LIST)) as server, pytest.raises(Configuration):
        Site(server, door).client.retrieve("customers", document_id)
    assert server.requests == []


@pytest.mark.parametrize("key", ["", "a b", "a:b", "ключ", "a\r\nX: y", "a\n"])
def test_it_refuses_a_key_that_is_none(door: Http, key: str):
    with pytest.raises(Configuration) as caught:
        ChargebeeClient(door, "https://acme.chargebee.com", key)
    assert not key or key not in str(caught.value)


def error(status: int, code: str) -> bytes:
    return http(status, f'{{"api_error_code": "{code}", "message": "Said {code}.", "param": "p"}}'.encode())


@pytest.mark.parametrize(
    ("answer", "kind", "tries"),
    [
        (error(400, "invalid_request"), Rejected, 1),
        (error(400, "param_wrong_value"), Rejected, 1),
        (error(400, "configuration_incompatible"), Configuration, 1),
        (error(400, "something_new"), Rejected, 1),
        (error(401, "api_authentication_failed"), Authentication, 1),
        (error(401, "something_new"), Authentication, 1),
        (error(403, "api_authorization_failed"), Authentication, 1),
        (error(403, "request_blocked"), Authentication, 1),
        (error(404, "site_not_found"), Configuration, 1),
        (error(405, "http_method_not_supported"), Configuration, 1),
        (error(409, "invalid_state_for_request"), Rejected, 1),
        (error(418, "teapot"), Rejected, 1),
        (error(422, "unable_to_process_request"), Rejected, 1),
        (error(429, "api_request_limit_exceeded"), Transient, 3),
        (error(429, "lock_timeout"), Transient, 3),
        (error(500, "internal_error"), Transient, 3),
        (error(503, "site_read_only_mode"), Transient, 3),
        (http(500, b"oops"), Transient, 3),
        (http(502, b"<html>Bad gateway</html>", "Content-Type: text/html"), Transient, 3),
        (http(504, b""), Transient, 3),
        (http(529, b""), Transient, 3),
        (http(204, b""), Rejected, 1),
        (http(302, b"", "Location: https://elsewhere.example/x"), Configuration, 1),
        (http(401, b"<html>"), Authentication, 1),
        (http(403, b'["odd"]'), Authentication, 1),
        (http(400, b'{"api_error_code": 7, "message": {"a": 1}}'), Rejected, 1),
        (http(200, b'{"list": 5}'), Transient, 1),
        (http(200, b'{"list": [{"item": {}}]}'), Transient, 1),
        (http(200, b'{"list": [], "next_offset": 5}'), Transient, 1),
        (http(200, b"<html>Log in</html>", "Content-Type: text/html"), Transient, 1),
        (http(200, b'{"list": [{"cus'), Transient, 1),
        (http(200, b"[1]"), Transient, 1),
        (http(200, b""), Transient, 1),
    ],
)
def test_it_means_one_thing_by_each_answer(door: Http, answer: bytes, kind: type, tries: int):
    broken, _, server = failing(door, says(answer), patience=Patience(attempts=3))
    assert isinstance(broken, kind) and len(server.requests) == tries
    assert broken.exchange is not None and "Chargebee" in broken.message


def test_it_says_what_chargebee_said_and_what_to_do(door: Http):
    broken, _, _ = failing(door, says(error(403, "api_authorization_failed")))
    assert broken.message == (
        "Chargebee answered 403 to the request for customers (api_authorization_failed, field 'p'): "
        "Said api_authorization_failed. Give the key read access to this resource in Chargebee (Settings > API keys), "
        "or use another key."
    )


@pytest.mark.parametrize(
    ("answer", "deadline"),
    [(resets(), 5.0), (resets(LIST[:-20]), 5.0), (hangs(), 0.1), (drips(LIST), 0.1), (drips(LIST, at_once=70), 0.1)],
    ids=["reset", "reset in the body", "hang", "drip header", "drip body"],
)
def test_it_reads_again_whatever_broke_the_line(door: Http, answer: Callable, deadline: float):
    broken, site, server = failing(door, answer, deadline=deadline, patience=Patience(attempts=2))
    assert type(broken) is Transient and len(server.requests) == 2 and len(site.slept) == 1


def test_it_goes_on_when_the_second_try_is_answered(door: Http):
    with wire(says(http(500, b"oops"), error(503, "site_not_ready"), LIST)) as server:
        site = Site(server, door)
        assert site.client.list("customers").rows == [{"id": "a"}]
    assert len(site.slept) == 2 and all(0 <= wait <= 1.0 for wait in site.slept)


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ((), 0, 0.5),
        (("Retry-After: 7",), 7, 8),
        (("Retry-After: Mon, 30 Nov 2026 12:00:20 GMT",), 20, 21),
        (("Retry-After: Mon, 30 Nov 2026 11:00:00 GMT",), 0, 1),
        (("Retry-After: whenever",), 0, 0.5),
        (("Retry-After: -3",), 0, 0.5),
    ],
    ids=["absent", "seconds", "date", "date gone by", "garbage", "negative"],
)
def test_it_waits_as_long_as_it_is_told(door: Http, header: tuple[str, ...], least: float, most: float):
    with wire(says(http(429, b"{}", *header), LIST)) as server:
        site = Site(server, door)
        site.client.list("customers")
    assert len(site.slept) == 1 and least <= site.slept[0] <= most


def test_it_leaves_a_long_wait_to_the_next_run(door: Http):
    broken, site, server = failing(door, says(http(429, b"{}", "Retry-After: 99999999999")))
    assert isinstance(broken, Transient) and broken.retry_after == 3600
    assert site.slept == [] and len(server.requests) == 1


def test_it_waits_for_leave_before_each_call(door: Http):
    leave = iter([1.5, 0.5, None, 0])
    with wire(says(LIST)) as server:
        site = Site(server, door, pace=lambda: next(leave))
        site.client.list("customers")
        site.client.list("customers")
    assert site.slept == [1.5, 0.5] and len(server.requests) == 2


def test_it_does_not_wait_for_leave_longer_than_its_patience(door: Http):
    with wire(says(LIST)) as server:
        site = Site(server, door, pace=lambda: 600.0)
        with pytest.raises(Transient) as caught:
            site.client.list("customers")
    assert caught.value.retry_after == 600 and site.slept == [] and server.requests == []


def test_it_follows_no_redirect_and_takes_the_key_nowhere(door: Http):
    with wire(says(LIST)) as other:
        broken, _, _ = failing(door, says(http(307, b"", f"Location: {other.url}/api/v2/customers?k={KEY}")))
    assert other.requests == [] and "a redirect to" in broken.message and KEY not in broken.message


@pytest.mark.parametrize(
    "answer", [error(401, KEY), http(400, f"<p>{KEY}</p>".encode()), resets()], ids=["json", "html", "reset"]
)
def test_it_shows_the_key_nowhere(door: Http, answer: bytes | Callable):
    broken, site, _ = failing(door, answer if callable(answer) else says(answer), patience=Patience(attempts=1))
    token = base64.b64encode(f"{KEY}:".encode()).decode()
    seen = f"{broken!r}{broken}{broken.exchange.as_dict()}{site.client!r}{broken.__context__!r}"
    assert KEY not in seen and token not in seen and token[:-2] not in seen
