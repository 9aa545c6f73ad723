"""The faults of the line and of the machinery in front of a real server, the same for both halves.

`answer` is the only door: points before the work leave the state untouched, points after it lose a reply whose
work is done. Names, with their settings:
before: drop, refuse, hang (delay), hold_before, html (status), status (status, retry_after: int | "date" |
"garbage" | None, text), empty (status); after: drop_after_commit, cut, drip (delay), slow (delay), hold, truncate,
empty_after_commit, html_after_commit (status), status_after_commit (as status).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from email.utils import format_datetime

from connector.sandbox.clock import Clock
from connector.sandbox.faults import Fault, Faults
from connector.sandbox.wire import Request, Response, reply_html, reply_json

_PAGE = "<html><head><title>{0}</title></head><body><h1>{0} Service page</h1><p>gateway</p></body></html>"


def answer(faults: Faults, clock: Clock, request: Request, work: Callable[[Request], Response]) -> Response:
    if faults.is_quiet:
        return work(request)
    for name, instead in _BEFORE.items():
        fault = faults.take(name, request)
        if fault:
            return instead(fault, clock)
    if faults.take("hold_before", request):
        faults.hold()
    reply = work(request)
    for name, spoil in _AFTER.items():
        fault = faults.take(name, request)
        if fault:
            return spoil(reply, fault, clock)
    if faults.take("hold", request):
        return dataclasses.replace(reply, fault="hold", gate=faults.hold)
    return reply


def _line(reply: Response, kind: str, delay: float = 0.0) -> Response:
    return dataclasses.replace(reply, fault=kind, delay=delay)


def _status(fault: Fault, clock: Clock) -> Response:
    code = int(fault.get("status", 503))
    text = fault.get("text")
    headers = _retry_after(fault.get("retry_after"), clock)
    if text is not None:
        return Response(code, str(text).encode(), (("Content-Type", "text/plain"), *headers))
    error = "api_request_limit_exceeded" if code == 429 else "internal_error"
    value = {"message": f"Simulated {code}", "type": "operation_failed", "api_error_code": error}
    return reply_json(code, {**value, "error_code": error, "http_status_code": code}, *headers)


def _retry_after(wish: object, clock: Clock) -> tuple[tuple[str, str], ...]:
    if wish is None:
        return ()
    if wish == "date":
        return (("Retry-After", format_datetime(clock.now() + dt.timedelta(seconds=2), usegmt=True)),)
    return (("Retry-After", "soon, please" if wish == "garbage" else str(wish)),)


def _html(fault: Fault) -> Response:
    code = int(fault.get("status", 503))
    return reply_html(code, _PAGE.format(code))


_BEFORE: dict[str, Callable[[Fault, Clock], Response]] = {
    "refuse": lambda fault, clock: _line(Response(200), "drop"),
    "drop": lambda fault, clock: _line(Response(200), "drop"),
    "hang": lambda fault, clock: _line(_html(fault), "hang", float(fault.get("delay", 60.0))),
    "html": lambda fault, clock: _html(fault),
    "empty": lambda fault, clock: Response(int(fault.get("status", 200))),
    "status": _status,
}

_AFTER: dict[str, Callable[[Response, Fault, Clock], Response]] = {
    "drop_after_commit": lambda reply, fault, clock: _line(reply, "drop"),
    "cut": lambda reply, fault, clock: _line(reply, "cut"),
    "drip": lambda reply, fault, clock: _line(reply, "drip", float(fault.get("delay", 0.05))),
    "slow": lambda reply, fault, clock: _line(reply, "hang", float(fault.get("delay", 1.0))),
    "truncate": lambda reply, fault, clock: dataclasses.replace(reply, body=reply.body[: len(reply.body) // 2]),
    "empty_after_commit": lambda reply, fault, clock: dataclasses.replace(reply, body=b""),
    "html_after_commit": lambda reply, fault, clock: _html(fault),
    "status_after_commit": lambda reply, fault, clock: _status(fault, clock),
}

BEFORE = (*_BEFORE, "hold_before")
AFTER = (*_AFTER, "hold")
