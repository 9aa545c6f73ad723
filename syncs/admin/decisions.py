"""What people decided, as lists: documents set aside with their money, requests to send again, surplus, replays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import Count, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from syncs.admin import attention, links, words
from syncs.admin.reading import DoorAdmin
from syncs.models import ForceRequest, ForceState, Ignore, Kind, ReplayJob, Surplus
from tenants import access, navigation
from tenants.access import Action
from tenants.models import Tenant

_TONES = {
    ForceState.OPEN: "warn",
    ForceState.APPROVED: "good",
    ForceState.REFUSED: "quiet",
    ForceState.WITHDRAWN: "quiet",
    ForceState.EXPIRED: "quiet",
}


navigation.register(navigation.Page("Overview", "Needs attention", "admin:syncs_attention", order=10))


def tinted(tone: str, label: str) -> SafeString:
    return format_html('<span class="badge badge-{}">{}</span>', tone, label)


class EndedFilter(SimpleListFilter):
    title = "standing"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("ended", "Came back"), ("all", "All")]

    def choices(self, changelist: Any) -> Iterator[Any]:
        """What is ignored now stands first, and is what the list shows by itself."""
        found = list(super().choices(changelist))
        found[0]["display"] = "Ignored now"
        return iter(found)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "all":
            return queryset
        return queryset.filter(ended_at__isnull=self.value() != "ended")


@admin.register(Ignore)
class IgnoreAdmin(DoorAdmin):
    nav_group, nav_label, nav_order = "Month end", "Ignored", 30
    list_title = "Ignored documents"
    list_help = "What is not posted by a person's decision, who answers for it, and when it comes back by itself."
    list_display = ("document", "amount", "reason", "owner", "expires_on", "decided", "ended")
    list_filter = (EndedFilter,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Ignore]:
        return super().get_queryset(request).select_related("tenant", "source").defer("source__raw")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """With the money that is ignored at this moment, for the close of the month."""
        tenant = access.of(request).tenant
        total = f" {ignored_total(tenant)}" if tenant is not None else ""
        shown = super().changelist_view(request, extra_context)
        if hasattr(shown, "context_data") and shown.context_data is not None:
            shown.context_data["list_help"] += total
        return shown

    def door(self, row: Ignore) -> str:
        return links.document_url(row.source_id)

    @admin.display(description="document")
    def document(self, row: Ignore) -> str:
        return str(row.source)

    @admin.display(description="amount")
    def amount(self, row: Ignore) -> str:
        return words.money(row.source.total_minor, row.source.currency)

    @admin.display(description="decided")
    def decided(self, row: Ignore) -> str:
        return f"{words.minute(row.decided_at, row.tenant.time_zone)} by {row.decided_by}"

    @admin.display(description="ended")
    def ended(self, row: Ignore) -> str:
        return f"{words.minute(row.ended_at, row.tenant.time_zone)} by {row.ended_by}" if row.ended_at else ""


def ignored_total(tenant: Tenant) -> str:
    """'Ignored now: 3 invoices, 120.00 EUR.' by kind and currency."""
    now = Ignore.objects.filter(tenant=tenant, ended_at=None).order_by()
    rows = now.values_list("source__kind", "source__currency").annotate(n=Count("pk"), minor=Sum("source__total_minor"))
    said = [
        f"{words.counted(count, Kind(kind).label.lower())}, {words.money(minor, currency)}"
        for kind, currency, count, minor in sorted(rows)
    ]
    return f"Ignored now: {'; '.join(said)}." if said else "Nothing is ignored now."


@admin.register(ForceRequest)
class ForceRequestAdmin(DoorAdmin):
    nav_group, nav_label, nav_order = "Documents", "Requests to send again", 23
    list_title = "Requests to send again"
    list_help = "What somebody wants sent again although QAD may have it. Open one to approve or refuse it."
    list_display = ("posting", "state_badge", "reason", "asked", "expires", "answered")
    list_filter = ("state",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ForceRequest]:
        return super().get_queryset(request).select_related("tenant", "posting").defer("posting__document")

    def door(self, row: ForceRequest) -> str:
        return links.document_url(row.posting.source_id)

    @admin.display(description="state")
    def state_badge(self, row: ForceRequest) -> SafeString:
        return tinted(_TONES[ForceState(row.state)], row.get_state_display())

    @admin.display(description="asked")
    def asked(self, row: ForceRequest) -> str:
        return f"{words.minute(row.requested_at, row.tenant.time_zone)} by {row.requested_name}"

    @admin.display(description="expires")
    def expires(self, row: ForceRequest) -> str:
        return words.minute(row.expires_at, row.tenant.time_zone)

    @admin.display(description="answered")
    def answered(self, row: ForceRequest) -> str:
        at = words.minute(row.answered_at, row.tenant.time_zone)
        return f"{at} by {row.answered_name}" if row.answered_at else ""


@admin.register(Surplus)
class SurplusAdmin(DoorAdmin):
    nav_group, nav_label, nav_order = "Documents", "Surplus in QAD", 24
    list_title = "Surplus documents in QAD"
    list_help = "Documents that are one too many in QAD, with what is to be done there."
    list_display = ("qad_number", "posting", "instruction", "named", "reversed")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Surplus]:
        return super().get_queryset(request).select_related("tenant", "posting").defer("posting__document")

    def door(self, row: Surplus) -> str:
        return links.document_url(row.posting.source_id)

    @admin.display(description="named")
    def named(self, row: Surplus) -> str:
        return f"{words.minute(row.named_at, row.tenant.time_zone)} by {row.named_by}"

    @admin.display(description="reversed in QAD")
    def reversed(self, row: Surplus) -> str:
        at = words.minute(row.reversed_at, row.tenant.time_zone)
        return f"{at} by {row.reversed_by}" if row.reversed_at else "not yet"


@admin.register(ReplayJob)
class ReplayJobAdmin(DoorAdmin):
    list_title = "Large replays"
    list_help = "Replays that are done in the background, with how far they are. Reload to see more."
    list_display = ("name", "progress", "way", "actor", "asked", "finished", "came_of_it")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReplayJob]:
        return super().get_queryset(request).select_related("tenant").defer("keys")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.attention_view)
        return [path("attention/", view, name="syncs_attention"), *super().get_urls()]

    def attention_view(self, request: HttpRequest) -> HttpResponse:
        """Everything that needs a person, by cause and subject."""
        found = access.of(request)
        if found.tenant is None or not self.has_view_permission(request):
            return self.not_there(request, "")
        context = attention.shown(found.tenant, found)
        return self.page(
            request, "attention.html", title="Needs attention", may_replay=found.may(Action.REPLAY), **context
        )

    def door(self, row: ReplayJob) -> str:
        return links.url("admin:syncs_replayjob_changelist")

    @admin.display(description="replay")
    def name(self, row: ReplayJob) -> str:
        return str(row)

    @admin.display(description="progress")
    def progress(self, row: ReplayJob) -> SafeString:
        tone = "good" if row.finished_at else "wait"
        return tinted(tone, f"{row.done:,} of {row.total:,}")

    @admin.display(description="asked")
    def asked(self, row: ReplayJob) -> str:
        return words.minute(row.asked_at, row.tenant.time_zone)

    @admin.display(description="finished")
    def finished(self, row: ReplayJob) -> str:
        return words.minute(row.finished_at, row.tenant.time_zone)

    @admin.display(description="what came of it")
    def came_of_it(self, row: ReplayJob) -> str:
        return ", ".join(f"{count:,} {name}" for name, count in row.counts.items())
