"""Runs: what each listed, whether everything of it is accounted for, and the button that starts one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from connector.errors import Configuration
from syncs import tasks
from syncs.admin import equations, words
from syncs.admin.reading import ReadOnlyAdmin
from syncs.models import Kind, Purpose, Run, RunState
from tenants import access, calendar
from tenants.access import Action
from tenants.admin.changes import actor_of
from tenants.models import Tenant

LONGEST_ID = 100

WINDOWS_SHOWN = 400


def is_dead(run: Run) -> bool:
    """It says that it is running, and nobody has heard of it for longer than a live run is silent."""
    return run.state == RunState.RUNNING and run.lease_until < timezone.now()


def state_badge(run: Run) -> SafeString:
    if is_dead(run):
        return words.badge(RunState.INTERRUPTED, "No sign of life")
    return words.badge(run.state, run.get_state_display())


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    nav_group, nav_label, nav_order = "Documents", "Runs", 20
    list_title = "Runs"
    list_help = "Every sync with its completeness equation: what Chargebee listed = what became of it."
    change_list_template = "admin/syncs/runs.html"
    list_display = ("name", "started", "took", "trigger", "state_badge", "listed", "sentence_shown")
    list_filter = ("state",)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(
            request, {"may_run": self.has_run_permission(request), "kinds": Kind.choices, **(extra_context or {})}
        )

    def has_run_permission(self, request: HttpRequest) -> bool:
        return access.of(request).may(Action.RUN)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("tenant")

    @admin.display(description="run")
    def name(self, run: Run) -> str:
        return str(run)

    @admin.display(description="started")
    def started(self, run: Run) -> str:
        return words.minute(run.started_at, run.tenant.time_zone)

    @admin.display(description="took")
    def took(self, run: Run) -> str:
        return equations.duration(run)

    @admin.display(description="result")
    def state_badge(self, run: Run) -> SafeString:
        return state_badge(run)

    @admin.display(description="listed")
    def listed(self, run: Run) -> str:
        return f"{sum(one['listed'] for one in run.equation):,}" if run.equation else words.NONE

    @admin.display(description="in words")
    def sentence_shown(self, run: Run) -> str:
        return equations.sentence(run)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.sync_now)
        return [path("sync-now/", view, name="syncs_run_sync_now"), *super().get_urls()]

    def sync_now(self, request: HttpRequest) -> HttpResponse:
        """Ask the task queue for a sync of the current tenant."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        tenant = access.of(request).tenant
        if tenant is None or not self.has_run_permission(request):
            raise PermissionDenied
        runs = Run.objects.filter(tenant=tenant, purpose=Purpose.SYNC, state=RunState.RUNNING)
        if runs.filter(lease_until__gte=timezone.now()).exists():
            self.message_user(request, f"A sync of {tenant} is running already.", messages.WARNING)
        else:
            try:
                calendar.refuse_in_blackout(tenant, timezone.now())
                self._ask(request, tenant)
            except Configuration as error:
                self.message_user(request, error.message, messages.ERROR)
        return HttpResponseRedirect(reverse("admin:syncs_run_changelist"))

    def _ask(self, request: HttpRequest, tenant: Tenant) -> None:
        """Of everything, of one kind, or of one document by its id."""
        kind, source_id = request.POST.get("kind", ""), request.POST.get("id", "").strip()
        if kind and kind not in Kind.values:
            self.message_user(request, f"There is no kind '{kind[:40]}'. Choose one of the list.", messages.ERROR)
        elif source_id and (not kind or len(source_id) > LONGEST_ID or not source_id.isprintable()):
            said = f"Choose the kind of the document; its id has at most {LONGEST_ID} characters, all of them visible."
            self.message_user(request, said, messages.ERROR)
        else:
            tasks.ask_for_sync(tenant, kind, source_id, actor_of(request))
            what = f"{Kind(kind).label.lower()} {source_id}".strip() if kind else "everything"
            said = f"A sync of {tenant} ({what}) was asked for. It starts as soon as a worker is free"
            self.message_user(request, f"{said}, after any run that comes first.")

    def show(self, request: HttpRequest, run: Run) -> HttpResponse:
        shown = equations.shown(run)
        windows = list(run.windows.order_by("pk")[:WINDOWS_SHOWN])
        return self.page(
            request, "run.html", title=str(run), badge=state_badge(run), is_dead=is_dead(run), windows=windows, **shown
        )
