"""Sync now, as somebody asked for it, until a run for it has come to its end."""

from __future__ import annotations

from django.db import models

from tenants.models import Tenant


class SyncRequest(models.Model):
    """Of one document of a kind, of a kind, or ('', '') of everything. Asked for twice, it is still one."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="sync_requests")
    kind = models.CharField(max_length=20, blank=True)
    source_id = models.CharField(max_length=100, blank=True)
    actor = models.CharField("asked for by", max_length=150)
    asked_at = models.DateTimeField()
    not_before = models.DateTimeField(null=True)  # a worker has it, and is dead if it still stands then
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["tenant", "kind", "source_id"], name="sync_request_once")]

    def __str__(self) -> str:
        return f"{self.kind.replace('_', ' ')} {self.source_id}".strip() or "everything"
