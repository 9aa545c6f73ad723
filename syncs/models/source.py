"""One row for each Chargebee document: its latest content and where it stands."""

from __future__ import annotations

import json
import zlib
from typing import Any

from django.db import models
from django.db.models import Q

from syncs.states import SourceState
from tenants.models import Tenant


class Kind(models.TextChoices):
    CUSTOMER = "customer", "Customer"
    ITEM_FAMILY = "item_family", "Item family"
    ITEM = "item", "Item"
    ITEM_PRICE = "item_price", "Item price"
    INVOICE = "invoice", "Invoice"
    CREDIT_NOTE = "credit_note", "Credit note"
    TRANSACTION = "transaction", "Transaction"


class SourceDocument(models.Model):
    """`raw` is the compressed JSON as it was last read; the highest resource_version wins."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="source_documents")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    source_id = models.CharField("Chargebee id", max_length=100)
    raw = models.BinaryField(editable=False)
    content_hash = models.CharField(max_length=64, editable=False)
    resource_version = models.BigIntegerField(null=True)
    updated_at = models.DateTimeField("changed in Chargebee at", null=True)
    is_deleted = models.BooleanField("deleted in Chargebee", default=False)
    vanished_at = models.DateTimeField(null=True, editable=False)  # taken for deleted: Chargebee shows it no more
    generation = models.PositiveIntegerField(default=0, editable=False)  # +1 when a deleted id was used again
    status = models.CharField(max_length=30, blank=True)
    customer_id = models.CharField("Chargebee customer", max_length=100, blank=True)
    # the parent account of a customer, the invoice of a credit note, the payment of a refund or reversal
    parent_id = models.CharField(max_length=100, blank=True)
    waits_for = models.CharField(max_length=130, blank=True, editable=False)  # "invoice:ID" while it waits for another
    currency = models.CharField(max_length=3, blank=True)
    total_minor = models.BigIntegerField(null=True)
    dated_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=12, choices=SourceState.choices, default=SourceState.NEW)
    codes = models.CharField(max_length=400, blank=True, editable=False)  # |code|code| of its problems or its rule
    problems = models.JSONField(default=list, blank=True)
    first_seen_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "kind", "source_id"], name="source_once"),
            models.CheckConstraint(condition=Q(state__in=SourceState.values), name="source_state_known"),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="source_kind_known"),
        ]
        indexes = [
            models.Index(fields=["tenant", "kind", "state", "id"], name="source_work"),
            models.Index(fields=["tenant", "kind", "customer_id"], name="source_customer"),
            models.Index(fields=["tenant", "kind", "state", "currency", "total_minor"], name="source_figures"),
            models.Index(fields=["tenant", "dated_at", "id"], name="source_newest"),
            models.Index(fields=["tenant", "waits_for"], name="source_waiting", condition=~Q(waits_for="")),
            models.Index(fields=["tenant", "kind", "parent_id"], name="source_parent"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.source_id}"

    @property
    def content(self) -> dict[str, Any]:
        """The document as Chargebee sent it."""
        found: dict[str, Any] = json.loads(zlib.decompress(self.raw))
        return found


class SourceVersion(models.Model):
    """What a document was before Chargebee changed it: the compressed JSON, and the time in which it was the latest."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="source_versions")
    source = models.ForeignKey(SourceDocument, on_delete=models.PROTECT, related_name="versions")
    raw = models.BinaryField(editable=False)
    content_hash = models.CharField(max_length=64, editable=False)
    resource_version = models.BigIntegerField(null=True)
    seen_at = models.DateTimeField("read at")
    replaced_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.source} as of {self.seen_at}"


def pack(content: bytes) -> bytes:
    """JSON in UTF-8 as it is stored in `raw`."""
    return zlib.compress(content, 1)
