"""What the fold is told beside the documents: codes, policies, and what was posted before an edit."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

Document = dict[str, Any]
Key = tuple[str, str]  # (kind, id); kind is invoice, credit_note or the type of the transaction
Target = str | tuple[str, dict[str, str]]  # an account, or an account with dimensions such as {"cost_centre": "100"}
Rows = Target | list[tuple[date, Target]]  # a target, or targets each from a date on


@dataclass(frozen=True)
class Policies:
    payment_mode: str = "customer_payment"  # customer_payment | journal_to_clearing
    zero_invoices: str = "post"  # post | skip
    voided_before_posting: str = "skip"  # skip | post_and_reverse
    edited_after_posting: str = "chain"  # chain | hold
    promotional_credits: str = "granted"  # granted | bought
    write_off_tax: str = "gross"  # gross | relief
    refund_account: str = "gateway"  # gateway | refund_clearing
    before_cut_off: str = "hold"  # hold | on_account
    closed_period: str = "hold"  # hold | next_open | original
    offline: dict[str, str] = field(default_factory=dict)  # payment method ('' = any other) -> qad | chargebee
    rounding_tolerance: int = 0  # minor units that line taxes may miss the document's by


@dataclass(frozen=True)
class Earlier:
    """A version of a document that was posted and is no longer the current one."""

    document: Document
    posted_on: date | None = None  # default: the document's own date
    reversed_on: date | None = None  # default: the day that it was posted on


@dataclass(frozen=True)
class Opening:
    """A document from before the cut-off that QAD holds with this open amount, in minor units (credits negative)."""

    customer: str  # QAD code
    currency: str
    amount: int


@dataclass(frozen=True)
class Mapping:
    """Codes. `roles`: accounts_receivable, discount, promotional_granted, promotional_bought, round_off, write_off,
    withheld_tax, refund_clearing, on_account (accounts_receivable if absent)."""

    zone: str
    customers: dict[str, str]  # Chargebee customer id -> QAD code
    roles: dict[str, Rows]
    item_prices: dict[str, Rows] = field(default_factory=dict)
    items: dict[str, Rows] = field(default_factory=dict)
    families: dict[str, Rows] = field(default_factory=dict)
    catalogue: dict[str, tuple[str, str]] = field(default_factory=dict)  # item price -> (item, item family)
    charge: Rows | None = None  # lines without an item price
    fallback: Rows | None = None
    taxes: dict[tuple[str, str, str], Rows] = field(default_factory=dict)  # (jurisdiction, name, rate), '' = any
    banks: dict[tuple[str, str, str], Rows] = field(default_factory=dict)  # (gateway, method, currency), '' = any
    policies: Policies = field(default_factory=Policies)
    business_entities: frozenset[str] | None = None  # None: all
    closed_periods: frozenset[str] = frozenset()  # 'YYYY-MM'
    posted_before: dict[Key, list[Earlier]] = field(default_factory=dict)  # oldest first
    matched_receipts: frozenset[str] = frozenset()  # offline payments whose QAD receipt was found
    opening: dict[Key, Opening] = field(default_factory=dict)
