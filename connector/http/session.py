"""The only door to the network: one guarded call under one total deadline, and a failure that says what it means."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NoReturn
from urllib.parse import urlencode, urlsplit

import requests
from requests.models import PreparedRequest

from connector.errors import Configuration
from connector.http import egress, exchange
from connector.http.failing import BodyTooLarge, failure
from connector.http.line import Flight, GuardedAdapter, Refused, Resolver, fly, system_resolver

USER_AGENT = "QAD-Chargebee-Connector/1.0"
LARGEST_BODY = 32 * 1024 * 1024  # bytes after decompression; more is refused, not cut
_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Call:
    """What to send. `secrets` are literal texts that must not appear in the exchange; `deadline` is in seconds."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    params: Sequence[tuple[str, str]] = ()
    body: bytes | None = field(default=None, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    deadline: float = 30.0


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer, whatever its status; `headers` are found in any case of letters."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)
    elapsed: float
    call: Call = field(repr=False)
    sent: PreparedRequest = field(repr=False)
    started_at: dt.datetime

    @property
    def exchange(self) -> exchange.Exchange:
        """The redacted record of this call, made when it is asked for."""
        return _exchange(self.call, self.sent, self.started_at, self.elapsed, reply=self)

    def json(self) -> Any:
        """The body as JSON with exact decimals. Raises ValueError on anything else, NaN and bottomless nesting too."""
        return self._json(_no_constant)

    def json_with_words(self) -> Any:
        """As `json`, but NaN and the infinities become the texts of their names, which no amount is."""
        return self._json(str)

    def _json(self, constant: Callable[[str], Any]) -> Any:
        try:
            return json.loads(self.content, parse_float=Decimal, parse_constant=constant)
        except RecursionError:
            raise ValueError("The JSON is nested too deeply.") from None


class Http:
    """A pool of guarded connections, safe to share between threads. `allow` holds CIDR texts (OUTBOUND_ALLOW)."""

    def __init__(
        self,
        *,
        allow: tuple[str, ...] = (),
        pool_size: int = 10,
        user_agent: str = USER_AGENT,
        ca_bundle: str | None = None,
        resolve: Resolver = system_resolver,
    ) -> None:
        try:
            self._allow = egress.networks(allow)
        except ValueError as error:
            raise Configuration(f"OUTBOUND_ALLOW holds a text that is no network: {error}.") from None
        self._resolve = resolve
        self._defaults = {"User-Agent": user_agent, "Accept-Encoding": "gzip, deflate", "Connection": "keep-alive"}
        self._session = requests.Session()
        self._session.trust_env = False
        adapter = GuardedAdapter(pool_size=pool_size, ca_bundle=ca_bundle)
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, adapter)

    def call(self, call: Call) -> Reply:
        """One request, one answer of any status. Raises Transient, Uncertain or Configuration (see the module)."""
        started_at, began = dt.datetime.now(dt.UTC), time.monotonic()
        flight = Flight(began + call.deadline, self._allow, self._resolve)
        sent = PreparedRequest()
        fly(flight)
        try:
            self._prepare(sent, call)
            return self._exchange(sent, call, started_at, began)
        except Exception as error:  # noqa: BLE001 - whatever broke once bytes had left, the write may have been applied
            broken: Exception = error
        finally:
            fly(None)
        # Raised out here so that no secret hides in the context of the exception.
        failed = failure(
            broken, host=_host(call.url), deadline=call.deadline, secrets=call.secrets, has_sent=flight.has_sent
        )
        failed.exchange = _exchange(call, sent, started_at, time.monotonic() - began, error=failed.message)
        del broken
        raise failed

    def _prepare(self, sent: PreparedRequest, call: Call) -> None:
        parts = urlsplit(call.url)
        if "@" in parts.netloc:
            raise Refused("a user name or password stands in the URL")
        if parts.scheme not in ("https", "http"):
            raise Refused(f"'{parts.scheme}' is not a scheme that may be called")
        sent.prepare(
            method=call.method,
            url=call.url,
            headers={**self._defaults, **call.headers},
            params=urlencode(call.params),  # requests would ask each list what protocols it speaks
            data=call.body,
        )

    def _exchange(self, sent: PreparedRequest, call: Call, started_at: dt.datetime, began: float) -> Reply:
        adapter = self._session.get_adapter(sent.url or "")
        answer = adapter.send(sent, stream=True, timeout=None, verify=True)
        try:
            content = b"".join(_bounded(answer))
        except BaseException:
            answer.raw.close()
            raise
        answer.raw.release_conn()
        return Reply(answer.status_code, answer.headers, content, time.monotonic() - began, call, sent, started_at)

    def close(self) -> None:
        self._session.close()

    def __enter__(self) -> Http:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _bounded(answer: requests.Response) -> Iterator[bytes]:
    size = 0
    for chunk in answer.raw.stream(_CHUNK, decode_content=True):
        size += len(chunk)
        if size > LARGEST_BODY:
            raise BodyTooLarge(f"the answer is larger than {LARGEST_BODY // 2**20} MB")
        yield chunk


def _exchange(
    call: Call,
    sent: PreparedRequest,
    started_at: dt.datetime,
    elapsed: float,
    *,
    reply: Reply | None = None,
    error: str = "",
) -> exchange.Exchange:
    return exchange.redacted(
        method=call.method,
        url=sent.url or call.url,
        request_headers=(sent.headers or call.headers).items(),
        request_body=call.body,
        status=reply.status if reply else None,
        reply_headers=reply.headers.items() if reply else (),
        reply_body=reply.content if reply else b"",
        started_at=started_at,
        elapsed=elapsed,
        error=error,
        secrets=call.secrets,
    )


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "the host"
    except ValueError:
        return "the host"


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"The JSON holds {name}, which is no number.")
