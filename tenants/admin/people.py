"""Logins and memberships: the platform's business."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import UserCreationForm
from django.contrib.auth.models import User
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse

from tenants import access
from tenants.access import Action
from tenants.admin.scoped import TenantScopedAdmin
from tenants.models import Membership
from tenants.permissions import PlatformPermissions


class PlatformAdmin(PlatformPermissions, TenantScopedAdmin):
    """Rows of the installation, whatever tenant."""

    add_action: Action | None = Action.MANAGE_TENANT
    change_action: Action | None = Action.MANAGE_TENANT
    delete_action: Action | None = Action.MANAGE_TENANT

    def scope(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset if access.of(request).is_platform else queryset.none()


@admin.register(User)
class LoginAdmin(PlatformAdmin, UserAdmin):
    nav_group, nav_label, nav_order = "Tenants & connections", "Logins", 60
    delete_action = None  # the audit names them; switch off instead
    list_display = ("username", "full_name", "email", "is_active", "is_superuser", "last_login")
    list_filter = ("is_active", "is_superuser")
    search_fields = ("username", "first_name", "last_name", "email")
    filter_horizontal = ()
    add_form = UserCreationForm
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("username", "password1", "password2")}),)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Access", {"fields": ("is_active", "is_superuser", "last_login")}),
    )
    readonly_fields = ("last_login",)

    @admin.display(description="name")
    def full_name(self, user: User) -> str:
        return user.get_full_name() or "—"

    def audit_subject(self, obj: Any) -> str:
        return f"user:{obj.get_username()}"

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        answer: HttpResponse = super().user_change_password(request, id, form_url)
        if request.method == "POST" and answer.status_code == 302:
            user = self.get_object(request, id)
            self.record(request, user, "password", {}, {"password": "changed"})
        return answer


@admin.register(Membership)
class MembershipAdmin(PlatformAdmin):
    """Who holds which role where; a tenant's own integration admin may look."""

    nav_group, nav_order = "Tenants & connections", 50
    list_display = ("user", "tenant", "role")
    list_filter = ("role",)
    search_fields = ("user__username", "tenant__slug")
    list_select_related = ("user", "tenant")
    fields = ("tenant", "user", "role")

    def allows(self, request: HttpRequest, action: Action | None, obj: Model | None) -> bool:
        if access.of(request).is_platform:
            return action is not None
        return action is self.view_action and access.of(request).may(Action.MANAGE_TENANT)

    def scope(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        found = access.of(request)
        if found.is_platform:
            return queryset
        return queryset.filter(tenant=found.tenant) if queryset.model is Membership else queryset.none()

    def tenant_id_of(self, obj: Any) -> int | None:
        return int(obj.tenant_id)

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ()

    def audit_subject(self, obj: Any) -> str:
        return f"user:{obj.user.get_username()}"
