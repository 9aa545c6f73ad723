"""Whole lists and whole documents, page by page, with a stop for a list that runs in a circle."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connector.chargebee.client import ChargebeeClient, Page, Params, Row
from connector.chargebee.failures import OffsetRefused
from connector.errors import Transient

MOST_LINES = 300  # a page of line items, as large as Chargebee gives them
_MOST_EMPTY_PAGES = 20
_MOST_READS = 3
_MOST_PARTS = 40  # of one document: 12,000 lines
_LINE_ARRAYS = (
    "line_items", "line_item_taxes", "line_item_discounts", "line_item_tiers", "line_item_credits",
    "line_item_addresses",
)  # fmt: skip


class Void(Transient):
    """This pass proves nothing and starts again: an offset expired, a page came twice, a document moved under it."""


def pages(client: ChargebeeClient, resource: str, params: Params | None = None) -> Iterator[Page]:
    """Every page of a list. Raises Void when an offset is refused, or when it or a whole page comes again."""
    asked: dict[str, str | int | bool] = {"limit": 100, **(params or {})}
    offsets: set[str] = set()
    before: list[Row] = []
    empty = 0
    client.expect_nothing()
    while True:
        try:
            page = client.list(resource, asked)
        except OffsetRefused as error:
            raise Void(f"{error.message} The pass starts again.", exchange=error.exchange) from None
        empty = 0 if page.rows else empty + 1
        if (page.rows and page.rows == before) or empty > _MOST_EMPTY_PAGES:
            raise _circle(resource, page)
        if page.next_offset is not None and page.next_offset not in offsets:
            client.expect(resource, {**asked, "offset": page.next_offset})
        yield page
        if page.next_offset is None:
            return
        if page.next_offset in offsets:
            raise _circle(resource, page)
        offsets.add(page.next_offset)
        before = page.rows
        asked["offset"] = page.next_offset


def all_lines(client: ChargebeeClient, invoice: Row, resource: str = "invoices") -> Row:
    """The document with the line items that `line_items_next_offset` keeps back.

    Raises Void if the document changes or vanishes between two pages: read it again from the start.
    """
    whole, offsets = invoice, set[str]()
    while offset := whole.get("line_items_next_offset"):
        if not isinstance(offset, str) or offset in offsets or len(offsets) == _MOST_PARTS:
            raise Void(f"Chargebee gives the line items of '{invoice.get('id')}' in a circle or without end.")
        offsets.add(offset)
        part = client.retrieve(
            resource, str(invoice.get("id")), {"line_items_limit": MOST_LINES, "line_items_offset": offset}
        )
        if part is None or part.get("resource_version") != invoice.get("resource_version"):
            raise Void(f"'{invoice.get('id')}' changed while its line items were read.")
        whole = _joined(whole, part)
    return whole


def _joined(whole: Row, part: Row) -> Row:
    arrays: dict[str, Any] = {}
    for name in _LINE_ARRAYS:
        kept = list(whole.get(name) or ())
        seen = {_identity(name, row) for row in kept}
        kept += [row for row in part.get(name) or () if _identity(name, row) not in seen]
        if kept:
            arrays[name] = kept
    joined = {**whole, **arrays}
    joined.pop("line_items_next_offset", None)
    if part.get("line_items_next_offset"):
        joined["line_items_next_offset"] = part["line_items_next_offset"]
    return joined


def _identity(name: str, row: Any) -> str:
    """A line is known by its id; what hangs on a line has none and is known by all it says."""
    if name == "line_items" and isinstance(row, dict) and isinstance(row.get("id"), str):
        return row["id"]
    return repr(sorted(row.items(), key=str)) if isinstance(row, dict) else repr(row)


def whole(client: ChargebeeClient, row: Any, resource: str) -> Any:
    """The document with all its lines, read anew while it moves.

    One that never holds still stays as it is: its `line_items_next_offset` says that it must not be posted.
    """
    for _ in range(_MOST_READS):
        if not isinstance(row, dict) or not row.get("line_items_next_offset"):
            return row
        try:
            return all_lines(client, row, resource)
        except Void:
            row = client.retrieve(resource, str(row.get("id"))) or row
    return row


def _circle(resource: str, page: Page) -> Void:
    message = f"Chargebee gave a page of {resource} twice; the pass is void and starts again."
    return Void(message, exchange=page.reply.exchange)
