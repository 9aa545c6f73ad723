"""Sockets and connections that know the call they serve: its one deadline, its guard, and whether a byte has left.

requests and urllib3 set a time-out for each read, so a server that drips one byte at a time never meets one. Here each
operation on the socket gets the time that is left of the whole call.
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import certifi
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import PoolManager
from urllib3.util.retry import Retry

from connector.http import egress

Target = tuple[int, tuple[Any, ...]]  # address family and socket address
Resolver = Callable[[str, int], list[Target]]


class Refused(Exception):
    """The guard says no: nothing was connected."""


class DeadlinePassed(TimeoutError):
    """The total deadline of the call is over."""


@dataclass(slots=True)
class Flight:
    """One call under way in this thread. `until` is on the monotonic clock."""

    until: float
    allow: tuple[egress.Network, ...]
    resolve: Resolver
    has_sent: bool = False

    def left(self) -> float:
        seconds = self.until - time.monotonic()
        if seconds <= 0:
            raise DeadlinePassed("the deadline passed")
        return seconds


_thread = threading.local()


def fly(flight: Flight | None) -> None:
    """Make `flight` the call of this thread, None when it has ended."""
    _thread.flight = flight


def _flight() -> Flight:
    flight: Flight | None = getattr(_thread, "flight", None)
    if flight is None:
        raise OSError("this connection is used outside a call")
    return flight


class _Deadlined:
    """Over a socket class: every operation takes the time that is left of the call, and sending is noted first."""

    def recv_into(self, *args: Any) -> int:
        self.settimeout(_flight().left())  # type: ignore[attr-defined]
        return super().recv_into(*args)  # type: ignore[misc]

    def recv(self, *args: Any) -> bytes:
        self.settimeout(_flight().left())  # type: ignore[attr-defined]
        return super().recv(*args)  # type: ignore[misc]

    def send(self, *args: Any) -> int:
        flight = _flight()
        self.settimeout(flight.left())  # type: ignore[attr-defined]
        flight.has_sent = True
        return super().send(*args)  # type: ignore[misc]

    def sendall(self, *args: Any) -> None:
        flight = _flight()
        self.settimeout(flight.left())  # type: ignore[attr-defined]
        flight.has_sent = True
        super().sendall(*args)  # type: ignore[misc]


class _PlainSocket(_Deadlined, socket.socket):
    """For plain http, and under TLS until the handshake takes over."""


class _TlsSocket(_Deadlined, ssl.SSLSocket):
    """OpenSSL's own loop keeps to the time-out for a whole read or handshake."""


@lru_cache(maxsize=8)
def tls_context(ca_bundle: str | None) -> ssl.SSLContext:
    """One context for each bundle of certificate authorities (None: certifi's), shared by all threads."""
    context = ssl.create_default_context(cafile=ca_bundle or certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = _TlsSocket
    return context


def system_resolver(host: str, port: int) -> list[Target]:
    """Every address of a name, as the operating system gives them."""
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, address) for family, _, _, _, address in answers]


def open_socket(host: str, port: int, *, is_secure: bool) -> socket.socket:
    """Resolve once, check every address, connect to one that was checked. Raises Refused, OSError, DeadlinePassed."""
    flight = _flight()
    targets = _resolve(flight, host, port)
    if not targets:
        raise socket.gaierror(socket.EAI_NONAME, f"'{host}' has no address")
    for _, address in targets:
        _check(host, str(address[0]), flight.allow, is_secure=is_secure)
    for index, (family, address) in enumerate(targets, start=1):
        try:
            return _connect(family, address, flight.left() / (len(targets) - index + 1))
        except OSError:
            if index == len(targets):
                raise
    raise AssertionError("unreachable")


def _check(host: str, address: str, allow: tuple[egress.Network, ...], *, is_secure: bool) -> None:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if not egress.is_reachable(parsed, allow):
        raise Refused(f"'{host}' leads to a private or reserved address, which this installation may not reach")
    if not is_secure and not egress.is_allowed(parsed, allow):
        raise Refused(f"'{host}' would be reached without encryption")


def _connect(family: int, address: tuple[Any, ...], seconds: float) -> socket.socket:
    sock = _PlainSocket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(seconds)
        sock.connect(address)
        sock.settimeout(_flight().left())
    except BaseException:
        sock.close()
        raise
    return sock


def _resolve(flight: Flight, host: str, port: int) -> list[Target]:
    """A literal address is itself; a name is asked for once."""
    literal = egress.literal(host)
    if literal is not None:
        return [(socket.AF_INET if literal.version == 4 else socket.AF_INET6, (host, port))]
    return _resolve_beside(flight, host, port)


def _resolve_beside(flight: Flight, host: str, port: int) -> list[Target]:
    """The resolver has no time-out of its own, so it runs beside us and may be left behind."""
    answers: queue.SimpleQueue[list[Target] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(flight.resolve(host, port))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=flight.left())
    except queue.Empty:
        raise DeadlinePassed(f"the name '{host}' was not resolved in time") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


class _PlainConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return open_socket(self._dns_host, self.port or 80, is_secure=False)


class _TlsConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return open_socket(self._dns_host, self.port or 443, is_secure=True)


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class GuardedAdapter(HTTPAdapter):
    """The requests adapter over these connections: no retries of its own, one TLS context, keep-alive pools."""

    def __init__(self, *, pool_size: int, ca_bundle: str | None) -> None:
        self._ca_bundle = ca_bundle
        never = Retry(total=0, connect=0, read=False, redirect=False, status=0, other=0)
        super().__init__(pool_connections=pool_size, pool_maxsize=pool_size, max_retries=never)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any) -> None:
        context = tls_context(self._ca_bundle)
        self.poolmanager = PoolManager(num_pools=connections, maxsize=maxsize, block=block, ssl_context=context)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """The context holds the authorities; requests would load its bundle again for each connection."""
        conn.cert_reqs = "CERT_REQUIRED"
