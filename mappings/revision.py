"""A number that moves with every change of what documents are coded by, so that nothing is coded by a stale table."""

from django.db.models import F

from tenants.models import Tenant


def bump(tenant_id: int) -> None:
    """Call it in the transaction of the change."""
    Tenant.objects.filter(pk=tenant_id).update(mapping_revision=F("mapping_revision") + 1)


def current(tenant_id: int) -> int:
    return Tenant.objects.values_list("mapping_revision", flat=True).get(pk=tenant_id)
