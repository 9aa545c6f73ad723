"""All that is ever written to Chargebee: a customer created, changed, or given other billing details. Never repeated
blindly: an answer that proves nothing is Uncertain, and the customer is read before anything is sent again."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import quote

from connector.chargebee.client import ChargebeeClient, Row
from connector.chargebee.customer_form import Pairs
from connector.chargebee.failures import failure
from connector.errors import Authentication, Configuration, Rejected, Transient, Uncertain
from connector.http.redact import text as redacted
from connector.http.session import Reply

# The closed list: what is not here cannot be written, and nothing is ever deleted.
WRITES = {"create": "customers", "update": "customers/{id}", "bill": "customers/{id}/update_billing_info"}
_REFUSED = frozenset({400, 404, 409, 422})


class AlreadyThere(Rejected):
    """Chargebee has a customer of this id: after a lost answer that is our own."""


class CustomerWrites:
    """The writes of one site; `client` is the one that reads it."""

    def __init__(self, client: ChargebeeClient) -> None:
        self._client = client

    def read(self, key: str) -> Row | None:
        return self._client.retrieve("customers", key)

    def create(self, pairs: Pairs) -> Row:
        """Raises AlreadyThere, or what `update` raises."""
        return self._send("create", dict(pairs).get("id", ""), pairs)

    def update(self, key: str, pairs: Pairs) -> Row:
        """The customer as he is then. Raises Rejected, Transient (not applied), Uncertain, or a broken connection's."""
        return self._send("update", key, pairs)

    def bill(self, key: str, pairs: Pairs) -> Row:
        """Replace the billing details; what `pairs` leave out is cleared."""
        return self._send("bill", key, pairs)

    def _send(self, write: str, key: str, pairs: Pairs) -> Row:
        if not key or key in (".", ".."):
            raise Configuration(f"A customer cannot be written under the id '{key}'.")
        what = f"customer '{key}'"
        reply = self._client.send_form(WRITES[write].replace("{id}", quote(key, safe="")), pairs)
        if reply.status != 200:
            raise _refusal(reply, what)
        row = _body(reply).get("customer")
        if not isinstance(row, dict) or str(row.get("id")) != key:
            raise Uncertain(f"Chargebee's answer to the change of {what} does not show it.", exchange=reply.exchange)
        return row


def _refusal(reply: Reply, what: str) -> Exception:
    if reply.status == 429:
        return failure(reply, what, dt.datetime.now(dt.UTC))  # counted before it is worked on: nothing was applied
    if reply.status in _REFUSED and _body(reply).get("api_error_code"):
        return _rejected(reply, what)
    if reply.status == 403 and _body(reply).get("api_error_code") == "api_authorization_failed":
        fix = (
            "Give it write access to customers in Chargebee (Settings > API keys), or align from Chargebee to QAD only."
        )
        return Authentication(f"The Chargebee key may not change {what}. {fix}", exchange=reply.exchange)
    broken = failure(reply, what, dt.datetime.now(dt.UTC))
    if isinstance(broken, Transient | Rejected):
        return Uncertain(f"Chargebee's answer to the change of {what} proves nothing (HTTP {reply.status}).",
                         exchange=reply.exchange)  # fmt: skip
    return broken


def _rejected(reply: Reply, what: str) -> Rejected:
    body = _body(reply)
    code, words, field = (redacted(str(body.get(name) or ""), reply.call.secrets)[:300]
                          for name in ("api_error_code", "message", "param"))  # fmt: skip
    said = f"Chargebee refuses {what} ({code}{f', field {field}' if field else ''}): {words.rstrip('.')}."
    kind = AlreadyThere if code == "duplicate_entry" else Rejected
    return kind(f"{said} Correct the value in QAD, or let Chargebee own the field.", exchange=reply.exchange)


def _body(reply: Reply) -> dict[str, Any]:
    try:
        body = reply.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
