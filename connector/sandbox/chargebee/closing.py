"""What happens to invoices after they are billed: credit notes, refunds, write-offs, chargebacks, reversals."""

from __future__ import annotations

from collections.abc import Callable

from connector.sandbox.chargebee import cash, notes
from connector.sandbox.chargebee.core import Core
from connector.sandbox.chargebee.store import Document

_STEP = 5  # one invoice in so many gets a story


def live_on(core: Core, invoice_ids: list[str]) -> None:
    """Gives every fifth invoice the next story that fits its status."""
    turns = dict.fromkeys(_STORIES, 0)
    for key in invoice_ids[::_STEP]:
        invoice = core.find("invoice", key)
        status = "paid" if invoice["status"] == "paid" else "open" if invoice["amount_due"] else ""
        if invoice["status"] in ("voided", "pending") or not status or not invoice["total"]:
            continue
        stories = _STORIES[status]
        stories[turns[status] % len(stories)](core, invoice)
        turns[status] += 1


def _payment_of(invoice: Document) -> str:
    return next((str(row["txn_id"]) for row in invoice["linked_payments"] if row["txn_status"] == "success"), "")


def _part(invoice: Document) -> int:
    return max(1, int(invoice["total"]) // 4)


def _adjusted(core: Core, invoice: Document) -> None:
    notes.credit(core, invoice["id"], _part(invoice), "adjustment", "Subscription Change")


def _written_off(core: Core, invoice: Document) -> None:
    notes.write_off(core, invoice["id"])


def _adjusted_and_voided(core: Core, invoice: Document) -> None:
    note = notes.credit(core, invoice["id"], invoice["amount_due"], "adjustment", "Waiver")
    notes.void(core, note["id"])


def _paid_late_with_excess(core: Core, invoice: Document) -> None:
    payment = cash.pay(core, {invoice["id"]: invoice["amount_due"]}, unused=2_500, payment_method="check")
    cash.refund_payment(core, payment["id"], 1_000)


def _stored(core: Core, invoice: Document) -> None:
    notes.credit(core, invoice["id"], min(_part(invoice), invoice["sub_total"]), "store", "Goodwill")


def _attempted(core: Core, invoice: Document) -> None:
    cash.pay(core, {invoice["id"]: invoice["amount_due"]}, status="in_progress", payment_method="direct_debit")


def _verified(core: Core, invoice: Document) -> None:
    """An authorization is no money; this one never got an updated_at."""
    held = cash.transaction(
        core, invoice["customer_id"], invoice["currency_code"], 100, "authorization", status="voided"
    )
    core.store.put(held | {"amount_capturable": 0, "authorization_reason": "verification", "resource_version": 1})


def _refunded(core: Core, invoice: Document) -> None:
    note = notes.credit(core, invoice["id"], _part(invoice), "refundable", "Product Unsatisfactory")
    cash.refund_note(core, note["id"], note["total"], _payment_of(invoice))


def _refund_due(core: Core, invoice: Document) -> None:
    notes.credit(core, invoice["id"], _part(invoice), "refundable", "Service Unsatisfactory")


def _charged_back(core: Core, invoice: Document) -> None:
    note = notes.credit(
        core, invoice["id"], invoice["amount_paid"], "refundable", "Chargeback", reason_code="chargeback"
    )
    cash.refund_note(core, note["id"], note["total"], _payment_of(invoice), payment_method="chargeback")


def _refundable_voided(core: Core, invoice: Document) -> None:
    note = notes.credit(core, invoice["id"], _part(invoice), "refundable", "Order Change")
    notes.void(core, note["id"])


def _reversed(core: Core, invoice: Document) -> None:
    cash.reverse_payment(core, _payment_of(invoice))


def _failed_late(core: Core, invoice: Document) -> None:
    cash.change_payment(core, _payment_of(invoice), "late_failure")


_Story = Callable[[Core, Document], None]
_STORIES: dict[str, tuple[_Story, ...]] = {
    "open": (_adjusted, _written_off, _adjusted_and_voided, _paid_late_with_excess, _stored, _attempted, _verified),
    "paid": (_refunded, _refund_due, _charged_back, _refundable_voided, _reversed, _failed_late),
}
