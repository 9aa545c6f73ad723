"""The sandbox's Chargebee half behind the real client without a socket: an adapter of requests that asks it at once."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import requests
import urllib3
from requests.adapters import BaseAdapter

from connector.chargebee.client import ChargebeeClient, Patience
from connector.http.session import Http
from connector.sandbox.chargebee.site import ChargebeeSite
from connector.sandbox.wire import Request


class Direct(BaseAdapter):
    """Answers from `site`. `headers` are added to each answer, '' takes one away; `before` runs ahead of each."""

    def __init__(self, site: ChargebeeSite) -> None:
        super().__init__()
        self.site = site
        self.headers: dict[str, str] = {}
        self.asked: list[Request] = []
        self.before: Callable[[Request], None] = lambda request: None

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        parts = urlsplit(request.url or "")
        headers = {name.lower(): str(value) for name, value in request.headers.items()}
        pairs = tuple(parse_qsl(parts.query, keep_blank_values=True))
        asked = Request(str(request.method), unquote(parts.path), pairs, headers)
        self.before(asked)
        self.asked.append(asked)
        told = self.site.handle(asked)
        if told.fault == "drop":
            raise requests.ConnectionError("the line was cut")
        answer = requests.Response()
        answer.status_code = told.status
        answer.headers.update({"Date": formatdate(int(self.site.clock.time()), usegmt=True), **dict(told.headers)})
        answer.headers.update(self.headers)
        for name in [name for name, value in self.headers.items() if not value]:
            del answer.headers[name]
        body = io.BytesIO(told.body)
        answer.raw = urllib3.HTTPResponse(body=body, headers=dict(answer.headers), preload_content=False)
        return answer

    def close(self) -> None:
        return None


def client_of(door: Direct, clock: Callable[[], dt.datetime], **options: Any) -> ChargebeeClient:
    """The product's client, which sleeps for nothing."""
    http = Http()
    http._session.mount("http://", door)
    given = {"patience": Patience(attempts=2), "sleep": lambda seconds: None, "clock": clock, **options}
    return ChargebeeClient(http, "http://acme-test.example", "test_sandbox_key", **given)
