"""Chargebee's JSON into records: the one entry. Each function gives the record or the list of all that is wrong."""

from __future__ import annotations

from connector.chargebee.parse_catalog import item, item_family, item_price
from connector.chargebee.parse_credit_note import credit_note
from connector.chargebee.parse_customer import customer
from connector.chargebee.parse_invoice import invoice
from connector.chargebee.parse_transaction import transaction

__all__ = ["credit_note", "customer", "invoice", "item", "item_family", "item_price", "transaction"]
