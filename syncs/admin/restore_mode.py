"""Reading back: what QAD showed of our references, restore mode with its progress, and the way out with a reason."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from syncs import restoring
from syncs.admin import words
from syncs.admin.reading import ReadOnlyAdmin
from syncs.models import ReadBack
from tenants import access
from tenants.access import Action
from tenants.changes import actor_of
from tenants.models import Tenant


@admin.register(ReadBack)
class ReadBackAdmin(ReadOnlyAdmin):
    """One page for the tenant that the visitor works in; there is no list."""

    nav_group, nav_label, nav_order = "Month end", "Reading back", 40
    list_title = "Reading back"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.leave)
        return [path("leave/", view, name="syncs_readback_leave"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        tenant = access.of(request).tenant
        if tenant is None or not self.has_view_permission(request):
            raise PermissionDenied
        row = ReadBack.objects.filter(tenant=tenant).first()
        may_leave = access.of(request).may(Action.SWITCH_POSTING)
        return self.page(request, "read_back.html", title=self.list_title, may_leave=may_leave, **shown(tenant, row))

    def show(self, request: HttpRequest, row: Any) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:syncs_readback_changelist"))

    def leave(self, request: HttpRequest) -> HttpResponse:
        """End restore mode of the current tenant."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        tenant = access.of(request).tenant
        if tenant is None or not access.of(request).may(Action.SWITCH_POSTING):
            raise PermissionDenied
        reason = request.POST.get("reason", "").strip()
        if not reason:
            self.message_user(request, "Say why; the reason is kept in the audit.", messages.ERROR)
        else:
            self._leave(request, tenant, reason)
        return HttpResponseRedirect(reverse("admin:syncs_readback_changelist"))

    def _leave(self, request: HttpRequest, tenant: Tenant, reason: str) -> None:
        accepted = request.POST.getlist("accept")
        now, actor = timezone.now(), actor_of(request)
        still = restoring.leave(tenant, reason=reason, accepted=accepted, now=now, actor=actor)
        if still:
            self.message_user(request, f"{tenant} stays in restore mode. {still[0]}", messages.ERROR)
        else:
            self.message_user(request, f"Restore mode of {tenant} ended; documents may be sent again.")


def shown(tenant: Tenant, row: ReadBack | None) -> dict[str, Any]:
    """Context of the page."""
    if row is None:
        return {"row": None, "is_restoring": False}
    zone = tenant.time_zone
    facts = [
        ("Last read back", words.moment(row.checked_at, zone)),
        ("Everything read, once a day", words.moment(row.swept_at, zone)),
    ]
    if row.restoring_since is None:
        return {"row": row, "is_restoring": False, "facts": facts, "tone": "good" if row.is_proved else "bad"}
    points = restoring.open_points(tenant, row)
    facts += [
        ("Restore mode since", words.moment(row.restoring_since, zone)),
        ("QAD's lists read whole", words.moment(row.listed_at, zone)),
        ("Found in QAD and adopted", f"{row.adopted:,}"),
        ("Proved absent from QAD", f"{row.absent:,}"),
        ("Still to be looked up", f"{restoring.to_look_up(tenant, row).count():,}"),
    ]
    acceptable = [point for point in points if point.code in restoring.ACCEPTABLE]
    return {
        "row": row,
        "is_restoring": True,
        "tone": "bad",
        "facts": facts,
        "points": [point for point in points if point.code not in restoring.ACCEPTABLE],
        "acceptable": acceptable,
    }
