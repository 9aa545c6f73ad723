"""An accountant's word that a document may be posted on its own date although the period was closed."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from syncs.models.source import SourceDocument
from tenants.models import Tenant


class DateApproval(models.Model):
    """Good for one date of one document, until QAD says that the period is closed all the same (`spent_at`)."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="date_approvals")
    source = models.ForeignKey(SourceDocument, on_delete=models.PROTECT, related_name="date_approvals")
    wanted_date = models.DateField()
    reason = models.TextField()
    approved_by = models.CharField(max_length=150)
    approved_at = models.DateTimeField()
    spent_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "wanted_date"], condition=Q(spent_at=None), name="date_approval_once"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="date_approval_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.source} on {self.wanted_date}"
