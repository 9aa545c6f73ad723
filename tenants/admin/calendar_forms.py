"""Forms of the billing calendar: nonsense is answered at its field, and what a rule has no use for is forgotten."""

from __future__ import annotations

from typing import Any

from django import forms

from connector import slots
from connector.slots import NEEDS
from tenants import calendar
from tenants.models import Blackout, CalendarRule, Tenant

_KIND_CHOICES = [(kind, kind.replace("_", " ").capitalize()) for kind in slots.KINDS]
_EMPTY: dict[str, Any] = {"day": None, "weekday": None, "at": None, "cron": ""}


class RuleForm(forms.ModelForm):
    """`owner` is the current tenant (tenants.scoping.owned_form)."""

    kinds = forms.MultipleChoiceField(
        choices=_KIND_CHOICES,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="What is read from Chargebee; nothing chosen means everything.",
    )
    owner: Tenant | None = None

    class Meta:
        model = CalendarRule
        fields = ("name", "pattern", "day", "weekday", "at", "cron", "time_zone", "kinds", "is_paused")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.owner is not None and "time_zone" in self.fields:
            self.fields["time_zone"].help_text = f"Such as Europe/Berlin; empty means {self.owner.time_zone}."

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        pattern = cleaned.get("pattern", "")
        for name in _EMPTY.keys() - NEEDS.get(pattern, frozenset()):
            cleaned[name] = _EMPTY[name]
        self._look_over(cleaned, pattern)
        return cleaned

    def _look_over(self, cleaned: dict[str, Any], pattern: str) -> None:
        """What the arithmetic says of the rule, beside what the fields have said already."""
        given = {name: cleaned.get(name, empty) for name, empty in _EMPTY.items()}
        draft = CalendarRule(tenant=self.owner, pattern=pattern, time_zone=cleaned.get("time_zone", ""), **given)
        for problem in calendar.problems(draft) if pattern and self.owner is not None else ():
            if problem.subject in self.fields and problem.subject not in self.errors:
                self.add_error(problem.subject, str(problem))


class BlackoutForm(forms.ModelForm):
    """Moments are entered and shown in the tenant's zone: the screen sets it."""

    class Meta:
        model = Blackout
        fields = ("reason", "begins_at", "ends_at")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        begins, ends = cleaned.get("begins_at"), cleaned.get("ends_at")
        for problem in slots.window_problems(begins, ends) if begins and ends else ():
            self.add_error("ends_at", str(problem))
        return cleaned
