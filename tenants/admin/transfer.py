"""Spreadsheet import and export of the current tenant's rows only."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from import_export.admin import ImportExportMixin

from tenants import access
from tenants.access import Action


class TenantTransferMixin(ImportExportMixin):
    """Put it before TenantScopedAdmin. Its resources are made with `tenant=` the current tenant and must keep to it.

    The rows of an export come from `get_queryset` of the screen, which is scoped.
    """

    import_action_needed: Action | None = Action.IMPORT_MAPPINGS
    export_action_needed: Action | None = Action.EXPORT
    skip_import_confirm = False

    def has_import_permission(self, request: HttpRequest) -> bool:
        return access.of(request).may(self.import_action_needed)

    def has_export_permission(self, request: HttpRequest) -> bool:
        return access.of(request).may(self.export_action_needed)

    def get_import_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        found: dict[str, Any] = super().get_import_resource_kwargs(request, **kwargs)
        return {**found, "tenant": access.of(request).tenant}

    def get_export_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        found: dict[str, Any] = super().get_export_resource_kwargs(request, **kwargs)
        return {**found, "tenant": access.of(request).tenant}
