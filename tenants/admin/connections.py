"""The two connections of the current tenant, one page each."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from tenants import access, callbudget
from tenants.access import Action
from tenants.admin.connection_forms import ChargebeeForm, QadForm
from tenants.admin.scoped import TenantScopedAdmin
from tenants.answers import connection_changed
from tenants.changes import changed_values
from tenants.connections import call_host, site_limit
from tenants.models import ChargebeeConnection, ChargebeeCredential, QadConnection, QadCredential

# One way into QAD at a time: what is entered takes the place of the other.
_INSTEAD = {"password": "token", "token": "password"}


class ConnectionAdmin(TenantScopedAdmin):
    """A tenant has one: its list is its page."""

    add_action = change_action = Action.MANAGE_CONNECTIONS
    nav_group = "Tenants & connections"
    credential_model: Any

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_add_permission(request, obj) and not self.get_queryset(request).exists()

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        row = self.get_queryset(request).first()
        name = f"admin:tenants_{self.opts.model_name}"
        if row is not None:
            return HttpResponseRedirect(reverse(f"{name}_change", args=[row.pk]))
        if self.has_add_permission(request):
            return HttpResponseRedirect(reverse(f"{name}_add"))
        return super().changelist_view(request, extra_context)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            connection_changed(self.model._base_manager.get(pk=obj.pk), obj)
        super().save_model(request, obj, form, change)
        self._save_credential(request, obj, form)
        for warning in form.warnings():
            messages.warning(request, warning)

    def _save_credential(self, request: HttpRequest, obj: Any, form: Any) -> None:
        """What was entered; a secret left blank stays."""
        credential = form.credential or self.credential_model(tenant_id=obj.tenant_id)
        old = self.credential_model.objects.filter(pk=credential.pk).first() if credential.pk else None
        for name in form.credential_keys:
            value = form.cleaned_data.get(name, "")
            if value and name in _INSTEAD:
                setattr(credential, _INSTEAD[name], None)
            if value or name in ("client_id", "username"):
                setattr(credential, name, value)
        before, after = changed_values(old, credential)
        if old is None or after:
            credential.save()
            self.record(request, credential, "changed" if old else "added", before, after)

    def response_post_save_change(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        return HttpResponseRedirect(reverse("admin:tenants_tenant_change", args=[obj.tenant_id]))

    response_post_save_add = response_post_save_change

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return tuple(super().get_readonly_fields(request, obj))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who may not change a connection sees no credential fields at all."""
        fieldsets = super().get_fieldsets(request, obj)
        if access.of(request).may(Action.MANAGE_CONNECTIONS):
            return fieldsets
        hidden = {"api_key", "password", "token", "client_id", "username", "look_again", "profile_text"}
        return [
            (title, {**options, "fields": [name for name in options["fields"] if name not in hidden]})
            for title, options in fieldsets
            if title != "Credentials"
        ]


@admin.register(ChargebeeConnection)
class ChargebeeConnectionAdmin(ConnectionAdmin):
    form = ChargebeeForm
    credential_model = ChargebeeCredential
    nav_label, nav_order = "Chargebee connection", 20
    readonly_fields = ("pinned_host", "calls_used")
    fieldsets = (
        (None, {"fields": ("site", "region")}),
        ("Limits", {"fields": ("plan", "share_percent", "calls_per_minute", "concurrency", "calls_used")}),
        ("Credentials", {"fields": ("api_key",)}),
        ("Host", {"fields": ("pinned_host", "look_again", "base_url")}),
    )

    @admin.display(description="Calls used")
    def calls_used(self, row: ChargebeeConnection) -> str:
        """Of every tenant and process on the site."""
        if not row.pk:
            return "None yet"
        minute, hour = callbudget.used(call_host(row), timezone.now())
        return f"{minute:,} in this minute, {hour:,} in the last hour; {site_limit(row):,.0f} a minute are allowed"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if form.cleaned_data.get("look_again"):
            obj.pinned_host = ""
        super().save_model(request, obj, form, change)


@admin.register(QadConnection)
class QadConnectionAdmin(ConnectionAdmin):
    form = QadForm
    credential_model = QadCredential
    nav_label, nav_order = "QAD connection", 30
    readonly_fields = ("profile_version",)
    fieldsets = (
        (None, {"fields": ("base_url", "domain", "entity", "workspace", "shared_set")}),
        ("Credentials", {"fields": ("client_id", "username", "password", "token")}),
        ("Posting", {"fields": ("reference_prefix", "concurrency", "deadline_seconds")}),
        ("How this instance speaks", {"fields": ("preset", "profile_text", "profile_version")}),
    )
