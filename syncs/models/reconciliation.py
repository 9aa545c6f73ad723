"""One comparison of Chargebee's documents of a period with our postings and with what QAD shows of them."""

from __future__ import annotations

from django.db import models

from tenants.models import Tenant


class Reconciliation(models.Model):
    """`figures` is a row for each kind and currency, `variances` what stands behind them, kept up to a cap.

    `counts` has every variance by its code, also those that were not kept.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="reconciliations")
    period = models.CharField(max_length=7)
    is_balanced = models.BooleanField("nothing left over")
    sentence = models.TextField()
    figures = models.JSONField(default=list)
    variances = models.JSONField(default=list)
    counts = models.JSONField(default=dict)
    read_until = models.DateTimeField("Chargebee read until", null=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    actor = models.CharField(max_length=150)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["tenant", "period", "-id"], name="reconciliation_period")]

    def __str__(self) -> str:
        return f"Reconciliation of {self.period}"
