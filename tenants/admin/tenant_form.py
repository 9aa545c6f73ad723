"""The settings of a tenant as a form."""

from __future__ import annotations

import zoneinfo
from typing import Any

from django import forms

from tenants.models import Tenant


class TenantForm(forms.ModelForm):
    business_entities = forms.CharField(
        required=False, max_length=400, help_text="Ids of Chargebee business entities, with commas; empty means all."
    )

    class Meta:
        model = Tenant
        fields = ("name", "slug", "mode", "time_zone", "base_currency", "business_entities")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["business_entities"] = ", ".join(self.instance.business_entities)

    def clean_business_entities(self) -> list[str]:
        return [part.strip() for part in self.cleaned_data["business_entities"].split(",") if part.strip()]

    def clean_time_zone(self) -> str:
        name: str = self.cleaned_data["time_zone"]
        if name not in zoneinfo.available_timezones():
            raise forms.ValidationError(f"'{name}' is not a time zone. Use a name such as Europe/Berlin or UTC.")
        return name

    def clean_base_currency(self) -> str:
        code: str = self.cleaned_data["base_currency"].strip().upper()
        if len(code) != 3 or not code.isascii() or not code.isalpha():
            raise forms.ValidationError(f"'{code}' is not a currency. Use three letters such as USD.")
        return code
