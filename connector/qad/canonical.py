"""Our own names of QAD's fields, per entity and list: a profile translates these, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

_CODING = ("gl_account", "sub_account", "cost_centre", "project", "qad_item", "tax_code")
_AMOUNT = ("amount", "debit", "credit")
_HEADER = (
    "reference", "customer", "description", "currency", "document_date", "posting_date", "due_date", "period",
    "total", "exchange_rate", "purchase_order", "source_id",
)  # fmt: skip
_LINE = ("kind", "description", *_AMOUNT, *_CODING, "service_from", "service_to", "source_line_id")
_TAX = ("name", "rate", "base", *_AMOUNT, "jurisdiction", *_CODING)
_APPLICATION = ("number", "reference", "credit_number", "credit_reference", "amount")


@dataclass(frozen=True, slots=True)
class Names:
    """What a profile may and must name for one entity. `required` rows hold alternatives: one of each is needed."""

    fields: tuple[str, ...]
    required: tuple[tuple[str, ...], ...]
    tables: tuple[str, ...] = ()


_CUSTOMER = (
    "code", "name", "search_name", "external_reference", "currency", "credit_terms", "email", "telephone",
    "street1", "street2", "street3", "city", "zip", "state", "country", "tax_id", "is_active", "contact",
)  # fmt: skip
# What QAD says of a customer and is never told: whose it is, which customers are shared, when it was changed.
_CUSTOMER_READ = (
    "shared_set", "domain", "site", "daybook_set", "is_complete", "business_relation", "customer_type",
    "customer_group", "shared_flag", "added_on", "credit_limit", "credit_hold", "gl_profile", "tax_class",
    "modified_at", "version",
)  # fmt: skip
_DOCUMENT_REQUIRED = (("reference",), ("customer",), ("currency",), ("posting_date",))

WRITES: dict[str, Names] = {
    "customer": Names(_CUSTOMER, (("code",), ("name",), ("currency",))),
    "customer_domain": Names(_CUSTOMER, (("code",),)),
    "business_relation": Names(("code", "name", "search_name", "is_active"), (("code",), ("name",))),
    "invoice": Names(_HEADER, (*_DOCUMENT_REQUIRED, ("total",)), ("lines", "taxes", "applications")),
    "credit_note": Names(
        (*_HEADER, "original_number"), (*_DOCUMENT_REQUIRED, ("total",)), ("lines", "taxes", "applications")
    ),
    "payment": Names(
        (*_HEADER, "bank_account", "daybook", "payment_method", "payment_reference"),
        (*_DOCUMENT_REQUIRED, ("total",)),
        ("applications",),
    ),
    "adjustment": Names(_HEADER, _DOCUMENT_REQUIRED, ("applications",)),
    "journal": Names(_HEADER, (("reference",), ("currency",), ("posting_date",)), ("lines",)),
}

TABLES: dict[str, Names] = {
    "lines": Names(_LINE, (("gl_account",), ("amount", "debit"), ("amount", "credit"))),
    "taxes": Names(_TAX, (("amount", "debit"), ("amount", "credit"))),
    "applications": Names(_APPLICATION, (("number", "reference"), ("amount",))),
}

_CODED = ("code", "description", "is_active")
_DIMENSION_FLAGS = tuple(
    f"{dimension}_{flag}" for flag in ("required", "allowed") for dimension in ("sub_account", "cost_centre", "project")
)
_POSTED = (
    "number", "reference", "customer", "currency", "total", "open_amount", "posting_date", "document_date",
    "year", "period", "daybook", "voucher", "description", "kind", "status", "original_number",
)  # fmt: skip
_POSTED_REQUIRED = (("number",), ("reference",))

LISTS: dict[str, Names] = {
    "customers": Names((*_CUSTOMER, *_CUSTOMER_READ), (("code",),)),
    "gl_accounts": Names((*_CODED, "type", "currency", *_DIMENSION_FLAGS), (("code",),)),
    "sub_accounts": Names(_CODED, (("code",),)),
    "cost_centres": Names(_CODED, (("code",),)),
    "projects": Names(_CODED, (("code",),)),
    "items": Names((*_CODED, "product_line", "site", "status"), (("code",),)),
    "tax_codes": Names((*_CODED, "rate", "gl_account"), (("code",),)),
    "daybooks": Names((*_CODED, "type", "layer", "control"), (("code",),)),
    "periods": Names(
        ("year", "period", "starts_on", "ends_on", "is_open", "entity", "locked_daybooks"), (("period",),)
    ),
    "credit_terms": Names((*_CODED, "days"), (("code",),)),
    "currencies": Names((*_CODED, "decimals"), (("code",),)),
    "exchange_rates": Names(
        ("from_currency", "to_currency", "rate", "valid_from", "valid_to", "type"),
        (("from_currency",), ("to_currency",), ("rate",), ("valid_from",)),
    ),
    "domains": Names((*_CODED, "base_currency"), (("code",),)),
    "invoices": Names(_POSTED, _POSTED_REQUIRED),
    "credit_notes": Names(_POSTED, _POSTED_REQUIRED),
    "payments": Names(_POSTED, _POSTED_REQUIRED),
    "adjustments": Names(_POSTED, _POSTED_REQUIRED),
    "journals": Names(_POSTED, _POSTED_REQUIRED),
}

# What a keyed read may show beyond what is written.
READS: dict[str, tuple[str, ...]] = {
    name: LISTS["customers"].fields if name.startswith(("customer", "business")) else _POSTED for name in WRITES
}

# How a value is read back; every other field is text. See values.py.
DATES = frozenset(
    {
        "posting_date", "document_date", "due_date", "starts_on", "ends_on", "service_from", "service_to",
        "valid_from", "valid_to", "added_on",
    }
)  # fmt: skip
AMOUNTS = frozenset(
    {"total", "open_amount", "rate", "amount", "debit", "credit", "base", "exchange_rate", "credit_limit"}
)
FLAGS = frozenset({"is_active", "is_open", "is_complete", "credit_hold", *_DIMENSION_FLAGS})

# Free text may be cut to fit; anything that names or finds something may not.
CUTTABLE = frozenset(
    {
        *("description", "name", "search_name", "street1", "street2", "street3", "city", "telephone", "jurisdiction"),
        "contact",
    }
)
