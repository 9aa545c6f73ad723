"""What may be read from Chargebee, and how each list may be sorted, filtered and asked for deleted rows.

Keys as the vendor's public SDK declares them (github.com/chargebee/chargebee-node 3.31). A key that a list does not
know is ignored by Chargebee without a word, so nothing outside this table is ever sent.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Resource:
    """`kind` names one document of the list `name`.

    `sort_by` is the key that is read newest first; `is_filtered` says whether updated_at may bound a pass: a list that
    cannot be sorted is read whole, because nobody knows which of its rows a change pushes over the edge of a page.
    `dated` is the key of windows: it does not move when a document changes.
    """

    kind: str
    name: str
    sort_by: str = ""
    is_filtered: bool = False
    has_deleted: bool = False
    dated: str = ""


_TABLE = (
    Resource("customer", "customers", "updated_at", is_filtered=True, has_deleted=True),
    Resource("item_family", "item_families"),
    Resource("item", "items", "updated_at", is_filtered=True),
    Resource("item_price", "item_prices", "updated_at", is_filtered=True),
    Resource("invoice", "invoices", "updated_at", is_filtered=True, has_deleted=True, dated="date"),
    Resource("credit_note", "credit_notes", "date", is_filtered=True, has_deleted=True, dated="date"),
    Resource("transaction", "transactions", "updated_at", is_filtered=True, has_deleted=True, dated="date"),
    Resource("event", "events", "occurred_at", dated="occurred_at"),
    Resource("configuration", "configurations"),
    Resource("promotional_credit", "promotional_credits"),
    Resource("payment_source", "payment_sources"),
)
BY_KIND = {resource.kind: resource for resource in _TABLE}
SINGULAR = {resource.name: resource.kind for resource in _TABLE}
PAGE = 100  # rows, the most that Chargebee gives

Params = dict[str, str | int | bool]


def changed_since(resource: Resource, seconds: int | None) -> Params:
    """A pass over what changed after `seconds` (Unix time), newest first; None asks for everything."""
    params = _params(resource)
    if resource.sort_by:
        params["sort_by[desc]"] = resource.sort_by
    if seconds is not None and resource.is_filtered:
        params["updated_at[after]"] = seconds
    return params


def dated_within(resource: Resource, first: int | None, last: int | None) -> Params:
    """A window over the document date, both ends included, oldest first; None leaves an end open."""
    params = _params(resource)
    if not resource.dated:
        return changed_since(resource, None)
    params["sort_by[asc]"] = resource.dated
    if first is not None and last is not None:
        params[f"{resource.dated}[between]"] = f"[{first},{last}]"
    elif first is not None:
        params[f"{resource.dated}[after]"] = first - 1
    elif last is not None:
        params[f"{resource.dated}[before]"] = last + 1
    return params


def named(resource: Resource, document_id: str) -> Params:
    """The list of the one document of this id, deleted or not."""
    return {**_params(resource), "id[is]": document_id}


def _params(resource: Resource) -> Params:
    return {"limit": PAGE, **({"include_deleted": True} if resource.has_deleted else {})}
