from __future__ import annotations

import datetime as dt
import json
import signal
import subprocess
import sys
import time

import pytest

from connector.sandbox.clock import Clock
from connector.sandbox.faults import Faults
from connector.sandbox.wire import Request, reply_json
from connector.sandbox.world import World
from tests.sandbox.site_desk import NOON, T0, get, key_header


class Books:
    """A QAD half that only counts."""

    def __init__(self):
        self.faults, self.seen, self.locked = Faults(), [], []

    def handle(self, request):
        self.seen.append(request.path)
        return reply_json(200, {})

    def ledger(self):
        return {"documents": len(self.seen)}

    def lock_period(self, year, period):
        self.locked.append((year, period))

    def reset(self):
        self.seen = []


@pytest.fixture
def world():
    return World(seed=7, customers=12, clock=Clock(NOON), qad=Books())


def call(world, method, path, body=None, query=()):
    content = b"" if body is None else json.dumps(body).encode()
    reply = world.handle(Request(method, f"/_sandbox/{path}", tuple(query), {}, content))
    return reply.status, json.loads(reply.body)


def ask(world, path="/api/v2/customers"):
    return world.handle(Request("GET", path, (), key_header()))


def test_paths_go_to_their_half(world):
    assert ask(world).status == 200
    ask(world, "/clouderp/api/x")
    ask(world, "/finrest/y")
    assert world.qad.seen == ["/clouderp/api/x", "/finrest/y"]


def test_health_says_what_there_is(world):
    status, health = call(world, "GET", "health")
    assert (status, health["status"], health["now"]) == (200, "ok", "2026-11-20T12:00:00+00:00")
    assert health["documents"]["customer"] == 12


def test_a_cycle_is_billed_on_request_and_a_month_later_when_told(world):
    _, made = call(world, "POST", "bill-cycle")
    assert (made["invoice"], made["credit_note"]) == (40, 0)
    _, made = call(world, "POST", "bill-cycle", {"kinds": "all", "months": 1})
    assert made["credit_note"] > 0
    assert world.clock.now().date() == dt.date(2026, 12, 20)
    dates = sorted(row["date"] for row in world.chargebee.all("invoice"))
    assert (dates[-1] - dates[0]) // 86_400 in (30, 31)


def test_what_people_change_after_a_cycle_is_changed_on_request(world):
    call(world, "POST", "bill-cycle", {"kinds": "all"})
    status, done = call(world, "POST", "chargebee/change_afterwards", {})
    assert (status, done["edited"] > 0, done["withheld"] > 0) == (200, True, True)


def test_a_month_after_the_last_of_january_is_the_last_of_february():
    world = World(customers=1, clock=Clock(dt.datetime(2027, 1, 31, 8, tzinfo=dt.UTC)), qad=Books())
    world.bill_cycle(months=1)
    assert world.clock.now().date() == dt.date(2027, 2, 28)


def test_faults_are_switched_on_and_off_for_one_side(world):
    call(world, "POST", "faults", {"side": "chargebee", "name": "status", "status": 503, "times": None})
    assert ask(world).status == 503
    _, report = call(world, "GET", "faults")
    assert report["chargebee"]["switches"] == [{"name": "status", "times": None, "seen": 1, "fired": 1}]
    assert report["qad"]["switches"] == []
    call(world, "DELETE", "faults", query=[("side", "chargebee")])
    assert ask(world).status == 200


def test_the_clock_is_set_and_moved(world):
    assert call(world, "POST", "clock", {"advance": 90})[1] == {"now": "2026-11-20T12:01:30+00:00"}
    assert call(world, "POST", "clock", {"set": "2027-01-01T00:00:00+01:00"})[1] == {"now": "2026-12-31T23:00:00+00:00"}


def test_settings_reach_the_site(world):
    call(world, "POST", "settings", {"rate_limit": 1, "lag": 300, "lines_per_page": 5})
    assert [ask(world).status for _ in range(2)] == [200, 429]
    assert world.chargebee.core.store.lag == 300
    assert world.chargebee.switches.lines_per_page == 5
    call(world, "POST", "settings", {"site_found": False})
    assert ask(world).status == 404
    assert call(world, "POST", "settings", {"unheard": 1})[0] == 400


def test_a_user_of_either_side_acts_over_it(world):
    charges = [{"amount": 500, "taxes": [["Germany VAT", "19", "country"]]}]
    _, invoice = call(world, "POST", "chargebee/add_invoice", {"charges": charges, "status": "posted"})
    assert (invoice["total"], invoice["tax"]) == (595, 95)
    call(world, "POST", "chargebee/edit", {"kind": "invoice", "key": invoice["id"], "po_number": "X"})
    assert call(world, "GET", f"chargebee/invoice/{invoice['id']}")[1]["po_number"] == "X"
    assert call(world, "POST", "chargebee/void_invoice", {"key": invoice["id"]})[1]["status"] == "voided"
    assert len(call(world, "GET", "chargebee/invoice")[1]) == 1
    call(world, "POST", "qad/lock_period", {"year": 2026, "period": 11})
    assert world.qad.locked == [(2026, 11)]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "chargebee/reset", {}, 400),
        ("POST", "qad/__init__", {}, 400),
        ("GET", "nothing", None, 400),
        ("GET", "chargebee/invoice/none", None, 404),
        ("POST", "chargebee/void_invoice", {"key": "none"}, 404),
        ("POST", "chargebee/add_invoice", {"unknown": {}, "charges": [{"surprise": 1}]}, 400),
        ("POST", "clock", {"set": "tomorrow"}, 400),
        ("POST", "faults", {"side": "moon", "name": "drop"}, 400),
    ],
)
def test_what_it_does_not_know_is_refused(world, method, path, body, status):
    assert call(world, method, path, body)[0] == status


def test_requests_are_counted_and_kept(world):
    ask(world)
    ask(world)
    assert call(world, "GET", "requests")[1] == {"GET /api/v2/customers": 2}
    assert [asked.request.path for asked in world.asked] == ["/api/v2/customers"] * 2
    call(world, "DELETE", "requests")
    assert call(world, "GET", "requests")[1] == {}


def test_the_ledger_is_qads(world):
    ask(world, "/clouderp/x")
    assert call(world, "GET", "ledger")[1] == {"documents": 1}


def test_a_reset_goes_back_to_the_first_day(world):
    world.bill_cycle()
    world.clock.advance(1000)
    ask(world, "/clouderp/x")
    world.faults("qad").add("drop", times=None)
    call(world, "POST", "reset")
    assert (world.chargebee.all("invoice"), world.ledger(), world.clock.seconds()) == ([], {"documents": 0}, T0)
    assert ask(world, "/clouderp/x").status == 200


def test_a_mistake_of_the_sandbox_is_a_500_that_shows_where(world):
    world.qad.handle = None
    reply = ask(world, "/clouderp/x")
    assert reply.status == 500
    assert "TypeError" in json.loads(reply.body)["sandbox_error"]


def test_both_halves_know_the_same_people():
    world = World(seed=5, customers=30, clock=Clock(NOON))
    assert world.ledger() is not None
    assert len(world.chargebee.all("customer")) == 30
    assert get(world.chargebee, "customers").status == 200


def start(tmp_path, *more):
    file = tmp_path / "url"
    command = [sys.executable, "-m", "connector.sandbox", "--customers", "2", "--url-file", str(file), *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    assert line == f"Sandbox at {file.read_text()}\n"
    return process


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.slow
def test_the_command_tells_its_url_and_ends_when_told(tmp_path, name):
    process = start(tmp_path, "--cycles", "1")
    process.send_signal(name)
    assert process.wait(5) == 0


@pytest.mark.slow
def test_the_command_ends_with_its_parent(tmp_path):
    short_lived = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process = start(tmp_path, "--parent-pid", str(short_lived.pid))
    assert process.poll() is None
    short_lived.communicate(b"\n")
    started = time.monotonic()
    assert process.wait(5) == 0
    assert time.monotonic() - started < 3
