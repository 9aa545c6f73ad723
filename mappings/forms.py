"""The forms of the mappings: each row is judged by the same rules as a spreadsheet's."""

from __future__ import annotations

from typing import Any

from django import forms
from django.urls import reverse

from connector.errors import Problem
from mappings import lookups
from mappings.cells import CellError
from mappings.kinds import KIND_OF_MODEL
from mappings.models import AccountRole, BankMapping, CreditTermsMapping, CustomerMapping, ItemMapping, TaxMapping
from mappings.planning import Change, Planned, fingerprint, moved, plan, refusals_of
from tenants.models import Tenant


class MappingForm(forms.ModelForm):
    """`change` is what is to be saved, by `mappings.saving` and by nothing else."""

    change: Change | None = None
    seen = forms.CharField(required=False, widget=forms.HiddenInput)  # the row that the form was filled from

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "seen" in self.fields and self.instance.pk is not None:
            self.fields["seen"].initial = fingerprint([self._stored()])
        self.tenant: Tenant | None = self.instance.tenant if self.instance.tenant_id else getattr(self, "owner", None)
        if "gl_account" in self.fields and self.tenant is not None:
            offers = lookups.accounts(self.tenant, self.instance.gl_account)
            self.fields["gl_account"].widget = forms.Select(choices=offers)

    def clean(self) -> dict[str, Any]:
        values = dict(super().clean() or self.cleaned_data)
        kind = KIND_OF_MODEL[self._meta.model]
        for column in kind.columns:
            if column.field in values:
                try:
                    values[column.field] = column.parse(values[column.field])
                except CellError as error:
                    self.add_error(column.field, str(error))
        if not self.errors:
            self._judge(Change(kind.name, {field: values[field] for field in kind.fields}, pk=self.instance.pk))
        return values

    def _stored(self) -> Planned:
        kind = KIND_OF_MODEL[self._meta.model]
        values = kind.values_of(self.instance)
        return Planned(Change(kind.name, values, pk=self.instance.pk), self.instance, values)

    def _judge(self, change: Change) -> None:
        tenant_id = self.instance.tenant_id
        planned = plan(tenant_id, [change])
        kind = KIND_OF_MODEL[self._meta.model]
        self.row_seen = self.cleaned_data.get("seen") or fingerprint(planned)
        if stale := moved(planned, self.row_seen):
            self.add_error(None, f"{_sentence(stale[0].problem)} Open it anew.")
            return
        if change.pk is None and not planned[0].is_new:
            self.add_error(None, f"{kind.subject(change.values)} exists already. Change that row instead.")
        for refusal in refusals_of(tenant_id, planned):
            self.add_error(refusal.finding.field or None, _sentence(refusal.problem))
        self.change = change

    def validate_unique(self) -> None:
        """Judged by the plan, with a sentence."""

    def validate_constraints(self) -> None:
        """Judged by the rules, with a sentence."""


def _sentence(problem: Problem) -> str:
    """The problem without the name of the row, which the page shows."""
    text = str(problem).removeprefix(f"{problem.subject}: ")
    return text[:1].upper() + text[1:]


class CustomerMappingForm(MappingForm):
    class Meta:
        model = CustomerMapping
        fields = ("chargebee_id", "qad_code", "kind", "note")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        url = reverse("admin:mappings_customermapping_lookup")
        offers = lookups.customers(self.tenant, "") if self.tenant is not None else []
        if "qad_code" in self.fields:  # a reader has no fields
            self.fields["qad_code"].widget = lookups.LookupInput(offers, url)


class ItemMappingForm(MappingForm):
    class Meta:
        model = ItemMapping
        fields = (
            "level", "key", "valid_from", "gl_account", "sub_account", "cost_centre", "project", "qad_item", "tax_code",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        url = reverse("admin:mappings_itemmapping_lookup")
        offers = lookups.catalogue(self.tenant, "") if self.tenant is not None else []
        if "key" in self.fields:
            self.fields["key"].widget = lookups.LookupInput(offers, url)


class TaxMappingForm(MappingForm):
    class Meta:
        model = TaxMapping
        fields = ("jurisdiction", "name", "rate", "valid_from", "gl_account", "qad_tax_code")


class AccountRoleForm(MappingForm):
    class Meta:
        model = AccountRole
        fields = ("role", "valid_from", "gl_account", "sub_account", "cost_centre", "project")


class CreditTermsMappingForm(MappingForm):
    class Meta:
        model = CreditTermsMapping
        fields = ("days", "valid_from", "qad_terms")


class BankMappingForm(MappingForm):
    class Meta:
        model = BankMapping
        fields = (
            "gateway", "method", "currency", "valid_from", "gl_account", "sub_account", "cost_centre", "project",
            "daybook",
        )  # fmt: skip
