"""What a subscription bills in a cycle. A recipe is chosen by position, so even a small site has every kind of line."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from connector.sandbox.chargebee import catalog
from connector.sandbox.chargebee.arithmetic import rounded
from connector.sandbox.chargebee.catalog import PRODUCTS, Product, call_price, in_currency, price_id
from connector.sandbox.chargebee.documents import Charge
from connector.sandbox.chargebee.store import Document

_BY_ID = {product.id: product for product in PRODUCTS}


@dataclass(frozen=True, slots=True)
class Basket:
    """The lines of one invoice and what is taken off it as a whole."""

    charges: tuple[Charge, ...]
    document_discount: int = 0
    promotional_credits: int = 0
    rounds_off: bool = False
    is_consolidated: bool = False


def basket(position: int, currency: str, chance: random.Random) -> Basket:
    """The basket of the subscription at `position`; amounts in the currency's smallest unit."""
    return _RECIPES[position % len(_RECIPES)](currency, chance)


def plan(currency: str, chance: random.Random) -> Charge:
    product = _BY_ID[chance.choice(("basic", "pro", "pro", "enterprise"))]
    return _fixed(product, currency, 1)


def _fixed(product: Product, currency: str, quantity: int) -> Charge:
    price = in_currency(product.cents, currency)
    return Charge(
        amount=price * quantity,
        entity_id=price_id(product, currency),
        entity_type=f"{product.type}_item_price",
        description=product.name,
        quantity=quantity,
        unit_amount=price,
        pricing_model=product.model,
    )


def _seats(currency: str, chance: random.Random) -> Charge:
    return _fixed(_BY_ID["extra-seats"], currency, chance.randint(2, 40))


def _storage(currency: str, chance: random.Random) -> Charge:
    """Tiered: each part of the quantity at its tier's price; the amount is no price times quantity."""
    used, tiers, amount = chance.randint(120, 2500), [], 0
    for first, last, cents in catalog.TIERS:
        part = max(0, min(used, last or used) - first + 1)
        price = in_currency(cents, currency)
        if part:
            amount += part * price
            tier = {"starting_unit": first, "quantity_used": part, "unit_amount": price, "pricing_type": "per_unit"}
            tiers.append(tier | {"ending_unit": last} if last else tier)
    charge = _fixed(_BY_ID["storage"], currency, used)
    return replace(charge, amount=amount, unit_amount=0, tiers=tuple(tiers))


def _calls(currency: str, chance: random.Random) -> Charge:
    """Metered, with more decimals than money has: only *_in_decimal is exact, `amount` is rounded once."""
    used, price = Decimal(chance.randint(100_000, 9_000_000)) / 100, call_price(currency)
    exact = used * price
    extra: Document = {
        "metered": True,
        "quantity_in_decimal": f"{used:f}",
        "unit_amount_in_decimal": f"{price:f}",
        "amount_in_decimal": f"{exact:f}",
    }
    charge = _fixed(_BY_ID["api-calls"], currency, 1)
    minor = exact if currency == "JPY" else exact * 100
    return replace(charge, amount=rounded(minor), quantity=int(used), unit_amount=0, extra=extra)


def _adhoc(currency: str, chance: random.Random) -> Charge:
    return Charge(in_currency(chance.randint(500, 25_000), currency), description="Data migration, as agreed by mail")


def _discounted(charge: Charge, percent: int) -> Charge:
    return replace(charge, discount=charge.amount * percent // 100)


def _plain(currency: str, chance: random.Random) -> Basket:
    return Basket((plan(currency, chance),))


def _with_seats(currency: str, chance: random.Random) -> Basket:
    return Basket((plan(currency, chance), _seats(currency, chance)))


def _line_discount(currency: str, chance: random.Random) -> Basket:
    return Basket((_discounted(plan(currency, chance), 10), _seats(currency, chance)))


def _document_discount(currency: str, chance: random.Random) -> Basket:
    lines = (plan(currency, chance), _seats(currency, chance))
    return Basket(lines, document_discount=sum(line.amount for line in lines) * 15 // 100)


def _both_discounts(currency: str, chance: random.Random) -> Basket:
    lines = (_discounted(plan(currency, chance), 20), _storage(currency, chance), _seats(currency, chance))
    return Basket(lines, document_discount=in_currency(777, currency))


def _promotional(currency: str, chance: random.Random) -> Basket:
    return Basket((plan(currency, chance), _seats(currency, chance)), promotional_credits=in_currency(1_234, currency))


def _metered(currency: str, chance: random.Random) -> Basket:
    return Basket((plan(currency, chance), _calls(currency, chance), _storage(currency, chance)))


def _with_adhoc(currency: str, chance: random.Random) -> Basket:
    return Basket((plan(currency, chance), _adhoc(currency, chance)))


def _consolidated(currency: str, chance: random.Random) -> Basket:
    return Basket(tuple(plan(currency, chance) for _ in range(3)), is_consolidated=True)


def _rounded_off(currency: str, chance: random.Random) -> Basket:
    return Basket((_discounted(plan(currency, chance), 7), _calls(currency, chance)), rounds_off=True)


def _set_up(currency: str, chance: random.Random) -> Basket:
    services = _fixed(_BY_ID["onboarding"], currency, 1), _fixed(_BY_ID["training"], currency, chance.randint(1, 3))
    return Basket((plan(currency, chance), *services))


def _free(currency: str, chance: random.Random) -> Basket:
    """Everything discounted away: a zero total."""
    return Basket((_discounted(plan(currency, chance), 100),))


_Recipe = Callable[[str, random.Random], Basket]
_RECIPES: tuple[_Recipe, ...] = (
    *(_plain, _with_seats, _line_discount, _document_discount, _metered, _with_seats, _promotional, _with_adhoc),
    *(_plain, _both_discounts, _consolidated, _rounded_off, _with_seats, _set_up, _plain, _metered, _plain, _free),
    _with_seats,
)
