"""The writes of this API that a connector needs: customers, form-encoded with bracketed keys."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from connector.sandbox.chargebee.core import Core
from connector.sandbox.chargebee.failures import Refused, wrong_value
from connector.sandbox.chargebee.store import Document, encode
from connector.sandbox.wire import Request, Response

_WINDOW = 30 * 60
_JSON = (("Content-Type", "application/json;charset=utf-8"),)
_LONGEST = {
    **{"id": 50, "first_name": 150, "last_name": 150, "email": 70, "phone": 50, "company": 250, "vat_number": 20},
    **{"vat_number_prefix": 10, "locale": 50, "invoice_notes": 2000, "business_entity_id": 50, "exempt_number": 100},
    **{"line1": 150, "line2": 150, "line3": 150, "city": 50, "state_code": 50, "state": 50, "zip": 20, "country": 50},
}
_TEXTS = ("first_name", "last_name", "email", "phone", "company", "locale", "invoice_notes", "exempt_number")
_CODES = ("preferred_currency_code", "auto_collection", "taxability", "offline_payment_method", "entity_code")
_NUMBERS = ("net_term_days",)
_TAX_FLAGS = ("registered_for_gst", "business_customer_without_vat_number")
_FLAGS = (*_TAX_FLAGS, "allow_direct_debit", "auto_close_invoices", "consolidated_invoicing")
_UPDATE = (*_TEXTS, *_CODES, *_NUMBERS, *(name for name in _FLAGS if name not in _TAX_FLAGS), "meta_data")
_BILLING = ("vat_number", "vat_number_prefix", "billing_address", *_TAX_FLAGS)
_CREATE = (*_UPDATE, *_BILLING, "id", "business_entity_id")
_ADDRESS = (
    *("first_name", "last_name", "email", "company", "phone", "line1", "line2", "line3"),
    *("city", "state_code", "state", "zip", "country", "validation_status"),
)


class Repeats:
    """Answers of the last half hour by idempotency key."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, str, Response]] = {}

    def earlier(self, request: Request, now: float) -> Response | None:
        """The first answer to this key. Raises Refused when the key came with another request."""
        kept = self._kept.get(request.headers.get("chargebee-idempotency-key", ""))
        if kept is None or now - kept[0] > _WINDOW:
            return None
        if kept[1] != _print(request):
            raise Refused("unable_to_process_request", "The idempotency key was used with another request")
        reply = kept[2]
        return Response(reply.status, reply.body, (*reply.headers, ("chargebee-idempotency-replayed", "true")))

    def keep(self, request: Request, now: float, reply: Response) -> None:
        key = request.headers.get("chargebee-idempotency-key")
        if key:
            self._kept[key] = (now, _print(request), reply)


def _print(request: Request) -> str:
    return hashlib.sha256(f"{request.method} {request.path}\n".encode() + request.body).hexdigest()


def write(core: Core, path: tuple[str, ...], request: Request) -> Response:
    """POST customers, customers/{id}, customers/{id}/update_billing_info, customers/{id}/delete."""
    fields = _nested(request.form())
    match path:
        case ("customers",):
            customer = _create(core, fields)
        case ("customers", key):
            customer = _update(core, key, fields, _UPDATE)
        case ("customers", key, "update_billing_info"):
            customer = _update_billing(core, key, fields)
        case ("customers", key, "delete"):
            customer = _delete(core, key)
        case _:
            raise Refused("http_method_not_supported", f"POST is not supported for /{'/'.join(path)}")
    return Response(200, encode({"customer": customer}), _JSON)


def _nested(pairs: list[tuple[str, str]]) -> Document:
    """`billing_address[city]=X` becomes {"billing_address": {"city": "X"}}."""
    fields: Document = {}
    for name, value in pairs:
        match = re.fullmatch(r"([^\[\]]+)\[([^\[\]]+)\]", name)
        if match:
            fields.setdefault(match[1], {})[match[2]] = value
        else:
            fields[name] = value
    return fields


def _create(core: Core, fields: Document) -> Document:
    key = fields.get("id") or core.opaque("")
    if core.store.get("customer", key):
        raise Refused("duplicate_entry", f"The value {key} is already present", param="id")
    blank: Document = {
        "object": "customer",
        "id": key,
        "auto_collection": "on",
        "net_term_days": 0,
        "allow_direct_debit": False,
        "created_at": core.now(),
        "taxability": "taxable",
        "pii_cleared": "active",
        "channel": "web",
        "preferred_currency_code": "USD",
        **dict.fromkeys(("promotional_credits", "refundable_credits", "excess_payments", "unbilled_charges", "mrr"), 0),
        "deleted": False,
        "card_status": "no_card",
    }
    return core.save(blank | _known(fields, _CREATE), "customer_created", source="api")


def _update(core: Core, key: str, fields: Document, names: tuple[str, ...]) -> Document:
    """Named fields only; an empty value clears its field, an absent one stays."""
    customer = core.draft("customer", key) | _known(fields, names)
    for name in names:
        if fields.get(name) == "":
            customer.pop(name, None)
    return core.save(customer, "customer_changed", source="api")


def _update_billing(core: Core, key: str, fields: Document) -> Document:
    """Replaces: what is not sent is cleared."""
    customer = core.draft("customer", key)
    for name in (*_BILLING, "vat_number_status"):
        customer.pop(name, None)
    return core.save(customer | _known(fields, _BILLING), "customer_changed", source="api")


def _delete(core: Core, key: str) -> Document:
    """The answer still shows the customer as he was; he is gone right after."""
    customer = core.find("customer", key)
    core.save(core.draft("customer", key) | {"deleted": True}, "customer_deleted", source="api")
    return customer


def _known(fields: Document, names: tuple[str, ...]) -> Document:
    """The fields this call takes, each in its type. Custom fields are taken as they come."""
    found = {
        name: _typed(name, value)
        for name, value in fields.items()
        if value != "" and (name in names or name.startswith("cf_"))
    }
    if found.get("vat_number"):
        found["vat_number_status"] = "not_validated"
    return found


def _typed(name: str, value: Any) -> Any:
    if name == "billing_address":
        parts = {part: _short(part, text) for part, text in value.items() if part in _ADDRESS and text != ""}
        return {"object": "billing_address", "validation_status": "not_validated", **parts}
    if name == "meta_data":
        return _object(value)
    if name in _NUMBERS:
        if not value.isdigit():
            raise wrong_value(name, "value is not a number")
        return int(value)
    return value == "true" if name in _FLAGS else _short(name, value)


def _short(name: str, value: str) -> str:
    longest = _LONGEST.get(name)
    if longest and len(value) > longest:
        raise wrong_value(name, f"value cannot be longer than {longest} characters")
    return value


def _object(text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise wrong_value("meta_data", "value must be a JSON object")
    return value
