"""Which system a transaction comes from, and the account that its cash goes through."""

from datetime import date

from . import lookup
from .model import Document
from .outcome import held, skipped
from .world import World


def require_ours(transaction: Document, world: World) -> None:
    """Offline receipts are QAD's own unless the policy for their method says that Chargebee is the origin."""
    if transaction.get("gateway") != "not_applicable":
        return
    offline = world.mapping.policies.offline
    method = transaction.get("payment_method") or ""
    if offline.get(method, offline.get("", "qad")) == "chargebee":
        return
    if transaction["id"] in world.mapping.matched_receipts:
        raise skipped("QAD has the receipt")
    raise held("offline: no QAD receipt was matched")


def payment_account(payment: Document, world: World, day: date) -> lookup.Coding:
    found = lookup.bank(world.mapping, payment, day)
    if found is None:
        raise held(f"no bank account for {payment.get('gateway')}, {payment.get('payment_method')}")
    return found


def refund_account(refund: Document, payment: Document | None, world: World, day: date) -> lookup.Coding:
    """Where the money leaves: the refund's own gateway and method; a chargeback leaves where its payment came in."""
    sources = [refund, payment] if refund.get("payment_method") != "chargeback" else [payment, refund]
    if world.mapping.policies.refund_account == "gateway":
        for source in sources:
            found = lookup.bank(world.mapping, source, day) if source else None
            if found is not None:
                return found
    return lookup.role(world.mapping, "refund_clearing", day)
