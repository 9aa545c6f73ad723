"""What changes a customer in Chargebee, as forms: our field names in, bracketed keys out. Pure.

Updating names only what changes. Billing details are replaced as a whole there: what is left out is cleared, so the
record is read first and goes back complete. https://apidocs.chargebee.com/docs/api/customers
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Pairs = tuple[tuple[str, str], ...]
_PLAIN = {"name": "company", "email": "email", "telephone": "phone", "credit_terms": "net_term_days"}
_LINES = {
    "street1": "line1",
    "street2": "line2",
    "street3": "line3",
    "city": "city",
    "zip": "zip",
    "country": "country",
}
_NOTED = {name: f"qad_{name}" for name in ("credit_limit", "credit_hold", "tax_class", "gl_profile", "is_active")}
_ADDRESS = (
    "first_name", "last_name", "email", "company", "phone", "line1", "line2", "line3", "city", "state_code", "state",
    "zip", "country",
)  # fmt: skip
REFERENCE = "qad_customer"  # in meta_data: the customer's code in QAD
BILLING = (*_LINES, "state", "tax_id")  # replaced together, by a call of their own
FIELDS = (*_PLAIN, "contact", *BILLING, *_NOTED)
_FLAGS = ("registered_for_gst", "business_customer_without_vat_number")  # cleared with the rest when they are left out


@dataclass(frozen=True, slots=True)
class Forms:
    """`customer` goes to the customer itself, `billing` to its billing details; () where nothing changes there."""

    customer: Pairs = ()
    billing: Pairs = ()


def changes(record: Mapping[str, Any], wanted: Mapping[str, str]) -> Forms:
    """The forms that give a customer these values. `record` is the customer as he was read a moment ago."""
    return Forms(customer=_customer(record, wanted), billing=_billing(record, wanted))


def creation(key: str, code: str, values: Mapping[str, str], *, currency: str) -> Pairs:
    """The form of a new customer under an id of ours, with his code in QAD noted."""
    wanted = {name: value for name, value in values.items() if value}
    forms = changes({"meta_data": {REFERENCE: code}}, wanted)
    pairs = {"id": key, "meta_data": json.dumps({REFERENCE: code}), **dict(forms.customer), **dict(forms.billing)}
    if currency:
        pairs["preferred_currency_code"] = currency
    return tuple(pairs.items())


def _customer(record: Mapping[str, Any], wanted: Mapping[str, str]) -> Pairs:
    pairs = [(theirs, wanted[ours]) for ours, theirs in _PLAIN.items() if ours in wanted]
    if "contact" in wanted:
        first, _, last = wanted["contact"].partition(" ")
        pairs += [("first_name", first), ("last_name", last)]
    noted = {theirs: wanted[ours] for ours, theirs in _NOTED.items() if ours in wanted}
    if noted:
        pairs.append(("meta_data", json.dumps({**_meta_data(record), **noted}, ensure_ascii=False)))
    return tuple(pairs)


def _billing(record: Mapping[str, Any], wanted: Mapping[str, str]) -> Pairs:
    if not any(name in wanted for name in BILLING):
        return ()
    address = dict(record.get("billing_address") or {})
    address.update({theirs: wanted[ours] for ours, theirs in _LINES.items() if ours in wanted})
    if "state" in wanted:
        address |= _state(wanted["state"])
    pairs = [(f"billing_address[{name}]", str(address[name])) for name in _ADDRESS if address.get(name)]
    return (*pairs, *_tax_id(record, wanted), *_flags(record, wanted))


def _flags(record: Mapping[str, Any], wanted: Mapping[str, str]) -> Pairs:
    """Who is given a tax id is no business without one any more."""
    gone = {"business_customer_without_vat_number"} if wanted.get("tax_id") else set()
    return tuple((name, "true") for name in _FLAGS if record.get(name) is True and name not in gone)


def _state(value: str) -> dict[str, str]:
    """A code as such, a name as a name; never an old one beside a new one."""
    is_code = len(value) <= 3 and value.isalnum()
    return {"state_code": value if is_code else "", "state": "" if is_code else value}


def _tax_id(record: Mapping[str, Any], wanted: Mapping[str, str]) -> Pairs:
    if "tax_id" not in wanted:
        kept = (("vat_number", record.get("vat_number")), ("vat_number_prefix", record.get("vat_number_prefix")))
        return tuple((name, str(value)) for name, value in kept if value)
    number = wanted["tax_id"]
    if number.startswith("XI"):
        return (("vat_number", number[2:]), ("vat_number_prefix", "XI"))
    return (("vat_number", number),) if number else ()


def _meta_data(record: Mapping[str, Any]) -> dict[str, Any]:
    value = record.get("meta_data")
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return dict(value) if isinstance(value, dict) else {}
