"""API v2: who may ask, what for, and the answer."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

from connector.sandbox.chargebee import writes
from connector.sandbox.chargebee.core import Core
from connector.sandbox.chargebee.failures import NAMED, Refused, not_found, wrong_value
from connector.sandbox.chargebee.limits import RateLimit
from connector.sandbox.chargebee.lists import Lists
from connector.sandbox.chargebee.resources import BY_PLURAL, Resource
from connector.sandbox.chargebee.store import Document, encode
from connector.sandbox.faults import Faults
from connector.sandbox.wire import Request, Response

ROOT = "/api/v2/"
FULL_KEY, READ_KEY = "test_sandbox_key", "test_sandbox_readonly_key"
_JSON = (("Content-Type", "application/json;charset=utf-8"),)
_MOST_LINES = 300
_STAY_READABLE = ("item", "item_price", "item_family", "event")  # by id, even when deleted
_OF_LINES = ("line_item_tiers", "line_item_discounts", "line_item_taxes", "line_item_credits", "line_item_addresses")


@dataclass(slots=True)
class Switches:
    """How this site is set up; tests and the control side change it."""

    site_found: bool = True
    lines_per_page: int | None = None  # a number switches "enterprise-scale invoicing" on
    is_read_only: bool = False
    product_catalog: str = "v2"


class Api:
    def __init__(self, core: Core, faults: Faults) -> None:
        self.core = core
        self.lists = Lists(core.store)
        self.limit = RateLimit(core.clock)
        self.switches = Switches()
        self.keys = {_basic(FULL_KEY): "full", _basic(READ_KEY): "read"}
        self._faults = faults
        self._repeats = writes.Repeats()

    def respond(self, request: Request) -> Response:
        try:
            return self._respond(request)
        except Refused as refused:
            return refused.response()

    def _respond(self, request: Request) -> Response:
        if not self.switches.site_found:
            raise Refused("site_not_found", f"Site '{self.core.domain}' not found")
        role = self._role(request)
        self._named_faults(request)
        self.limit.check()
        path = tuple(part for part in request.path.removeprefix(ROOT).split("/") if part)
        if request.method == "GET":
            return self._read(path, request)
        if request.method == "POST":
            return self._write(path, request, role)
        raise Refused("http_method_not_supported", f"{request.method} is not supported")

    def _role(self, request: Request) -> str:
        role = self.keys.get(request.headers.get("authorization", ""))
        if role is None:
            raise Refused("api_authentication_failed", "Sorry, authentication failed. Invalid api key")
        return role

    def _named_faults(self, request: Request) -> None:
        if self._faults.is_quiet:
            return
        for code in NAMED:
            fault = self._faults.take(code, request)
            if fault:
                raise Refused(code, f"Simulated {code}", retry_after=fault.get("retry_after"))

    def _read(self, path: tuple[str, ...], request: Request) -> Response:
        if path == ("configurations",):
            return Response(200, encode({"configurations": [self._configuration()]}), _JSON)
        resource = BY_PLURAL.get(path[0]) if path else None
        if resource is None or len(path) > 2:
            raise Refused("resource_not_found", f"Sorry, we couldn't find /{'/'.join(path)}")
        if len(path) == 1:
            body = self.lists.page(resource, request)
            return Response(200, self._shortened(body, resource), _JSON)
        return Response(200, self._one(resource, path[1], request), _JSON)

    def _configuration(self) -> Document:
        return {
            "domain": self.core.domain,
            "product_catalog_version": self.switches.product_catalog,
            "chargebee_response_schema_type": "items",
        }

    def _one(self, resource: Resource, key: str, request: Request) -> bytes:
        row = self.core.store.row(resource.kind, key)
        if row is None or (row.newest.value.get("deleted") and resource.kind not in _STAY_READABLE):
            raise not_found(resource.kind, key)
        most = self.switches.lines_per_page
        if most is None or resource.kind not in ("invoice", "credit_note"):
            return row.newest.text()
        limit, start = request.first("line_items_limit"), request.first("line_items_offset")
        if limit and not (limit.isdigit() and 1 <= int(limit) <= _MOST_LINES):
            raise wrong_value("line_items_limit", f"value must be between 1 and {_MOST_LINES}")
        return encode({resource.kind: some_lines(row.newest.value, int(limit or most), _start(start))})

    def _shortened(self, body: bytes, resource: Resource) -> bytes:
        """Lists show no more lines of a long document than its first page holds."""
        most = self.switches.lines_per_page
        if most is None or resource.kind not in ("invoice", "credit_note"):
            return body
        page: dict[str, Any] = json.loads(body)
        page["list"] = [{**row, resource.kind: some_lines(row[resource.kind], most, 0)} for row in page["list"]]
        return encode(page)

    def _write(self, path: tuple[str, ...], request: Request, role: str) -> Response:
        if role == "read":
            raise Refused("api_authorization_failed", "The API key does not have the privilege for this operation")
        if self.switches.is_read_only:
            raise Refused("site_read_only_mode", "The site is in read-only mode for maintenance")
        with self.core.store.lock:
            now = self.core.clock.time()
            reply = self._repeats.earlier(request, now)
            if reply is None:
                reply = writes.write(self.core, path, request)
                self._repeats.keep(request, now, reply)
            return reply


def some_lines(document: Document, limit: int, start: int) -> Document:
    """The document with a page of its lines, and an offset while more follow."""
    lines = document.get("line_items", [])
    page = lines[start : start + limit]
    if len(page) == len(lines):
        return document
    ids = {line["id"] for line in page}
    parts = {
        name: [row for row in document[name] if row["line_item_id"] in ids] for name in _OF_LINES if name in document
    }
    short = {**document, **parts, "line_items": page}
    if start + limit < len(lines):
        short["line_items_next_offset"] = f'["{start + limit}"]'
    return short


def _start(offset: str) -> int:
    number = offset.strip('[]"')
    if offset and not number.isdigit():
        raise wrong_value("line_items_offset", "invalid value")
    return int(number or 0)


def _basic(key: str) -> str:
    return "Basic " + base64.b64encode(f"{key}:".encode()).decode()
