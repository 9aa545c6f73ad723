"""What people decided about a document: to ignore it, to send it again all the same, who looks after it, and notes."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from syncs.models.posting import Posting
from syncs.models.source import SourceDocument
from tenants.models import Tenant


class Ignore(models.Model):
    """A document that is not posted until `expires_on` (in the accounting zone); then it comes back by itself."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="ignores")
    source = models.ForeignKey(SourceDocument, on_delete=models.PROTECT, related_name="ignores")
    reason = models.TextField()
    owner = models.CharField("who answers for it", max_length=150)
    expires_on = models.DateField("comes back on")
    decided_by = models.CharField(max_length=150)
    decided_at = models.DateTimeField()
    ended_by = models.CharField(max_length=150, blank=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["source"], condition=Q(ended_at=None), name="ignore_once"),
            models.CheckConstraint(condition=~Q(reason=""), name="ignore_has_reason"),
        ]
        indexes = [models.Index(fields=["tenant", "expires_on"], condition=Q(ended_at=None), name="ignore_due")]

    def __str__(self) -> str:
        return f"{self.source} ignored until {self.expires_on}"


class ForceState(models.TextChoices):
    OPEN = "open", "Waits for a second person"
    APPROVED = "approved", "Approved"
    REFUSED = "refused", "Refused"
    WITHDRAWN = "withdrawn", "Withdrawn"
    EXPIRED = "expired", "Expired"


class ForceRequest(models.Model):
    """One person asks for a posting to be sent again although QAD may have it; another one must approve."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="force_requests")
    posting = models.ForeignKey(Posting, on_delete=models.PROTECT, related_name="force_requests")
    reason = models.TextField()
    state = models.CharField(max_length=10, choices=ForceState.choices, default=ForceState.OPEN)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", editable=False
    )
    requested_name = models.CharField("asked by", max_length=150)
    requested_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    answered_name = models.CharField("answered by", max_length=150, blank=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["posting"], condition=Q(state="open"), name="force_once"),
            models.CheckConstraint(condition=Q(state__in=ForceState.values), name="force_state_known"),
            models.CheckConstraint(condition=~Q(reason=""), name="force_has_reason"),
            models.CheckConstraint(
                condition=~Q(state="approved", answered_name=F("requested_name")), name="force_by_two_people"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "state"], name="force_work")]

    def __str__(self) -> str:
        return f"{self.posting} to be sent again"


class Surplus(models.Model):
    """A QAD document that is one too many under our reference, until somebody says that it is reversed there."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="surpluses")
    posting = models.ForeignKey(Posting, on_delete=models.PROTECT, related_name="surpluses")
    qad_number = models.CharField("QAD number", max_length=40)
    instruction = models.TextField()
    named_by = models.CharField(max_length=150)
    named_at = models.DateTimeField()
    reversed_by = models.CharField(max_length=150, blank=True)
    reversed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["posting", "qad_number"], name="surplus_once")]

    def __str__(self) -> str:
        return f"{self.qad_number} beside {self.posting}"


class Assignment(models.Model):
    """Who looks after a document."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="assignments")
    source = models.OneToOneField(SourceDocument, on_delete=models.PROTECT, related_name="assignment")
    assigned_to = models.CharField(max_length=150)
    assigned_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["tenant", "assigned_to"], name="assignment_person")]

    def __str__(self) -> str:
        return f"{self.source}: {self.assigned_to}"


class Remark(models.Model):
    """What somebody noted at a document."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="remarks")
    source = models.ForeignKey(SourceDocument, on_delete=models.PROTECT, related_name="remarks")
    author = models.CharField(max_length=150)
    text = models.TextField()
    noted_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.author} on {self.source}"
