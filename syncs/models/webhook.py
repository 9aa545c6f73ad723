"""The inbox of webhooks: where they come in, who may send them, and what became of each."""

from __future__ import annotations

import zlib

from django.db import models
from django.db.models import Q

from tenants.models import Tenant


class Style(models.TextChoices):
    BASIC = "basic", "User name and password"
    URL_TOKEN = "url_token", "Secret in the address"


class EventState(models.TextChoices):
    RECEIVED = "received", "Received"
    READING = "reading", "Being read"
    DONE = "done", "Read again from Chargebee"
    NOTHING = "nothing", "Nothing to read"
    UNKNOWN = "unknown", "Unknown to Chargebee"
    OLD = "old", "Too old"
    REFUSED = "refused", "Refused"
    FAILED = "failed", "To be tried again"


class WebhookEndpoint(models.Model):
    """`public_id` stands in the address instead of the tenant's name."""

    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, related_name="webhook_endpoint")
    public_id = models.CharField(max_length=32, unique=True, editable=False)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = "webhook"

    def __str__(self) -> str:
        return f"Webhook of {self.tenant}"


class WebhookCredential(models.Model):
    """A keyed hash of what a sender must show; two at most are valid at a time, so that one can replace the other."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="webhook_credentials")
    slot = models.PositiveSmallIntegerField()
    style = models.CharField(max_length=10, choices=Style.choices)
    username = models.CharField(max_length=40, blank=True)
    salt = models.BinaryField(editable=False)
    username_digest = models.BinaryField(editable=False)
    password_digest = models.BinaryField(editable=False)
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "slot"], condition=Q(retired_at=None), name="webhook_credential_slot"
            ),
            models.CheckConstraint(condition=Q(slot__in=(1, 2)), name="webhook_credential_two"),
            models.CheckConstraint(condition=Q(style__in=Style.values), name="webhook_credential_style"),
        ]

    def __str__(self) -> str:
        return self.username or f"Secret {self.pk}"


class WebhookEvent(models.Model):
    """One event, however often it was delivered. `body` is redacted: a hint what to read, never what is posted."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="webhook_events")
    event_id = models.CharField("event", max_length=100)
    event_type = models.CharField("type", max_length=80, blank=True)
    occurred_at = models.DateTimeField("happened at", null=True)
    body = models.BinaryField(editable=False)
    credential = models.PositiveBigIntegerField(null=True, editable=False)  # which one the newest delivery showed
    received_at = models.DateTimeField()
    delivered_at = models.DateTimeField("last delivery")
    deliveries = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=10, choices=EventState.choices, default=EventState.RECEIVED)
    sentence = models.TextField("in words", blank=True)
    documents = models.JSONField(default=list)  # [[kind, id, what became of it], ...]
    attempts = models.PositiveIntegerField(default=0)
    not_before = models.DateTimeField(null=True)
    key = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    processed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = "webhook event"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "event_id"], name="webhook_event_once"),
            models.CheckConstraint(condition=Q(state__in=EventState.values), name="webhook_event_state_known"),
        ]
        indexes = [
            models.Index(
                fields=["tenant", "id"],
                condition=Q(state__in=("received", "reading", "failed")),
                name="webhook_event_open",
            ),
            models.Index(fields=["tenant", "credential", "delivered_at"], name="webhook_event_used"),
        ]

    def __str__(self) -> str:
        return self.event_id

    @property
    def body_text(self) -> str:
        """The redacted body as JSON, '' where nothing could be kept."""
        return zlib.decompress(self.body).decode() if self.body else ""
