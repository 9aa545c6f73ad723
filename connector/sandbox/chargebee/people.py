"""Customers as Chargebee documents."""

from __future__ import annotations

from typing import Any

from connector.sandbox.chargebee.core import Core
from connector.sandbox.chargebee.store import Document
from connector.sandbox.population import Person, customers

_DAY = 86_400


def move_in(core: Core, count: int) -> None:
    """The site's first customers, created over the year before it opens. Nobody is told of what is that old."""
    opened = core.now()
    for index, person in enumerate(customers(core.seed, count)):
        document = customer(person, opened - (count - index) * _DAY - 3600)
        if index % 4 == 0:
            document |= _card(core)
        if index % 11 == 6:
            document["meta_data"] = {"qad_customer": person.qad_code} if person.qad_code else {"tier": "gold"}
        if index % 5 == 2:
            document["cf_sales_region"] = person.country
        document |= {"updated_at": document["created_at"] + 60, "resource_version": document["created_at"] * 1000 + 60}
        if index % 53 == 52:  # some old records never got one, and no filter on updated_at ever shows them
            del document["updated_at"]
        siblings = {"card": _card_row(document)} if "payment_method" in document else None
        core.store.put(document, siblings)


def customer(person: Person, created_at: int) -> Document:
    bare = person.vat_number.removeprefix(person.country)
    document: Document = {
        "object": "customer",
        "id": person.id,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "email": person.email,
        "auto_collection": "on",
        "net_term_days": 30 if person.qad_code else 0,
        "allow_direct_debit": False,
        "created_at": created_at,
        "taxability": "taxable",
        "locale": "en-GB" if person.country in ("GB", "XI") else "en-US",
        "pii_cleared": "active",
        "channel": "web",
        "preferred_currency_code": person.currency,
        "promotional_credits": 0,
        "refundable_credits": 0,
        "excess_payments": 0,
        "unbilled_charges": 0,
        "deleted": False,
        "mrr": 0,
        "card_status": "no_card",
        "billing_address": address(person),
    }
    if person.company:
        document["company"] = person.company
    if bare:
        document |= {"vat_number": bare, "vat_number_status": "valid"}
    if person.country == "XI":
        document["vat_number_prefix"] = "XI"
    return document


def address(person: Person) -> Document:
    filled = {
        "first_name": person.first_name,
        "last_name": person.last_name,
        "email": person.email,
        "company": person.company,
        "line1": person.street,
        "city": person.city,
        "state_code": person.state,
        "country": person.country,
        "zip": person.zip,
    }
    present = {name: value for name, value in filled.items() if value}
    return {"object": "billing_address", **present, "validation_status": "not_validated"}


def _card(core: Core) -> dict[str, Any]:
    return {
        "card_status": "valid",
        "primary_payment_source_id": core.opaque("pm_"),
        "payment_method": {
            "object": "payment_method",
            "type": "card",
            "reference_id": core.opaque("tok_"),
            "gateway": "stripe",
            "gateway_account_id": "gw_stripe_main",
            "status": "valid",
        },
    }


def _card_row(document: Document) -> Document:
    return {
        "object": "card",
        "status": "valid",
        "gateway": "stripe",
        "customer_id": document["id"],
        "payment_source_id": document["primary_payment_source_id"],
        "masked_number": "************4242",
        "last4": "4242",
        "iin": "******",
        "card_type": "visa",
        "expiry_month": 11,
        "expiry_year": 2031,
    }
