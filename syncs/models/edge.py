"""Which credit note or payment settles which invoice: what Chargebee wants, and what QAD has."""

from __future__ import annotations

from django.db import models

from syncs.models.source import SourceDocument
from tenants.models import Tenant


class Edge(models.Model):
    """An amount of an owner on an invoice, in minor units of `currency`, as wanted and as reached."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT)
    owner = models.ForeignKey(SourceDocument, on_delete=models.PROTECT, related_name="edges")
    invoice_id = models.CharField("Chargebee invoice", max_length=100)
    currency = models.CharField(max_length=3)
    wanted_minor = models.BigIntegerField(default=0)
    applied_minor = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "invoice_id"], name="edge_once")]
        indexes = [models.Index(fields=["tenant", "invoice_id"], name="edge_invoice")]

    def __str__(self) -> str:
        return f"{self.owner} on invoice {self.invoice_id}"
