"""A small threaded HTTP/1.1 server with keep-alive: it reads, asks the world, replies, and can misbehave."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from http import HTTPStatus
from typing import Protocol

from connector.sandbox.inlet import Inlet
from connector.sandbox.wire import Request, Response

_REASONS = {status.value: status.phrase for status in HTTPStatus}
_ABORT = struct.pack("ii", 1, 0)  # SO_LINGER with no wait: the peer sees a reset, not an orderly end


class Answers(Protocol):
    """What the server needs of a world."""

    def handle(self, request: Request) -> Response: ...

    def time(self) -> float: ...

    def release(self) -> int: ...


class Server:
    """Listens on 127.0.0.1; one thread for each connection."""

    def __init__(self, world: Answers, port: int = 0) -> None:
        self._world = world
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._lines: dict[threading.Thread, socket.socket] = {}
        self._date = (0, b"")
        self._listener = socket.create_server(("127.0.0.1", port), backlog=512)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._acceptor = threading.Thread(target=self._accept, name="sandbox-accept", daemon=True)
        self._acceptor.start()

    def stop(self) -> None:
        """Ends the listener, every connection and every thread."""
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join(5)
        deadline = time.monotonic() + 5
        while self._lines and time.monotonic() < deadline:
            self._world.release()
            with self._lock:
                lines = list(self._lines.items())
            for thread, line in lines:
                with contextlib.suppress(OSError):
                    line.shutdown(socket.SHUT_RDWR)
                thread.join(0.2)

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(target=self._talk, args=(line,), name="sandbox-line", daemon=True)
            with self._lock:
                self._lines[thread] = line
            thread.start()

    def _talk(self, line: socket.socket) -> None:
        try:
            inlet = Inlet(line)
            while not self._stopping.is_set():
                request = inlet.read()
                if request is None or not self._reply(line, self._world.handle(request), request):
                    return
        except OSError:
            return
        finally:
            line.close()
            with self._lock:
                self._lines.pop(threading.current_thread(), None)

    def _reply(self, line: socket.socket, reply: Response, request: Request) -> bool:
        """Writes the reply as its fault says; False when the connection must end."""
        if reply.fault == "hang":
            self._stopping.wait(reply.delay)
        elif reply.fault == "hold" and reply.gate:
            reply.gate()
        elif reply.fault == "drop":
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
            return False
        text = self._text(reply, request)
        if reply.fault == "cut":
            line.sendall(text[: len(text) - max(1, len(reply.body) // 2)])
            return False
        if reply.fault == "drip":
            return self._drip(line, text, reply.delay)
        line.sendall(text)
        return request.headers.get("connection", "").lower() != "close"

    def _drip(self, line: socket.socket, text: bytes, delay: float) -> bool:
        for position in range(len(text)):
            if self._stopping.wait(delay):
                return False
            line.sendall(text[position : position + 1])
        return True

    def _text(self, reply: Response, request: Request) -> bytes:
        head = [f"HTTP/1.1 {reply.status} {_REASONS.get(reply.status, 'Unknown')}\r\n".encode(), self._dated()]
        head += [f"{name}: {value}\r\n".encode("latin-1", "replace") for name, value in reply.headers]
        head.append(b"Content-Length: %d\r\n\r\n" % len(reply.body))
        return b"".join(head) if request.method == "HEAD" else b"".join([*head, reply.body])

    def _dated(self) -> bytes:
        second = int(self._world.time())
        if self._date[0] != second:
            self._date = (second, f"Server: sandbox\r\nDate: {formatdate(second, usegmt=True)}\r\n".encode())
        return self._date[1]


@contextlib.contextmanager
def serve(world: Answers, port: int = 0) -> Iterator[Server]:
    """A running server with `.url` and `.port`; port 0 takes any free one."""
    server = Server(world, port)
    try:
        yield server
    finally:
        server.stop()
