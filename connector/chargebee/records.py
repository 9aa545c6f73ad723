"""Chargebee's documents as values. Field names are Chargebee's where they are plain; money is Money, times are UTC.

A record is complete and typed or it does not exist: `parse` returns problems instead. Missing texts are '', missing
arrays are (), `None` means not known.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
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
    noted: Mapping[str, str] = field(default_factory=dict)  # what QAD says of the customer, kept in meta_data as qad_*


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
    business_entity_id: str  # '' where every entity of the site has it
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
    business_entity_id: str  # as of an item
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


@dataclass(frozen=True, slots=True)
class Allocation:
    """A part of a credit note that settles an invoice."""

    invoice_id: str
    allocated: Money
    allocated_at: dt.datetime | None
    invoice_status: str


@dataclass(frozen=True, slots=True)
class LinkedRefund:
    """A refund of a note or of a payment; `applied` is what it takes of this document."""

    transaction_id: str
    applied: Money
    status: str
    date: dt.datetime | None


@dataclass(frozen=True, slots=True)
class CreditNote:
    id: str
    type: str  # adjustment | refundable | store
    status: str  # adjusted | refund_due | refunded | voided
    customer_id: str
    subscription_id: str
    reference_invoice_id: str  # '' where the note corrects no single invoice
    reason_code: str  # Chargebee's fixed list, deprecated
    create_reason_code: str  # the site's own words: "Write Off", "Invoice Void", ...
    price_type: str
    currency: str
    date: dt.datetime
    generated_at: dt.datetime | None
    refunded_at: dt.datetime | None  # used up, also where it was applied and no cash went out
    voided_at: dt.datetime | None
    business_entity_id: str
    time_zone: str
    sub_total: Money
    total: Money
    round_off: Money
    fractional_correction: Money
    amount_allocated: Money | None
    amount_refunded: Money | None
    amount_available: Money | None
    exchange_rate: Decimal | None
    base_currency: str
    lines: tuple[LineItem, ...]
    line_taxes: tuple[LineTax, ...]
    taxes: tuple[TaxTotal, ...]
    line_discounts: tuple[LineDiscount, ...]
    allocations: tuple[Allocation, ...]
    linked_refunds: tuple[LinkedRefund, ...]
    withheld_refunds: tuple[WithheldTax, ...]  # withheld tax that goes back with the note
    is_complete: bool
    deleted: bool
    resource_version: int | None
    updated_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class LinkedInvoice:
    """A part of a payment that settles an invoice; a payment that failed names what it tried to pay, too."""

    invoice_id: str
    applied: Money
    applied_at: dt.datetime | None
    invoice_total: Money | None
    invoice_status: str


@dataclass(frozen=True, slots=True)
class LinkedNote:
    """The credit note that a refund pays out."""

    credit_note_id: str
    applied: Money
    reason_code: str
    status: str


@dataclass(frozen=True, slots=True)
class Transaction:
    """`amount` is never negative: the type says which way the money went."""

    id: str
    type: str  # payment | refund | payment_reversal | authorization
    status: str  # success | in_progress | failure | timeout | needs_attention | voided | late_failure
    customer_id: str  # '' where Chargebee does not say
    subscription_id: str
    currency: str
    amount: Money
    amount_unused: Money | None
    date: dt.datetime | None
    settled_at: dt.datetime | None  # when its status became final; not when the bank paid
    voided_at: dt.datetime | None
    gateway: str  # not_applicable: offline
    gateway_account_id: str
    payment_method: str
    reference_number: str
    id_at_gateway: str
    refunded_transaction_id: str
    reference_transaction_id: str
    reversal_transaction_id: str
    business_entity_id: str
    exchange_rate: Decimal | None
    base_currency: str
    linked_invoices: tuple[LinkedInvoice, ...]
    linked_notes: tuple[LinkedNote, ...]
    linked_refunds: tuple[LinkedRefund, ...]
    deleted: bool
    resource_version: int | None
    updated_at: dt.datetime | None
