"""The queue as it is: postings by state, the attempts to send them, and customers on their way into QAD."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from syncs.admin import links, previews, search, words
from syncs.admin.filters import CurrencyFilter
from syncs.admin.reading import DoorAdmin
from syncs.models import Attempt, CustomerCreation, Posting
from syncs.models.attempt import Outcome
from syncs.models.creation import Step
from syncs.states import PostingState
from tenants.models import Tenant

_OUTCOME_TONES: dict[str, str] = {
    Outcome.POSTED: "posted",
    Outcome.ADOPTED: "posted",
    Outcome.REJECTED: "rejected",
    Outcome.CONFLICT: "conflict",
    Outcome.UNCERTAIN: "uncertain",
    Outcome.OPEN: "uncertain",
    Outcome.NOT_SENT: "waiting",
    Outcome.ABSENT: "waiting",
}
_GOES_ON: dict[str, str] = {PostingState.READY: "not before", PostingState.UNCERTAIN: "looked up after"}
_STEP_TONES: dict[str, str] = {Step.DONE: "posted", Step.REJECTED: "rejected"}


def outcome_badge(attempt: Attempt) -> SafeString:
    return words.badge(_OUTCOME_TONES.get(attempt.outcome, ""), attempt.get_outcome_display())


def first_message(problems: list[dict[str, str]]) -> str:
    return problems[0]["message"] if problems else ""


@admin.register(Posting)
class PostingAdmin(DoorAdmin):
    nav_group, nav_label, nav_order = "Traffic", "Postings", 30
    list_title = "Postings"
    list_help = "The queue towards QAD: every document that QAD has or is to have, by its state."
    list_display = ("reference", "standing", "customer_code", "amount", "posting_date", "qad_number", "attempts")
    list_filter = ("state", CurrencyFilter)
    search_fields = ("reference",)
    search_help_text = "A reference or a QAD number, or the beginning of one."

    def get_urls(self) -> list[URLPattern]:
        return [path("preview/", self.admin_site.admin_view(previews.page), name="syncs_preview"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Posting]:
        return super().get_queryset(request).select_related("tenant").defer("document")

    def find(self, tenant: Tenant, text: str) -> set[int]:
        return search.postings(tenant, text)

    def door(self, row: Posting) -> str:
        return links.document_url(row.source_id)

    @admin.display(description="state")
    def standing(self, row: Posting) -> SafeString:
        """The state with its problem, and when the machine goes on by itself."""
        at = {PostingState.READY: row.not_before, PostingState.UNCERTAIN: row.settle_at}.get(PostingState(row.state))
        again = f"{_GOES_ON[row.state]} {words.minute(at, row.tenant.time_zone)}" if at is not None else ""
        shown = format_html("{} {}", words.badge(row.state, row.get_state_display()), again)
        problem = first_message(row.problems)
        return format_html("{}<br>{}", shown, problem) if problem else shown

    @admin.display(description="amount")
    def amount(self, row: Posting) -> str:
        return words.money(row.total_minor, row.currency)


@admin.register(Attempt)
class AttemptAdmin(DoorAdmin):
    nav_group, nav_label, nav_order = "Traffic", "Attempts", 40
    list_title = "Attempts"
    list_help = "Every try at sending a document, with QAD's answer. Open one for its request and reply."
    list_display = ("posting", "number", "claimed", "outcome_badge", "status", "sentence")
    list_filter = ("outcome",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Attempt]:
        rows = super().get_queryset(request).select_related("tenant", "posting")
        return rows.defer("exchange", "posting__document", "posting__problems")

    def door(self, row: Attempt) -> str:
        return links.document_url(row.posting.source_id, f"attempt-{row.pk}")

    @admin.display(description="started")
    def claimed(self, row: Attempt) -> str:
        return words.minute(row.claimed_at, row.tenant.time_zone)

    @admin.display(description="outcome")
    def outcome_badge(self, row: Attempt) -> SafeString:
        return outcome_badge(row)


@admin.register(CustomerCreation)
class CustomerCreationAdmin(DoorAdmin):
    nav_group, nav_label, nav_order = "Customers", "Customers created in QAD", 50
    list_title = "Customers created in QAD"
    list_help = "Chargebee customers that the connector creates in QAD, step by step."
    list_display = ("code", "chargebee_customer", "step_badge", "attempts", "changed", "problem")
    list_filter = ("step",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CustomerCreation]:
        return super().get_queryset(request).select_related("tenant", "source").defer("document", "source__raw")

    def door(self, row: CustomerCreation) -> str:
        return links.document_url(row.source_id)

    @admin.display(description="Chargebee customer")
    def chargebee_customer(self, row: CustomerCreation) -> str:
        return row.source.source_id

    @admin.display(description="step")
    def step_badge(self, row: CustomerCreation) -> SafeString:
        return words.badge(_STEP_TONES.get(row.step, "waiting"), row.get_step_display())

    @admin.display(description="last change")
    def changed(self, row: CustomerCreation) -> str:
        return words.minute(row.changed_at, row.tenant.time_zone)

    @admin.display(description="problem")
    def problem(self, row: CustomerCreation) -> str:
        return first_message(row.problems)
