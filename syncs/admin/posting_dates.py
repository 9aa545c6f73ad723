"""Posting dates: what waits for a period or an approval, and every document that stands on another day than its own."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, Q
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from connector.ledger.cut_off import Reading
from syncs import cut_off, redating
from syncs.admin import links, replaying, words
from syncs.admin.reading import ReadOnlyAdmin
from syncs.approving_dates import CODE, approve
from syncs.models import DateApproval, Posting, SourceDocument
from syncs.releasing import held_for
from syncs.states import PostingState
from tenants import access, policies
from tenants.access import Action
from tenants.admin.changes import actor_of
from tenants.models import Tenant
from tenants.scoping import CappedPaginator

PAGE = 50
WAITING_SHOWN = 200
POLICY_WORDS = {
    "hold": "Documents of a closed period are held until it opens.",
    "next_open_period": "Documents of a closed period are posted on the first open day after it.",
    "original_after_approval": "Documents of a closed period keep their date and wait for an accountant's approval.",
}


@admin.register(DateApproval)
class DateApprovalAdmin(ReadOnlyAdmin):
    nav_group, nav_label, nav_order = "Month end", "Posting dates", 20
    list_title = "Posting dates"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.approve)
        clock = self.admin_site.admin_view(self.cut_off)
        return [
            path("<int:pk>/approve/", view, name="syncs_dateapproval_approve"),
            path("cut-off/", clock, name="syncs_cut_off"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        tenant = access.of(request).tenant
        shown = board(tenant, request.GET.get("p", "1")) if tenant is not None else {}
        may = access.of(request).may(Action.APPROVE_DATE)
        return self.page(request, "posting_dates.html", title=self.list_title, may_approve=may, **shown)

    def show(self, request: HttpRequest, row: DateApproval) -> HttpResponse:
        return HttpResponseRedirect(links.document_url(row.source_id))

    def cut_off(self, request: HttpRequest) -> HttpResponse:
        """Documents within an hour of the midnight between two periods."""
        tenant = access.of(request).tenant
        if tenant is None or not self.has_view_permission(request):
            raise PermissionDenied
        calls = close_calls(tenant, request.GET.get("p", "1"))
        return self.page(request, "cut_off.html", title="Cut-off clock", **calls)

    def approve(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Let one document keep its date."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        tenant = access.of(request).tenant
        if tenant is None or not access.of(request).may(Action.APPROVE_DATE):
            raise PermissionDenied
        row = SourceDocument.objects.filter(tenant=tenant, pk=pk).first()
        if row is None:
            return self.not_there(request, str(pk))
        wrong = approve(tenant, row, request.POST.get("reason", ""), now=timezone.now(), actor=actor_of(request))
        if wrong:
            self.message_user(request, wrong, messages.ERROR)
        else:
            self.message_user(request, f"{row} goes out on its own date.", messages.SUCCESS)
            replaying.go_on(tenant, ("post",))
        return HttpResponseRedirect(reverse("admin:syncs_dateapproval_changelist"))


def board(tenant: Tenant, page: str) -> dict[str, Any]:
    """What the page shows; a fixed number of queries."""
    pages = CappedPaginator(moved(tenant), PAGE)
    found = pages.get_page(page)
    by_qad = shifted_by_qad(tenant)[:WAITING_SHOWN]
    return {
        "policy": POLICY_WORDS[policies.read(tenant)["closed_periods"]],
        "waiting": _waiting(tenant),
        "moved": [_moved(posting) for posting in found.object_list],
        "moved_page": found,
        "by_qad": [_moved_by_qad(posting) for posting in by_qad],
        "approvals": [_approval(tenant, row) for row in _approvals(tenant)],
    }


def close_calls(tenant: Tenant, page: str) -> dict[str, Any]:
    """A page of the cut-off clock."""
    found = CappedPaginator(cut_off.close_calls(tenant, timezone.now()), PAGE).get_page(page)
    calendar = cut_off.calendar_of(tenant)
    rows = [(row, cut_off.reading(tenant, row, calendar)) for row in found.object_list]
    return {
        "rule": cut_off.RULE,
        "books_zone": tenant.time_zone,
        "site_zone": policies.read(tenant)["site_time_zone"] or tenant.time_zone,
        "rows": [_call(row, reading) for row, reading in rows if reading is not None],
        "found": found,
    }


def _call(row: SourceDocument, reading: Reading) -> dict[str, Any]:
    return {
        "door": links.Button(links.document_url(row.pk), str(row)),
        "amount": words.money(row.total_minor, row.currency),
        "at_site": f"{reading.at_site:%Y-%m-%d %H:%M:%S}",
        "in_books": f"{reading.in_books:%Y-%m-%d %H:%M:%S}",
        "day": reading.in_books.date().isoformat(),
        "differs": reading.differs,
    }


def moved(tenant: Tenant) -> Any:
    """Postings on another day than their own, newest first."""
    rows = Posting.objects.filter(tenant=tenant, wanted_date__isnull=False)
    return rows.select_related("source").defer("document", "source__raw").order_by("-pk")


def shifted_by_qad(tenant: Tenant) -> Any:
    """Posted ones that QAD dated otherwise than it was told; they stay unverified, so they are few to look through."""
    rows = Posting.objects.filter(tenant=tenant, state=PostingState.POSTED, qad_posting_date__isnull=False)
    return rows.filter(~Q(qad_posting_date=F("posting_date"))).select_related("source").order_by("-pk")


def _waiting(tenant: Tenant) -> list[dict[str, Any]]:
    held = held_for(tenant, redating.OURS).defer("raw").order_by("-pk")[:WAITING_SHOWN]
    found = [_wait(row, row.problems) for row in held]
    postings = redating.waiting(tenant).select_related("source").defer("document", "source__raw").order_by("-pk")
    return found + [_wait(posting.source, posting.problems, posting) for posting in postings[:WAITING_SHOWN]]


def _wait(row: SourceDocument, problems: list[dict[str, str]], posting: Posting | None = None) -> dict[str, Any]:
    told = [one for one in problems if one["code"] in redating.OURS]
    return {
        "door": links.Button(links.document_url(row.pk), str(row)),
        "reference": posting.reference if posting else "",
        "amount": words.money(row.total_minor, row.currency),
        "sentences": [f"{one['message']} {one['fix']}" for one in told],
        "pk": row.pk if any(one["code"] == CODE for one in told) else None,
    }


def _moved(posting: Posting) -> dict[str, Any]:
    told = (posting.evidence or {}).get("date", {})
    return {
        "door": links.Button(links.document_url(posting.source_id), str(posting.source)),
        "reference": posting.reference,
        "own": posting.wanted_date,
        "day": posting.posting_date,
        "reason": told.get("reason", ""),
        "badge": words.badge(posting.state, posting.get_state_display()),
    }


def _moved_by_qad(posting: Posting) -> dict[str, Any]:
    reason = f"QAD posted it on {posting.qad_posting_date} instead, in its own words beside the document."
    return {**_moved(posting), "own": posting.posting_date, "day": posting.qad_posting_date, "reason": reason}


def _approvals(tenant: Tenant) -> Any:
    return DateApproval.objects.filter(tenant=tenant).select_related("source").defer("source__raw")[:PAGE]


def _approval(tenant: Tenant, row: DateApproval) -> dict[str, Any]:
    return {
        "door": links.Button(links.document_url(row.source_id), str(row.source)),
        "day": row.wanted_date,
        "by": row.approved_by,
        "at": words.minute(row.approved_at, tenant.time_zone),
        "reason": row.reason,
        "spent": "QAD refused it all the same" if row.spent_at else "",
    }
