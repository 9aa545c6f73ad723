"""An admin site whose screens open every kind of door on tenant-owned rows; the addresses of test_doors."""

from django.contrib import admin
from django.urls import path

from tenants.access import Action
from tenants.admin import TenantScopedAdmin, TenantScopedInline
from tenants.models import AuditEntry, AuditPersonal, AuditSeal, ProbeResult
from tenants.site import ConnectorSite

site = ConnectorSite(name="admin")


class SealInline(TenantScopedInline):
    model = AuditSeal
    view_action = change_action = add_action = Action.CHANGE_MAPPINGS


@admin.register(AuditEntry, site=site)
class EntryAdmin(TenantScopedAdmin):
    list_display = ("action", "actor")
    list_filter = ("action",)
    search_fields = ("action",)
    inlines = (SealInline,)


@admin.register(AuditSeal, site=site)
class SealAdmin(TenantScopedAdmin):
    add_action = change_action = Action.CHANGE_MAPPINGS
    list_display = ("digest", "entry")
    list_filter = ("entry",)
    autocomplete_fields = ("entry",)


@admin.register(AuditPersonal, site=site)
class PersonalAdmin(TenantScopedAdmin):
    add_action = Action.CHANGE_MAPPINGS


@admin.action(description="Overrule")
def overrule(screen, request, queryset):
    queryset.update(overridden_reason="overruled")


@admin.register(ProbeResult, site=site)
class ProbeAdmin(TenantScopedAdmin):
    nav_group = "Overview"
    add_action = change_action = delete_action = Action.CHANGE_MAPPINGS
    list_display = ("subject", "answer", "sentence")
    list_editable = ("answer",)
    list_filter = ("answer",)
    search_fields = ("subject", "sentence")
    actions = (overrule,)
    fields = ("side", "subject", "answer", "sentence", "seconds", "probed_at")


urlpatterns = [path("admin/", site.urls)]
