"""Encryption: the name is checked although the address is pinned, and a bad certificate stops before a byte is sent."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from connector.errors import Configuration, Transient, Uncertain
from connector.http.session import Call, Http
from tests.kernel.http.wire import ALLOW, Answer, certified, drips, hangs, http, resets, says, wire


def _to(port: int) -> Callable:
    return lambda host, asked: [(socket.AF_INET, ("127.0.0.1", port))]


def test_it_asks_for_the_name_and_checks_it_while_connected_to_the_pinned_address(tmp_path: Path):
    context, bundle = certified(tmp_path, "acme-test.chargebee.com")
    with wire(says(http()), context) as server, Http(allow=ALLOW, ca_bundle=bundle, resolve=_to(server.port)) as door:
        for _ in range(3):
            assert door.call(Call("GET", "https://acme-test.chargebee.com/api/v2/customers")).status == 200
    assert server.names == ["acme-test.chargebee.com"] and server.connections == 1
    assert b"\r\nHost: acme-test.chargebee.com\r\n" in server.requests[0]


@pytest.mark.parametrize(
    ("names", "days", "host"),
    [(("other.example.com",), 30, "erp.example.com"), (("erp.example.com",), -1, "erp.example.com")],
    ids=["another name", "expired"],
)
def test_it_is_a_configuration_error_when_the_certificate_is_wrong(tmp_path: Path, names, days: int, host: str):
    context, bundle = certified(tmp_path, *names, days=days)
    with (
        wire(says(http()), context) as server,
        Http(allow=ALLOW, ca_bundle=bundle, resolve=_to(server.port)) as door,
        pytest.raises(Configuration, match=r"certificate of erp\.example\.com is not trusted"),
    ):
        door.call(Call("POST", f"https://{host}/", body=b"{}"))
    assert server.requests == []


def test_it_trusts_no_authority_that_it_was_not_given(tmp_path: Path):
    context, _ = certified(tmp_path, "erp.example.com")
    with (
        wire(says(http()), context) as server,
        Http(allow=ALLOW, resolve=_to(server.port)) as door,
        pytest.raises(Configuration),
    ):
        door.call(Call("GET", "https://erp.example.com/"))
    assert server.requests == []


@pytest.mark.parametrize(
    "greeting",
    [hangs(1), drips(b"\x16\x03\x03\x00\x7a" + b"\x02" * 30)],
    ids=["silent", "dripping"],
)
def test_it_keeps_the_deadline_in_the_handshake(greeting: Answer):
    with wire(greeting, greets=True) as server, Http(allow=ALLOW) as door:
        began = time.monotonic()
        with pytest.raises(Transient):
            door.call(Call("POST", f"https://127.0.0.1:{server.port}/", body=b"{}", deadline=0.2))
    assert time.monotonic() - began < 1


def test_it_is_transient_when_the_other_side_does_not_speak_tls():
    with (
        wire(says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), greets=True) as server,
        Http(allow=ALLOW) as door,
        pytest.raises(Transient, match="Nothing was sent"),
    ):
        door.call(Call("POST", f"https://127.0.0.1:{server.port}/", body=b"{}", deadline=2))


@pytest.mark.parametrize(
    "answer",
    [resets(), hangs(), drips(http(200, b"x" * 90)), drips(http(200, b"x" * 90), at_once=70)],
    ids=["reset", "hang", "drip header", "drip body"],
)
def test_it_is_uncertain_when_an_encrypted_answer_breaks(tmp_path: Path, answer):
    context, bundle = certified(tmp_path, "erp.example.com")
    with wire(answer, context) as server, Http(allow=ALLOW, ca_bundle=bundle, resolve=_to(server.port)) as door:
        began = time.monotonic()
        with pytest.raises(Uncertain):
            door.call(Call("POST", "https://erp.example.com/", body=b"{}", deadline=0.25))
    assert time.monotonic() - began < 1
