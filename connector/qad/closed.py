"""The closed lists: what the connector may touch in QAD, and the words that no route may name."""

from __future__ import annotations

import re
from typing import Literal, get_args
from urllib.parse import unquote

Entity = Literal[
    "customer", "customer_domain", "business_relation", "invoice", "credit_note", "payment", "adjustment", "journal",
]  # fmt: skip
ListName = Literal[
    "customers", "gl_accounts", "sub_accounts", "cost_centres", "projects", "items", "tax_codes", "daybooks",
    "periods", "credit_terms", "currencies", "exchange_rates", "domains", "invoices",
    "credit_notes", "payments", "adjustments", "journals",
]  # fmt: skip

ENTITIES: tuple[str, ...] = get_args(Entity)
LISTS: tuple[str, ...] = get_args(ListName)

# Procurement and accounts payable are out of bounds for good: a route that names one of these is refused.
FORBIDDEN_WORDS = ("supplier", "purchase", "purchasing", "procure", "procurement", "payable", "vendor")

_FORBIDDEN = re.compile("|".join(FORBIDDEN_WORDS), re.IGNORECASE)


def forbidden_word(route: str) -> str:
    """The first forbidden word in a path, collection, browse id or URI ('' if there is none), escapes undone."""
    plain = route
    for _ in range(3):
        plain = unquote(plain)
    found = _FORBIDDEN.search(plain)
    return found.group().lower() if found else ""


def refusal(word: str) -> str:
    """The sentence that a person reads."""
    return f"It names '{word}': this connector never touches procurement or accounts-payable data."
