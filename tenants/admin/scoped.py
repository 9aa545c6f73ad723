"""The base of every admin screen: rows, choices, filters and history of the current tenant only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from tenants import access, audit
from tenants.access import Access
from tenants.changes import actor_of, changed_values, stored_values
from tenants.models import AuditEntry
from tenants.permissions import Permissions
from tenants.scoping import CappedPaginator, OwnRelatedFilter, is_relation, owned_form, scoped

Values = dict[str, Any]
_FILTER_SUFFIXES = frozenset(
    {"", "exact", "id__exact", "pk__exact", "in", "isnull", "isempty", "gt", "gte", "lt", "lte", "year", "month", "day"}
)


def _is_filter_of(path: str, lookup: str) -> bool:
    name, _, suffix = lookup.partition(path)
    return name == "" and (suffix == "" or (suffix.startswith("__") and suffix[2:] in _FILTER_SUFFIXES))


class Scoped(Permissions):
    """What screens and inlines share: rows and choices of the current tenant."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.raw_id_fields:  # type: ignore[attr-defined]  # its label would name any tenant's row
            raise ImproperlyConfigured(f"{type(self).__name__}: use autocomplete_fields, not raw_id_fields.")

    def access(self, request: HttpRequest) -> Access:
        return access.of(request)

    def scope(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return scoped(queryset, access.of(request).tenant)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return self.scope(request, super().get_queryset(request))  # type: ignore[misc]

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*(super().get_exclude(request, obj) or ()), "tenant")  # type: ignore[misc]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs["queryset"] = self._choices(db_field, request, kwargs)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs["queryset"] = self._choices(db_field, request, kwargs)
        return super().formfield_for_manytomany(db_field, request, **kwargs)  # type: ignore[misc]

    def _choices(self, db_field: Any, request: HttpRequest, kwargs: dict[str, Any]) -> QuerySet[Any]:
        rows = kwargs.get("queryset")
        if rows is None:
            rows = self.get_field_queryset(None, db_field, request)  # type: ignore[attr-defined]
        if rows is None:
            rows = db_field.remote_field.model._default_manager.all()
        return self.scope(request, rows)


class TenantScopedInline(Scoped, admin.TabularInline):
    """Rows of the current tenant inside another row's page."""

    extra = 0
    show_change_link = False

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        kwargs["form"] = owned_form(kwargs.get("form", self.form), access.of(request).tenant)
        return super().get_formset(request, obj, **kwargs)


class TenantScopedAdmin(Scoped, admin.ModelAdmin):
    """A screen of rows that belong to a tenant. `nav_group` and `nav_order` place it in the navigation."""

    nav_group = ""
    nav_order = 50
    view_on_site = False
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = CappedPaginator
    list_per_page = 50
    list_max_show_all = 0
    audit_personal: tuple[str, ...] = ()  # fields whose values go where they can be erased

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        return owned_form(form, access.of(request).tenant)

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> Any:
        return owned_form(super().get_changelist_form(request, **kwargs), access.of(request).tenant)

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return [
            (entry, OwnRelatedFilter) if isinstance(entry, str) and is_relation(self.model, entry) else entry
            for entry in super().get_list_filter(request)
        ]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Only what a listed filter sends; never another field, and never a path of the visitor's own."""
        entries = [entry[0] if isinstance(entry, list | tuple) else entry for entry in self.get_list_filter(request)]
        if lookup in {getattr(entry, "parameter_name", None) for entry in entries}:
            return True  # a filter of ours, which reads its own parameter
        paths = [entry for entry in entries if isinstance(entry, str)] + [self.date_hierarchy or ""]
        return any(
            path
            and (lookup == path or (lookup.startswith(path + "__") and lookup[len(path) + 2 :] in _FILTER_SUFFIXES))
            for path in paths
        )

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        return to_field in (self.opts.pk.name, self.opts.pk.attname)

    # One audit line in the transaction of the change; Django's own log would keep texts for ever.
    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any: ...
    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any: ...
    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any: ...

    def audit_subject(self, obj: Any) -> str:
        return f"{obj._meta.model_name}:{obj.pk}"

    def record(
        self, request: HttpRequest, obj: Any, action: str, before: Values, after: Values, *, reason: str = ""
    ) -> None:
        """Write the audit line of one change; secrets arrive here as the word "changed" only."""
        private = set(self.audit_personal)
        line = audit.Line(
            action=f"{obj._meta.model_name}.{action}",
            subject=self.audit_subject(obj),
            reason=reason,
            before={key: value for key, value in before.items() if key not in private} or None,
            after={key: value for key, value in after.items() if key not in private} or None,
            personal_before={key: value for key, value in before.items() if key in private} or None,
            personal_after={key: value for key, value in after.items() if key in private} or None,
        )
        audit.record(self.tenant_id_of(obj), [line], actor=actor_of(request), now=timezone.now())

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        old = self.model._base_manager.filter(pk=obj.pk).first() if change else None
        before, after = changed_values(old, obj)
        super().save_model(request, obj, form, change)
        if before or after or not change:
            self.record(request, obj, "changed" if change else "added", before, after)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.record(request, obj, "deleted", stored_values(obj), {})
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for obj in queryset:
            self.record(request, obj, "deleted", stored_values(obj), {})
        super().delete_queryset(request, queryset)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        old = {row.pk: stored_values(row) for row in formset.queryset}
        super().save_formset(request, form, formset, change)
        for row in formset.new_objects:
            self.record(request, row, "added", {}, stored_values(row))
        for row, _fields in formset.changed_objects:
            self.record(request, row, "changed", old.get(row.pk, {}), stored_values(row))
        for row in formset.deleted_objects:
            self.record(request, row, "deleted", stored_values(row), {})

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """The audit lines of one row, instead of Django's log."""
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]
        if not self.has_view_or_change_permission(request, obj):
            raise PermissionDenied
        lines = AuditEntry.objects.filter(tenant=self.tenant_id_of(obj), subject=self.audit_subject(obj))
        context = {
            **self.admin_site.each_context(request),
            "title": f"History of {obj}",
            "entries": lines.order_by("-id")[:200],
            "object": obj,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/object_history.html", context)
