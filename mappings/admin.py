"""Screens of the mappings."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_GET

from connector.errors import Conflict
from mappings import catalogue_admin, forms, history_admin, lookups, mirror_admin, upload_admin
from mappings.models import (
    AccountRole,
    BankMapping,
    CreditTermsMapping,
    CustomerMapping,
    ItemMapping,
    QadAccount,
    QadCustomer,
    TaxMapping,
)
from mappings.saving import delete_rows, save_rows
from mappings.screens import SavingScreen
from mappings.transfer import MappingTransfer
from tenants import access
from tenants.access import Action
from tenants.admin import TenantScopedAdmin
from tenants.audit import actor_name

__all__ = ["catalogue_admin", "history_admin", "mirror_admin", "upload_admin"]


class MappingAdmin(SavingScreen, MappingTransfer, TenantScopedAdmin):
    """A list and form of mappings. Every change goes through `mappings.saving`."""

    delete_selected_confirmation_template = "admin/mappings/delete_selected_confirmation.html"
    nav_group = "Mappings"
    add_action = change_action = delete_action = Action.CHANGE_MAPPINGS
    lookup = ""  # which offers its form asks for

    def get_urls(self) -> list[Any]:
        if not self.lookup:
            return super().get_urls()
        name = f"{self.opts.app_label}_{self.opts.model_name}_lookup"
        view = self.admin_site.admin_view(require_GET(self.lookup_view))
        return [path("lookup/", view, name=name), *super().get_urls()]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """With the mark of the row that is shown, for whoever may change it."""
        (name, options), *rest = super().get_fieldsets(request, obj)
        fields = [field for field in options["fields"] if field != "seen"]
        marked = [*fields, "seen"] if self.has_change_permission(request, obj) else fields
        return [(name, {**options, "fields": marked}), *rest]

    def lookup_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        return lookups.answer(request, self.lookup)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """What the change would do to open documents is shown before it is saved, where it does anything."""
        if request.method == "POST":
            shown = self._impact_page(request, object_id)
            if shown is not None:
                return shown
        return super().changeform_view(request, object_id, form_url, extra_context)

    def _impact_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse | None:
        obj = self.get_object(request, unquote(object_id)) if object_id else None
        may = self.has_change_permission(request, obj) if object_id else self.has_add_permission(request)
        if not may or (object_id and obj is None):
            return None  # the package's own view answers that
        form = self.get_form(request, obj, change=obj is not None)(request.POST, instance=obj)
        if not form.is_valid():
            return None
        return self.impact_page(request, f"{self.kind.subject(form.change.values)} is", [form.change])

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        obj = self.get_object(request, unquote(object_id))
        allowed = obj is not None and self.has_delete_permission(request, obj)
        lines = self.impact(request, [], [obj]) if allowed and request.method != "POST" else []
        return super().delete_view(request, object_id, {**(extra_context or {}), "impact": lines})

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any], *args: Any) -> Any:
        """The page that asks before several rows are deleted tells what that would do."""
        response = super().response_action(request, queryset, *args)
        if isinstance(response, TemplateResponse) and response.context_data is not None:
            response.context_data["impact"] = self.impact(request, [], list(response.context_data["queryset"]))
        return response

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        actor, now = actor_name(request.user), timezone.now()
        saved = save_rows(obj.tenant_id, [form.change], actor=actor, now=now, seen=form.row_seen)
        if saved.refusals:  # judged a moment ago by the form: someone else was faster
            raise Conflict(" ".join(str(refusal.problem) for refusal in saved.refusals))
        key = dict(zip(self.kind.key, self.kind.key_of(form.change.values), strict=True))
        obj.pk = self.model._default_manager.get(tenant_id=obj.tenant_id, **key).pk
        self.saved_changes(request, saved)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self._delete(request, [obj])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._delete(request, list(queryset))

    def _delete(self, request: HttpRequest, rows: list[Any]) -> None:
        tenant = access.of(request).tenant
        if tenant is not None:
            actor = actor_name(request.user)
            self.saved_changes(request, delete_rows(tenant.pk, rows, actor=actor, now=timezone.now()))


class DatedAdmin(MappingAdmin):
    """Mappings in force from a date on, shown with the day that ends them."""

    date_hierarchy = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        key = {field: OuterRef(field) for field in self.kind.key if field != "valid_from"}
        later = self.model._default_manager.filter(
            tenant=OuterRef("tenant"), valid_from__gt=OuterRef("valid_from"), **key
        ).order_by("valid_from")
        return rows.annotate(ended_on=Subquery(later.values("valid_from")[:1]))

    @admin.display(description="in force")
    def in_force(self, row: Any) -> str:
        last: dt.date | None = row.ended_on and row.ended_on - dt.timedelta(days=1)
        return f"{row.valid_from:%Y-%m-%d} to {last:%Y-%m-%d}" if last else f"from {row.valid_from:%Y-%m-%d}"


class CodedAdmin(DatedAdmin):
    """Mappings to a GL account, shown with its name."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        account = QadAccount.objects.filter(tenant=OuterRef("tenant"), code=OuterRef("gl_account"))
        return (
            super()
            .get_queryset(request)
            .annotate(
                account_name=Subquery(account.values("description")[:1]),
                account_is_active=Subquery(account.values("is_active")[:1]),
            )
        )

    @admin.display(description="GL account", ordering="gl_account")
    def account(self, row: Any) -> str:
        if not row.gl_account:
            return "—"
        name = f" — {row.account_name}" if row.account_name else ""
        inactive = " (inactive in QAD)" if row.account_is_active is False else ""
        return f"{row.gl_account}{name}{inactive}"

    @admin.display(description="dimensions")
    def dimensions(self, row: Any) -> str:
        given = (row.sub_account, row.cost_centre, row.project)
        return " / ".join(code or "–" for code in given) if any(given) else "—"


@admin.register(CustomerMapping)
class CustomerMappingAdmin(MappingAdmin):
    form = forms.CustomerMappingForm
    nav_order = 10
    lookup = "customers"
    list_display = ("chargebee_id", "customer", "kind", "note")
    list_filter = ("kind",)
    search_fields = ("chargebee_id", "qad_code")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        customer = QadCustomer.objects.filter(tenant=OuterRef("tenant"), code=OuterRef("qad_code"))
        return super().get_queryset(request).annotate(customer_name=Subquery(customer.values("name")[:1]))

    @admin.display(description="QAD customer", ordering="qad_code")
    def customer(self, row: Any) -> str:
        return f"{row.qad_code} — {row.customer_name}" if row.customer_name else str(row.qad_code)


@admin.register(ItemMapping)
class ItemMappingAdmin(CodedAdmin):
    form = forms.ItemMappingForm
    nav_order = 20
    lookup = "catalogue"
    list_display = ("name", "level", "account", "dimensions", "in_force", "version")
    list_filter = ("level",)
    search_fields = ("key", "gl_account")
    fieldsets = (
        (None, {"fields": ("level", "key", "valid_from")}),
        ("Account", {"fields": ("gl_account", "sub_account", "cost_centre", "project")}),
        ("QAD codes", {"fields": ("qad_item", "tax_code")}),
    )

    @admin.display(description="Chargebee", ordering="key")
    def name(self, row: ItemMapping) -> str:
        return row.key or "Everything else"


@admin.register(TaxMapping)
class TaxMappingAdmin(CodedAdmin):
    form = forms.TaxMappingForm
    nav_order = 30
    list_display = ("tax", "account", "qad_tax_code", "in_force", "version")
    search_fields = ("jurisdiction", "name", "gl_account", "qad_tax_code")

    @admin.display(description="tax", ordering="name")
    def tax(self, row: TaxMapping) -> str:
        return str(row)


@admin.register(BankMapping)
class BankMappingAdmin(CodedAdmin):
    form = forms.BankMappingForm
    nav_order = 35
    list_display = ("payment", "account", "dimensions", "daybook", "in_force", "version")
    search_fields = ("gateway", "method", "gl_account")

    @admin.display(description="payments by", ordering="gateway")
    def payment(self, row: BankMapping) -> str:
        return str(row)


@admin.register(AccountRole)
class AccountRoleAdmin(CodedAdmin):
    form = forms.AccountRoleForm
    nav_order = 40
    list_display = ("role", "account", "dimensions", "in_force", "version")
    list_filter = ("role",)


@admin.register(CreditTermsMapping)
class CreditTermsMappingAdmin(DatedAdmin):
    form = forms.CreditTermsMappingForm
    nav_label = "Credit terms"
    nav_order = 45
    list_display = ("terms", "qad_terms", "in_force", "version")
    search_fields = ("days", "qad_terms")

    @admin.display(description="days to pay", ordering="days")
    def terms(self, row: CreditTermsMapping) -> str:
        return str(row)
