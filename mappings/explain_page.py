"""The page that answers "which row wins, and why?" for an item, a tax, a payment or a role on a date."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.http import QueryDict

from connector.ledger.coding import rate_text
from connector.ledger.explaining import Question
from connector.periods import business_date
from mappings import explained, table
from mappings.models import CatalogPrice, RoleName
from tenants.models import Tenant

_TYPES = [
    ("", "as the item price says"),
    *((one, one) for one in ("plan_item_price", "addon_item_price", "charge_item_price", "adhoc")),
]


class _Asked(forms.Form):
    on = forms.DateField(
        label="On",
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"invalid": "Write a date such as 2026-01-31."},
    )

    def question(self, tenant: Tenant) -> Question:
        raise NotImplementedError


class ItemForm(_Asked):
    """An item price finds its item and family in the catalogue; a line without one has an entity type."""

    item_price = forms.CharField(label="Item price", required=False, max_length=100)
    charge = forms.ChoiceField(label="Kind of line", required=False, choices=_TYPES)
    field_order = ("item_price", "charge", "on")

    def question(self, tenant: Tenant) -> Question:
        values = self.cleaned_data
        price = CatalogPrice.objects.filter(tenant=tenant, item_price=values["item_price"]).first()
        item, family = (price.item, price.family) if price and values["item_price"] else ("", "")
        kind = f"{price.item_type}_item_price" if price and price.item_type else ""
        return Question("item", (values["item_price"], item, family, values["charge"] or kind), values["on"])


class TaxForm(_Asked):
    name = forms.CharField(label="Tax", max_length=100, help_text="Its name in Chargebee.")
    rate = forms.CharField(label="Rate", required=False, max_length=20, help_text="Percent, such as 8.875.")
    jurisdiction = forms.CharField(required=False, max_length=100)
    field_order = ("name", "rate", "jurisdiction", "on")

    def clean_rate(self) -> str:
        text = self.cleaned_data["rate"].strip().removesuffix("%").strip()
        if not text:
            return ""
        try:
            rate = Decimal(text.replace(",", "."))
        except InvalidOperation:
            rate = Decimal(-1)
        if not rate.is_finite() or not 0 <= rate <= 1000:
            raise forms.ValidationError(f"'{text}' is no rate. Write a number such as 8.875.")
        return rate_text(rate)

    def question(self, tenant: Tenant) -> Question:
        values = self.cleaned_data
        return Question("tax", (values["jurisdiction"], values["name"], values["rate"]), values["on"])


class BankForm(_Asked):
    gateway = forms.CharField(required=False, max_length=60, help_text="not_applicable for offline payments.")
    method = forms.CharField(label="Payment method", required=False, max_length=40)
    currency = forms.CharField(required=False, max_length=3)
    field_order = ("gateway", "method", "currency", "on")

    def question(self, tenant: Tenant) -> Question:
        values = self.cleaned_data
        return Question("bank", (values["gateway"], values["method"], values["currency"].upper()), values["on"])


class RoleForm(_Asked):
    role = forms.ChoiceField(choices=RoleName.choices)
    field_order = ("role", "on")

    def question(self, tenant: Tenant) -> Question:
        return Question("role", (self.cleaned_data["role"],), self.cleaned_data["on"])


FORMS: dict[str, type[_Asked]] = {"item": ItemForm, "tax": TaxForm, "bank": BankForm, "role": RoleForm}


def values(tenant: Tenant, query: QueryDict, *, now: dt.datetime) -> dict[str, Any]:
    """What the page shows for a query string: `kind`, and the fields of its form."""
    kind = query.get("kind", "item")
    kind = kind if kind in FORMS else "item"
    is_asked = "on" in query
    today = business_date(now, tenant.time_zone)
    form = FORMS[kind](query if is_asked else None, initial={"on": today})
    found = None
    if is_asked and form.is_valid():
        found = explained.answer(table.rules(tenant.pk, kind), form.question(tenant))
    tabs = [(name, title, name == kind) for name, title in explained.TITLES.items()]
    return {"form": form, "kind": kind, "tabs": tabs, "answer": found}
