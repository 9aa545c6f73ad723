"""One sync of one tenant: what was listed, and whether every document of it is accounted for."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tenants.models import Tenant


class RunState(models.TextChoices):
    RUNNING = "running", "Running"
    COMPLETE = "complete", "Complete"
    RED = "red", "Not everything is accounted for"
    STOPPED = "stopped", "Stopped by an error"
    INTERRUPTED = "interrupted", "Interrupted"


class Purpose(models.TextChoices):
    SYNC = "sync", "Sync"
    SWEEP = "sweep", "Sweep"


class Run(models.Model):
    """At most one run of a tenant and purpose is running; it is dead without its process or its lease."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="runs")
    purpose = models.CharField(max_length=5, choices=Purpose.choices, default=Purpose.SYNC)
    trigger = models.CharField(max_length=20)
    kinds = models.JSONField(default=list)
    state = models.CharField(max_length=12, choices=RunState.choices, default=RunState.RUNNING)
    key = models.UUIDField(editable=False)
    lease_until = models.DateTimeField(editable=False)
    holder = models.CharField(max_length=120, blank=True, editable=False)  # see connector.processes
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    equation = models.JSONField(default=list, blank=True)
    sentence = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "purpose"], condition=Q(state="running"), name="run_one_of_each"),
            models.CheckConstraint(condition=Q(state__in=RunState.values), name="run_state_known"),
        ]

    def __str__(self) -> str:
        return f"{'Sweep' if self.purpose == Purpose.SWEEP else 'Run'} {self.pk}"


class RunPage(models.Model):
    """What one page on the wire listed, recorded before anything was parsed: [[id, currency, total, version], ...]."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="pages")
    kind = models.CharField(max_length=20)
    number = models.PositiveIntegerField()
    listed = models.JSONField()

    class Meta:
        indexes = [models.Index(fields=["run", "kind"], name="runpage_kind")]

    def __str__(self) -> str:
        return f"{self.kind} page {self.number}"
