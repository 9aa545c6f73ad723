"""The outbox: one row for each document that QAD is to have, and its state on the way there."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper

from connector.money import Money
from syncs.models.source import SourceDocument
from syncs.states import IN_FLIGHT, PostingState
from tenants.models import Tenant


class Posting(models.Model):
    """`document` is frozen when it is first sent; the reference is made once and never again.

    The fence is `attempt_key`: only the holder of the current attempt may settle the row.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="postings")
    source = models.ForeignKey(SourceDocument, on_delete=models.PROTECT, related_name="postings")
    kind = models.CharField(max_length=20)
    place = models.PositiveSmallIntegerField("place in the chain of corrections", default=0)
    reference = models.CharField(max_length=40)
    reverses = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="reversals")
    # the edge that it applies or takes back; the withheld tax that it books beside its document
    invoice_id = models.CharField(max_length=100, blank=True, editable=False)
    is_ending = models.BooleanField(default=False, editable=False)  # to be taken back as soon as nothing settles it
    order_key = models.CharField(max_length=100, editable=False)
    state = models.CharField(max_length=10, choices=PostingState.choices, default=PostingState.READY)
    attempt_key = models.UUIDField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField("not sent before", null=True)
    lease_until = models.DateTimeField(null=True, editable=False)
    settle_at = models.DateTimeField("looked up after", null=True)
    look_up_asked_at = models.DateTimeField(null=True, editable=False)  # by a person, before the window is over
    absences = models.PositiveSmallIntegerField(default=0, editable=False)  # look-ups that found nothing
    must_look_up = models.BooleanField(default=False, editable=False)  # once, before the next send
    document = models.JSONField()
    document_hash = models.CharField(max_length=64, editable=False)
    projection = models.CharField(max_length=64, editable=False)  # hash of what is posted of the source
    customer_code = models.CharField("QAD customer", max_length=20)
    currency = models.CharField(max_length=3)
    total_minor = models.BigIntegerField()
    posting_date = models.DateField()
    wanted_date = models.DateField(null=True)  # the day it would have without closed periods, where that is another
    evidence = models.JSONField(null=True, editable=False)  # 'date': why this day; 'fx': which rate, whose, since when
    qad_number = models.CharField("QAD number", max_length=40, blank=True)
    qad_year = models.CharField(max_length=8, blank=True)
    qad_daybook = models.CharField(max_length=20, blank=True)
    qad_voucher = models.CharField(max_length=40, blank=True)
    qad_posting_date = models.DateField(null=True)
    # what a person accepted as this document although QAD shows it otherwise: reference, customer, currency, total …
    accepted = models.JSONField(null=True, editable=False)
    problems = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint("tenant", Upper("reference"), name="posting_reference_once"),
            models.UniqueConstraint(fields=["tenant", "source", "kind", "place"], name="posting_place_once"),
            models.UniqueConstraint(
                fields=["tenant", "order_key"], condition=Q(state__in=IN_FLIGHT), name="posting_one_in_flight"
            ),
            models.UniqueConstraint(
                fields=["tenant", "qad_year", "qad_daybook", "qad_number"],
                condition=~Q(qad_number=""),
                name="posting_qad_document_once",
            ),
            models.CheckConstraint(condition=Q(state__in=PostingState.values), name="posting_state_known"),
        ]
        indexes = [
            models.Index(fields=["tenant", "state", "id"], name="posting_work"),
            models.Index(fields=["tenant", "-id"], name="posting_newest"),
            models.Index(fields=["source", "place", "state"], name="posting_chain"),
            models.Index(fields=["tenant", "qad_number"], name="posting_number"),
            models.Index(fields=["attempt_key"], name="posting_attempt"),
            models.Index(fields=["tenant", "-id"], name="posting_shifted", condition=Q(wanted_date__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def qad_reference(self) -> str:
        """The reference under which QAD has it: ours, unless a person accepted a document that bears another."""
        return str((self.accepted or {}).get("reference", self.reference))

    @property
    def is_by_hand(self) -> bool:
        """Entered in QAD by a person when nothing could be made of it here: its journal is known only there."""
        return bool((self.accepted or {}).get("by_hand"))

    @property
    def total(self) -> Money:
        return Money.of_minor(self.total_minor, self.currency)
