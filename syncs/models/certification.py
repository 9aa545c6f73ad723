"""One try of a QAD profile in a test workspace: a document of each kind, step by step, and what was measured."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tenants.models import Tenant


class CertificationState(models.TextChoices):
    RUNNING = "running", "Running"
    PASSED = "passed", "Certified"
    FAILED = "failed", "Not certified"
    INTERRUPTED = "interrupted", "Interrupted"


class Certification(models.Model):
    """`steps` are [name, answer, sentence, reference, seconds] as values by name; `figures` what was measured.

    It counts for every tenant whose profile has the same `profile_hash` and that belongs to the same company.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="certifications")
    profile_hash = models.CharField(max_length=64, editable=False)
    profile_version = models.PositiveIntegerField()
    preset = models.CharField(max_length=40)
    workspace = models.CharField(max_length=400)
    state = models.CharField(max_length=12, choices=CertificationState.choices, default=CertificationState.RUNNING)
    steps = models.JSONField(default=list)
    figures = models.JSONField(default=dict)
    sentence = models.TextField(blank=True)
    actor = models.CharField(max_length=150)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant"], condition=Q(state="running"), name="certification_one_running"),
            models.CheckConstraint(condition=Q(state__in=CertificationState.values), name="certification_state_known"),
        ]
        indexes = [models.Index(fields=["profile_hash", "state"], name="certification_profile")]

    def __str__(self) -> str:
        return f"Certification {self.pk} of {self.workspace}"
