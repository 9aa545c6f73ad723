"""Where Chargebee is to send webhooks: the address, who may send, and replacing one credential by another."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from connector.errors import Configuration
from syncs import webhook_keys
from syncs.admin import words
from syncs.admin.reading import ReadOnlyAdmin
from syncs.models import Style, WebhookCredential, WebhookEndpoint, WebhookEvent
from syncs.webhook_keys import Made
from tenants import access
from tenants.access import Action
from tenants.changes import actor_of
from tenants.models import Tenant


@admin.register(WebhookEndpoint)
class WebhookSetupAdmin(ReadOnlyAdmin):
    """A tenant has one: its list is its page."""

    nav_group, nav_label, nav_order = "Tenants & connections", "Webhooks", 35
    list_title = "Webhooks"
    view_action = Action.MANAGE_CONNECTIONS

    def get_urls(self) -> list[URLPattern]:
        views = (("make", self.make), ("retire", self.retire))
        ours = [
            path(f"{name}/", self.admin_site.admin_view(view), name=f"syncs_webhookendpoint_{name}")
            for name, view in views
        ]
        return ours + super().get_urls()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return self._shown(request, self._tenant(request))

    def show(self, request: HttpRequest, row: Any) -> HttpResponse:
        return self._back()

    @sensitive_variables("made")
    def make(self, request: HttpRequest) -> HttpResponse:
        """A credential more; its secret stands in this one answer and nowhere else."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        tenant, style = self._tenant(request), request.POST.get("style", Style.BASIC)
        if style not in Style.values:
            self.message_user(request, "Choose how Chargebee is to show the secret.", messages.ERROR)
            return self._back()
        try:
            made = webhook_keys.make(tenant, style, actor=actor_of(request), now=timezone.now())
        except Configuration as error:
            self.message_user(request, error.message, messages.ERROR)
            return self._back()
        return self._shown(request, tenant, made)

    def retire(self, request: HttpRequest) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        tenant, key = self._tenant(request), request.POST.get("credential", "")
        is_done = key.isascii() and key.isdigit() and len(key) < 19
        is_done = is_done and webhook_keys.retire(tenant, int(key), actor=actor_of(request), now=timezone.now())
        if is_done:
            self.message_user(request, "It is no longer valid. What still shows it is refused.")
        else:
            self.message_user(request, "There is no such valid credential.", messages.ERROR)
        return self._back()

    def _tenant(self, request: HttpRequest) -> Tenant:
        tenant = access.of(request).tenant
        if tenant is None or not access.of(request).may(Action.MANAGE_CONNECTIONS):
            raise PermissionDenied
        return tenant

    def _back(self) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:syncs_webhookendpoint_changelist"))

    def _shown(self, request: HttpRequest, tenant: Tenant, made: Made | None = None) -> TemplateResponse:
        endpoint = WebhookEndpoint.objects.filter(tenant=tenant).first()
        url = request.build_absolute_uri(reverse("webhook", args=[endpoint.public_id])) if endpoint else ""
        token = f"?{webhook_keys.TOKEN_PARAMETER}={made.secret}" if made and made.row.style == Style.URL_TOKEN else ""
        valid = list(WebhookCredential.objects.filter(tenant=tenant, retired_at=None))
        answer = self.page(
            request,
            "webhook.html",
            title="Webhooks",
            tenant=tenant,
            url=f"{url}{token}",
            is_https=request.is_secure(),
            made=made,
            credentials=[(row, row.get_style_display(), _minute(row.created_at, tenant), _used(row)) for row in valid],
            may_make=len(valid) < len(webhook_keys.SLOTS),
            styles=Style.choices,
            last=_last(tenant),
        )
        answer["Cache-Control"] = "no-store"
        return answer


def _minute(at: Any, tenant: Tenant) -> str:
    return words.minute(at, tenant.time_zone)


def _used(row: WebhookCredential) -> str:
    """When it was shown last, so that nobody retires the one in use."""
    rows = WebhookEvent.objects.filter(tenant=row.tenant_id, credential=row.pk).order_by("-delivered_at")
    at = rows.values_list("delivered_at", flat=True).first()
    return _minute(at, row.tenant) if at else "never"


def _last(tenant: Tenant) -> str:
    event = WebhookEvent.objects.filter(tenant=tenant).order_by("-id").only("received_at", "event_type").first()
    return f"{_minute(event.received_at, tenant)} ({event.event_type or 'no type'})" if event else ""
