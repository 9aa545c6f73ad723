"""What each list of the API can be sorted and filtered by.

Legal keys as the vendor's public SDK declares them (github.com/chargebee/chargebee-node 3.31).
"""

from __future__ import annotations

from dataclasses import dataclass

STRING, ENUM, NUMBER, BOOLEAN, TIME = "string", "enum", "number", "boolean", "time"

OPERATORS = {
    STRING: ("is", "is_not", "starts_with", "is_present", "in", "not_in"),
    ENUM: ("is", "is_not", "is_present", "in", "not_in"),
    NUMBER: ("gt", "lt", "gte", "lte", "between", "is", "is_not", "is_present"),
    BOOLEAN: ("is", "is_present"),
    TIME: ("on", "before", "after", "between", "is_present"),
}


@dataclass(frozen=True, slots=True)
class Resource:
    kind: str  # the wrapper's key
    plural: str
    order: str  # newest first by this field when no legal sort is given
    sorts: tuple[str, ...]
    filters: dict[str, str]
    takes_include_deleted: bool = False


def _filters(**fields: str) -> dict[str, str]:
    return {name: kind for kind, names in fields.items() for name in names.split()}


_RESOURCES = (
    Resource(
        "customer",
        "customers",
        "created_at",
        ("created_at", "updated_at"),
        _filters(
            string="id first_name last_name email company phone business_entity_id",
            enum="auto_collection taxability offline_payment_method channel",
            time="created_at updated_at",
            boolean="auto_close_invoices",
        ),
        takes_include_deleted=True,
    ),
    Resource(
        "item_family",
        "item_families",
        "updated_at",
        (),
        _filters(string="id name business_entity_id", time="updated_at"),
    ),
    Resource(
        "item",
        "items",
        "updated_at",
        ("name", "id", "updated_at"),
        _filters(
            string="id item_family_id name business_entity_id",
            enum="type item_applicability status usage_calculation channel",
            time="updated_at",
            boolean="is_giftable enabled_for_checkout enabled_in_portal metered",
        ),
    ),
    Resource(
        "item_price",
        "item_prices",
        "updated_at",
        ("name", "id", "updated_at"),
        _filters(
            string="id name item_id item_family_id currency_code price_variant_id business_entity_id",
            enum="pricing_model item_type status trial_period_unit period_unit channel",
            time="updated_at",
            number="period trial_period",
        ),
    ),
    Resource(
        "invoice",
        "invoices",
        "date",
        ("date", "updated_at"),
        _filters(
            string="id subscription_id customer_id payment_owner void_reason_code",
            enum="status price_type dunning_status channel",
            time="date paid_at updated_at voided_at",
            number="total amount_paid amount_adjusted credits_applied amount_due",
            boolean="recurring",
        ),
        takes_include_deleted=True,
    ),
    Resource(
        "credit_note",
        "credit_notes",
        "date",
        ("date",),
        _filters(
            string="id customer_id subscription_id reference_invoice_id create_reason_code",
            enum="type reason_code status price_type channel",
            time="date voided_at updated_at",
            number="total amount_allocated amount_refunded amount_available",
        ),
        takes_include_deleted=True,
    ),
    Resource(
        "transaction",
        "transactions",
        "date",
        ("date", "updated_at"),
        _filters(
            string="""id customer_id subscription_id payment_source_id gateway_account_id id_at_gateway
            reference_number""",
            enum="payment_method gateway type status",
            time="date updated_at",
            number="amount amount_capturable",
        ),
        takes_include_deleted=True,
    ),
    Resource(
        "event",
        "events",
        "occurred_at",
        ("occurred_at",),
        _filters(string="id", enum="webhook_status event_type source", time="occurred_at"),
    ),
)

BY_KIND = {resource.kind: resource for resource in _RESOURCES}
BY_PLURAL = {resource.plural: resource for resource in _RESOURCES}
