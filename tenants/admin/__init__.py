"""Admin screens of tenants, and the base classes of every other screen."""

from tenants.admin import connections, people, tenant_page, trail
from tenants.admin.scoped import TenantScopedAdmin, TenantScopedInline
from tenants.admin.transfer import TenantTransferMixin

__all__ = [
    "TenantScopedAdmin",
    "TenantScopedInline",
    "TenantTransferMixin",
    "connections",
    "people",
    "tenant_page",
    "trail",
]
