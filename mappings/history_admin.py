"""Every change of a mapping, with a button that undoes it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from connector.errors import Problem, clause
from mappings import copy_page, history
from mappings.kinds import KINDS
from mappings.models import MappingChange
from mappings.screens import SavingScreen
from tenants import access
from tenants.access import Action
from tenants.admin import TenantScopedAdmin
from tenants.audit import actor_name

_VERBS = {"added": "Added", "changed": "Changed", "deleted": "Deleted", "reverted": "Undone"}


class MappingFilter(admin.SimpleListFilter):
    title, parameter_name = "mappings", "of"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, f"{kind.title}s") for name, kind in history.KIND_OF_NAME.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        return history.entries(queryset, (chosen,)) if chosen in history.KIND_OF_NAME else queryset


@admin.register(MappingChange)
class MappingChangeAdmin(SavingScreen, TenantScopedAdmin):
    view_action = Action.VIEW
    nav_group, nav_label, nav_order = "Mappings", "History of changes", 90
    list_display = ("moment", "actor", "did", "what", "columns")
    list_display_links = ("moment",)
    list_filter = (MappingFilter,)
    search_fields = ("reason", "actor__startswith")
    search_help_text = "A part of the row's name, such as pro-EUR, or the beginning of a person's login."
    ordering = ("-id",)
    sortable_by = ()
    actions = None
    change_list_template = "admin/mappings/history_change_list.html"

    def get_urls(self) -> list[URLPattern]:
        return [path("copy/", self.admin_site.admin_view(self.copy_view), name="mappings_copy"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        may_copy = access.of(request).may(Action.IMPORT_MAPPINGS)
        return super().changelist_view(request, {**(extra_context or {}), "may_copy": may_copy})

    def copy_view(self, request: HttpRequest) -> HttpResponse:
        """Another tenant's mappings, taken over into this one."""
        shown, saved = copy_page.values(request)
        if saved is not None:
            self.saved_changes(request, saved)
            return HttpResponseRedirect(reverse("admin:mappings_mappingchange_changelist"))
        seen = shown.get("seen")
        context = {
            **self.admin_site.each_context(request),
            "title": "Copy mappings from another tenant",
            "opts": self.opts,
            "list_title": self.nav_label,
            **shown,
            "impact": self.impact(request, seen.changes) if seen is not None and not seen.refusals else [],
        }
        return TemplateResponse(request, "admin/mappings/copy.html", context)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return history.entries(super().get_queryset(request))

    @admin.display(description="when (UTC)")
    def moment(self, entry: MappingChange) -> str:
        return f"{entry.at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="what was done")
    def did(self, entry: MappingChange) -> str:
        return _VERBS.get(entry.action.partition(".")[2], entry.action)

    @admin.display(description="row")
    def what(self, entry: MappingChange) -> str:
        return entry.reason or entry.subject

    @admin.display(description="before → after")
    def columns(self, entry: MappingChange) -> SafeString | str:
        told = history.differences(entry)
        return format_html_join(", ", "{} {} → {}", ((one.column, one.before or "–", one.after or "–") for one in told))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One change, what undoing it would do, and the button."""
        entry = self.get_object(request, unquote(object_id))
        if entry is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]
        if not self.has_view_permission(request, entry):
            raise PermissionDenied
        if request.method == "POST":
            return self._undo(request, entry)
        is_own = entry.action.partition(".")[2] in ("added", "changed", "deleted")
        wanted = history.undo_of(entry) if is_own else None
        may_undo = wanted is not None and wanted.problem is None and self._may_undo(request)
        context = {
            **self.admin_site.each_context(request),
            "title": entry.reason or entry.subject,
            "opts": self.opts,
            "list_title": self.nav_label,
            "entry": entry,
            "did": self.did(entry),
            "differences": history.differences(entry) if is_own else [],
            "wanted": wanted,
            "effect": _effect(wanted) if wanted else [],
            "later": history.told(wanted.later) if wanted else "",
            "impact": self._impact_of(request, wanted) if wanted and may_undo else [],
            "may_undo": may_undo,
        }
        return TemplateResponse(request, "admin/mappings/mapping_change.html", context)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        return self.change_view(request, object_id)

    def _may_undo(self, request: HttpRequest) -> bool:
        return access.of(request).may(Action.CHANGE_MAPPINGS)

    def _impact_of(self, request: HttpRequest, wanted: history.Undo) -> list[str]:
        return self.impact(request, [wanted.change]) if wanted.change else self.impact(request, [], [wanted.row])

    def _undo(self, request: HttpRequest, entry: MappingChange) -> HttpResponse:
        if not self._may_undo(request) or entry.action.endswith(".reverted"):
            raise PermissionDenied
        taking = request.POST.get("taking", "")
        done = history.undo(entry, actor=actor_name(request.user), now=timezone.now(), taking=taking)
        if isinstance(done, Problem):
            messages.error(request, str(done))
            return HttpResponseRedirect(request.path)
        messages.success(request, f"Undone: {clause(entry.reason or entry.subject)}.")
        self.saved_changes(request, done)
        return HttpResponseRedirect(reverse("admin:mappings_mappingchange_changelist"))


def _effect(wanted: history.Undo) -> list[str]:
    """What undoing would do, in words."""
    if wanted.problem is not None:
        return [str(wanted.problem)]
    if wanted.change is None:
        return ["The row is deleted."]
    kind = KINDS[wanted.change.kind]
    if wanted.change.pk is None:
        given = [
            f"{one.name} {wanted.change.values[one.field]}" for one in kind.columns if wanted.change.values[one.field]
        ]
        return [f"The row is added again: {', '.join(given)}."]
    row = kind.model._default_manager.get(pk=wanted.change.pk)
    now, then = kind.values_of(row), wanted.change.values
    names = {column.field: column.name for column in kind.columns}
    moves = [f"{names[one]} {now[one] or '–'} → {then[one] or '–'}" for one in names if now[one] != then[one]]
    return [f"The row changes: {', '.join(moves)}." if moves else "The row is so already; nothing would change."]
