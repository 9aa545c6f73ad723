"""What the tests of the sandbox's Chargebee site share: a frozen site and a client without a socket."""

from __future__ import annotations

import base64
import datetime as dt
import json
from typing import Any
from urllib.parse import urlencode

from connector.sandbox.chargebee.api import FULL_KEY, READ_KEY
from connector.sandbox.chargebee.site import ChargebeeSite
from connector.sandbox.clock import Clock
from connector.sandbox.wire import Request, Response

NOON = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.UTC)
T0 = int(NOON.timestamp())


def a_site(customers: int = 20, seed: int = 7) -> ChargebeeSite:
    return ChargebeeSite(Clock(NOON), seed, customers)


def key_header(key: str = FULL_KEY) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


def get(site: ChargebeeSite, path: str, query: dict[str, Any] | None = None, key: str = FULL_KEY) -> Response:
    pairs = tuple((name, str(value)) for name, value in (query or {}).items())
    return site.handle(Request("GET", f"/api/v2/{path}", pairs, key_header(key)))


def post(site: ChargebeeSite, path: str, form: dict[str, str], key: str = FULL_KEY, **headers: str) -> Response:
    sent = {**key_header(key), **{name.replace("_", "-"): value for name, value in headers.items()}}
    return site.handle(Request("POST", f"/api/v2/{path}", (), sent, urlencode(form).encode()))


def body(reply: Response) -> dict[str, Any]:
    return dict(json.loads(reply.body))


def rows(site: ChargebeeSite, plural: str, **query: Any) -> list[dict[str, Any]]:
    """One page, unwrapped; `updated_at__after=5` means `updated_at[after]=5`."""
    reply = get(site, plural, bracketed({"limit": 100, **query}))
    assert reply.status == 200, reply.body
    return [next(iter(row.values())) for row in body(reply)["list"]]


def ids(site: ChargebeeSite, plural: str, **query: Any) -> list[str]:
    return [row["id"] for row in rows(site, plural, **query)]


def refusal(reply: Response) -> tuple[int, str, str]:
    """(status, api_error_code, param)."""
    error = body(reply)
    return reply.status, error["api_error_code"], error.get("param", "")


def bracketed(query: dict[str, Any]) -> dict[str, str]:
    pairs = {}
    for name, value in query.items():
        field, _, operator = name.partition("__")
        pairs[f"{field}[{operator}]" if operator else field] = str(value)
    return pairs


__all__ = ["FULL_KEY", "NOON", "READ_KEY", "T0", "a_site", "body", "get", "ids", "post", "refusal", "rows"]
