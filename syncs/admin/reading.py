"""The base of screens that only show: nothing is added, changed or deleted by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django_q.tasks import async_task

from tenants import access
from tenants.access import Action
from tenants.admin import TenantScopedAdmin
from tenants.changes import actor_of
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

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.own(request, object_id)
        return self.not_there(request, object_id) if row is None else self.show(request, row)

    def show(self, request: HttpRequest, row: Any) -> HttpResponse:
        """The page of a row that the visitor may see: Django's own, unless a screen has a better one."""
        return super().change_view(request, str(row.pk))

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

    def show(self, request: HttpRequest, row: Any) -> HttpResponse:
        return HttpResponseRedirect(self.door(row))


@dataclass(frozen=True, slots=True)
class Job:
    """What a button puts into the queue, and what it says then."""

    task: str
    arguments: tuple[Any, ...]
    says: str


class JobAdmin(ReadOnlyAdmin):
    """Rows that jobs leave behind, and the button that queues one for the current tenant."""

    job_name = ""  # the last part of its address
    job_action: ClassVar[Action]

    def job(self, request: HttpRequest, tenant: Tenant) -> Job | str:
        """What is queued, or why it cannot be."""
        raise NotImplementedError

    def may_queue(self, request: HttpRequest) -> bool:
        return access.of(request).may(self.job_action)

    def get_urls(self) -> list[URLPattern]:
        address = f"syncs_{self.opts.model_name}_{self.job_name}"
        view = self.admin_site.admin_view(self.queue)
        return [path(f"{self.job_name}/", view, name=address), *super().get_urls()]

    def queue(self, request: HttpRequest) -> HttpResponse:
        """Ask the task queue for one."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        tenant = access.of(request).tenant
        if tenant is None or not self.may_queue(request):
            raise PermissionDenied
        job = self.job(request, tenant)
        if isinstance(job, str):
            self.message_user(request, job, messages.ERROR)
        else:
            async_task(job.task, tenant.pk, *job.arguments, actor_of(request))
            self.message_user(request, f"{job.says} Reload this page then.")
        return HttpResponseRedirect(reverse(f"admin:syncs_{self.opts.model_name}_changelist"))

    @admin.display(description="in words")
    def sentence_shown(self, row: Any) -> str:
        return str(row.sentence)
