"""A Chargebee customer on its way into QAD, step by step."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from syncs.models.source import SourceDocument
from tenants.models import Tenant


class Step(models.TextChoices):
    """The step that comes next; `uncertain_*` means that it may have happened already."""

    CUSTOMER = "customer", "Create the customer"
    UNCERTAIN_CUSTOMER = "uncertain_customer", "Look whether the customer was created"
    DOMAIN = "domain", "Complete its domain data"
    UNCERTAIN_DOMAIN = "uncertain_domain", "Look whether its domain data was completed"
    DONE = "done", "Created"
    REJECTED = "rejected", "Rejected by QAD"


OPEN_STEPS = (Step.CUSTOMER, Step.UNCERTAIN_CUSTOMER, Step.DOMAIN, Step.UNCERTAIN_DOMAIN)


class CustomerCreation(models.Model):
    """`code` is chosen and stored before the first byte leaves, so that a retry can only meet itself."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT)
    source = models.OneToOneField(SourceDocument, on_delete=models.PROTECT, related_name="creation")
    code = models.CharField("QAD customer", max_length=8)
    document = models.JSONField()
    step = models.CharField(max_length=20, choices=Step.choices, default=Step.CUSTOMER)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True, editable=False)
    claim_key = models.UUIDField(null=True, editable=False)
    problems = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "code"], name="creation_code_once"),
            models.CheckConstraint(condition=Q(step__in=Step.values), name="creation_step_known"),
        ]

    def __str__(self) -> str:
        return f"{self.code} for {self.source}"
