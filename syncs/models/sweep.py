"""What a sweep compared, window by window, and what a person should know of reading Chargebee."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from syncs.models.run import Run
from tenants.models import Tenant


class SweepWindow(models.Model):
    """One stretch of document dates of one kind; an end that is None is open. Resumed where `done_at` is None.

    `missing`, `extra` and `stale` are what polling had left wrong before the window healed it: they must be 0.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="windows")
    kind = models.CharField(max_length=20)
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)  # exclusive
    expected = models.PositiveIntegerField(default=0)  # documents stored when it was planned
    done_at = models.DateTimeField(null=True)
    listed = models.PositiveIntegerField(default=0)
    missing = models.PositiveIntegerField(default=0)
    extra = models.PositiveIntegerField(default=0)
    stale = models.PositiveIntegerField(default=0)
    named = models.JSONField(default=list)  # [[what, id], ...] of the first of them
    days = models.JSONField(default=list)  # days whose sums differ after healing

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["run", "done_at"], name="window_open")]

    def __str__(self) -> str:
        return f"{self.kind} {self.starts_at} to {self.ends_at}"


class Notice(models.Model):
    """Something about reading that went right and still deserves a look; at most one open of a code and subject."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="notices")
    code = models.CharField(max_length=40)
    subject = models.CharField(max_length=160)
    sentence = models.TextField()
    fix = models.TextField(blank=True)
    times = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    cleared_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-last_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "code", "subject"], condition=Q(cleared_at=None), name="notice_open_once"
            )
        ]

    def __str__(self) -> str:
        return self.sentence
