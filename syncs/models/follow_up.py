"""How far the documents that are prepared and not sent yet follow the mappings."""

from __future__ import annotations

from django.db import models

from tenants.models import Tenant

NONE = -1


class FollowUp(models.Model):
    """Both numbers are values of `Tenant.mapping_revision`; none of a tenant means that nothing was followed yet.

    All unsent documents are coded by the mappings of `followed` or later ones; those up to the key `after` already by
    `following`. Nothing is claimed for sending while `followed` is behind the tenant's mappings.
    """

    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, related_name="follow_up")
    followed = models.BigIntegerField(default=NONE)
    following = models.BigIntegerField(default=NONE)
    after = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"Follow-up of {self.tenant}"
