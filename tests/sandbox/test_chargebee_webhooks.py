"""The site's webhooks: the real schedule by the sandbox's clock, duplicates and disorder when asked for."""

from __future__ import annotations

import base64
import datetime as dt
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from connector.sandbox.chargebee.webhooks import PAUSES
from connector.sandbox.clock import Clock
from connector.sandbox.world import World


class Receiver(HTTPServer):
    """Answers with `status` and remembers what came."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Door)
        self.status = 200
        self.got: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook?token=abc"

    def ids(self) -> list[str]:
        return [one["event"]["id"] for one in self.got]


class Door(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        shown = self.headers.get("Authorization", "")
        self.server.got.append({"event": json.loads(body), "authorization": shown, "path": self.path})
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: Any) -> None: ...


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def site():
    return World(customers=3, clock=Clock(dt.datetime(2026, 11, 26, tzinfo=dt.UTC))).chargebee


def test_an_event_goes_out_once_as_the_bare_event(site, receiver):
    site.webhooks.add(receiver.url, user="hook", password="secret")
    invoice = site.add_invoice(total=500)
    assert site.webhooks.deliver() == {"200": 1}
    assert site.webhooks.deliver() == {}
    (got,) = receiver.got
    assert got["event"]["content"]["invoice"]["id"] == invoice["id"]
    assert (got["event"]["object"], got["event"]["api_version"]) == ("event", "v2")
    assert "webhooks" not in got["event"]
    assert got["authorization"] == "Basic " + base64.b64encode(b"hook:secret").decode()
    assert got["path"] == "/hook?token=abc"
    assert site.get("event", got["event"]["id"])["webhook_status"] == "succeeded"


def test_a_refused_event_comes_again_on_the_schedule_and_fails_at_last(site, receiver):
    site.webhooks.add(receiver.url)
    site.add_invoice(total=500)
    receiver.status = 500
    site.webhooks.deliver()
    (event_id,) = receiver.ids()
    for pause in PAUSES:
        site.clock.advance(pause - 1)
        assert site.webhooks.deliver() == {}
        site.clock.advance(1)
        assert site.webhooks.deliver() == {"500": 1}
    assert receiver.got[-1]["event"]["webhooks"][0]["webhook_status"] == "re_scheduled"
    assert site.get("event", event_id)["webhook_status"] == "failed"
    site.clock.advance(30 * 86400)
    assert site.webhooks.deliver() == {}
    receiver.status = 204
    assert site.webhooks.resend(event_id) == 1
    assert site.webhooks.deliver() == {"204": 1}


def test_nobody_at_home_counts_as_refused(site):
    site.webhooks.add("http://127.0.0.1:1/hook")
    site.add_invoice(total=500)
    assert site.webhooks.deliver() == {"0": 1}
    assert len(site.webhooks.waiting) == 1


def test_copies_and_disorder_come_when_asked_for(site, receiver):
    site.webhooks.add(receiver.url)
    for number in range(6):
        site.add_invoice(total=500 + number)
    assert site.webhooks.deliver(copies=3, shuffled=True) == {"200": 18}
    order = [one["id"] for one in site.all("event")][-6:]
    assert sorted(receiver.ids()) == sorted(order * 3)
    assert list(dict.fromkeys(receiver.ids())) != order


def test_an_endpoint_may_speak_the_old_version(site, receiver):
    site.webhooks.add(receiver.url, api_version="v1")
    site.add_invoice(total=500)
    site.webhooks.deliver()
    assert receiver.got[0]["event"]["api_version"] == "v1"


def test_a_site_has_five_webhooks_at_most_and_none_after_a_reset(site):
    for number in range(5):
        site.webhooks.add(f"http://127.0.0.1:1/{number}")
    with pytest.raises(ValueError, match="at most 5"):
        site.webhooks.add("http://127.0.0.1:1/6")
    site.reset()
    assert not site.webhooks.endpoints
    assert site.webhooks.schedule({"id": "x"}) == {"id": "x"}
