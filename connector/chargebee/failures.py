"""What Chargebee's refusals mean: one table, closed by default. Its codes are those of Chargebee's API description,
https://apidocs.chargebee.com/docs/api/error-handling"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from connector.errors import Authentication, Configuration, ConnectorError, Rejected, Transient, clause
from connector.http.redact import text as redacted
from connector.http.retry import parse_retry_after
from connector.http.session import Reply


class SiteNotFound(Configuration):
    """Chargebee answers at this host and knows no site of this name."""


class OffsetRefused(Rejected):
    """The place in a list that Chargebee handed out is not accepted any more: the list is read from its start."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """Which of the six it is, and what a person does next."""

    error: type[ConnectorError]
    fix: str


_KEY = "Replace the API key under Tenants > Chargebee connection, then test the connection."
_RIGHTS = "Give the key read access to this resource in Chargebee (Settings > API keys), or use another key."
_HOST = "Check site and region under Tenants > Chargebee connection, then test the connection."
_WAIT = "The connector tries again by itself."
_REPORT = "Nothing was read. If it comes again, report this sentence with the connector's version."
_BLOCKED = "Chargebee has blocked requests of this site; ask Chargebee's support to lift the block."
_CATALOG = "The connector reads sites on Product Catalog 2.0; check the catalog version of this site."

_BY_CODE: dict[tuple[int, str], Meaning] = {
    (400, "configuration_incompatible"): Meaning(Configuration, _CATALOG),
    (400, "api_restricted"): Meaning(Configuration, _CATALOG),
    (401, "api_authentication_failed"): Meaning(Authentication, _KEY),
    (401, "basic_authentication_failed"): Meaning(Authentication, _KEY),
    (403, "api_authorization_failed"): Meaning(Authentication, _RIGHTS),
    (403, "request_blocked"): Meaning(Authentication, _BLOCKED),
    (404, "resource_not_found"): Meaning(Rejected, "It may have been deleted in Chargebee."),
    (404, "site_not_found"): Meaning(SiteNotFound, _HOST),
    (405, "http_method_not_supported"): Meaning(Configuration, _HOST),
}
_BY_STATUS: dict[int, Meaning] = {
    401: Meaning(Authentication, _KEY),
    403: Meaning(Authentication, _RIGHTS),
    404: Meaning(Configuration, _HOST),
    405: Meaning(Configuration, _HOST),
    408: Meaning(Transient, _WAIT),
    429: Meaning(Transient, _WAIT),
}
_UNKNOWN = Meaning(Rejected, _REPORT)
_LONGEST_QUOTE = 300
_LONGEST_NAME = 80


def meaning(status: int, code: str) -> Meaning:
    """The row for a status and `api_error_code` ('' when the body was no error of Chargebee's).

    Every 429 and 5xx means "later" to a read, whatever its code.
    """
    if 300 <= status < 400:
        return Meaning(Configuration, _HOST)
    named = _BY_CODE.get((status, code)) or _BY_STATUS.get(status)
    return named or (Meaning(Transient, _WAIT) if status >= 500 else _UNKNOWN)


def failure(reply: Reply, what: str, now: dt.datetime) -> ConnectorError:
    """The exception for a reply that is no success; `what` names what was asked for ('customers')."""
    body = _error_body(reply)
    code = _word(body.get("api_error_code"))
    row = meaning(reply.status, code)
    said = _said(reply, body, code)
    message = f"Chargebee answered {reply.status} to the request for {what}{said}. {row.fix}"
    if issubclass(row.error, Transient):
        wait = parse_retry_after(reply.headers.get("Retry-After"), now)
        return row.error(message, exchange=reply.exchange, retry_after=wait)
    if row.error is Rejected and _word(body.get("param")) == "offset":
        return OffsetRefused(message, exchange=reply.exchange)
    return row.error(message, exchange=reply.exchange)


def _error_body(reply: Reply) -> dict[str, Any]:
    try:
        body = reply.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _said(reply: Reply, body: dict[str, Any], code: str) -> str:
    if 300 <= reply.status < 400:
        target = _quoted(reply.headers.get("Location", ""), reply, _LONGEST_QUOTE)
        return f", a redirect to '{target}', which is not followed"
    words = clause(_quoted(_word(body.get("message")), reply, _LONGEST_QUOTE))
    param = _quoted(_word(body.get("param")), reply, _LONGEST_NAME)
    named = ", ".join(part for part in (_quoted(code, reply, _LONGEST_NAME), param and f"field '{param}'") if part)
    if not named and not words:
        return " without a reason that could be read"
    return (f" ({named})" if named else "") + (f": {words}" if words else "")


def _quoted(text: str, reply: Reply, longest: int) -> str:
    """A reply may echo the key anywhere; it is masked before the text is cut, so that no half of it stays."""
    return redacted(text, reply.call.secrets)[:longest]


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""
