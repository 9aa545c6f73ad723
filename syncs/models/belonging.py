"""Which business entities the documents of a tenant were decided with."""

from __future__ import annotations

from django.db import models

from tenants.models import Tenant


class EntityScope(models.Model):
    """Where they differ from the tenant's, or it is not finished, documents up to `reached` have followed so far.

    `posted_outside` counts documents that QAD has or may have and that are another tenant's now; `named` are the first.
    """

    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, related_name="entity_scope")
    entities = models.JSONField(default=list)
    reached = models.BigIntegerField(default=0)
    decided_anew = models.PositiveIntegerField(default=0)
    posted_outside = models.PositiveIntegerField(default=0)
    named = models.JSONField(default=list)
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return ", ".join(self.entities) or "every business entity"
