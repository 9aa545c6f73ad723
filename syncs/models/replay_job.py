"""A replay of more documents than a page may wait for, done in batches that survive a crash."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence

from django.db import models
from django.db.models import Q

from tenants.models import Tenant


class ReplayJob(models.Model):
    """`keys` are the documents that were confirmed; the first `done` of them have had their turn."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="replay_jobs")
    way = models.CharField(max_length=10)
    actor = models.CharField("asked by", max_length=150)
    keys = models.BinaryField(editable=False)
    total = models.PositiveIntegerField()
    done = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict)
    asked_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["tenant"], condition=Q(finished_at=None), name="replay_job_open")]

    def __str__(self) -> str:
        return f"Replay {self.pk}"

    @property
    def documents(self) -> list[int]:
        """Primary keys of the source documents, in order."""
        found: list[int] = json.loads(zlib.decompress(self.keys))
        return found


def pack_keys(keys: Sequence[int]) -> bytes:
    return zlib.compress(json.dumps(list(keys), separators=(",", ":")).encode(), 6)
