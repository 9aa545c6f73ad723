"""Documents: the list, the page of one with its whole story, and the replay of one or many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from connector.periods import business_date
from syncs import replay
from syncs.admin import document_page, links, replaying, search, why, words
from syncs.admin.decision_views import DecisionViews
from syncs.admin.filters import AssignedFilter, CurrencyFilter, DispositionFilter, ProblemFilter, SubjectFilter
from syncs.admin.reading import ReadOnlyAdmin
from syncs.fates import Way, fate
from syncs.models import Posting, SourceDocument
from syncs.states import DONE, IN_FLIGHT, SourceState, disposition
from tenants import access
from tenants.access import Action
from tenants.admin.changes import actor_of
from tenants.models import Tenant

COMPARED = 20  # documents of a selection that are compared before a rebuild


@admin.register(SourceDocument)
class SourceDocumentAdmin(DecisionViews, ReadOnlyAdmin):
    nav_group, nav_label, nav_order = "Documents", "Documents", 10
    list_title = "Documents"
    list_help = "Everything that was read from Chargebee, and what became of it."
    shows_times = False
    list_display = ("name", "customer", "dated", "amount", "standing")
    list_display_links = ("name",)
    list_filter = ("kind", DispositionFilter, CurrencyFilter, ProblemFilter, SubjectFilter, AssignedFilter)
    search_fields = ("source_id",)
    search_help_text = "A Chargebee id, a customer, a posting reference or a QAD number, or the beginning of one."
    actions = ("rebuild_selected", "resend_selected")

    def get_queryset(self, request: HttpRequest) -> QuerySet[SourceDocument]:
        chain = Posting.objects.order_by("place").only("source_id", "place", "state", "qad_number", "problems")
        rows = super().get_queryset(request).select_related("tenant").defer("raw", "content_hash")
        return rows.prefetch_related(Prefetch("postings", queryset=chain, to_attr="chain"))

    def find(self, tenant: Tenant, text: str) -> set[int]:
        return search.documents(tenant, text)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return access.of(request).may(Action.REPLAY)

    @admin.display(description="Chargebee id")
    def name(self, row: SourceDocument) -> SafeString:
        return format_html('{}<br><span class="hint">{}</span>', row.source_id, row.get_kind_display())

    @admin.display(description="customer")
    def customer(self, row: SourceDocument) -> str:
        return row.customer_id or words.NONE

    @admin.display(description="date")
    def dated(self, row: SourceDocument) -> str:
        return f"{business_date(row.dated_at, row.tenant.time_zone)}" if row.dated_at else words.NONE

    @admin.display(description="amount")
    def amount(self, row: SourceDocument) -> str:
        return words.money(row.total_minor, row.currency) if words.has_money(row.kind) else words.NONE

    @admin.display(description="disposition, QAD number or problem")
    def standing(self, row: Any) -> SafeString:
        last = row.chain[-1] if row.chain else None
        name = str(disposition(row.state, last.state if last else None) or words.UNKNOWN)
        number = last.qad_number if last is not None else ""
        shown = format_html("{} {}", words.badge(name, words.disposition_label(name)), number)
        problem = _first_problem(row, last)
        return format_html("{}<br>{}", shown, problem) if problem else shown

    def get_urls(self) -> list[URLPattern]:
        ours: dict[str, Callable[..., HttpResponse]] = {
            "why": self.why_view,
            "rebuild": self.rebuild_view,
            "resend": self.resend_view,
            "look-up": self.look_up_view,
            **self.decisions(),
        }
        rows = [(f"<path:object_id>/{name}/", name, view) for name, view in ours.items()]
        rows += [("find/", "find", self.find_view)]
        return [
            path(address, self.admin_site.admin_view(view), name=f"syncs_sourcedocument_{name.replace('-', '_')}")
            for address, name, view in rows
        ] + super().get_urls()

    def find_view(self, request: HttpRequest) -> HttpResponse:
        """The search box of every page: one document opens at once, several are listed."""
        tenant, text = access.of(request).tenant, request.GET.get("q", "").strip()
        if tenant is None or not self.has_view_permission(request):
            raise PermissionDenied
        found = self.find(tenant, text) if text else set()
        if len(found) == 1:
            return HttpResponseRedirect(links.document_url(found.pop()))
        return HttpResponseRedirect(links.documents_url(q=text) if text else links.documents_url())

    def show(self, request: HttpRequest, row: Any) -> HttpResponse:
        shown = document_page.page(row.tenant, row, access.of(request))
        return self.page(request, "document.html", title=str(row), **self.answers(request, row), **shown)

    def why_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Which mapping wins for each of its amounts, and why."""
        row = self.own(request, object_id)
        if row is None:
            return self.not_there(request, object_id)
        desk = document_page.desk_of(row.tenant)
        shown = {"problem": desk} if isinstance(desk, str) else why.values(desk, row)
        title = f"Why {row} lands where it does"
        return self.page(request, "why.html", title=title, row=row, back=links.document_url(row.pk), **shown)

    def _replayable(self, request: HttpRequest, object_id: str) -> SourceDocument | None:
        """The document for somebody who may replay it. Raises PermissionDenied."""
        row: SourceDocument | None = self.own(request, object_id)
        if not self.has_replay_permission(request):
            raise PermissionDenied
        return row

    def rebuild_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Both ways of Replay with what each would do; with POST, the rebuild."""
        row = self._replayable(request, object_id)
        if row is None:
            return self.not_there(request, object_id)
        if request.method == "POST":
            return self._press(request, Way.REBUILD, row)
        shown = document_page.compared(document_page.desk_of(row.tenant), row, access.of(request))
        states = [posting.state for posting in document_page.chain_of(row)]
        fates = {way.value: fate(way, row.kind, row.state, states) for way in Way}
        title = f"Replay {row.get_kind_display().lower()} {row.source_id}"
        return self.page(request, "rebuild.html", title=title, row=row, fates=fates, **shown)

    def resend_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = self._replayable(request, object_id)
        return self.not_there(request, object_id) if row is None else self._press(request, Way.RESEND, row)

    def look_up_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A posted document is asked for now; an uncertain one by the sweep, which alone may settle it."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = self._replayable(request, object_id)
        if row is None:
            return self.not_there(request, object_id)
        chain = document_page.chain_of(row)
        if any(one.state in IN_FLIGHT for one in chain):
            return self._press(request, Way.RESEND, row)
        done = [one for one in chain if one.state in DONE]
        for posting in done:
            self.message_user(request, replaying.look_up(row.tenant, posting, actor=actor_of(request)))
        return self.back(row) if done else self._press(request, Way.RESEND, row)

    def _press(self, request: HttpRequest, way: Way, row: SourceDocument) -> HttpResponse:
        self.message_user(
            request, replaying.press(row.tenant, way, [row.pk], actor=actor_of(request)), messages.SUCCESS
        )
        return self.back(row)

    @admin.action(description="Rebuild and post", permissions=["replay"])
    def rebuild_selected(self, request: HttpRequest, queryset: QuerySet[SourceDocument]) -> HttpResponse | None:
        return self._replay_many(request, Way.REBUILD, queryset)

    @admin.action(description="Send again as it was", permissions=["replay"])
    def resend_selected(self, request: HttpRequest, queryset: QuerySet[SourceDocument]) -> HttpResponse | None:
        return self._replay_many(request, Way.RESEND, queryset)

    def _replay_many(self, request: HttpRequest, way: Way, queryset: QuerySet[SourceDocument]) -> HttpResponse | None:
        tenant = access.of(request).tenant
        if tenant is None:
            raise PermissionDenied
        if request.POST.get("confirmed") != "yes":
            return self._confirm_many(request, tenant, way, queryset)
        keys = list(queryset.order_by("pk").values_list("pk", flat=True))
        said = replaying.press(tenant, way, keys, actor=actor_of(request))
        self.message_user(request, said, messages.SUCCESS)
        return None

    def _confirm_many(
        self, request: HttpRequest, tenant: Tenant, way: Way, queryset: QuerySet[SourceDocument]
    ) -> HttpResponse:
        """What would happen to each group, with its money, before anything does."""
        keys = list(queryset.order_by("pk").values_list("pk", flat=True))
        groups = replay.plan(tenant, keys, way)
        first = SourceDocument.objects.filter(tenant=tenant, pk__in=keys[-COMPARED:]) if way == Way.REBUILD else []
        desk = document_page.desk_of(tenant) if keys else ""
        label = replaying.LABELS[way]
        return self.page(
            request,
            "replay_many.html",
            title=f"{label}: {words.counted(len(keys), 'document')}",
            label=label,
            way=way.value,
            groups=replaying.shown(groups),
            in_background=len(keys) > replaying.AT_ONCE,
            compared=[{"row": row, **document_page.compared(desk, row, access.of(request))} for row in first],
            limit=COMPARED,
            action=request.POST.get("action", ""),
            selected=request.POST.getlist(ACTION_CHECKBOX_NAME)[:1000],
            across=request.POST.get("select_across", "0"),
        )


def _first_problem(row: SourceDocument, last: Posting | None) -> str:
    problems = row.problems if row.state != SourceState.CODED else []
    problems = problems or (last.problems if last is not None and last.state not in DONE else [])
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{problems[0]['message']}{more}" if problems else ""
