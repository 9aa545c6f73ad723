"""A Chargebee customer as a record."""

from __future__ import annotations

import json
from typing import Any

from connector.chargebee.fields import Fields, not_an_object, subject_of
from connector.chargebee.records import Address, Customer
from connector.errors import Problem

_TAXABILITY = ("taxable", "exempt")
_PII = ("active", "scheduled_for_clear", "cleared")


def customer(row: dict[str, Any], *, minor_units: dict[str, int]) -> Customer | list[Problem]:
    """The record, or every problem of the document. `minor_units` is not needed: a customer carries no amounts."""
    if type(row) is not dict:
        return not_an_object("Customer", row)
    fields = Fields(row, subject_of("Customer", row), [])
    record = Customer(
        id=fields.id("id"),
        first_name=fields.text("first_name"),
        last_name=fields.text("last_name"),
        company=fields.text("company"),
        email=fields.text("email"),
        phone=fields.text("phone"),
        vat_number=_vat_number(fields.text("vat_number_prefix"), fields.text("vat_number")),
        taxability=fields.choice("taxability", _TAXABILITY, ""),
        net_term_days=fields.whole("net_term_days"),
        preferred_currency=fields.text("preferred_currency_code"),
        locale=fields.text("locale"),
        billing_address=address(fields.inner("billing_address")),
        business_entity_id=fields.text("business_entity_id"),
        parent_id=fields.inner("relationship").text("parent_id"),
        pii_cleared=fields.choice("pii_cleared", _PII, "active") == "cleared",
        qad_reference=_qad_reference(fields),
        deleted=fields.flag("deleted"),
        resource_version=fields.whole("resource_version"),
        updated_at=fields.moment("updated_at"),
        noted=_noted(fields.row.get("meta_data")),
    )
    return fields.problems or record


def address(fields: Fields) -> Address:
    """A billing or shipping address."""
    names = ("first_name", "last_name", "company", "email", "phone", "line1", "line2", "line3")
    places = ("city", "state_code", "state", "zip", "country")
    return Address(*(fields.text(name) for name in names + places))


def _vat_number(prefix: str, number: str) -> str:
    """The prefix overrides the first two letters (Northern Ireland: XI for GB), or stands before bare digits."""
    bare, head = "".join(number.split()).upper(), "".join(prefix.split()).upper()
    if not bare or not head or bare.startswith(head):
        return bare
    return head + (bare[2:] if bare[:2].isalpha() else bare)


def _qad_reference(fields: Fields) -> str:
    """The QAD code that a person noted: in meta_data (an object, or its JSON as text), else in a custom field."""
    noted = _meta_data(fields.row.get("meta_data")).get("qad_customer")
    if noted is None:
        noted = fields.row.get("cf_qad_customer")
    if noted is None:
        return ""
    if type(noted) is str:
        return Fields({"noted": noted}, "", []).text("noted").strip()
    if type(noted) is int and abs(noted) < 10**30:
        return str(noted)
    fields.wrong_type("qad_customer", noted, "a QAD customer code as text")
    return ""


def _noted(value: object) -> dict[str, str]:
    """Texts of meta_data whose names begin with qad_; what is no text is as good as absent."""
    return {
        name: text
        for name, text in _meta_data(value).items()
        if name.startswith("qad_") and isinstance(text, str) and "\x00" not in text
    }


def _meta_data(value: object) -> dict[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}
