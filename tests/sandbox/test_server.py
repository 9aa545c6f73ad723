from __future__ import annotations

import datetime as dt
import socket
import threading
import time
from email.utils import parsedate_to_datetime

import pytest
import requests

from connector.sandbox import transport
from connector.sandbox.clock import Clock
from connector.sandbox.faults import Faults
from connector.sandbox.server import serve
from connector.sandbox.wire import Request, Response, reply_json

NOON = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.UTC)
HEAD = b"GET /x HTTP/1.1\r\nHost: sandbox\r\n\r\n"


class Echo:
    """Answers what it was asked, counts, and breaks as told."""

    def __init__(self):
        self.clock = Clock(NOON)
        self.faults = Faults()
        self.asked = []

    def handle(self, request):
        return transport.answer(self.faults, self.clock, request, self._work)

    def _work(self, request):
        self.asked.append(request)
        if request.path == "/big":
            return Response(200, b"x" * 3_000_000)
        pairs = [list(pair) for pair in request.query]
        told = {"path": request.path, "query": pairs, "body": request.body.decode("latin-1"), "method": request.method}
        return reply_json(200, told, ("X-Echo", "yes"))

    def time(self):
        return self.clock.time()

    def release(self):
        return self.faults.release()


@pytest.fixture
def world():
    return Echo()


@pytest.fixture
def server(world):
    with serve(world) as server:
        yield server


@pytest.fixture
def client(server):
    with requests.Session() as session:
        session.trust_env = False
        yield session


def test_it_answers_on_loopback_alone(server, client):
    assert server.url == f"http://127.0.0.1:{server.port}"
    reply = client.get(f"{server.url}/a%20b/c", params=[("q", "1"), ("q", "ä&="), ("empty", "")])
    assert reply.json() == {
        "path": "/a b/c",
        "query": [["q", "1"], ["q", "ä&="], ["empty", ""]],
        "body": "",
        "method": "GET",
    }
    assert reply.headers["X-Echo"] == "yes"


def test_one_connection_serves_many_requests(server):
    with socket.create_connection(("127.0.0.1", server.port)) as line:
        for _ in range(50):
            line.sendall(HEAD)
            assert line.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")


def test_requests_sent_together_are_answered_in_order(server, world):
    with socket.create_connection(("127.0.0.1", server.port)) as line:
        line.sendall(HEAD.replace(b"/x", b"/1") + HEAD.replace(b"/x", b"/2"))
        seen = b""
        while seen.count(b"HTTP/1.1") < 2 or not seen.endswith(b"}"):
            seen += line.recv(65536)
    assert [request.path for request in world.asked] == ["/1", "/2"]


def test_bodies_arrive_whole_by_length_and_in_chunks(server, client):
    long = b"y" * 300_000
    assert client.post(f"{server.url}/p", data=long).json()["body"] == long.decode()
    assert (
        client.post(f"{server.url}/p", data=iter([b"ab", b"c" * 70_000, b"d"])).json()["body"]
        == "ab" + "c" * 70_000 + "d"
    )


def test_large_replies_arrive_whole(server, client):
    assert len(client.get(f"{server.url}/big").content) == 3_000_000


def test_the_date_is_the_sandboxs_own(server, client, world):
    assert parsedate_to_datetime(client.get(server.url).headers["Date"]) == NOON
    world.clock.advance(86_400)
    assert parsedate_to_datetime(client.get(server.url).headers["Date"]) == NOON + dt.timedelta(days=1)


@pytest.mark.parametrize(
    "nonsense", [b"HELLO\r\n\r\n", b"GET /\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n"]
)
def test_nonsense_ends_the_connection_and_not_the_server(server, client, nonsense):
    with socket.create_connection(("127.0.0.1", server.port)) as line:
        line.sendall(nonsense)
        assert line.recv(100) == b""
    assert client.get(server.url).status_code == 200


def test_it_closes_when_the_client_asks_to(server):
    with socket.create_connection(("127.0.0.1", server.port)) as line:
        line.sendall(HEAD.replace(b"Host", b"Connection: close\r\nHost"))
        seen = b""
        while part := line.recv(65536):
            seen += part
    assert seen.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(("fault", "done"), [("drop", 0), ("refuse", 0), ("drop_after_commit", 1)])
def test_a_dropped_line_gives_no_byte_before_or_after_the_work(server, client, world, fault, done):
    world.faults.add(fault)
    with pytest.raises(requests.ConnectionError):
        client.get(server.url)
    assert len(world.asked) == done
    assert client.get(server.url).status_code == 200


def test_a_cut_reply_ends_in_the_middle(server, client, world):
    world.faults.add("cut")
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        client.get(f"{server.url}/big")
    assert len(world.asked) == 1


def test_a_hanging_server_does_not_do_the_work_and_a_slow_one_does(server, client, world):
    world.faults.add("hang", delay=30)
    with pytest.raises(requests.Timeout):
        client.get(server.url, timeout=0.1)
    assert world.asked == []
    world.faults.add("slow", delay=30)
    with pytest.raises(requests.Timeout):
        client.get(server.url, timeout=0.1)
    assert len(world.asked) == 1


@pytest.mark.slow
def test_a_dripping_reply_keeps_every_single_read_short(server, client, world):
    world.faults.add("drip", delay=0.002)
    started = time.monotonic()
    reply = client.get(server.url, timeout=0.5)
    assert reply.json()["path"] == "/"
    assert time.monotonic() - started > 0.3


@pytest.mark.parametrize(("fault", "done_while_held"), [("hold", 1), ("hold_before", 0)])
def test_a_held_reply_waits_for_its_release(server, world, fault, done_while_held):
    world.faults.add(fault)
    got = []
    waiting = threading.Thread(target=lambda: got.append(requests.get(server.url, timeout=10).status_code))
    waiting.start()
    deadline = time.monotonic() + 5
    while not world.faults.held and time.monotonic() < deadline:
        time.sleep(0.005)
    assert (world.faults.held, len(world.asked), got) == (1, done_while_held, [])
    assert world.faults.release() == 1
    waiting.join(5)
    assert (got, len(world.asked)) == ([200], 1)


@pytest.mark.parametrize(
    ("fault", "settings", "status", "content", "done"),
    [
        ("html", {"status": 502}, 502, b"<html>", 0),
        ("html_after_commit", {"status": 200}, 200, b"<html>", 1),
        ("empty", {}, 200, b"", 0),
        ("empty_after_commit", {}, 200, b"", 1),
        ("truncate", {}, 200, b'{"path":', 1),
        ("status", {"status": 500}, 500, b"{", 0),
        ("status", {"status": 502}, 502, b"{", 0),
        ("status", {"status": 503}, 503, b"{", 0),
        ("status", {"status": 504, "text": "gateway"}, 504, b"gateway", 0),
        ("status_after_commit", {"status": 503}, 503, b"{", 1),
    ],
)
def test_answers_from_in_front_of_the_system(server, client, world, fault, settings, status, content, done):
    world.faults.add(fault, **settings)
    reply = client.get(server.url)
    assert (reply.status_code, len(world.asked)) == (status, done)
    assert reply.content.startswith(content)
    assert fault not in ("empty", "empty_after_commit") or reply.content == b""
    if fault == "truncate":
        with pytest.raises(ValueError):
            reply.json()


@pytest.mark.parametrize(
    ("wish", "header"), [(None, None), (7, "7"), ("date", "Fri, 20 Nov 2026 12:00:02 GMT"), ("garbage", "soon, please")]
)
def test_retry_after_in_every_form(server, client, world, wish, header):
    world.faults.add("status", status=429, retry_after=wish)
    reply = client.get(server.url)
    assert (reply.status_code, reply.headers.get("Retry-After")) == (429, header)
    assert reply.json()["api_error_code"] == "api_request_limit_exceeded"


def test_stopping_leaves_no_thread_even_with_replies_held_hanging_and_idle(world):
    before = set(threading.enumerate())
    world.faults.add("hold", path="held")
    world.faults.add("hang", path="hang", delay=60)
    world.faults.add("drip", path="drip", delay=20)
    with serve(world) as server:
        lines = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(4)]
        for line, path in zip(lines, (b"/held", b"/hang", b"/drip", b""), strict=True):
            if path:
                line.sendall(HEAD.replace(b"/x", path))
        deadline = time.monotonic() + 5
        while not world.faults.held and time.monotonic() < deadline:
            time.sleep(0.005)
    assert {thread for thread in threading.enumerate() if thread.name.startswith("sandbox")} <= before
    for line in lines:
        line.close()
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", server.port), timeout=1)


def test_a_fault_counts_matching_requests_alone():
    faults = Faults()
    faults.add("drop", times=2, every=3, after=1, method="POST", path="^/invoices", body="INV-7")
    match = Request("POST", "/invoices", body=b"ref INV-7")
    others = [
        Request("GET", "/invoices", body=b"INV-7"),
        Request("POST", "/payments", body=b"INV-7"),
        Request("POST", "/invoices", body=b"INV-8"),
    ]
    assert [faults.take("drop", other) for other in others] == [None] * 3
    fired = [faults.take("drop", match) is not None for _ in range(12)]
    assert fired == [False, False, False, True, False, False, True] + [False] * 5
    assert faults.take("cut", match) is None


def test_a_fault_without_a_count_lasts_until_it_is_cleared():
    faults = Faults()
    faults.add("drop", times=None)
    faults.add("cut", times=None)
    assert all(faults.take("drop", Request("GET", "/")) for _ in range(50))
    faults.clear("drop")
    assert faults.take("drop", Request("GET", "/")) is None
    assert faults.take("cut", Request("GET", "/"))
    faults.clear()
    assert faults.is_quiet


def test_the_clock_can_be_shifted_frozen_set_and_run_again():
    clock = Clock()
    real = time.time()
    clock.advance(3600)
    assert 3599 < clock.time() - real < 3610
    clock.freeze()
    frozen = clock.time()
    assert clock.time() == frozen
    clock.set(NOON)
    assert clock.now() == NOON
    clock.run()
    assert dt.timedelta(0) <= clock.now() - NOON < dt.timedelta(seconds=5)
    clock.reset()
    assert abs(clock.time() - time.time()) < 5


@pytest.mark.slow
def test_it_is_not_the_bottleneck(server):
    """A bare loop over one keep-alive socket; a `requests` loop does some 1,300 a second on the same machine."""
    with socket.create_connection(("127.0.0.1", server.port)) as line:
        started = time.monotonic()
        for _ in range(3000):
            line.sendall(HEAD)
            line.recv(65536)
    assert 3000 / (time.monotonic() - started) > 3000
