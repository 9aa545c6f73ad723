"""The admin site: who may enter, which tenant they work in, and the navigation."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite, ModelAdmin
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from tenants import access, navigation
from tenants.logins import LoginForm
from tenants.permissions import Permissions
from tenants.sandbox import is_sandbox

# Other packages' screens know no tenants, and django-q's would let a person edit the schedules: they stay out.
_LEFT_OUT = ("django.", "django_q.", "import_export.", "axes.")


class ConnectorSite(AdminSite):
    site_header = "QAD–Chargebee connector"
    site_title = "QAD–Chargebee connector"
    index_title = "Overview"
    enable_nav_sidebar = False  # our own stands in templates/admin/base.html
    login_form = LoginForm
    site_url = None

    def register(
        self, model_or_iterable: Any, admin_class: type[ModelAdmin[Any]] | None = None, **options: Any
    ) -> None:
        """Closed: only screens that know tenants and roles."""
        if admin_class is not None and issubclass(admin_class, Permissions):
            super().register(model_or_iterable, admin_class, **options)
        elif admin_class is None or not admin_class.__module__.startswith(_LEFT_OUT):
            raise ImproperlyConfigured(f"{admin_class} does not stand on TenantScopedAdmin.")

    def has_permission(self, request: HttpRequest) -> bool:
        """Active, and a platform superuser or a member of some tenant."""
        found = access.of(request)
        return bool(request.user.is_active and (found.is_platform or found.tenant is not None))

    def get_urls(self) -> list[URLResolver | URLPattern]:
        ours = [path("switch-tenant/", self.admin_view(require_POST(self.switch_tenant)), name="switch_tenant")]
        # the shortcut view would look up any row of any tenant
        return ours + [url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site"]

    def switch_tenant(self, request: HttpRequest) -> HttpResponse:
        chosen = request.POST.get("tenant", "")
        if not chosen.isdigit() or not access.choose(request, int(chosen)):
            messages.error(request, "That tenant is not one of yours.")
        target = request.POST.get("next", "")
        is_ours = url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()})
        return HttpResponseRedirect(target if is_ours else reverse("admin:index"))

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        context = super().each_context(request)
        if not context["has_permission"]:
            return context
        found = access.of(request)
        return {
            **context,
            "access": found,
            "navigation": navigation.groups(self, request),
            "is_sandbox": found.tenant is not None and is_sandbox(found.tenant),
        }
