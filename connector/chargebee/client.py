"""Reading one Chargebee site: paced, retried within bounds, and only what the connector may touch."""

from __future__ import annotations

import base64
import datetime as dt
import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from connector.chargebee.ahead import Ahead
from connector.chargebee.failures import SiteNotFound, failure
from connector.chargebee.resources import SINGULAR
from connector.chargebee.site import Outcome, Tried
from connector.errors import Authentication, Configuration, ConnectorError, Rejected, Transient, Uncertain
from connector.http.failing import UnknownHost
from connector.http.redact import text as redacted
from connector.http.retry import delay, parse_http_date
from connector.http.session import Call, Http, Reply

RESOURCES = SINGULAR  # the closed list of what may be read: procurement does not exist here
_PAUSE_UNASKED = 1.0  # seconds, after a 429 that names no time
_LONGEST_QUEUE = 600.0  # seconds of waiting for leave, behind other processes on the same site
_SECONDS = re.compile(r"[0-9]{1,6}")
Params = Mapping[str, str | int | bool]
Row = dict[str, Any]
Rows = list[Row]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. `next_offset` goes back verbatim; `server_time` is Chargebee's clock at this answer."""

    rows: Rows = field(repr=False)
    next_offset: str | None
    server_time: dt.datetime | None
    reply: Reply = field(repr=False)


@dataclass(frozen=True, slots=True)
class Patience:
    """Bounds of the retries of a read. `longest_wait` is in seconds: what asks for more is left to the next run."""

    attempts: int = 4
    base: float = 0.5
    cap: float = 20.0
    longest_wait: float = 60.0


class ChargebeeClient:
    """GET requests to one pinned host. `pace` says how many seconds to wait for leave to call (0 or None: go).

    With `ahead` the next page of a list is fetched while its reader is busy with the one before.
    `hold` is told the seconds for which Chargebee wants no calls of anyone; `report` each answer that says how the
    connection does: None for a good one, else why it cannot be used.
    """

    def __init__(
        self,
        http: Http,
        host_url: str,
        api_key: str,
        *,
        pace: Callable[[], float | None] | None = None,
        deadline: float = 30.0,
        patience: Patience = Patience(),
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
        rng: random.Random | None = None,
        hold: Callable[[float], None] = lambda seconds: None,
        report: Callable[[ConnectorError | None], None] = lambda error: None,
        ahead: Ahead | None = None,
    ) -> None:
        self._http = http
        self._base = host_url.rstrip("/") + "/api/v2/"
        self._secrets = (api_key,)
        self._headers = _headers(api_key)
        self._pace = pace
        self._deadline = deadline
        self._patience = patience
        self._sleep = sleep
        self._clock = clock
        self._rng = rng or random.Random()
        self._hold = hold
        self._report = report
        self._ahead = ahead

    def __repr__(self) -> str:
        return f"ChargebeeClient({self._base!r})"

    def list(self, resource: str, params: Params | None = None) -> Page:
        """One page. Rows are the documents themselves, without the wrapper that names their kind."""
        name = _singular(resource)
        reply = self._get(resource, resource, params or {})
        body = _object(reply, resource)
        entries, offset = body.get("list"), body.get("next_offset")
        if not isinstance(entries, list) or not (offset is None or isinstance(offset, str)):
            raise Transient(f"Chargebee's answer for {resource} holds no list.", exchange=reply.exchange)
        rows = [_unwrapped(entry, name, reply) for entry in entries]
        return Page(rows, offset or None, _server_time(reply), reply)

    def expect(self, resource: str, params: Params) -> None:
        """This list call comes next: begin it, if leave for it is there at once."""
        self.expect_nothing()
        if self._ahead is not None and not (self._pace is not None and self._pace()):
            self._ahead.begin(self._call(resource, params))

    def expect_nothing(self) -> None:
        if self._ahead is not None:
            self._ahead.forget()

    def retrieve(self, resource: str, document_id: str, params: Params | None = None) -> Row | None:
        """One document, None if Chargebee has none of that id (a deleted one is found by list only)."""
        name = _singular(resource)
        if not document_id or document_id in (".", ".."):
            raise Configuration(f"A {name.replace('_', ' ')} cannot be asked for by the id '{document_id}'.")
        try:
            reply = self._get(f"{resource}/{quote(document_id, safe='')}", f"{name} '{document_id}'", params or {})
        except _NotFound:
            return None
        return _unwrapped(_object(reply, name), name, reply)

    def configurations(self) -> Rows:
        """What the site says of itself: `domain`, `product_catalog_version`."""
        reply = self._get("configurations", "configurations", {})
        rows = _object(reply, "configurations").get("configurations")
        if not isinstance(rows, list):
            raise Transient("Chargebee's answer for configurations holds no list.", exchange=reply.exchange)
        return [row for row in rows if isinstance(row, dict)]

    def send_form(self, path: str, pairs: Sequence[tuple[str, str]]) -> Reply:
        """One POST of a form, whatever it answers; never repeated. Only `customer_writes` may ask for it.

        Raises Transient where no byte was sent, Uncertain where the answer did not come.
        """
        self.expect_nothing()
        self._await_leave()
        headers = {**self._headers, "Content-Type": "application/x-www-form-urlencoded"}
        body = urlencode(list(pairs)).encode()
        return self._http.call(Call("POST", self._base + path, headers, (), body, self._secrets, self._deadline))

    def _get(self, path: str, what: str, params: Params) -> Reply:
        """A reply of status 200, after at most `patience.attempts` tries."""
        for attempt in range(self._patience.attempts):
            try:
                reply = self._once(path, what, params)
            except Transient as error:
                wait = self._wait(error, attempt)
                if wait is None:
                    self._report(error)
                    raise
            except Authentication as error:
                self._report(error)
                raise
            else:
                self._report(None)
                return reply
            self._sleep(wait)
        raise AssertionError("unreachable")

    def _wait(self, error: Transient, attempt: int) -> float | None:
        """Seconds before the next try, None if there is none."""
        patience = self._patience
        if attempt + 1 >= patience.attempts or isinstance(error, UnknownHost):
            return None
        jittered = delay(attempt, patience.base, patience.cap, self._rng)
        if error.retry_after is None:
            return jittered
        wait = error.retry_after + min(jittered, 1.0)  # never sooner than asked, and not all at the same moment
        return wait if wait <= patience.longest_wait else None

    def _once(self, path: str, what: str, params: Params) -> Reply:
        call = self._call(path, params)
        try:
            reply = self._answer(call)
        except Uncertain as error:  # a read changes nothing, so it may simply be read again
            raise Transient(error.message, exchange=error.exchange) from None
        if reply.status == 200:
            return reply
        broken = failure(reply, what, self._clock())
        if reply.status == 429:
            self._hold(getattr(broken, "retry_after", None) or _PAUSE_UNASKED)
        if reply.status == 404 and type(broken) is Rejected:
            raise _NotFound(broken.message, exchange=broken.exchange)
        raise broken

    def _call(self, path: str, params: Params) -> Call:
        pairs = tuple((name, _on_the_wire(value)) for name, value in params.items())
        return Call("GET", self._base + path, self._headers, pairs, None, self._secrets, self._deadline)

    def _answer(self, call: Call) -> Reply:
        """The answer that was begun ahead, with leave of its own, or that of a call made now."""
        begun = self._ahead.take(call) if self._ahead is not None else None
        if begun is not None:
            return begun.result()
        self._await_leave()
        return self._http.call(call)

    def _await_leave(self) -> None:
        waited = 0.0
        while self._pace is not None and (wait := self._pace()):
            waited += wait
            if wait > self._patience.longest_wait or waited > _LONGEST_QUEUE:
                raise Transient("The request limit of this Chargebee site is used up for now.", retry_after=wait)
            self._sleep(wait)


class _NotFound(Rejected):
    """`resource_not_found`, and nothing else that answers 404."""


def try_host(client: ChargebeeClient, host: str) -> Tried:
    """For `site.pin`: one page of one customer shows whether this host knows the site and the key."""
    try:
        client.list("customers", {"limit": 1})
    except UnknownHost as error:
        return Tried(host, Outcome.NO_SUCH_NAME, error.message)
    except SiteNotFound as error:
        return Tried(host, Outcome.SITE_NOT_FOUND, error.message)
    except ConnectorError as error:
        return Tried(host, Outcome.STOP, error.message)
    return Tried(host, Outcome.ANSWERED, f"'{host}' knows the site and the key.")


def _headers(api_key: str) -> dict[str, str]:
    if not api_key or not api_key.isascii() or not api_key.isprintable() or ":" in api_key or " " in api_key:
        raise Configuration("The Chargebee API key is empty or holds characters that no key has. Enter it again.")
    token = base64.b64encode(f"{api_key}:".encode("ascii")).decode("ascii")  # the password is empty, the colon is not
    return {
        "Authorization": f"Basic {token}",
        "Accept": "application/json",
        "chargebee-response-schema-type": "items",
    }


def _singular(resource: str) -> str:
    if resource not in RESOURCES:
        raise Configuration(f"'{resource}' is not among what the connector may read from Chargebee.")
    return RESOURCES[resource]


def _server_time(reply: Reply) -> dt.datetime | None:
    """Chargebee's clock when it made this answer; one that lay in a cache for `Age` seconds counts as so much older."""
    moment = parse_http_date(reply.headers.get("Date"))
    age = (reply.headers.get("Age") or "").strip()
    return moment if moment is None or not _SECONDS.fullmatch(age) else moment - dt.timedelta(seconds=int(age))


def _on_the_wire(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _object(reply: Reply, what: str) -> Row:
    try:
        body = reply.json_with_words()
    except ValueError:
        body = None
    if isinstance(body, dict):
        return body
    kind = redacted(reply.headers.get("Content-Type", "no content type")[:80], reply.call.secrets)
    message = f"Chargebee's answer for {what} is not the JSON that was expected ({kind}, {len(reply.content)} bytes)."
    raise Transient(message, exchange=reply.exchange)


def _unwrapped(entry: object, name: str, reply: Reply) -> Row:
    row = entry.get(name) if isinstance(entry, dict) else None
    if not isinstance(row, dict):
        raise Transient(f"Chargebee's answer holds an entry without a {name}.", exchange=reply.exchange)
    return row
