"""How far a kind of document has been read."""

from __future__ import annotations

import datetime as dt

from django.db import models

from tenants.models import Tenant


class Cursor(models.Model):
    """`watermark` is Chargebee's own time at the start of the last whole pass; None before the first.

    `started_at` is our time at that moment: the two tell whether a clock jumped. The overlap grows with the longest
    visibility lag that was seen. `kind` is a kind of document, or "event".
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    kind = models.CharField(max_length=20)
    watermark = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    overlap_seconds = models.PositiveIntegerField(default=600)
    lag_seconds = models.PositiveIntegerField(default=0)
    skew_seconds = models.IntegerField(default=0)  # Chargebee's clock less ours, at the last pass

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "kind"], name="cursor_once")]

    def __str__(self) -> str:
        return f"{self.kind} read up to {self.watermark}"

    @property
    def overlap(self) -> dt.timedelta:
        return dt.timedelta(seconds=self.overlap_seconds)
