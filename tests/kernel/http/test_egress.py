"""Which addresses are refused, however they are written, and that the checked address is the one connected to."""

from __future__ import annotations

import ipaddress
import socket

import pytest

from connector.errors import Configuration, ConnectorError
from connector.http import egress
from connector.http.session import Call, Http
from tests.kernel.http.wire import ALLOW, http, says, wire

REFUSED = [
    "127.0.0.1", "10.0.0.1", "172.16.5.5", "192.168.1.1", "169.254.169.254", "169.254.1.1", "0.0.0.0", "100.64.0.1",
    "100.100.100.200", "168.63.129.16", "192.0.0.192", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1",
    "255.255.255.255", "::", "::1", "::ffff:10.0.0.1", "::ffff:93.184.216.34", "::10.0.0.1", "fe80::1", "fc00::1",
    "fd00:ec2::254", "fd20:ce::254", "ff02::1", "64:ff9b::a00:1", "64:ff9b::a9fe:a9fe", "2002:a00:1::", "2001::1",
    "2001:db8::1", "fec0::1",
]  # fmt: skip
PUBLIC = ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "2a00:1450:4001::1"]


@pytest.mark.parametrize("text", REFUSED)
def test_it_refuses_what_is_not_public(text: str):
    assert not egress.is_reachable(ipaddress.ip_address(text), ())


@pytest.mark.parametrize("text", PUBLIC)
def test_it_reaches_what_is_public(text: str):
    assert egress.is_reachable(ipaddress.ip_address(text), ())


@pytest.mark.parametrize("text", ["127.0.0.1", "10.0.0.1", "::1", "fd12::1"])
def test_it_reaches_a_private_address_that_the_deployment_names(text: str):
    allow = egress.networks(["127.0.0.0/8", "10.0.0.0/8", "::1/128", "fd12::/16"])
    assert egress.is_reachable(ipaddress.ip_address(text), allow)


@pytest.mark.parametrize(
    "text",
    ["169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "fd00:ec2::254", "::ffff:169.254.169.254",
     "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::", "0.0.0.0", "fe80::1"],
)  # fmt: skip
def test_it_never_reaches_metadata_whatever_the_deployment_names(text: str):
    assert not egress.is_reachable(ipaddress.ip_address(text), egress.networks(["0.0.0.0/0", "::/0"]))


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0177.0.0.1", "0x7f.0.0.1", "127.1", "[::1]", "[::ffff:127.0.0.1]",
     "169.254.169.254", "[::ffff:10.0.0.1]", "0"],
)  # fmt: skip
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_it_does_not_connect_to_a_private_address_however_it_is_written(scheme: str, host: str):
    with wire(says(http())) as server, Http() as door:
        with pytest.raises(Configuration):
            door.call(Call("GET", f"{scheme}://{host}:{server.port}/", deadline=2))
        assert server.connections == 0


@pytest.mark.parametrize(
    "url", ["http://user:password@127.0.0.1/", "http://evil.example@127.0.0.1/", "ftp://127.0.0.1/", "file:///etc/passwd",
            "gopher://127.0.0.1/", "//127.0.0.1/", "http:///", "http://[::1", "http://a b/"]
)  # fmt: skip
def test_it_refuses_a_url_that_is_not_plainly_a_host(url: str):
    with Http(allow=ALLOW) as door, pytest.raises(Configuration) as caught:
        door.call(Call("GET", url, deadline=2))
    assert "password" not in str(caught.value.exchange.as_dict()).replace("a user name or password", "")


def test_it_refuses_plain_http_outside_the_allowed_networks():
    with Http(resolve=_fixed("93.184.216.34")) as door, pytest.raises(Configuration, match="without encryption"):
        door.call(Call("GET", "http://erp.example.com/", deadline=2))


def test_it_refuses_a_name_when_one_of_its_addresses_is_private():
    with wire(says(http())) as server, Http(resolve=_fixed("93.184.216.34", "127.0.0.1")) as door:
        with pytest.raises(Configuration, match="private or reserved"):
            door.call(Call("GET", f"https://erp.example.com:{server.port}/", deadline=2))
        assert server.connections == 0


def test_it_does_not_tell_the_private_address_behind_a_name():
    with Http(resolve=_fixed("10.20.30.40")) as door, pytest.raises(Configuration) as caught:
        door.call(Call("GET", "https://erp.example.com/", deadline=2))
    assert "10.20.30.40" not in f"{caught.value} {caught.value.exchange.as_dict()}"


def test_it_resolves_a_name_once_for_a_connection_and_connects_to_what_it_checked():
    answers = iter(["127.0.0.1"])  # a second look-up would raise StopIteration
    with (
        wire(says(http())) as server,
        Http(allow=ALLOW, resolve=lambda host, port: [(socket.AF_INET, (next(answers), port))]) as door,
    ):
        for _ in range(3):
            assert door.call(Call("GET", f"http://rebind.example.com:{server.port}/")).status == 200
    assert f"Host: rebind.example.com:{server.port}".encode() in server.requests[0]


def test_it_checks_again_when_a_name_has_changed_its_mind():
    answers = iter(["127.0.0.1", "10.0.0.1"])

    def answer(line: socket.socket, _: bytes) -> None:
        line.sendall(http(200, b"{}", "Connection: close"))
        line.close()

    with (
        wire(answer) as server,
        Http(allow=ALLOW, resolve=lambda host, port: [(socket.AF_INET, (next(answers), port))]) as door,
    ):
        url = f"http://rebind.example.com:{server.port}/"
        assert door.call(Call("GET", url)).status == 200
        with pytest.raises(Configuration):
            door.call(Call("GET", url))


def test_it_tries_the_next_address_when_one_does_not_answer():
    with socket.create_server(("127.0.0.1", 0)) as gone:
        dead = gone.getsockname()[1]
    with wire(says(http())) as server:
        targets = [(socket.AF_INET, ("127.0.0.1", dead)), (socket.AF_INET, ("127.0.0.1", server.port))]
        with Http(allow=ALLOW, resolve=lambda *_: targets) as door:
            assert door.call(Call("GET", "http://two.example.com/")).status == 200


def test_it_refuses_an_allow_list_that_is_not_one():
    with pytest.raises(Configuration, match="OUTBOUND_ALLOW"):
        Http(allow=("everything",))


def test_it_says_that_a_name_without_addresses_does_not_exist():
    with Http(resolve=lambda *_: []) as door, pytest.raises(ConnectorError, match="does not exist"):
        door.call(Call("GET", "https://empty.example.com/", deadline=2))


def _fixed(*addresses: str):
    return lambda host, port: [(socket.AF_INET, (address, port)) for address in addresses]
