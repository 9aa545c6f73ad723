"""Large uploads: how far they are, what their check found, and the buttons that save them."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST
from django_q.tasks import async_task

from mappings import giving_up, uploading
from mappings.kinds import KINDS
from mappings.models import MappingUpload, UploadState
from mappings.sheets import UnreadableFile
from tenants import access
from tenants.access import Action
from tenants.admin import TenantScopedAdmin
from tenants.audit import actor_name
from tenants.models import Tenant

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_AGAIN_SECONDS = 2  # the page of an upload that is under way loads itself anew


def hand_over(tenant: Tenant) -> None:
    """Give the lane of uploads a turn at once instead of at the next minute."""
    async_task("syncs.tasks.work", tenant.pk, "uploads")


@admin.register(MappingUpload)
class MappingUploadAdmin(TenantScopedAdmin):
    view_action = Action.IMPORT_MAPPINGS
    nav_group, nav_label, nav_order = "Mappings", "Large uploads", 88
    list_display = (
        "file_name",
        "mappings",
        "state",
        "rows_done",
        "created",
        "changed",
        "unchanged",
        "wrong",
        "actor",
        "created_at",
    )
    list_filter = ("state",)
    sortable_by: ClassVar[tuple[str, ...]] = ()
    actions = None

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/save/", view(require_POST(self.save_view)), name="mappings_mappingupload_save"),
            path("<int:pk>/check/", view(require_POST(self.check_view)), name="mappings_mappingupload_check"),
            path("<int:pk>/wrong-rows/", view(self.wrong_rows_view), name="mappings_mappingupload_wrong_rows"),
            *super().get_urls(),
        ]

    @admin.display(description="mappings")
    def mappings(self, upload: MappingUpload) -> str:
        return f"{KINDS[upload.kind].title}s"

    @admin.display(description="rows")
    def rows_done(self, upload: MappingUpload) -> str:
        return f"{upload.done_rows:,} of {upload.total_rows:,}" if upload.is_under_way else f"{upload.total_rows:,}"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        upload = self.get_object(request, unquote(object_id))
        if upload is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]
        if not self.has_view_permission(request, upload):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": upload.file_name,
            "opts": self.opts,
            "list_title": self.nav_label,
            "upload": upload,
            "mappings": self.mappings(upload),
            "percent": round(100 * upload.done_rows / upload.total_rows) if upload.total_rows else 0,
            "is_checked": upload.state == UploadState.CHECKED,
            "is_failed": upload.state == UploadState.FAILED,
            "may_check_again": giving_up.may_check_again(upload),
            "impact": upload.shown.get("impact", []) if upload.state == UploadState.CHECKED else [],
            "changes_only": upload.created + upload.changed,
            "shown_at_most": uploading.SHOWN,
        }
        response = TemplateResponse(request, "admin/mappings/upload.html", context)
        if upload.is_under_way:
            response["Refresh"] = str(_AGAIN_SECONDS)
        return response

    def save_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for the save of what was checked."""
        upload = self._own(request, pk)
        actor = actor_name(request.user)
        may_leave_out = "leave_out" in request.POST
        if uploading.ask_to_save(upload, may_leave_out=may_leave_out, actor=actor, now=timezone.now()):
            hand_over(upload.tenant)
        else:
            messages.warning(request, "It is being saved already, or its wrong rows must be left out or mended first.")
        return HttpResponseRedirect(reverse("admin:mappings_mappingupload_change", args=[pk]))

    def check_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for another check of what was given up."""
        upload = self._own(request, pk)
        if giving_up.check_again(upload, timezone.now()):
            hand_over(upload.tenant)
        else:
            messages.warning(request, "It is being checked already.")
        return HttpResponseRedirect(reverse("admin:mappings_mappingupload_change", args=[pk]))

    def wrong_rows_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The wrong rows with their reasons, to mend and upload again."""
        upload = self._own(request, pk)
        try:
            content = uploading.wrong_rows(upload)
        except UnreadableFile as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(reverse("admin:mappings_mappingupload_change", args=[pk]))
        reply = HttpResponse(content, content_type=_XLSX)
        reply["Content-Disposition"] = f'attachment; filename="{upload.kind}-wrong-rows.xlsx"'
        return reply

    def _own(self, request: HttpRequest, pk: int) -> MappingUpload:
        tenant = access.of(request).tenant
        upload = MappingUpload.objects.select_related("tenant").filter(tenant=tenant, pk=pk).first()
        if tenant is None or upload is None or not self.has_view_permission(request, upload):
            raise PermissionDenied
        return upload
