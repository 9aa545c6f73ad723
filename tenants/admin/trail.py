"""The audit trail and the answers of connection tests: read, never changed."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from tenants import access
from tenants.access import Action
from tenants.admin.badges import badge
from tenants.admin.scoped import TenantScopedAdmin
from tenants.models import AuditEntry, AuditPersonal, ProbeResult

_KINDS = {
    "mappings": ("Mappings", ("mapping", "customermapping", "itemmapping", "taxmapping", "accountrole", "bankmapping")),
    "connections": ("Connections", ("chargebee", "qad", "probe")),
    "tenants": ("Tenants and policies", ("tenant", "policy", "membership", "user")),
    "entities": ("Business entities", ("posted-outside",)),
    "documents": ("Documents and runs", ("posting", "source", "document", "run", "customer", "replay", "release")),
}
_DAYS = {"1": "Last 24 hours", "7": "Last 7 days", "31": "Last 31 days"}


class KindFilter(admin.SimpleListFilter):
    title, parameter_name = "kind", "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(key, label) for key, (label, _) in _KINDS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        _, starts = _KINDS.get(self.value() or "", ("", ()))
        found = Q()
        for start in starts:
            found |= Q(action__startswith=start)
        return queryset.filter(found)


class SinceFilter(admin.SimpleListFilter):
    title, parameter_name = "when", "days"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(_DAYS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in _DAYS:
            return queryset
        return queryset.filter(at__gte=timezone.now() - dt.timedelta(days=int(self.value() or 1)))


@admin.register(AuditEntry)
class AuditEntryAdmin(TenantScopedAdmin):
    """The platform also sees the lines that belong to no tenant."""

    view_action = Action.VIEW_AUDIT
    nav_group, nav_label, nav_order = "Audit", "Audit trail", 10
    list_display = ("moment", "actor", "action", "subject", "reason")
    list_display_links = ("moment",)
    list_filter = (SinceFilter, KindFilter)
    search_fields = ("subject__startswith", "actor__startswith")
    search_help_text = "The beginning of a subject, such as posting:CB-INV-1001, or of a person's login."
    ordering = ("-id",)
    sortable_by = ()
    actions = None
    fields = ("moment", "actor", "action", "subject", "reason", "earlier", "later", "personal_values")

    def allows(self, request: HttpRequest, action: Action | None, obj: Any) -> bool:
        if obj is not None and obj.tenant_id is None:
            return access.of(request).is_platform and action is self.view_action
        is_platform_look = access.of(request).is_platform and action is self.view_action and obj is None
        return is_platform_look or super().allows(request, action, obj)

    def scope(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        found = access.of(request)
        seen = Q(tenant=found.tenant) if found.may(Action.VIEW_AUDIT) else Q(pk__in=())
        return queryset.filter(seen | Q(tenant=None) if found.is_platform else seen)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.fields

    @admin.display(description="when (UTC)")
    def moment(self, entry: AuditEntry) -> str:
        return f"{entry.at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="before")
    def earlier(self, entry: AuditEntry) -> SafeString:
        return _values(entry.before)

    @admin.display(description="after")
    def later(self, entry: AuditEntry) -> SafeString:
        return _values(entry.after)

    @admin.display(description="personal values")
    def personal_values(self, entry: AuditEntry) -> SafeString | str:
        row = AuditPersonal.objects.filter(entry=entry).first()
        if row is None:
            return "—"
        if row.erased_at is not None:
            return f"Erased on {row.erased_at:%Y-%m-%d}"
        return _values({"before": row.before, "after": row.after})

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        return self.change_view(request, object_id)


@admin.register(ProbeResult)
class ProbeResultAdmin(TenantScopedAdmin):
    nav_group, nav_label, nav_order = "Tenants & connections", "Connection tests", 40
    list_display = ("subject", "side", "answer_badge", "sentence", "took", "probed_at")
    list_filter = ("side",)
    ordering = ("side", "id")
    sortable_by = ()
    actions = None
    fields = ("side", "subject", "answer_badge", "sentence", "took", "probed_at", "overridden_reason")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.fields

    @admin.display(description="answer")
    def answer_badge(self, probe: ProbeResult) -> SafeString:
        return badge(probe.answer)

    @admin.display(description="seconds")
    def took(self, probe: ProbeResult) -> str:
        return f"{probe.seconds:.2f}"


def _values(values: Any) -> SafeString:
    return render_to_string("admin/tenants/values.html", {"values": values})
