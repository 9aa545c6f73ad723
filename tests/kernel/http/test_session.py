"""One call: what it sends, what it gives back, and what each way of breaking means."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from decimal import Decimal

import pytest

from connector.errors import Configuration, ConnectorError, Transient, Uncertain
from connector.http.failing import UnknownHost
from connector.http.session import LARGEST_BODY, Call, Http, Reply
from tests.kernel.http.wire import ALLOW, Answer, drips, hangs, http, resets, says, wire

BODY = b'{"posted": true}'


def call(url: str, *, door: Http | None = None, **changes: object) -> Reply:
    with door or Http(allow=ALLOW) as open_door:
        return open_door.call(Call(**{"method": "POST", "url": url, "body": BODY, "deadline": 5.0, **changes}))


def broken(answer: Answer, *, deadline: float = 5.0) -> ConnectorError:
    with wire(answer) as server, pytest.raises(ConnectorError) as caught:
        call(server.url, deadline=deadline)
    return caught.value


def test_it_sends_what_it_was_told_and_gives_back_the_whole_answer():
    with wire(says(http(201, b'{"id": 7}', "X-Year: 2026"))) as server:
        reply = call(f"{server.url}/clouderp/api", headers={"X-Trace": "t1"}, params=(("page", "1"), ("q", "[a,b]")))
    request = server.requests[0]
    assert request.startswith(b"POST /clouderp/api?page=1&q=%5Ba%2Cb%5D HTTP/1.1\r\n")
    assert b"X-Trace: t1\r\n" in request and request.endswith(BODY)
    assert b"User-Agent: QAD-Chargebee-Connector/" in request
    assert (reply.status, reply.content, reply.headers["x-year"]) == (201, b'{"id": 7}', "2026")


def test_it_reads_json_with_exact_decimals():
    with wire(says(http(200, b'{"rate": 0.1, "amount": 12}'))) as server:
        assert call(server.url).json() == {"rate": Decimal("0.1"), "amount": 12}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Log in</html>",
        b'{"cut": [1,',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b"[" * 100_000,
        b"\xff\xfe\x00\xd8",
    ],
    ids=["empty", "html", "truncated", "nan", "infinity", "bottomless", "wrong charset"],
)
def test_it_says_value_error_for_a_body_that_is_no_json(body: bytes):
    with wire(says(http(200, body))) as server:
        reply = call(server.url)
    with pytest.raises(ValueError):
        reply.json()


def test_it_reads_json_behind_a_byte_order_mark():
    with wire(says(http(200, b"\xef\xbb\xbf{}"))) as server:
        assert call(server.url).json() == {}


@pytest.mark.parametrize(
    ("answer", "deadline"),
    [
        (resets(), 5.0),
        (resets(http(200, b"x" * 50)[:-20]), 5.0),
        (resets(b"HTTP/1.1 200 O"), 5.0),
        (lambda line, _: line.close(), 5.0),
        (says(b"certainly not HTTP\r\n\r\n"), 0.3),
        (hangs(), 0.2),
        (drips(http(200, b"{}")), 0.2),
        (drips(http(200, b"x" * 200), at_once=60), 0.2),
        (drips(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 50, at_once=47), 0.2),
        (drips(b"HTTP/1.1 100 Continue\r\n\r\n" * 40), 0.2),
        (says(http(200, b"not gzip", "Content-Encoding: gzip")), 5.0),
    ],
    ids=[
        "reset before the answer", "reset in the body", "reset in the header", "closed", "no http", "hang",
        "drip header", "drip body", "drip chunks", "drip 100s", "bad gzip",
    ],
)  # fmt: skip
def test_it_is_uncertain_whatever_breaks_once_bytes_have_left(answer: Answer, deadline: float):
    began = time.monotonic()
    error = broken(answer, deadline=deadline)
    assert type(error) is Uncertain
    assert time.monotonic() - began < max(deadline, 0.5) + 0.5
    assert error.exchange.status is None and error.exchange.error == error.message
    assert error.exchange.request_body == BODY.decode()


def test_it_names_the_deadline_that_passed():
    assert str(broken(hangs(), deadline=0.15)).endswith("0.15 seconds were not enough.")


def test_it_counts_the_deadline_over_the_sending_too():
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        held = []
        threading.Thread(target=lambda: (held.append(listener.accept()), stop.wait(5)), daemon=True).start()
        with pytest.raises(Uncertain):  # nobody reads, so the send buffer fills
            call(f"http://127.0.0.1:{listener.getsockname()[1]}", body=b"x" * 20_000_000, deadline=0.3)
        stop.set()


def test_it_is_transient_when_the_connection_is_refused():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Transient, match="refused") as caught:
        call(f"http://127.0.0.1:{port}")
    assert caught.value.exchange.status is None


def test_it_is_transient_when_connecting_takes_too_long():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(listener.getsockname())
        with pytest.raises(Transient, match=r"0\.2 seconds were not enough"):
            call(f"http://127.0.0.1:{listener.getsockname()[1]}", deadline=0.2)
        for sock in waiting:
            sock.close()


@pytest.mark.parametrize(
    ("errno", "kind"), [(socket.EAI_NONAME, UnknownHost), (socket.EAI_AGAIN, Transient), (socket.EAI_FAIL, Transient)]
)
def test_it_tells_a_name_that_does_not_exist_from_a_name_server_that_is_silent(errno: int, kind: type):
    def resolve(host: str, port: int):
        raise socket.gaierror(errno, "no")

    with pytest.raises(Transient) as caught:
        call("https://gone.example.com/", door=Http(resolve=resolve))
    assert type(caught.value) is kind and "host name 'gone.example.com'" in str(caught.value)


def test_it_does_not_wait_for_a_resolver_longer_than_the_deadline():
    began = time.monotonic()
    with pytest.raises(Transient):
        call("https://slow.example.com/", door=Http(resolve=lambda *_: time.sleep(3) or []), deadline=0.1)
    assert time.monotonic() - began < 1


def test_it_never_repeats_a_call_that_died_on_a_stale_connection():
    answered = []

    def answer(line: socket.socket, request: bytes) -> None:
        answered.append(request)
        (says(http()) if len(answered) == 1 else resets())(line, request)

    with wire(answer) as server, Http(allow=ALLOW) as door:
        door.call(Call("POST", server.url, body=b"1"))
        with pytest.raises(Uncertain):
            door.call(Call("POST", server.url, body=b"2"))
    assert [request[-1:] for request in server.requests] == [b"1", b"2"]


def test_it_opens_a_new_connection_when_the_old_one_was_closed_in_order():
    def answer(line: socket.socket, _: bytes) -> None:
        line.sendall(http())
        line.close()

    with wire(answer) as server, Http(allow=ALLOW) as door:
        assert [door.call(Call("GET", server.url)).status, time.sleep(0.05)][0] == 200
        assert door.call(Call("GET", server.url)).status == 200
    assert server.connections == 2


def test_it_keeps_a_connection_for_the_next_call():
    with wire(says(http())) as server, Http(allow=ALLOW) as door:
        for _ in range(5):
            door.call(Call("GET", server.url))
    assert server.connections == 1


def test_it_serves_several_threads_without_mixing_their_answers():
    def echo(line: socket.socket, request: bytes) -> None:
        line.sendall(http(200, request.split(b" ")[1]))

    wrong: list[str] = []

    def ask(door: Http, url: str, name: int) -> None:
        for number in range(20):
            path = f"/{name}-{number}"
            if door.call(Call("GET", url + path)).content.decode() != path:
                wrong.append(path)

    with wire(echo) as server, Http(allow=ALLOW, pool_size=8) as door:
        threads = [threading.Thread(target=ask, args=(door, server.url, name)) for name in range(8)]
        [thread.start() for thread in threads]
        [thread.join(10) for thread in threads]
    assert not wrong and len(server.requests) == 160 and server.connections <= 8


def test_it_does_not_follow_a_redirect_and_reports_it():
    with wire(says(http())) as other, wire(says(http(302, b"", f"Location: {other.url}/take"))) as server:
        reply = call(server.url, headers={"Authorization": "Basic c2VjcmV0"})
    assert reply.status == 302 and other.requests == []
    assert ("Location", f"{other.url}/take") in reply.exchange.reply_headers


def test_it_keeps_no_cookies():
    with wire(says(http(200, b"{}", "Set-Cookie: session=s3cr3t"))) as server, Http(allow=ALLOW) as door:
        for _ in range(2):
            door.call(Call("GET", server.url))
    assert b"ookie" not in server.requests[1]


def test_it_reads_nothing_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password something\n")
    for name, value in {
        "http_proxy": "http://127.0.0.1:9",
        "ALL_PROXY": "http://127.0.0.1:9",
        "NETRC": str(netrc),
    }.items():
        monkeypatch.setenv(name, value)
    with wire(says(http())) as server:
        assert call(server.url).status == 200
    assert b"authorization" not in server.requests[0].lower()


@pytest.mark.parametrize("packed", [False, True], ids=["as it is", "gzip bomb"])
def test_it_refuses_an_answer_that_is_too_large(packed: bool):
    body = bytes(LARGEST_BODY + 1)
    answer = http(200, gzip.compress(body, 1), "Content-Encoding: gzip") if packed else http(200, body)
    error = broken(says(answer), deadline=20)
    assert type(error) is Uncertain and "larger than 32 MB" in str(error)


def test_it_is_uncertain_when_the_body_is_shorter_than_announced():
    def answer(line: socket.socket, _: bytes) -> None:
        line.sendall(http(200, b"x" * 100)[:-1])
        line.close()

    assert type(broken(answer)) is Uncertain


def test_it_refuses_a_header_that_would_split_the_request():
    with wire(says(http())) as server, pytest.raises(Configuration):
        call(server.url, headers={"X-Workspace": "a\r\nX-Admin: yes"})
    assert server.requests == []


def test_it_leaves_no_secret_in_any_trace_of_a_failure():
    secret = "canary-5d1f"
    token = "Y2FuYXJ5LTVkMWY6"  # base64 of the secret and a colon
    with wire(hangs()) as server, pytest.raises(Uncertain) as caught:
        call(
            f"{server.url}/?api_key={secret}",
            headers={"Authorization": f"Basic {token}", "X-Note": secret},
            body=f"password={secret}".encode(),
            secrets=(secret,),
            deadline=0.1,
        )
    error = caught.value
    seen = f"{error!r} {error} {error.exchange.as_dict()} {error.__context__!r} {error.__cause__!r}"
    assert secret not in seen and token not in seen
    assert error.__context__ is None and error.__cause__ is None


def test_it_leaves_no_secret_in_a_reply_that_echoes_it():
    secret = "canary-77aa"
    with wire(says(http(400, f'{{"message": "bad key {secret}"}}'.encode(), f"X-Echo: {secret}"))) as server:
        sent = Call("GET", server.url, {"Authorization": "Basic x"}, secrets=(secret,))
        reply = call(server.url, **{name: getattr(sent, name) for name in ("method", "headers", "secrets")})
    assert secret not in f"{reply!r} {sent!r} {reply.exchange.as_dict()}"
    assert '"message": "bad key ***"' in reply.exchange.reply_body
