"""One customer of both systems, kept the same: where the two stand, what is lost by it, and who is asked."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tenants.models import Tenant


class LinkState(models.TextChoices):
    """What the connector does with a pair of customers."""

    ALIGNED = "aligned", "Kept the same"
    BLOCKED = "blocked", "Blocked by a problem"
    FROZEN = "frozen", "Frozen: written too often"
    CREATING = "creating", "Being created in Chargebee"
    DELETED = "deleted", "Deleted in Chargebee"
    GONE = "gone", "Gone from QAD"
    MERGED = "merged", "Merged into another customer"
    MOVED = "moved", "In another business entity"
    CLEARED = "cleared", "Personal details cleared"
    APART = "apart", "Left alone"


TOMBSTONES = (LinkState.DELETED, LinkState.GONE, LinkState.MERGED)


class AlignedCustomer(models.Model):
    """A Chargebee customer and his QAD customer. The row is never deleted, nor are the keys looked up anywhere else: a
    connection may go and come back. `base` holds for each field what Chargebee had, what QAD had, and under which rule
    that was settled; `pending` is the write that may have happened; `written` the last hour's writes, for the brake.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="aligned_customers")
    chargebee_id = models.CharField("Chargebee customer", max_length=100)
    qad_code = models.CharField("QAD customer", max_length=20)
    state = models.CharField(max_length=10, choices=LinkState.choices, default=LinkState.ALIGNED)
    reason = models.TextField(blank=True)
    chargebee_version = models.CharField(max_length=64, blank=True, editable=False)
    qad_version = models.CharField(max_length=64, blank=True, editable=False)
    rules_version = models.CharField(max_length=64, blank=True, editable=False)
    base = models.JSONField(default=dict, editable=False)
    pending = models.JSONField(null=True, editable=False)
    written = models.JSONField(default=list, editable=False)
    wanted = models.JSONField(default=dict, editable=False)  # field -> [side, value]: a person wants both sides so
    is_asked = models.BooleanField(
        default=False, editable=False
    )  # a person pressed Replay, or it could not be finished
    not_before = models.DateTimeField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    claim_key = models.UUIDField(null=True, editable=False)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    aligned_at = models.DateTimeField("last found the same", null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name, verbose_name_plural = "customer of both systems", "customers of both systems"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "chargebee_id"], name="aligned_chargebee_once"),
            models.UniqueConstraint(
                fields=["tenant", "qad_code"],
                condition=~Q(state__in=("deleted", "gone", "merged")),
                name="aligned_qad_once",
            ),
            models.CheckConstraint(condition=Q(state__in=LinkState.values), name="aligned_state_known"),
            models.CheckConstraint(condition=~Q(chargebee_id="") & ~Q(qad_code=""), name="aligned_keys_given"),
        ]
        indexes = [
            models.Index(fields=["tenant", "state", "id"], name="aligned_work"),
            models.Index(fields=["tenant", "qad_code"], name="aligned_qad"),
        ]

    def __str__(self) -> str:
        return f"{self.chargebee_id} and {self.qad_code}"


class ConflictState(models.TextChoices):
    WAITING = "waiting", "Waits for a person"
    APPLIED = "applied", "Settled by rule"
    ACCEPTED = "accepted", "Accepted"
    OVERRIDDEN = "overridden", "Overridden"
    OVER = "over", "Settled by itself"


class ConflictKind(models.TextChoices):
    BOTH_CHANGED = "both-changed", "Changed on both sides"
    REJECTED_EDIT = "rejected-edit", "Changed where it is not owned"
    FIRST_LINK = "first-link", "Different when linked"
    NEW_OWNER = "new-owner", "Different under a new owner"
    PARKED = "parked", "Shared field changed on both sides"
    FROZEN = "frozen", "Written too often"
    BLOCKED = "blocked", "Cannot be written"
    STORED_DIFFERENTLY = "stored-differently", "Kept differently than it was sent"
    DELETED = "deleted", "Deleted in Chargebee"
    RECREATED = "recreated", "Came back in Chargebee"
    GONE = "gone", "Gone from QAD"
    INACTIVE = "inactive", "Inactive in QAD"
    MOVED = "moved", "Moved to another business entity"
    CLEARED = "cleared", "Personal details cleared"


class CustomerConflict(models.Model):
    """One line of the conflict log: what the two sides had, who won by which rule, and what a person decided."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="customer_conflicts")
    customer = models.ForeignKey(AlignedCustomer, on_delete=models.PROTECT, related_name="conflicts")
    field = models.CharField(max_length=30, blank=True)
    kind = models.CharField(max_length=20, choices=ConflictKind.choices)
    state = models.CharField(max_length=10, choices=ConflictState.choices)
    chargebee_value = models.TextField(blank=True)
    qad_value = models.TextField(blank=True)
    base_value = models.TextField(blank=True)
    winner = models.CharField(max_length=10, blank=True)  # chargebee, qad, '' for nobody yet
    sentence = models.TextField(blank=True)
    since = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=150, blank=True)
    erased_at = models.DateTimeField(null=True)  # its values and its sentence were personal and are gone

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "field", "kind"], condition=Q(state="waiting"), name="conflict_waits_once"
            ),
            models.CheckConstraint(condition=Q(state__in=ConflictState.values), name="conflict_state_known"),
            models.CheckConstraint(condition=Q(kind__in=ConflictKind.values), name="conflict_kind_known"),
        ]
        indexes = [models.Index(fields=["tenant", "state", "id"], name="conflict_work")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.field or self.customer}"


class FieldRule(models.Model):
    """Who owns a field of customers at this tenant, where it is not the one who owns it by default."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="field_rules")
    field = models.CharField(max_length=30)
    owner = models.CharField(
        max_length=10, choices=[("chargebee", "Chargebee"), ("qad", "QAD"), ("shared", "Shared"), ("none", "Nobody")]
    )
    blank_erases = models.BooleanField("a blank of the owner erases", default=False)

    class Meta:
        ordering = ["field"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "field"], name="field_rule_once"),
            models.CheckConstraint(
                condition=Q(owner__in=("chargebee", "qad", "shared", "none")), name="field_rule_owner_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.field}: {self.owner}"


class ReviewState(models.TextChoices):
    OPEN = "open", "Waits for a person"
    LINKED = "linked", "Linked"
    APART = "apart", "Kept apart"
    CREATED = "created", "A new one is created"
    OVER = "over", "Settled by itself"


class MatchReview(models.Model):
    """Two customers that may be one; a pair that a person keeps apart stays apart."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="match_reviews")
    chargebee_id = models.CharField("Chargebee customer", max_length=100)
    qad_code = models.CharField("QAD customer", max_length=20)
    found_from = models.CharField(max_length=10, choices=[("chargebee", "Chargebee"), ("qad", "QAD")])
    why = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=ReviewState.choices, default=ReviewState.OPEN)
    since = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name, verbose_name_plural = "possible match", "possible matches"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "chargebee_id", "qad_code"], name="review_pair_once"),
            models.CheckConstraint(condition=Q(state__in=ReviewState.values), name="review_state_known"),
        ]
        indexes = [models.Index(fields=["tenant", "state", "id"], name="review_work")]

    def __str__(self) -> str:
        return f"{self.chargebee_id} and {self.qad_code}?"
