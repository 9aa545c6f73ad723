"""Admin screens of tenants, and the base classes of every other screen."""

from tenants.admin.scoped import TenantScopedAdmin, TenantScopedInline
from tenants.admin.transfer import TenantTransferMixin

__all__ = ["TenantScopedAdmin", "TenantScopedInline", "TenantTransferMixin"]
