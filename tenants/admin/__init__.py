"""Admin screens of tenants, and the base classes of every other screen."""

from tenants.admin import calendar, connections, people, tenant_page, trail
from tenants.admin.scoped import TenantScopedAdmin, TenantScopedInline
from tenants.admin.transfer import TenantTransferMixin

__all__ = [
    "TenantScopedAdmin",
    "TenantScopedInline",
    "TenantTransferMixin",
    "calendar",
    "connections",
    "people",
    "tenant_page",
    "trail",
]
