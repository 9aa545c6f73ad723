"""The product catalog: two families, eight items on sale, their prices in five currencies, a few that are gone."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from connector.sandbox.chargebee.arithmetic import rounded
from connector.sandbox.chargebee.core import Core
from connector.sandbox.chargebee.store import Document

# What one US cent is in the smallest unit Chargebee counts: hundredths of a dinar, but whole yen.
RATES = {"USD": "1", "EUR": "0.92", "GBP": "0.79", "JPY": "1.5", "KWD": "0.31"}
CURRENCIES = tuple(RATES)
TIERS = ((1, 100, 0), (101, 1000, 12), (1001, 0, 7))  # from unit, to unit (0: open), US cents each
CALL_PRICE = Decimal("0.0125")  # of a US cent's hundred: the price in major units for each API call
_OPENED = 400 * 86_400


@dataclass(frozen=True, slots=True)
class Product:
    id: str
    name: str
    type: str  # plan | addon | charge
    family: str
    cents: int
    model: str = "flat_fee"
    is_metered: bool = False
    account: str = ""  # accounting_code, '' where nobody filled it in


PRODUCTS = (
    Product("basic", "Basic plan", "plan", "cloud-platform", 4_900, account="4000"),
    Product("pro", "Pro plan", "plan", "cloud-platform", 19_900, account="4000"),
    Product("enterprise", "Enterprise plan", "plan", "cloud-platform", 129_900),
    Product("extra-seats", "Extra seats", "addon", "cloud-platform", 1_500, "per_unit", account="4100"),
    Product("storage", "Storage", "addon", "cloud-platform", 0, "tiered"),
    Product("api-calls", "API calls", "addon", "cloud-platform", 0, "per_unit", is_metered=True, account="4200"),
    Product("onboarding", "Onboarding", "charge", "services", 99_900, account="4300"),
    Product("training", "Training day", "charge", "services", 75_000, "per_unit"),
)


def in_currency(cents: int, currency: str) -> int:
    """A US price in the smallest unit of another currency."""
    return rounded(Decimal(cents) * Decimal(RATES[currency]))


def price_id(product: Product, currency: str, period: str = "Monthly") -> str:
    return f"{product.id}-{currency}" + ("" if product.type == "charge" else f"-{period}")


def stock(core: Core) -> None:
    """Fills the catalog, long before the site opens."""
    at = core.now() - _OPENED
    for family, name in (("cloud-platform", "Cloud platform"), ("services", "Services")):
        _put(core, {"object": "item_family", "id": family, "name": name, "status": "active"}, at)
    for product in PRODUCTS:
        _put(core, item(product), at)
        for currency in CURRENCIES:
            for period in ("",) if product.type == "charge" else ("Monthly", "Yearly"):
                _put(core, {**item_price(product, currency, period), "created_at": at}, at)
    _retired(core, at)


def _retired(core: Core, at: int) -> None:
    legacy = Product("legacy", "Legacy licence", "plan", "cloud-platform", 2_900, account="4990")
    gone = {"status": "deleted", "deleted": True}
    _put(core, {**item(legacy), **gone}, at)
    _put(core, {**item_price(legacy, "USD", "Monthly"), "created_at": at, **gone}, at)
    old = Product("starter", "Starter plan", "plan", "cloud-platform", 1_900)
    _put(core, {**item(old), "status": "archived", "archived_at": at + 60}, at)
    _put(
        core, {**item_price(old, "USD", "Monthly"), "created_at": at, "status": "archived", "archived_at": at + 60}, at
    )


def _put(core: Core, document: Document, at: int) -> None:
    core.store.put({"deleted": False, **document, "updated_at": at + 60, "resource_version": (at + 60) * 1000})


def item(product: Product) -> Document:
    document: Document = {
        "object": "item",
        "id": product.id,
        "name": product.name,
        "external_name": product.name,
        "status": "active",
        "item_family_id": product.family,
        "type": product.type,
        "is_shippable": False,
        "is_giftable": False,
        "enabled_for_checkout": True,
        "enabled_in_portal": True,
        "included_in_mrr": product.type != "charge",
        "item_applicability": "all",
        "metered": product.is_metered,
        "channel": "web",
        "metadata": {},
    }
    if product.is_metered:
        document |= {"unit": "call", "usage_calculation": "sum_of_usages"}
    return document


def item_price(product: Product, currency: str, period: str) -> Document:
    key = price_id(product, currency, period or "Monthly")
    document: Document = {
        "object": "item_price",
        "id": key,
        "name": key.replace("-", " "),
        "external_name": product.name,
        "item_family_id": product.family,
        "item_id": product.id,
        "item_type": product.type,
        "status": "active",
        "pricing_model": product.model,
        "currency_code": currency,
        "free_quantity": 0,
        "channel": "web",
        "is_taxable": True,
        "show_description_in_invoices": False,
        "show_description_in_quotes": False,
    }
    if product.model == "tiered":
        document["tiers"] = [_tier(*tier, currency) for tier in TIERS]
    elif product.is_metered:
        document |= {"price_in_decimal": str(call_price(currency)), "free_quantity_in_decimal": "0"}
    else:
        document["price"] = in_currency(product.cents, currency) * (10 if period == "Yearly" else 1)
    if period:
        document |= {"period": 1, "period_unit": "year" if period == "Yearly" else "month"}
    if product.account:
        document["accounting_detail"] = {"object": "accounting_detail", "sku": f"SKU-{product.id.upper()}",
                                         "accounting_code": product.account}  # fmt: skip
    return document


def call_price(currency: str) -> Decimal:
    """Major units for one API call."""
    factor = Decimal(RATES[currency]) * (100 if currency == "JPY" else 1)
    return (CALL_PRICE * factor).normalize()


def _tier(first: int, last: int, cents: int, currency: str) -> Document:
    tier: Document = {"object": "tier", "starting_unit": first, "price": in_currency(cents, currency)}
    return tier | {"ending_unit": last} if last else tier
