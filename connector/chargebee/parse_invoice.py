"""A Chargebee invoice as a record: minor units become Money here, once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from connector.chargebee.fields import Fields, not_an_object, subject_of
from connector.chargebee.records import (
    AdjustmentNote,
    AppliedCredit,
    Invoice,
    LineDiscount,
    LineItem,
    LineTax,
    LinkedPayment,
    TaxTotal,
    WithheldTax,
)
from connector.errors import Problem

STATUS = frozenset({"pending", "posted", "payment_due", "not_paid", "paid", "voided"})
PRICE_TYPE = frozenset({"tax_exclusive", "tax_inclusive"})
ENTITY_TYPE = frozenset({"plan_item_price", "addon_item_price", "charge_item_price", "adhoc"})
DISCOUNT_TYPE = frozenset(
    {
        "item_level_coupon",
        "document_level_coupon",
        "item_level_discount",
        "document_level_discount",
        "promotional_credits",
        "prorated_credits",
    }
)
PAYMENT_STATUS = frozenset(
    {"in_progress", "success", "voided", "failure", "timeout", "needs_attention", "late_failure"}
)
NOTE_STATUS = frozenset({"adjusted", "refunded", "refund_due", "voided"})


def invoice(row: dict[str, Any], *, minor_units: dict[str, int]) -> Invoice | list[Problem]:
    """The record, or every problem of the document. `minor_units`: digits by currency as the tenant confirmed them.

    Kinds that decide what is posted (status, price type, entity, discount and payment kinds) must be known ones; kinds
    that only inform (pricing model, exemption reason, jurisdiction) are kept as Chargebee names them.
    """
    if type(row) is not dict:
        return not_an_object("Invoice", row)
    fields = Fields(row, subject_of("Invoice", row), [])
    currency = fields.read_currency("currency_code", minor_units)
    rate = fields.decimal("exchange_rate")
    record = Invoice(
        id=fields.id("id"),
        customer_id=fields.id("customer_id"),
        subscription_id=fields.text("subscription_id"),
        status=fields.choice("status", STATUS),
        price_type=fields.choice("price_type", PRICE_TYPE),
        currency=currency,
        date=fields.required_moment("date"),
        due_date=fields.moment("due_date"),
        generated_at=fields.moment("generated_at"),
        voided_at=fields.moment("voided_at"),
        void_reason=fields.text("void_reason_code"),
        po_number=fields.text("po_number"),
        net_term_days=fields.whole("net_term_days"),
        business_entity_id=fields.text("business_entity_id"),
        time_zone=fields.inner("site_details_at_creation").text("timezone"),
        sub_total=fields.required_amount("sub_total"),
        tax=fields.required_amount("tax"),
        total=fields.required_amount("total"),
        round_off=fields.any_amount("round_off_amount"),
        amount_paid=fields.amount("amount_paid"),
        amount_adjusted=fields.amount("amount_adjusted"),
        write_off_amount=fields.amount("write_off_amount"),
        credits_applied=fields.amount("credits_applied"),
        amount_due=fields.required_amount("amount_due"),
        amount_to_collect=fields.optional_amount("amount_to_collect"),
        exchange_rate=rate or None,  # a rate of zero says nothing
        base_currency=fields.text("base_currency_code"),
        lines=fields.each("line_items", read_line),
        line_taxes=fields.each("line_item_taxes", read_line_tax),
        taxes=fields.each("taxes", read_tax),
        line_discounts=fields.each("line_item_discounts", read_discount),
        linked_payments=fields.each("linked_payments", _linked_payment),
        applied_credits=fields.each("applied_credits", _applied_credit),
        adjustment_notes=fields.each("adjustment_credit_notes", _adjustment_note),
        withheld_taxes=fields.each("linked_taxes_withheld", read_withheld_tax),
        is_complete=not row.get("line_items_next_offset"),
        deleted=fields.flag("deleted"),
        resource_version=fields.whole("resource_version"),
        updated_at=fields.moment("updated_at"),
    )
    return fields.problems or record


def read_line(fields: Fields) -> LineItem:
    exact_quantity = fields.decimal("quantity_in_decimal")
    entity_type = fields.choice("entity_type", ENTITY_TYPE)
    return LineItem(
        id=fields.id("id"),
        entity_type=entity_type,
        entity_id=fields.text("entity_id") if entity_type == "adhoc" else fields.id("entity_id"),
        subscription_id=fields.text("subscription_id"),
        customer_id=fields.text("customer_id"),
        description=fields.text("description"),
        amount=fields.required_any_amount("amount"),
        discount=fields.any_amount("discount_amount"),
        tax_amount=fields.any_amount("tax_amount"),
        tax_rate=fields.decimal("tax_rate"),
        is_taxed=fields.flag("is_taxed"),
        tax_exempt_reason=fields.text("tax_exempt_reason"),
        pricing_model=fields.text("pricing_model"),
        quantity=exact_quantity if exact_quantity is not None else fields.decimal("quantity"),
        date_from=fields.moment("date_from"),
        date_to=fields.moment("date_to"),
    )


def read_line_tax(fields: Fields) -> LineTax:
    if fields.row.get("tax_rate") is None:
        fields.missing("tax_rate")
    return LineTax(
        line_item_id=fields.text("line_item_id"),
        name=fields.text("tax_name"),
        rate=fields.decimal("tax_rate") or Decimal(0),
        amount=fields.required_any_amount("tax_amount"),
        taxable_amount=fields.any_amount("taxable_amount"),
        jurisdiction_type=fields.text("tax_juris_type"),
        jurisdiction_name=fields.text("tax_juris_name"),
        jurisdiction_code=fields.text("tax_juris_code"),
        is_non_compliance=fields.flag("is_non_compliance_tax"),
    )


def read_tax(fields: Fields) -> TaxTotal:
    return TaxTotal(name=fields.text("name"), amount=fields.required_any_amount("amount"))


def read_discount(fields: Fields) -> LineDiscount:
    return LineDiscount(
        line_item_id=fields.id("line_item_id"),
        kind=fields.choice("discount_type", DISCOUNT_TYPE),
        amount=fields.required_any_amount("discount_amount"),
        entity_id=fields.text("entity_id") or fields.text("coupon_id"),
    )


def _linked_payment(fields: Fields) -> LinkedPayment:
    return LinkedPayment(
        transaction_id=fields.id("txn_id"),
        applied=fields.required_amount("applied_amount"),
        applied_at=fields.moment("applied_at"),
        status=fields.choice("txn_status", PAYMENT_STATUS, ""),
        date=fields.moment("txn_date"),
        amount=fields.optional_amount("txn_amount"),
    )


def _applied_credit(fields: Fields) -> AppliedCredit:
    return AppliedCredit(
        credit_note_id=fields.id("cn_id"),
        applied=fields.required_amount("applied_amount"),
        applied_at=fields.moment("applied_at"),
        status=fields.choice("cn_status", NOTE_STATUS),
        reason_code=read_reason(fields),
    )


def _adjustment_note(fields: Fields) -> AdjustmentNote:
    return AdjustmentNote(
        credit_note_id=fields.id("cn_id"),
        total=fields.required_amount("cn_total"),
        status=fields.choice("cn_status", NOTE_STATUS),
        reason_code=read_reason(fields),
    )


def read_reason(fields: Fields) -> str:
    """The site's own reason; the fixed list beside it is deprecated."""
    return fields.text("cn_create_reason_code") or fields.text("cn_reason_code")


def read_withheld_tax(fields: Fields) -> WithheldTax:
    return WithheldTax(
        id=fields.text("id"),
        amount=fields.required_amount("amount"),
        date=fields.moment("date"),
        reference=fields.text("reference_number"),
    )
