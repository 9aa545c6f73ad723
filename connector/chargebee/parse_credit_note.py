"""A Chargebee credit note as a record: the parts it shares with invoices are read as theirs are."""

from __future__ import annotations

from typing import Any

from connector.chargebee.fields import Fields, not_an_object, subject_of
from connector.chargebee.parse_invoice import (
    NOTE_STATUS,
    PAYMENT_STATUS,
    PRICE_TYPE,
    read_discount,
    read_line,
    read_line_tax,
    read_tax,
    read_withheld_tax,
)
from connector.chargebee.records import Allocation, CreditNote, LinkedRefund
from connector.errors import Problem

TYPE = frozenset({"adjustment", "refundable", "store"})


def credit_note(row: dict[str, Any], *, minor_units: dict[str, int]) -> CreditNote | list[Problem]:
    """The record, or every problem of the document. `minor_units`: digits by currency as the tenant confirmed them.

    The three amounts that say where a note went are None where Chargebee leaves them out, never a zero of our own.
    """
    if type(row) is not dict:
        return not_an_object("Credit note", row)
    fields = Fields(row, subject_of("Credit note", row), [])
    currency = fields.read_currency("currency_code", minor_units)
    rate = fields.decimal("exchange_rate")
    record = CreditNote(
        id=fields.id("id"),
        type=fields.choice("type", TYPE),
        status=fields.choice("status", NOTE_STATUS),
        customer_id=fields.id("customer_id"),
        subscription_id=fields.text("subscription_id"),
        reference_invoice_id=fields.text("reference_invoice_id"),
        reason_code=fields.text("reason_code"),
        create_reason_code=fields.text("create_reason_code"),
        price_type=fields.choice("price_type", PRICE_TYPE),
        currency=currency,
        date=fields.required_moment("date"),
        generated_at=fields.moment("generated_at"),
        refunded_at=fields.moment("refunded_at"),
        voided_at=fields.moment("voided_at"),
        business_entity_id=fields.text("business_entity_id"),
        time_zone=fields.inner("site_details_at_creation").text("timezone"),
        sub_total=fields.required_amount("sub_total"),
        total=fields.required_amount("total"),
        round_off=fields.any_amount("round_off_amount"),
        fractional_correction=fields.any_amount("fractional_correction"),
        amount_allocated=fields.optional_amount("amount_allocated"),
        amount_refunded=fields.optional_amount("amount_refunded"),
        amount_available=fields.optional_amount("amount_available"),
        exchange_rate=rate or None,  # a rate of zero says nothing
        base_currency=fields.text("base_currency_code"),
        lines=fields.each("line_items", read_line),
        line_taxes=fields.each("line_item_taxes", read_line_tax),
        taxes=fields.each("taxes", read_tax),
        line_discounts=fields.each("line_item_discounts", read_discount),
        allocations=fields.each("allocations", _allocation),
        linked_refunds=fields.each("linked_refunds", _refund),
        withheld_refunds=fields.each("linked_tax_withheld_refunds", read_withheld_tax),
        is_complete=not row.get("line_items_next_offset"),
        deleted=fields.flag("deleted"),
        resource_version=fields.whole("resource_version"),
        updated_at=fields.moment("updated_at"),
    )
    return fields.problems or record


def _allocation(fields: Fields) -> Allocation:
    return Allocation(
        invoice_id=fields.id("invoice_id"),
        allocated=fields.required_amount("allocated_amount"),
        allocated_at=fields.moment("allocated_at"),
        invoice_status=fields.text("invoice_status"),
    )


def _refund(fields: Fields) -> LinkedRefund:
    return LinkedRefund(
        transaction_id=fields.id("txn_id"),
        applied=fields.required_amount("applied_amount"),
        status=fields.choice("txn_status", PAYMENT_STATUS, ""),
        date=fields.moment("txn_date"),
    )
