"""What a screen allows: actions of the role matrix, at the tenant that the request works in."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.http import HttpRequest

from tenants import access
from tenants.access import Action


class Permissions:
    """Permissions of a class of rows, from the role matrix. An action of None is allowed to nobody."""

    view_action: Action | None = Action.VIEW
    add_action: Action | None = None
    change_action: Action | None = None
    delete_action: Action | None = None

    def allows(self, request: HttpRequest, action: Action | None, obj: Model | None) -> bool:
        found = access.of(request)
        if found.tenant is None or (obj is not None and self.tenant_id_of(obj) not in (None, found.tenant.pk)):
            return False
        return found.may(action)

    def tenant_id_of(self, obj: Any) -> int | None:
        owner: int | None = obj.tenant_id
        return owner

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, self.view_action, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, self.add_action, None)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, self.change_action, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, self.delete_action, obj)

    def has_view_or_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_view_permission(request, obj) or self.has_change_permission(request, obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_or_change_permission(request)


class PlatformPermissions(Permissions):
    """For rows of the installation itself: superusers only, whatever role they hold anywhere."""

    def allows(self, request: HttpRequest, action: Action | None, obj: Model | None) -> bool:
        return access.of(request).is_platform and action is not None

    def tenant_id_of(self, obj: Any) -> int | None:
        return None
