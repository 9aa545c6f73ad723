"""The base of screens that only show: nothing is added, changed or deleted by hand."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from tenants import access
from tenants.admin import TenantScopedAdmin
from tenants.models import Tenant


class ReadOnlyAdmin(TenantScopedAdmin):
    """A list with a title of its own, newest first."""

    change_list_template = "admin/syncs/change_list.html"
    sortable_by = ()
    empty_value_display = ""
    ordering: ClassVar[tuple[str, ...]] = ("-id",)
    list_title = ""
    list_help = ""
    shows_times = True

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        tenant = access.of(request).tenant
        times = f" Times are in {tenant.time_zone}." if tenant is not None and self.shows_times else ""
        own = {"title": self.list_title, "list_title": self.list_title, "list_help": self.list_help + times}
        return super().changelist_view(request, {**own, **(extra_context or {})})

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        text, tenant = search_term.strip(), access.of(request).tenant
        if not text or tenant is None or not self.search_fields:
            return queryset, False
        return queryset.filter(pk__in=self.find(tenant, text)), False

    def find(self, tenant: Tenant, text: str) -> set[int]:
        """Keys of the rows that a search text names; asked only where there are `search_fields`."""
        raise NotImplementedError

    def own(self, request: HttpRequest, object_id: str) -> Any:
        """The row if the visitor may see it, None if there is none for them. Raises PermissionDenied."""
        row = self.get_object(request, unquote(object_id))
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return row

    def not_there(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]

    def page(self, request: HttpRequest, template: str, **context: Any) -> TemplateResponse:
        """A page of ours inside the admin's frame."""
        whole = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "list_title": self.list_title,
            **context,
        }
        return TemplateResponse(request, f"admin/syncs/{template}", whole)


class DoorAdmin(ReadOnlyAdmin):
    """Rows that are shown in full on the page of their document: opening one leads there."""

    def door(self, row: Any) -> str:
        raise NotImplementedError

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.own(request, object_id)
        return self.not_there(request, object_id) if row is None else HttpResponseRedirect(self.door(row))
