"""Reconciliations: a period in three books, with every difference, its reason, and the way to its document."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from connector.ledger.compare import Period
from syncs.admin import links, words
from syncs.admin.reading import Job, JobAdmin
from syncs.models import Reconciliation, RunState
from syncs.states import Disposition
from tenants.access import Action
from tenants.models import Tenant

KINDS = {
    "invoice": "Invoices",
    "credit_note": "Credit notes",
    "journal": "Journals to clearing",
    "payment": "Payments",
    "refund": "Refunds",
    "transaction": "Other transactions",
    "application": "Applications",
    "unapplication": "Un-applications",
    "reversal": "Reversals",
    "corrected": "Earlier versions",
    "withheld_tax": "Withheld tax",
}
CODES = {
    "differs": "Differs in QAD",
    "duplicate": "Twice in QAD",
    "only-in-qad": "Only in QAD",
    "only-in-chargebee": "Only in Chargebee",
    "not-in-qad": "Only here",
    "date-shifted": "Date moved by QAD",
    "other-number": "Other number in QAD",
    "unexpected-in-qad": "In QAD, not expected there",
    "from-another-period": "Of another period",
    "to-another-period": "Posted in another period",
    "just-posted": "Posted a moment ago",
    "cannot-be-read-back": "QAD cannot be asked",
    **{one.value: one.label for one in Disposition},
}
AMOUNTS = ("chargebee", "ours", "qad", "moved_out", "moved_in", "qad_in_period", "residual")


def state_badge(row: Reconciliation) -> SafeString:
    if row.is_balanced:
        return words.badge(RunState.COMPLETE, "Nothing left over")
    return words.badge(RunState.RED, "Not explained")


@admin.register(Reconciliation)
class ReconciliationAdmin(JobAdmin):
    nav_group, nav_label, nav_order = "Month end", "Reconciliations", 10
    list_title = "Reconciliations"
    list_help = "A period in three books: Chargebee's documents, what was posted here, and what QAD shows of it."
    change_list_template = "admin/syncs/reconciliations.html"
    list_display = ("period_shown", "finished", "state_badge", "sentence_shown", "actor")
    list_filter = ("is_balanced",)
    job_name, job_action = "compare", Action.RUN

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"may_run": self.may_queue(request), **(extra_context or {})})

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("tenant").defer("figures", "variances", "counts")

    @admin.display(description="period")
    def period_shown(self, row: Reconciliation) -> str:
        return row.period

    @admin.display(description="compared")
    def finished(self, row: Reconciliation) -> str:
        return words.minute(row.finished_at, row.tenant.time_zone)

    @admin.display(description="result")
    def state_badge(self, row: Reconciliation) -> SafeString:
        return state_badge(row)

    def job(self, request: HttpRequest, tenant: Tenant) -> Job | str:
        period = request.POST.get("period", "")
        try:
            Period.named(period)
        except ValueError:
            return f"'{period[:20]}' is not a period. Write it as 2026-11."
        return Job("syncs.tasks.reconcile", (period,), f"{period} is compared as soon as a worker is free.")

    def show(self, request: HttpRequest, row: Reconciliation) -> HttpResponse:
        return self.page(request, "reconciliation.html", title=str(row), badge=state_badge(row), **shown(row))


def shown(row: Reconciliation) -> dict[str, Any]:
    """Context of the page of one reconciliation."""
    zone = row.tenant.time_zone
    hidden = sum(row.counts.values()) - len(row.variances)
    return {
        "row": row,
        "tone": "good" if row.is_balanced else "bad",
        "facts": [
            ("Compared", words.moment(row.finished_at, zone)),
            ("Chargebee read until", words.moment(row.read_until, zone)),
            ("Asked for by", row.actor),
        ],
        "figures": [_figure(one) for one in row.figures],
        "open": [_variance(one) for one in row.variances if not one["is_explained"]],
        "explained": [_variance(one) for one in row.variances if one["is_explained"]],
        "hidden": words.counted(hidden, "more difference is", "more differences are") if hidden > 0 else "",
    }


def _figure(one: dict[str, Any]) -> dict[str, Any]:
    reasons = [(CODES.get(reason, reason), _digits(amount)) for reason, amount in one["explained"].items()]
    amounts = {name: _digits(one[name]) for name in AMOUNTS}
    return {
        **one,
        **amounts,
        "label": KINDS.get(one["kind"], one["kind"]),
        "reasons": reasons,
        "is_left": bool(Decimal(one["residual"])),
        "has_moved": bool(Decimal(one["moved_out"]) or Decimal(one["moved_in"])),
        "rests_on_us": _digits(one["not_shown"]) if Decimal(one["not_shown"]) else "",
    }


def _variance(one: dict[str, Any]) -> dict[str, Any]:
    amounts = {name: _digits(one[name]) for name in ("chargebee", "ours", "qad")}
    name = one["source_id"] or one["reference"]
    url = links.document_url(one["document"]) if one["document"] else ""
    return {
        **one,
        **amounts,
        "label": CODES.get(one["code"], one["code"]),
        "kind_label": KINDS.get(one["kind"], one["kind"]),
        "door": links.Button(url, name),
    }


def _digits(text: str | None) -> str:
    return words.NONE if text is None else words.grouped(Decimal(text))
