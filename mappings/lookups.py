"""What a form offers to choose from: QAD's accounts and customers, Chargebee's catalogue."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q
from django.http import HttpRequest, JsonResponse

from connector.ledger.names import normalised
from mappings.models import CatalogPrice, QadAccount, QadCustomer
from tenants import access
from tenants.models import Tenant

OFFERED = 50
_ENTITY_TYPES = ("plan_item_price", "addon_item_price", "charge_item_price", "adhoc")
Offer = tuple[str, str]  # value, what people read


class LookupInput(forms.TextInput):
    """A text field that offers values as one types; any text may still be written and is then checked."""

    template_name = "mappings/lookup.html"

    def __init__(self, offers: list[Offer], url: str = "") -> None:
        super().__init__()
        self.offers, self.url = offers, url

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        list_id = f"{context['widget']['attrs'].get('id', name)}_offers"
        context["widget"]["attrs"] |= {"list": list_id, "autocomplete": "off", "class": "vTextField"}
        if self.url:
            context["widget"]["attrs"]["data-lookup"] = self.url
        return {**context, "list_id": list_id, "offers": self.offers}

    class Media:
        js = ("mappings/lookup.js",)


def accounts(tenant: Tenant, current: str) -> list[Offer]:
    """Active GL accounts, and the one chosen now even if it is not among them."""
    rows = QadAccount.objects.filter(tenant=tenant, is_gone=False, is_active=True)
    offers = [(row.code, str(row)) for row in rows]
    if current and current not in dict(offers):
        offers.insert(0, (current, f"{current} — not active in QAD"))
    return [("", "---------"), *offers]


def customers(tenant: Tenant, words: str) -> list[Offer]:
    """QAD customers by the beginning of their code or by a part of their name."""
    rows = QadCustomer.objects.filter(tenant=tenant, is_gone=False, is_active=True)
    for word in words.split()[:5]:
        rows = rows.filter(Q(code__istartswith=word) | Q(search_key__contains=normalised(word) or word))
    return [(row.code, row.name) for row in rows.order_by("code")[:OFFERED]]


def catalogue(tenant: Tenant, words: str) -> list[Offer]:
    """Item prices, items, families and kinds of line, by a part of their ID or name."""
    rows = CatalogPrice.objects.filter(tenant=tenant)
    for word in words.split()[:5]:
        rows = rows.filter(
            Q(item_price__icontains=word)
            | Q(name__icontains=word)
            | Q(item__icontains=word)
            | Q(family__icontains=word)
        )
    offers: dict[str, str] = {}
    for row in rows.order_by("item_price")[:OFFERED]:
        offers.setdefault(row.item_price, f"Item price {row.name or row.item_price}")
        offers.setdefault(row.item, "Item")
        if row.family:
            offers.setdefault(row.family, "Item family")
    return [*offers.items(), *((name, "Kind of line") for name in _ENTITY_TYPES if words in name)]


LOOKUPS = {"customers": customers, "catalogue": catalogue}


def answer(request: HttpRequest, name: str) -> JsonResponse:
    """Offers for what was typed, of the current tenant only."""
    tenant = access.of(request).tenant
    words = request.GET.get("q", "")[:100]
    offers = LOOKUPS[name](tenant, words) if tenant is not None else []
    return JsonResponse({"offers": offers})
