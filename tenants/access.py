"""Who may do what: one matrix of roles and actions, and the tenant that a request works in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.http import HttpRequest

from tenants.models import Membership, Role, Tenant

SESSION_KEY = "tenant"


class Action(StrEnum):
    VIEW = "view"
    EXPORT = "export"
    VIEW_AUDIT = "view_audit"
    CHANGE_MAPPINGS = "change_mappings"
    IMPORT_MAPPINGS = "import_mappings"
    RUN = "run"
    REPLAY = "replay"
    IGNORE = "ignore"
    MARK_POSTED = "mark_posted"
    SETTLE_CONFLICT = "settle_conflict"
    REQUEST_FORCE = "request_force"
    APPROVE_FORCE = "approve_force"
    APPROVE_DATE = "approve_date"
    REMARK = "remark"
    CLOSE_PERIOD = "close_period"
    SWITCH_POSTING = "switch_posting"
    MANAGE_TENANT = "manage_tenant"
    MANAGE_CONNECTIONS = "manage_connections"


_F, _A, _I, _R = Role.FINANCE_USER, Role.ACCOUNTANT, Role.INTEGRATION_ADMIN, Role.AUDITOR

# Closed: what is not named here nobody may do. Superusers are no tenant users; they hold no role by being one.
MATRIX: dict[Action, frozenset[Role]] = {
    Action.VIEW: frozenset({_F, _A, _I, _R}),
    Action.EXPORT: frozenset({_F, _A, _I, _R}),
    Action.VIEW_AUDIT: frozenset({_F, _A, _I, _R}),
    Action.CHANGE_MAPPINGS: frozenset({_F, _I}),
    Action.IMPORT_MAPPINGS: frozenset({_I}),
    Action.RUN: frozenset({_A, _I}),
    Action.REPLAY: frozenset({_A}),
    Action.IGNORE: frozenset({_A}),
    Action.MARK_POSTED: frozenset({_A}),
    Action.SETTLE_CONFLICT: frozenset({_A}),
    Action.REQUEST_FORCE: frozenset({_A}),
    Action.APPROVE_FORCE: frozenset({_A, _I}),
    Action.APPROVE_DATE: frozenset({_A}),
    Action.REMARK: frozenset({_F, _A, _I}),
    Action.CLOSE_PERIOD: frozenset({_A}),
    Action.SWITCH_POSTING: frozenset({_A, _I}),
    Action.MANAGE_TENANT: frozenset({_I}),
    Action.MANAGE_CONNECTIONS: frozenset({_I}),
}

User = AbstractBaseUser | AnonymousUser


@dataclass(frozen=True, slots=True)
class Access:
    """What the user of one request may do. `tenant` is the one they work in, None if they belong to none."""

    tenants: tuple[Tenant, ...]
    roles: dict[int, frozenset[Role]]
    tenant: Tenant | None
    is_platform: bool

    def may(self, action: Action | None, tenant_id: int | None = None) -> bool:
        """Whether a role at that tenant, or else at the current one, allows the action. None is never allowed."""
        if action is None:
            return False
        if tenant_id is None and self.tenant is not None:
            tenant_id = self.tenant.pk
        return tenant_id is not None and bool(MATRIX[action] & self.roles.get(tenant_id, frozenset()))

    @property
    def role_names(self) -> list[str]:
        held = self.roles.get(self.tenant.pk, frozenset()) if self.tenant else frozenset()
        return [role.label for role in Role if role in held]


def of(request: HttpRequest) -> Access:
    """The access of a request, read once."""
    found: Access | None = getattr(request, "_tenant_access", None)
    if found is None:
        found = read(request.user, request.session.get(SESSION_KEY))
        request._tenant_access = found  # type: ignore[attr-defined]
    return found


def read(user: Any, chosen: int | None = None) -> Access:
    """Access of a user, working in the chosen tenant if they belong to it, else in their first."""
    if not user.is_authenticated or not user.is_active:
        return Access((), {}, None, is_platform=False)
    tenants: dict[int, Tenant] = {}
    roles: dict[int, set[Role]] = {}
    for membership in Membership.objects.filter(user=user).select_related("tenant").order_by("tenant__name", "id"):
        tenants[membership.tenant_id] = membership.tenant
        roles.setdefault(membership.tenant_id, set()).add(Role(membership.role))
    first = next(iter(tenants.values()), None)
    return Access(
        tenants=tuple(tenants.values()),
        roles={tenant_id: frozenset(held) for tenant_id, held in roles.items()},
        tenant=tenants.get(chosen, first) if chosen is not None else first,
        is_platform=bool(user.is_superuser),
    )


def may(user: Any, action: Action, tenant: Tenant) -> bool:
    """Whether a user may do it at a tenant; for code that has no request."""
    return read(user).may(action, tenant.pk)


def choose(request: HttpRequest, tenant_id: int) -> bool:
    """Work in another of the user's own tenants from now on; False if it is not theirs."""
    if tenant_id not in of(request).roles:
        return False
    request.session[SESSION_KEY] = tenant_id
    request._tenant_access = read(request.user, tenant_id)  # type: ignore[attr-defined]
    return True
