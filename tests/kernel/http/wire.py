"""A server over a real loopback socket that does exactly what a test tells it, byte by byte."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import ipaddress
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Answer = Callable[[socket.socket, bytes], None]
ALLOW = ("127.0.0.0/8",)


class Wire:
    """`requests` holds what arrived, whole; `connections` counts accepted ones; `names` the TLS names asked for."""

    def __init__(self, answer: Answer, context: ssl.SSLContext | None = None, *, greets: bool = False) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.names: list[str | None] = []
        self.stopping = threading.Event()
        self._answer, self._context, self._greets = answer, context, greets
        if context:
            context.sni_callback = lambda _, name, __: self.names.append(name)  # type: ignore[assignment]
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._talk, args=(line,), daemon=True).start()

    def _talk(self, line: socket.socket) -> None:
        with contextlib.suppress(OSError, ssl.SSLError):
            if self._context:
                line = self._context.wrap_socket(line, server_side=True)
            if self._greets:
                self._answer(line, b"")
            while request := _read(line):
                self.requests.append(request)
                self._answer(line, request)
        with contextlib.suppress(OSError):
            line.close()

    def stop(self) -> None:
        self.stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@contextlib.contextmanager
def wire(answer: Answer, context: ssl.SSLContext | None = None, *, greets: bool = False) -> Iterator[Wire]:
    """`greets`: the answer is given as soon as somebody connects, before a request."""
    server = Wire(answer, context, greets=greets)
    try:
        yield server
    finally:
        server.stop()


def _read(line: socket.socket) -> bytes:
    held = b""
    while b"\r\n\r\n" not in held:
        more = line.recv(65536)
        if not more:
            return b""
        held += more
    head, _, body = held.partition(b"\r\n\r\n")
    length = next((int(row[15:]) for row in head.lower().split(b"\r\n") if row.startswith(b"content-length:")), 0)
    while len(body) < length:
        more = line.recv(65536)
        if not more:
            return b""
        body += more
    return head + b"\r\n\r\n" + body


def http(status: int = 200, body: bytes = b"{}", *headers: str) -> bytes:
    """The bytes of an answer."""
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def says(*answers: bytes) -> Answer:
    """Each answer once, the last one again and again."""
    left = list(answers)

    def answer(line: socket.socket, _: bytes) -> None:
        line.sendall(left.pop(0) if len(left) > 1 else left[0])

    return answer


def resets(after: bytes = b"") -> Answer:
    """Sends `after`, then breaks the connection with a reset."""

    def answer(line: socket.socket, _: bytes) -> None:
        if after:
            line.sendall(after)
            time.sleep(0.02)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        line.close()

    return answer


def drips(whole: bytes, *, at_once: int = 0, pause: float = 0.02) -> Answer:
    """The first `at_once` bytes together, the rest one by one."""

    def answer(line: socket.socket, _: bytes) -> None:
        line.sendall(whole[:at_once])
        for number in range(at_once, len(whole)):
            time.sleep(pause)
            line.sendall(whole[number : number + 1])

    return answer


def hangs(seconds: float = 5.0) -> Answer:
    return lambda line, _: time.sleep(seconds)


@functools.cache
def authority() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Invented authority")])
    built = _builder(name, name, key, days=30).add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
    return key, built.sign(key, hashes.SHA256())


def certified(folder: Path, *names: str, days: int = 30) -> tuple[ssl.SSLContext, str]:
    """A server context for these names and the path of the authority's certificate."""
    ca_key, ca = authority()
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    san = x509.SubjectAlternativeName([_san(name) for name in names])
    leaf = _builder(subject, ca.subject, key, days=days).add_extension(san, False).sign(ca_key, hashes.SHA256())
    bundle, chain = folder / "ca.pem", folder / f"{abs(hash((names, days)))}.pem"
    bundle.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    chain.write_bytes(leaf.public_bytes(serialization.Encoding.PEM) + pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context, str(bundle)


def _san(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, *, days: int
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=60))
        .not_valid_after(now + dt.timedelta(days=days))
    )
