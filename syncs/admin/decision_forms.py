"""The forms in which people decide: few fields, each with what it is for."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms

from connector.periods import business_date
from tenants.models import Membership, Tenant

USUAL = dt.timedelta(days=30)  # until when something is ignored unless somebody says otherwise


def members(tenant: Tenant) -> list[tuple[str, str]]:
    """The logins of a tenant's people."""
    rows = Membership.objects.filter(tenant=tenant, user__is_active=True).order_by("user__username")
    names = rows.values_list("user__username", flat=True).distinct()
    return [(name, name) for name in names]


class DateInput(forms.DateInput):
    input_type = "date"


class IgnoreForm(forms.Form):
    reason = forms.CharField(widget=forms.Textarea(attrs={"rows": 2}), help_text="The auditor reads this.")
    owner = forms.ChoiceField(help_text="Who answers for it.")
    until = forms.DateField(
        label="Comes back on", widget=DateInput, help_text="On this day it is held again by itself; a year at most."
    )

    def __init__(self, tenant: Tenant, actor: str, now: dt.datetime, *args: Any, **kwargs: Any) -> None:
        until = business_date(now, tenant.time_zone) + USUAL
        kwargs.setdefault("initial", {"owner": actor, "until": until.isoformat()})
        super().__init__(*args, **kwargs)
        self.fields["owner"].choices = members(tenant)  # type: ignore[attr-defined]


class MarkPostedForm(forms.Form):
    number = forms.CharField(
        label="Number in QAD", max_length=40, help_text="As QAD shows it. The document is read there and compared."
    )


class KeyedForm(MarkPostedForm):
    is_applied = forms.BooleanField(
        label="What it settles is applied in QAD, too",
        required=False,
        help_text="Leave it empty if it is open there: then it is applied from here, as Chargebee says.",
    )


class ForceForm(forms.Form):
    reason = forms.CharField(
        label="Why QAD does not have it",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The second person decides by this sentence.",
    )


class SettleForm(forms.Form):
    number = forms.CharField(required=False, max_length=40)
    reason = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Needed where the two differ, and where QAD's document is called wrong.",
    )


class NoteForm(forms.Form):
    text = forms.CharField(label="Note", max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))


class AssignForm(forms.Form):
    who = forms.ChoiceField(label="Looked after by", required=False)

    def __init__(self, tenant: Tenant, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["who"].choices = [("", "nobody"), *members(tenant)]  # type: ignore[attr-defined]
