"""What people change after a cycle was billed, and perhaps posted: edits, voids, withheld tax, credits applied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from connector.sandbox.chargebee import invoicing, notes
from connector.sandbox.chargebee.core import Core
from connector.sandbox.chargebee.store import Document

_STEP = 7  # one invoice in so many is changed


def change(core: Core) -> dict[str, int]:
    """Changes every seventh invoice in the next way that fits it; says how often which."""
    done: Counter[str] = Counter()
    invoices = sorted(core.store.all("invoice"), key=lambda row: str(row["id"]))
    for turn, invoice in enumerate(invoices[::_STEP]):
        if invoice["status"] in ("pending", "voided") or not invoice["total"]:
            continue
        ways = _OF_OPEN if invoice["amount_to_collect"] == invoice["total"] else _OF_OTHERS
        name = list(ways)[turn % len(ways)]
        ways[name](core, invoice)
        done[name] += 1
    for note in core.store.all("credit_note"):
        if note["type"] == "store" and note["status"] == "refund_due" and note["amount_available"]:
            done["applied"] += _apply(core, note)
    return dict(done)


def _edit(core: Core, invoice: Document) -> None:
    line = invoice["line_items"][0]
    invoicing.change_line(core, invoice["id"], 0, line["amount"] + 1_000)


def _void(core: Core, invoice: Document) -> None:
    invoicing.void(core, invoice["id"])


def _void_with_note(core: Core, invoice: Document) -> None:
    invoicing.void(core, invoice["id"], with_credit_note=True)


def _withhold(core: Core, invoice: Document) -> None:
    row = {"id": f"tw-{invoice['id']}", "amount": max(1, invoice["amount_due"] // 10), "date": core.now()}
    invoicing.edit(core, invoice["id"], {"linked_taxes_withheld": [row]})


def _apply(core: Core, note: Document) -> int:
    """On the first open invoice of the same customer that takes all of it."""
    for invoice in core.store.all("invoice"):
        fits = invoice["customer_id"] == note["customer_id"] and invoice["amount_due"] > note["amount_available"]
        if fits and invoice["status"] in ("posted", "payment_due", "not_paid"):
            notes.apply(core, note["id"], invoice["id"], note["amount_available"])
            return 1
    return 0


_Way = Callable[[Core, Document], None]
_OF_OPEN: dict[str, _Way] = {"edited": _edit, "voided": _void, "withheld": _withhold, "void-noted": _void_with_note}
_OF_OTHERS: dict[str, _Way] = {"edited": _edit}
