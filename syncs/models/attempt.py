"""One try at sending a posting, written before the first byte leaves."""

from __future__ import annotations

import json
import zlib
from typing import Any

from django.db import models

from syncs.models.posting import Posting
from tenants.models import Tenant


class Outcome(models.TextChoices):
    OPEN = "open", "No answer recorded"
    POSTED = "posted", "Posted"
    REJECTED = "rejected", "Rejected by QAD"
    UNCERTAIN = "uncertain", "Outcome unknown"
    NOT_SENT = "not_sent", "Not sent"
    ADOPTED = "adopted", "Found in QAD"
    ABSENT = "absent", "Proved absent from QAD"
    CONFLICT = "conflict", "Differs from what QAD has"


class Attempt(models.Model):
    """`exchange` is the redacted request and reply, compressed."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT)
    posting = models.ForeignKey(Posting, on_delete=models.PROTECT, related_name="tries")
    key = models.UUIDField(editable=False)
    number = models.PositiveSmallIntegerField()
    document_hash = models.CharField(max_length=64, editable=False)
    # of the tenant when it was claimed: whether a mapping was saved since
    mapping_revision = models.PositiveBigIntegerField(null=True, editable=False)
    claimed_at = models.DateTimeField()
    deadline_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, default=Outcome.OPEN)
    status = models.PositiveSmallIntegerField("HTTP status", null=True)
    sentence = models.TextField(blank=True)
    exchange = models.BinaryField(null=True, editable=False)

    class Meta:
        ordering = ["posting_id", "number"]
        constraints = [models.UniqueConstraint(fields=["posting", "number"], name="attempt_number_once")]
        indexes = [models.Index(fields=["key"], name="attempt_key")]

    def __str__(self) -> str:
        return f"Attempt {self.number} of {self.posting}"

    @property
    def request_and_reply(self) -> dict[str, Any] | None:
        return json.loads(zlib.decompress(self.exchange)) if self.exchange else None
