"""Reads HTTP requests off a connection, one after the other."""

from __future__ import annotations

import socket
from urllib.parse import parse_qsl, unquote

from connector.sandbox.wire import Request

_LARGEST_HEAD = 64 * 1024
_LARGEST_BODY = 64 * 1024 * 1024


class Inlet:
    """Requests from one connection; bytes beyond a request wait for the next."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._kept = b""

    def read(self) -> Request | None:
        """None when the peer is gone or talks nonsense."""
        head = self._until_blank_line()
        if head is None:
            return None
        first, *rest = head.decode("latin-1").split("\r\n")
        words = first.split(" ")
        if len(words) != 3:
            return None
        headers = {name.strip().lower(): value.strip() for name, _, value in (row.partition(":") for row in rest)}
        if headers.get("expect", "").lower() == "100-continue":
            self._line.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = self._body(headers)
        if body is None:
            return None
        path, _, query = words[1].partition("?")
        pairs = tuple(parse_qsl(query, keep_blank_values=True)) if query else ()
        return Request(words[0], unquote(path) if "%" in path else path, pairs, headers, body)

    def _until_blank_line(self) -> bytes | None:
        while b"\r\n\r\n" not in self._kept:
            if len(self._kept) > _LARGEST_HEAD or not self._more():
                return None
        head, _, self._kept = self._kept.partition(b"\r\n\r\n")
        return head

    def _body(self, headers: dict[str, str]) -> bytes | None:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return self._chunks()
        length = headers.get("content-length", "0")
        return self._exactly(int(length)) if length.isdigit() and int(length) <= _LARGEST_BODY else None

    def _chunks(self) -> bytes | None:
        parts: list[bytes] = []
        while True:
            while b"\r\n" not in self._kept:
                if not self._more():
                    return None
            size, _, self._kept = self._kept.partition(b"\r\n")
            part = self._exactly(int(size.split(b";")[0], 16) + 2)
            if part is None:
                return None
            if len(part) == 2:
                return b"".join(parts)
            parts.append(part[:-2])

    def _exactly(self, length: int) -> bytes | None:
        while len(self._kept) < length:
            if not self._more():
                return None
        body, self._kept = self._kept[:length], self._kept[length:]
        return body

    def _more(self) -> bool:
        part = self._line.recv(65536)
        self._kept += part
        return bool(part)
