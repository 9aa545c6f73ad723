"""How far a kind of document has been read."""

from __future__ import annotations

from django.db import models

from tenants.models import Tenant


class Cursor(models.Model):
    """`watermark` is Chargebee's own time at the start of the last whole pass; None before the first."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    kind = models.CharField(max_length=20)
    watermark = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "kind"], name="cursor_once")]

    def __str__(self) -> str:
        return f"{self.kind} read up to {self.watermark}"
