"""The fields of Chargebee's resources as this project knows them: name -> type, for the answers of the sandbox.

A type is str, int, bool, float (any number), dict (anything keyed), a tuple of allowed texts, a table of fields, or a
list of one of these. A name that ends with `!` must be there.
"""

from __future__ import annotations

from typing import Any

Table = dict[str, Any]

INVOICE_STATUS = ("paid", "posted", "payment_due", "not_paid", "voided", "pending")
NOTE_STATUS = ("adjusted", "refunded", "refund_due", "voided")
TXN_STATUS = ("in_progress", "success", "voided", "failure", "timeout", "needs_attention", "late_failure")
PRICE_TYPE = ("tax_exclusive", "tax_inclusive")
MODEL = ("flat_fee", "per_unit", "tiered", "volume", "stairstep")
DISCOUNT = (
    *("item_level_coupon", "document_level_coupon", "promotional_credits"),
    *("prorated_credits", "item_level_discount", "document_level_discount"),
)
CHANNEL = ("web", "app_store", "play_store")
REASON = (
    *("write_off", "subscription_change", "subscription_cancellation", "subscription_pause", "chargeback"),
    *("product_unsatisfactory", "service_unsatisfactory", "order_change", "order_cancellation", "waiver"),
    *("other", "fraudulent"),
)


def _texts(names: str) -> Table:
    return dict.fromkeys(names.split(), str)


def _whole(names: str) -> Table:
    return dict.fromkeys(names.split(), int)


def _flags(names: str) -> Table:
    return dict.fromkeys(names.split(), bool)


ADDRESS: Table = {
    **_texts("object! first_name last_name email company phone line1 line2 line3 city state_code state country zip"),
    "validation_status": ("not_validated", "valid", "partially_valid", "invalid"),
}
LINE: Table = {
    **_texts(
        "object! id! subscription_id entity_id customer_id description! entity_description reference_line_item_id"
    ),
    **_texts("unit_amount_in_decimal quantity_in_decimal amount_in_decimal"),
    **_whole("date_from! date_to! unit_amount! quantity amount! tax_amount discount_amount item_level_discount_amount"),
    **_flags("is_taxed! metered is_percentage_pricing"),
    "tax_rate": float,
    "pricing_model": MODEL,
    "entity_type!": ("adhoc", "plan_item_price", "addon_item_price", "charge_item_price"),
    "tax_exempt_reason": (
        *("tax_not_configured", "region_non_taxable", "export", "customer_exempt", "product_exempt", "zero_rated"),
        *("reverse_charge", "high_value_physical_goods", "zero_value_item", "tax_not_configured_external_provider"),
    ),
}
LINE_TAX: Table = {
    **_texts("object! line_item_id! tax_name! tax_juris_name tax_juris_code"),
    **_whole("date_from date_to prorated_taxable_amount taxable_amount! tax_amount!"),
    **_flags("is_partial_tax_applied is_non_compliance_tax"),
    "tax_rate!": float,
    "tax_juris_type": ("country", "federal", "state", "county", "city", "special", "unincorporated", "other"),
}
LINE_TIER: Table = {
    **_texts("object line_item_id!"),
    **_whole("starting_unit! ending_unit quantity_used! unit_amount!"),
    "pricing_type": ("per_unit", "flat_fee", "package"),
}
LINE_DISCOUNT: Table = {
    **_texts("object line_item_id! coupon_id entity_id"),
    "discount_amount!": int,
    "discount_type!": DISCOUNT,
}
DISCOUNTS: Table = {
    **_texts("object description line_item_id entity_id coupon_set_code"),
    "amount!": int,
    "entity_type!": DISCOUNT,
    "discount_type": ("fixed_amount", "percentage"),
}
TAX: Table = {**_texts("object name! description"), "amount!": int}
LINKED_PAYMENT: Table = {
    "txn_id!": str,
    **_whole("applied_amount! applied_at! txn_date txn_amount"),
    "txn_status": TXN_STATUS,
}
NOTE_LINK: Table = {
    **_texts("cn_id! cn_create_reason_code"),
    **_whole("cn_date cn_total"),
    "cn_status!": NOTE_STATUS,
    "cn_reason_code": REASON,
}
APPLIED: Table = {
    **{name: kind for name, kind in NOTE_LINK.items() if name != "cn_total"},
    **_whole("applied_amount! applied_at!"),
}
PLACE: Table = {"timezone": str, "organization_address": dict}
DOCUMENT: Table = {
    **_texts("object! id! customer_id! subscription_id currency_code! base_currency_code vat_number vat_number_prefix"),
    **_texts("business_entity_id"),
    **_whole("date! voided_at generated_at resource_version! updated_at! sub_total! total! round_off_amount"),
    "exchange_rate": float,
    "price_type!": PRICE_TYPE,
    "deleted!": bool,
    "channel": CHANNEL,
    "line_items": [LINE],
    "line_item_tiers": [LINE_TIER],
    "line_item_discounts": [LINE_DISCOUNT],
    "line_item_taxes": [LINE_TAX],
    "discounts": [DISCOUNTS],
    "taxes": [TAX],
    "billing_address": ADDRESS,
    "site_details_at_creation": PLACE,
}

TABLES: dict[str, Table] = {
    "invoice": {
        **DOCUMENT,
        **_texts("po_number void_reason_code payment_owner line_items_next_offset"),
        **_whole("due_date net_term_days paid_at next_retry_at tax! amount_due! amount_paid! amount_adjusted!"),
        **_whole("credits_applied! write_off_amount! amount_to_collect! new_sales_amount"),
        **_flags("recurring! first_invoice has_advance_charges term_finalized! is_gifted! is_digital"),
        "status!": INVOICE_STATUS,
        "dunning_status": ("in_progress", "exhausted", "stopped", "success"),
        "linked_payments": [LINKED_PAYMENT],
        "applied_credits": [APPLIED],
        "adjustment_credit_notes": [NOTE_LINK],
        "issued_credit_notes": [NOTE_LINK],
    },
    "credit_note": {
        **DOCUMENT,
        **_texts("reference_invoice_id create_reason_code"),
        **_whole("amount_allocated! amount_refunded! amount_available! refunded_at fractional_correction"),
        "type!": ("adjustment", "refundable", "store"),
        "status!": NOTE_STATUS,
        "reason_code": REASON,
        "linked_refunds": [
            {"txn_id!": str, **_whole("applied_amount! applied_at! txn_date txn_amount"), "txn_status": TXN_STATUS}
        ],
        "allocations": [
            {
                "invoice_id!": str,
                **_whole("allocated_amount! allocated_at! invoice_date"),
                "invoice_status!": INVOICE_STATUS,
            }
        ],
    },
    "transaction": {
        **_texts("object! id! customer_id subscription_id gateway_account_id reference_number gateway! currency_code!"),
        **_texts("base_currency_code id_at_gateway error_code error_text masked_card_number reference_transaction_id"),
        **_texts("refunded_txn_id reversal_transaction_id business_entity_id"),
        **_whole("date! settled_at amount! amount_unused amount_capturable voided_at resource_version! updated_at"),
        "exchange_rate": float,
        "deleted!": bool,
        "type!": ("authorization", "payment", "refund", "payment_reversal"),
        "status!": TXN_STATUS,
        "payment_method!": ("card", "cash", "check", "bank_transfer", "direct_debit", "chargeback", "other"),
        "fraud_flag": ("safe", "suspicious", "fraudulent"),
        "authorization_reason": ("blocking_funds", "verification", "scheduled_capture"),
        "linked_invoices": [
            {
                "invoice_id!": str,
                **_whole("applied_amount! applied_at! invoice_date invoice_total"),
                "invoice_status!": INVOICE_STATUS,
            }
        ],
        "linked_credit_notes": [{**APPLIED, **NOTE_LINK, "cn_reference_invoice_id": str}],
        "linked_refunds": [{"txn_id!": str, "txn_status!": TXN_STATUS, **_whole("txn_date! txn_amount!")}],
    },
    "customer": {
        **_texts("object! id! first_name last_name email phone company vat_number vat_number_prefix locale"),
        **_texts("preferred_currency_code invoice_notes business_entity_id primary_payment_source_id"),
        **_whole("net_term_days! created_at! promotional_credits! refundable_credits! excess_payments!"),
        **_whole("unbilled_charges! resource_version! updated_at mrr"),
        **_flags("allow_direct_debit! deleted!"),
        "auto_collection!": ("on", "off"),
        "taxability": ("taxable", "exempt"),
        "pii_cleared": ("active", "scheduled_for_clear", "cleared"),
        "vat_number_status": ("valid", "invalid", "not_validated", "undetermined"),
        "card_status": ("no_card", "valid", "expiring", "expired", "pending_verification", "invalid"),
        "channel": CHANNEL,
        "meta_data": dict,
        "billing_address": ADDRESS,
        "payment_method": {
            **_texts("object type! gateway! gateway_account_id reference_id!"),
            "status!": ("valid", "expiring", "expired", "invalid", "pending_verification"),
        },
    },
    "item_family": {
        **_texts("object! id! name! description"),
        **_whole("resource_version! updated_at!"),
        "status": ("active", "deleted"),
        "deleted!": bool,
    },
    "item": {
        **_texts("object! id! name! external_name description item_family_id unit"),
        **_whole("resource_version! updated_at! archived_at"),
        **_flags(
            "is_shippable is_giftable! enabled_for_checkout! enabled_in_portal! included_in_mrr metered! deleted!"
        ),
        "status": ("active", "archived", "deleted"),
        "type!": ("plan", "addon", "charge"),
        "item_applicability": ("all", "restricted"),
        "usage_calculation": ("sum_of_usages", "last_usage", "max_usage"),
        "channel": CHANNEL,
        "metadata": dict,
    },
    "item_price": {
        **_texts("object! id! name! external_name item_family_id item_id price_in_decimal free_quantity_in_decimal"),
        "currency_code!": str,
        **_whole("price period free_quantity! resource_version! updated_at! created_at! archived_at"),
        **_flags("is_taxable show_description_in_invoices show_description_in_quotes deleted!"),
        "status": ("active", "archived", "deleted"),
        "item_type": ("plan", "addon", "charge"),
        "pricing_model!": MODEL,
        "period_unit": ("day", "week", "month", "year"),
        "channel": CHANNEL,
        "tiers": [{"object": str, **_whole("starting_unit! ending_unit price!")}],
        "accounting_detail": _texts(
            """object sku accounting_code accounting_category1 accounting_category2 accounting_category3
            accounting_category4"""
        ),
    },
    "event": {
        **_texts("object! id! event_type! user"),
        "occurred_at!": int,
        "source!": ("admin_console", "api", "scheduled_job", "portal", "system", "none"),
        "webhook_status!": ("not_configured", "scheduled", "succeeded", "re_scheduled", "failed", "skipped"),
        "api_version": ("v1", "v2"),
        "content!": dict,
    },
}


def faults_of(kind: str, document: Table) -> list[str]:
    """What of the document is not as the table says; custom fields may be anything."""
    return _fields(TABLES[kind], document, kind)


def _fields(table: Table, document: Any, where: str) -> list[str]:
    if not isinstance(document, dict):
        return [f"{where} is {document!r}"]
    known = {name.rstrip("!"): kind for name, kind in table.items()}
    found = [f"{where} lacks {name[:-1]}" for name in table if name.endswith("!") and name[:-1] not in document]
    for name, value in document.items():
        if name.startswith("cf_"):
            continue
        if name not in known:
            found.append(f"{where}.{name} is not in the table")
        else:
            found += _value(known[name], value, f"{where}.{name}")
    return found


def _value(kind: Any, value: Any, where: str) -> list[str]:
    if isinstance(kind, dict):
        return _fields(kind, value, where)
    if isinstance(kind, list):
        if not isinstance(value, list):
            return [f"{where} is no list"]
        return [fault for row in value for fault in _value(kind[0], row, where)]
    if isinstance(kind, tuple):
        return [] if value in kind else [f"{where} is {value!r}"]
    allowed = (int, float) if kind is float else kind
    right = isinstance(value, allowed) and (kind is bool or not isinstance(value, bool))
    return [] if right else [f"{where} is {value!r}"]
