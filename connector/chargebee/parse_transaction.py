"""A Chargebee transaction as a record: payments, refunds, reversals and authorizations."""

from __future__ import annotations

from typing import Any

from connector.chargebee.fields import Fields, not_an_object, subject_of
from connector.chargebee.parse_invoice import NOTE_STATUS, PAYMENT_STATUS, read_reason
from connector.chargebee.records import LinkedInvoice, LinkedNote, LinkedRefund, Transaction
from connector.errors import Problem

TYPE = frozenset({"authorization", "payment", "refund", "payment_reversal"})


def transaction(row: dict[str, Any], *, minor_units: dict[str, int]) -> Transaction | list[Problem]:
    """The record, or every problem of the document. `minor_units`: digits by currency as the tenant confirmed them.

    Gateways and payment methods are open lists: a new one is no mistake, it finds its account by the bank mappings.
    """
    if type(row) is not dict:
        return not_an_object("Transaction", row)
    fields = Fields(row, subject_of("Transaction", row), [])
    currency = fields.read_currency("currency_code", minor_units)
    rate = fields.decimal("exchange_rate")
    record = Transaction(
        id=fields.id("id"),
        type=fields.choice("type", TYPE),
        status=fields.choice("status", PAYMENT_STATUS),
        customer_id=fields.text("customer_id"),
        subscription_id=fields.text("subscription_id"),
        currency=currency,
        amount=fields.required_amount("amount"),
        amount_unused=fields.optional_amount("amount_unused"),
        date=fields.moment("date"),
        settled_at=fields.moment("settled_at"),
        voided_at=fields.moment("voided_at"),
        gateway=fields.text("gateway"),
        gateway_account_id=fields.text("gateway_account_id"),
        payment_method=fields.text("payment_method"),
        reference_number=fields.text("reference_number"),
        id_at_gateway=fields.text("id_at_gateway"),
        refunded_transaction_id=fields.text("refunded_txn_id"),
        reference_transaction_id=fields.text("reference_transaction_id"),
        reversal_transaction_id=fields.text("reversal_transaction_id"),
        business_entity_id=fields.text("business_entity_id"),
        exchange_rate=rate or None,  # a rate of zero says nothing
        base_currency=fields.text("base_currency_code"),
        linked_invoices=fields.each("linked_invoices", _invoice),
        linked_notes=fields.each("linked_credit_notes", _note),
        linked_refunds=fields.each("linked_refunds", _refund),
        deleted=fields.flag("deleted"),
        resource_version=fields.whole("resource_version"),
        updated_at=fields.moment("updated_at"),
    )
    return fields.problems or record


def _invoice(fields: Fields) -> LinkedInvoice:
    return LinkedInvoice(
        invoice_id=fields.id("invoice_id"),
        applied=fields.required_amount("applied_amount"),
        applied_at=fields.moment("applied_at"),
        invoice_total=fields.optional_amount("invoice_total"),
        invoice_status=fields.text("invoice_status"),
    )


def _note(fields: Fields) -> LinkedNote:
    return LinkedNote(
        credit_note_id=fields.id("cn_id"),
        applied=fields.required_amount("applied_amount"),
        reason_code=read_reason(fields),
        status=fields.choice("cn_status", NOTE_STATUS, ""),
    )


def _refund(fields: Fields) -> LinkedRefund:
    """Here a refund belongs to this payment alone: all of it is taken from it."""
    return LinkedRefund(
        transaction_id=fields.id("txn_id"),
        applied=fields.required_amount("txn_amount"),
        status=fields.choice("txn_status", PAYMENT_STATUS, ""),
        date=fields.moment("txn_date"),
    )
