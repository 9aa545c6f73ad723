"""Chargebee's documents as values. Field names are Chargebee's where they are plain; money is Money, times are UTC.

A record is complete and typed or it does not exist: `parse` returns problems instead. Missing texts are '', missing
arrays are (), `None` means not known.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from connector.money import Money


@dataclass(frozen=True, slots=True)
class Address:
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    email: str = ""
    phone: str = ""
    line1: str = ""
    line2: str = ""
    line3: str = ""
    city: str = ""
    state_code: str = ""
    state: str = ""
    zip: str = ""
    country: str = ""  # ISO 3166 alpha-2, and XI for Northern Ireland


@dataclass(frozen=True, slots=True)
class Customer:
    id: str
    first_name: str
    last_name: str
    company: str
    email: str
    phone: str
    vat_number: str  # with its prefix, upper case, no blanks
    taxability: str
    net_term_days: int | None
    preferred_currency: str
    locale: str
    billing_address: Address
    business_entity_id: str
    parent_id: str
    pii_cleared: bool
    qad_reference: str  # the QAD customer code that a person noted in meta_data or a cf_ field, '' if none
    deleted: bool
    resource_version: int | None
    updated_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class ItemFamily:
    id: str
    name: str
    status: str
    deleted: bool
    resource_version: int | None
    updated_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Item:
    id: str
    name: str
    type: str  # plan | addon | charge
    item_family_id: str
    status: str
    deleted: bool
    resource_version: int | None
    updated_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class ItemPrice:
    id: str
    name: str
    item_id: str
    item_type: str
    item_family_id: str
    currency: str
    pricing_model: str
    status: str
    sku: str
    accounting_code: str
    accounting_categories: tuple[str, ...]
    deleted: bool
    resource_version: int | None
    updated_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class LineItem:
    id: str
    entity_type: str  # plan_item_price | addon_item_price | charge_item_price | adhoc
    entity_id: str  # the item price, '' for adhoc lines
    subscription_id: str
    customer_id: str
    description: str
    amount: Money  # before discounts; includes its tax when the document is tax inclusive
    discount: Money  # every discount of the line
    tax_amount: Money
    tax_rate: Decimal | None
    is_taxed: bool
    tax_exempt_reason: str
    pricing_model: str
    quantity: Decimal | None
    date_from: dt.datetime | None
    date_to: dt.datetime | None


@dataclass(frozen=True, slots=True)
class LineTax:
    line_item_id: str
    name: str
    rate: Decimal
    amount: Money
    taxable_amount: Money
    jurisdiction_type: str
    jurisdiction_name: str
    jurisdiction_code: str
    is_non_compliance: bool


@dataclass(frozen=True, slots=True)
class LineDiscount:
    line_item_id: str
    kind: str  # item_level_coupon | document_level_coupon | ... | promotional_credits | prorated_credits
    amount: Money
    entity_id: str


@dataclass(frozen=True, slots=True)
class TaxTotal:
    name: str
    amount: Money


@dataclass(frozen=True, slots=True)
class LinkedPayment:
    transaction_id: str
    applied: Money
    applied_at: dt.datetime | None
    status: str  # contains failed and in-progress attempts too
    date: dt.datetime | None
    amount: Money | None


@dataclass(frozen=True, slots=True)
class AppliedCredit:
    credit_note_id: str
    applied: Money
    applied_at: dt.datetime | None
    status: str
    reason_code: str


@dataclass(frozen=True, slots=True)
class AdjustmentNote:
    credit_note_id: str
    total: Money
    status: str
    reason_code: str


@dataclass(frozen=True, slots=True)
class WithheldTax:
    id: str
    amount: Money
    date: dt.datetime | None
    reference: str


@dataclass(frozen=True, slots=True)
class Invoice:
    id: str
    customer_id: str
    subscription_id: str  # '' when several subscriptions are consolidated
    status: str  # pending | posted | payment_due | not_paid | paid | voided
    price_type: str  # tax_exclusive | tax_inclusive
    currency: str
    date: dt.datetime
    due_date: dt.datetime | None
    generated_at: dt.datetime | None
    voided_at: dt.datetime | None
    void_reason: str
    po_number: str
    net_term_days: int | None
    business_entity_id: str
    time_zone: str  # the site's zone when the document was made, '' if not told
    sub_total: Money
    tax: Money
    total: Money
    round_off: Money
    amount_paid: Money
    amount_adjusted: Money
    write_off_amount: Money
    credits_applied: Money
    amount_due: Money
    amount_to_collect: Money | None
    exchange_rate: Decimal | None
    base_currency: str
    lines: tuple[LineItem, ...]
    line_taxes: tuple[LineTax, ...]
    taxes: tuple[TaxTotal, ...]
    line_discounts: tuple[LineDiscount, ...]
    linked_payments: tuple[LinkedPayment, ...]
    applied_credits: tuple[AppliedCredit, ...]
    adjustment_notes: tuple[AdjustmentNote, ...]
    withheld_taxes: tuple[WithheldTax, ...]
    is_complete: bool  # False while line_items_next_offset says that lines are missing
    deleted: bool
    resource_version: int | None
    updated_at: dt.datetime | None
