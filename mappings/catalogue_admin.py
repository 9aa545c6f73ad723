"""Chargebee's catalogue: which item prices land where, and the page that maps what is missing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.views.decorators.http import require_GET

from connector.periods import business_date
from mappings import coverage, explain_page, unmapped
from mappings.kinds import KINDS
from mappings.models import CatalogPrice, Level
from mappings.planning import Change, Planned, fingerprint, plan, refusals_of
from mappings.saving import save_rows
from mappings.screens import SavingScreen
from tenants import access, navigation
from tenants.access import Action
from tenants.admin import TenantScopedAdmin
from tenants.audit import actor_name
from tenants.models import Tenant

ROWS_SHOWN = 100
navigation.register(navigation.Page("Mappings", "Which mapping wins?", "admin:mappings_explain", order=85))
_NOT_MAPPED = "none"


def _so_many(count: int, one: str = "", many: str = "") -> str:
    """'1 mapping is', '2 mappings are'."""
    return f"{count} mapping {one}".strip() if count == 1 else f"{count} mappings {many}".strip()


def _today(tenant: Tenant) -> dt.date:
    return business_date(timezone.now(), tenant.time_zone)


class LevelFilter(admin.SimpleListFilter):
    title = "mapped by"
    parameter_name = "mapped_by"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(_NOT_MAPPED, "Not mapped"), *((level.value, str(level.label)) for level in Level)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if chosen is None or chosen not in {_NOT_MAPPED, *Level.values}:
            return queryset
        return queryset.filter(mapped_level="" if chosen == _NOT_MAPPED else chosen)


class DayForm(forms.Form):
    """From when on the new mappings hold."""

    valid_from = forms.DateField(
        label="Valid from",
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"required": "Choose the first day.", "invalid": "Write a date such as 2026-01-01."},
        help_text="Documents dated before this day stay held.",
    )


@admin.register(CatalogPrice)
class CatalogPriceAdmin(SavingScreen, TenantScopedAdmin):
    """Read-only, but for the desk."""

    nav_group, nav_label, nav_order = "Mappings", "Chargebee catalogue", 15
    change_list_template = "admin/mappings/catalogue_change_list.html"
    list_display = ("item_price", "name", "belongs", "currency", "status", "lands", "first_seen")
    list_filter = (LevelFilter, "status", "item_type", "currency")
    search_fields = ("item_price", "name", "item", "family")
    list_title = "Chargebee catalogue"

    def get_urls(self) -> list[URLPattern]:
        return [
            path("unmapped/", self.admin_site.admin_view(self.desk_view), name="mappings_catalogprice_desk"),
            path("explain/", self.admin_site.admin_view(require_GET(self.explain_view)), name="mappings_explain"),
            *super().get_urls(),
        ]

    def explain_view(self, request: HttpRequest) -> HttpResponse:
        """Which mapping wins for an item, a tax, a payment or a role, and why."""
        tenant = access.of(request).tenant
        if tenant is None or not self.has_view_permission(request):
            raise PermissionDenied
        shown = explain_page.values(tenant, request.GET, now=timezone.now())
        context = {**self.admin_site.each_context(request), "title": "Which mapping wins?", **shown}
        return TemplateResponse(request, "admin/mappings/explain.html", context)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        tenant = access.of(request).tenant
        rows = super().get_queryset(request)
        return coverage.levelled(rows, _today(tenant)) if tenant else rows.none()

    @admin.display(description="mapped by", ordering="mapped_level")
    def lands(self, row: Any) -> str:
        if row.mapped_level:
            return str(Level(row.mapped_level).label)
        return "Not mapped" if row.status == "active" else "—"

    @admin.display(description="item, family", ordering="item")
    def belongs(self, row: Any) -> str:
        return format_html('{}<br><span class="hint">{}</span>', row.item, row.family)

    @admin.display(description="first seen", ordering="first_seen_at")
    def first_seen(self, row: Any) -> str:
        return date_format(timezone.localtime(row.first_seen_at), "DATE_FORMAT")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        tenant = access.of(request).tenant
        missing = coverage.unmapped(tenant.pk, _today(tenant)).count() if tenant else 0
        context = {"missing": missing, "may_map": access.of(request).may(Action.CHANGE_MAPPINGS)}
        return super().changelist_view(request, {**(extra_context or {}), **context})

    def desk_view(self, request: HttpRequest) -> HttpResponse:
        """What is not mapped, each with suggestions to accept one by one or together."""
        found = access.of(request)
        if found.tenant is None or not found.may(Action.CHANGE_MAPPINGS):
            raise PermissionDenied
        today = _today(found.tenant)
        form = DayForm(
            request.POST if request.method == "POST" else None, initial={"valid_from": today.replace(month=1, day=1)}
        )
        if request.method == "POST" and form.is_valid():
            answer = self._accept(request, found.tenant, form.cleaned_data["valid_from"])
            if answer is not None:
                return answer
        page = Paginator(unmapped.rows(found.tenant.pk, today), ROWS_SHOWN).get_page(request.GET.get("page"))
        context = {
            **self.admin_site.each_context(request),
            "title": "Map what is missing",
            "opts": self.opts,
            "list_title": self.list_title,
            "form": form,
            "page": page,
            "rows": [self._shown(request, row) for row in page.object_list],
        }
        return TemplateResponse(request, "admin/mappings/unmapped.html", context)

    def _shown(self, request: HttpRequest, row: unmapped.Row) -> dict[str, Any]:
        """One row for the page; what was chosen stays chosen when the form comes back with an error."""
        field = f"{row.level}:{row.key}"
        best = unmapped.packed(row.suggestions[0].target) if row.suggestions else ""
        chosen = request.POST.get(f"choice:{field}", best)
        offers = [
            {
                "value": unmapped.packed(one.target),
                "account": one.target.gl_account,
                "dimensions": " / ".join(
                    code for code in (one.target.sub_account, one.target.cost_centre, one.target.project) if code
                ),
                "percent": round(one.score * 100),
                "reasons": one.reasons,
                "is_chosen": unmapped.packed(one.target) == chosen,
            }
            for one in row.suggestions
        ]
        own = f"{reverse('admin:mappings_itemmapping_add')}?{urlencode({'level': row.level, 'key': row.key})}"
        return {
            "row": row,
            "field": field,
            "offers": offers,
            "is_accepted": field in request.POST.getlist("accept"),
            "own": own,
        }

    def _accept(self, request: HttpRequest, tenant: Tenant, valid_from: dt.date) -> HttpResponse | None:
        """Save what was ticked, all or nothing, once its impact has been seen; None where something is wrong."""
        changes = self._changes(request, valid_from)
        if not changes:
            messages.error(request, "Nothing was ticked. Tick the items whose suggestion you accept.")
            return None
        planned = plan(tenant.pk, changes)
        if not self._are_free(request, tenant, planned):
            return None
        shown = self.impact_page(request, _so_many(len(changes), "is", "are"), changes)
        return shown or self._save(request, tenant, changes, fingerprint(planned), valid_from)

    def _are_free(self, request: HttpRequest, tenant: Tenant, planned: Sequence[Planned]) -> bool:
        """Whether all may be saved; what is in the way is told."""
        taken = [one.change for one in planned if not one.is_new and not one.is_unchanged]
        for change in taken:
            what = KINDS[change.kind].subject(change.values)
            messages.error(request, f"{what} was added by somebody else meanwhile. Change that row instead.")
        refusals = [] if taken else refusals_of(tenant.pk, planned)
        for refusal in refusals:
            messages.error(request, str(refusal.problem))
        return not taken and not refusals

    def _save(
        self, request: HttpRequest, tenant: Tenant, changes: Sequence[Change], seen: str, valid_from: dt.date
    ) -> HttpResponse | None:
        saved = save_rows(tenant.pk, changes, actor=actor_name(request.user), now=timezone.now(), seen=seen)
        for refusal in saved.refusals:
            messages.error(request, str(refusal.problem))
        if saved.refusals:
            return None
        count = saved.created + saved.changed
        messages.success(request, f"{_so_many(count)} saved, valid from {valid_from:%Y-%m-%d}.")
        self.saved_changes(request, saved)
        return HttpResponseRedirect(reverse("admin:mappings_catalogprice_desk"))

    def _changes(self, request: HttpRequest, valid_from: dt.date) -> list[Change]:
        found = []
        for field in request.POST.getlist("accept"):
            level, _, key = field.partition(":")
            made = unmapped.change(level, key, request.POST.get(f"choice:{field}", ""), valid_from)
            found += [made] if made else []
        return found
