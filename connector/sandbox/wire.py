"""One HTTP request and its reply as values; a reply also says how the line should misbehave."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl


@dataclass(frozen=True, slots=True)
class Request:
    """`path` is decoded and without the query; `query` keeps the order and repeats of the wire."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: dict[str, str] = field(default_factory=dict)  # names in lower case
    body: bytes = b""

    def first(self, name: str, default: str = "") -> str:
        return next((value for key, value in self.query if key == name), default)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.query if key == name]

    def form(self) -> list[tuple[str, str]]:
        return parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Response:
    """`fault` tells the server what to do with the line; '' answers honestly.

    hang: answer only after `delay` seconds; drop: close without a byte; cut: close in the middle of the body;
    drip: one byte every `delay` seconds; hold: wait until the control side releases `gate`.
    """

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json;charset=utf-8"),)
    fault: str = ""
    delay: float = 0.0
    gate: Callable[[], None] | None = None


def reply_json(status: int, value: Any, *headers: tuple[str, str]) -> Response:
    body = json.dumps(value, separators=(",", ":")).encode()
    return Response(status, body, (("Content-Type", "application/json;charset=utf-8"), *headers))


def reply_html(status: int, text: str) -> Response:
    return Response(status, text.encode(), (("Content-Type", "text/html"),))
