"""Builds an invoice from what is billed: lines, discounts, credits, taxes. The same bill gives the same invoice."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from connector.sandbox.chargebee.arithmetic import line_taxes, share, total_invoice

Document = dict[str, Any]
Rates = tuple[tuple[str, str, str], ...]  # (name, percent, jurisdiction type)

COMPONENTS = ("line_items", "line_item_tiers", "line_item_discounts", "line_item_taxes", "discounts", "taxes")


@dataclass(frozen=True, slots=True)
class Charge:
    """One line to bill; amounts are minor units, `discount` is the line's own."""

    amount: int
    entity_id: str = ""  # the item price; '' makes an ad-hoc line
    entity_type: str = "plan_item_price"
    description: str = "Subscription fee"
    quantity: int = 1
    unit_amount: int | None = None
    pricing_model: str = "flat_fee"
    discount: int = 0
    taxes: Rates = ()
    exempt_reason: str = ""
    subscription_id: str = ""
    tiers: tuple[Document, ...] = ()
    extra: Document = field(default_factory=dict)  # *_in_decimal, metered…


@dataclass(frozen=True, slots=True)
class Bill:
    """What one invoice bills. `document_discount` and `promotional_credits` are spread over the lines."""

    id: str
    customer: Document
    charges: tuple[Charge, ...]
    date: int
    currency: str
    status: str = "posted"
    price_type: str = "tax_exclusive"
    term: tuple[int, int] = (0, 0)
    subscription_id: str = ""
    document_discount: int = 0
    promotional_credits: int = 0
    round_off: int = 0
    net_term_days: int = 0
    time_zone: str = "Etc/UTC"
    exchange_rate: float = 1.0


def invoice(bill: Bill) -> Document:
    """The whole document with every identity true. It is not linked to payments or notes yet."""
    lines = [_line(bill, position, charge) for position, charge in enumerate(bill.charges)]
    discounts = _discounts(bill, lines)
    taxes: list[Document] = []
    for line, charge in zip(lines, bill.charges, strict=True):
        taxes += _taxes(bill, line, charge)
    tiers = [{"object": "line_item_tier", "line_item_id": line["id"], **tier}
             for line, charge in zip(lines, bill.charges, strict=True) for tier in charge.tiers]  # fmt: skip
    document = _head(bill)
    document |= {"line_items": lines, "line_item_tiers": tiers, "line_item_taxes": taxes, **discounts}
    for name in COMPONENTS:
        if not document.get(name):
            document.pop(name, None)
    return total_invoice(document)


def _line(bill: Bill, position: int, charge: Charge) -> Document:
    line: Document = {
        "object": "line_item",
        "id": f"li_{bill.id}_{position + 1}",
        "date_from": bill.term[0] or bill.date,
        "date_to": bill.term[1] or bill.date,
        "unit_amount": charge.unit_amount if charge.unit_amount is not None else charge.amount // charge.quantity,
        "quantity": charge.quantity,
        "amount": charge.amount,
        "pricing_model": charge.pricing_model,
        "is_taxed": False,
        "tax_amount": 0,
        "discount_amount": charge.discount,
        "item_level_discount_amount": charge.discount,
        "description": charge.description,
        "entity_type": charge.entity_type if charge.entity_id else "adhoc",
        "customer_id": bill.customer["id"],
    }
    if charge.entity_id:
        line["entity_id"] = charge.entity_id
    if charge.subscription_id or bill.subscription_id:
        line["subscription_id"] = charge.subscription_id or bill.subscription_id
    return line | charge.extra


def _taxes(bill: Bill, line: Document, charge: Charge) -> list[Document]:
    if charge.exempt_reason:
        line["tax_exempt_reason"] = charge.exempt_reason
        return []
    if not charge.taxes or line["amount"] == line["discount_amount"]:
        line["tax_exempt_reason"] = "zero_value_item" if charge.taxes else "tax_not_configured"
        return []
    return line_taxes(line, list(charge.taxes), bill.price_type)


def _discounts(bill: Bill, lines: list[Document]) -> dict[str, list[Document]]:
    """Discount rows of lines and document; each line's discount_amount grows by its share."""
    rows, heads = [], []
    for line in lines:
        if line["discount_amount"]:
            amount, entity = line["discount_amount"], "LOYALTY10"
            rows.append(_line_discount(line, "item_level_coupon", amount, entity))
            heads.append(_discount("item_level_coupon", amount, "Loyalty 10%", entity) | {"line_item_id": line["id"]})
    for kind, amount, entity in (
        ("document_level_coupon", bill.document_discount, "WELCOME"),
        ("promotional_credits", bill.promotional_credits, ""),
    ):
        parts = share(amount, [line["amount"] - line["discount_amount"] for line in lines])
        for line, part in zip(lines, parts, strict=True):
            if part:
                line["discount_amount"] += part
                rows.append(_line_discount(line, kind, part, entity))
        if amount:
            heads.append(_discount(kind, amount, "Welcome offer" if entity else "Promotional credits", entity))
    return {"line_item_discounts": rows, "discounts": heads}


def _line_discount(line: Document, kind: str, amount: int, entity: str) -> Document:
    row = {"object": "line_item_discount", "line_item_id": line["id"], "discount_type": kind, "discount_amount": amount}
    return row | {"entity_id": entity, "coupon_id": entity} if entity else row


def _discount(kind: str, amount: int, description: str, entity: str) -> Document:
    row = {"object": "discount", "entity_type": kind, "description": description, "amount": amount}
    return row | {"entity_id": entity, "discount_type": "fixed_amount"} if entity else row


def _head(bill: Bill) -> Document:
    is_final = bill.status != "pending"
    head: Document = {
        "object": "invoice",
        "id": bill.id,
        "customer_id": bill.customer["id"],
        "recurring": True,
        "status": bill.status,
        "price_type": bill.price_type,
        "date": bill.date,
        "currency_code": bill.currency,
        "base_currency_code": "USD",
        "exchange_rate": bill.exchange_rate,
        "net_term_days": bill.net_term_days,
        "round_off_amount": bill.round_off,
        "new_sales_amount": 0,
        "first_invoice": False,
        "has_advance_charges": False,
        "term_finalized": is_final,
        "is_gifted": False,
        "deleted": False,
        "channel": "web",
        "is_digital": False,  # seen in real answers, in no published schema: clients must bear unknown keys
        "site_details_at_creation": {"timezone": bill.time_zone},
    }
    if is_final:
        head |= {"generated_at": bill.date, "due_date": bill.date + bill.net_term_days * 86_400}
    if bill.subscription_id:
        head["subscription_id"] = bill.subscription_id
    for name in ("vat_number", "vat_number_prefix", "business_entity_id"):
        if bill.customer.get(name):
            head[name] = bill.customer[name]
    if bill.customer.get("billing_address"):
        head["billing_address"] = bill.customer["billing_address"] | {"object": "billing_address"}
    return head
