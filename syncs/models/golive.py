"""Going live: open items of the old books, decisions about what leans on them, and older ranges posted after all."""

from __future__ import annotations

import datetime as dt

from django.db import models
from django.db.models import F, Q

from syncs.models.source import Kind, SourceDocument
from tenants.models import Tenant

OPENING_KINDS = (Kind.INVOICE, Kind.CREDIT_NOTE, Kind.TRANSACTION)


class OpeningState(models.TextChoices):
    WAITING = "waiting", "To be looked up"
    VERIFIED = "verified", "Found in QAD"
    REFUSED = "refused", "Does not agree"


class OpeningItem(models.Model):
    """A document from before the cut-off that QAD has under a number of its own, with what is open of it."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="opening_items")
    kind = models.CharField("document", max_length=20, choices=[(kind.value, kind.label) for kind in OPENING_KINDS])
    source_id = models.CharField("Chargebee id", max_length=100)
    qad_number = models.CharField("QAD number", max_length=40)
    currency = models.CharField(max_length=3)
    open_minor = models.BigIntegerField("open amount")
    state = models.CharField(max_length=10, choices=OpeningState.choices, default=OpeningState.WAITING)
    sentence = models.TextField(blank=True)
    # what QAD told of it, for documents that name it
    qad_reference = models.CharField(max_length=60, blank=True)
    qad_customer = models.CharField(max_length=20, blank=True)
    qad_posting_date = models.DateField(null=True)
    actor = models.CharField("entered by", max_length=150)
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["kind", "source_id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "kind", "source_id"], name="opening_item_once"),
            models.UniqueConstraint(fields=["tenant", "kind", "qad_number"], name="opening_number_once"),
            models.CheckConstraint(condition=Q(state__in=OpeningState.values), name="opening_state_known"),
            models.CheckConstraint(condition=Q(open_minor__gt=0), name="opening_amount_above_zero"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.source_id}"


class OnAccount(models.Model):
    """Somebody decided that what a document settles of older ones stays on account."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    source = models.OneToOneField(SourceDocument, on_delete=models.PROTECT, related_name="on_account")
    reason = models.TextField()
    actor = models.CharField(max_length=150)
    decided_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.source} on account"


class BackfillState(models.TextChoices):
    RUNNING = "running", "Being prepared"
    DONE = "done", "Done"
    CANCELLED = "cancelled", "Cancelled"


class Backfill(models.Model):
    """A range of older documents of a kind that are posted after all."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="backfills")
    kind = models.CharField(max_length=20, choices=[(kind.value, kind.label) for kind in OPENING_KINDS])
    first_day = models.DateField()
    last_day = models.DateField()
    reason = models.TextField()
    actor = models.CharField("asked for by", max_length=150)
    state = models.CharField(max_length=10, choices=BackfillState.choices, default=BackfillState.RUNNING)
    total = models.PositiveIntegerField("documents", default=0)
    done = models.PositiveIntegerField(default=0)
    reached_day = models.DateField(null=True)  # of the last document that was taken; the oldest come first
    created_at = models.DateTimeField("asked for at")
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(first_day__lte=F("last_day")), name="backfill_days_in_order"),
            models.CheckConstraint(condition=Q(state__in=BackfillState.values), name="backfill_state_known"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}s from {self.first_day} to {self.last_day}"

    @property
    def reopened_until(self) -> dt.date | None:
        """The last day whose documents are posted after all; None if it was cancelled before it took any."""
        return self.reached_day if self.state == BackfillState.CANCELLED else self.last_day


class ParallelComparison(models.Model):
    """What a parallel run found for a period: our prepared documents beside what people keyed into QAD."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="parallel_comparisons")
    period = models.CharField(max_length=7)
    agreed = models.PositiveIntegerField(default=0)
    differing = models.PositiveIntegerField(default=0)
    only_here = models.PositiveIntegerField(default=0)
    only_in_qad = models.PositiveIntegerField("only in QAD", default=0)
    found = models.JSONField(default=dict)  # the first rows of each group
    actor = models.CharField("asked for by", max_length=150)
    compared_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"Parallel run {self.period}"
