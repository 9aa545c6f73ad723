"""Certifications of a QAD profile: each try with its steps, what was measured, and the button that starts one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django_q.tasks import async_task

from connector.errors import ConnectorError
from syncs import certified
from syncs.admin import words
from syncs.admin.reading import ReadOnlyAdmin
from syncs.models import Certification
from tenants import access
from tenants.access import Action
from tenants.changes import actor_of
from tenants.models import Tenant

# The state of a run or posting whose colour says the same.
TONES = {"passed": "complete", "failed": "red", "interrupted": "interrupted", "running": "running"}
STEP_TONES = {"ok": "posted", "warning": "held", "not configured": "held", "failed": "rejected", "sending": "sending"}


@admin.register(Certification)
class CertificationAdmin(ReadOnlyAdmin):
    nav_group, nav_label, nav_order = "Tenants & connections", "Certifications", 45
    list_title = "Certifications"
    list_help = (
        "A QAD profile is tried in a test workspace: a document of each kind is posted, found, compared and reversed. "
        "A live tenant of the same company posts only with a profile that has passed as it stands."
    )
    change_list_template = "admin/syncs/certifications.html"
    list_display = ("number", "started", "state_badge", "workspace", "sentence_shown", "actor")
    list_filter = ("state",)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        found = access.of(request)
        standing = certified.why_not_certified(found.tenant) if found.tenant is not None else ""
        own = {"may_certify": self.may_certify(request), "standing": standing}
        return super().changelist_view(request, {**own, **(extra_context or {})})

    def may_certify(self, request: HttpRequest) -> bool:
        return access.of(request).may(Action.MANAGE_CONNECTIONS)

    @admin.display(description="certification")
    def number(self, row: Certification) -> str:
        return f"{row.pk}"

    @admin.display(description="started")
    def started(self, row: Certification) -> str:
        return words.minute(row.started_at, row.tenant.time_zone)

    @admin.display(description="result")
    def state_badge(self, row: Certification) -> SafeString:
        return words.badge(TONES[row.state], row.get_state_display())

    @admin.display(description="in words")
    def sentence_shown(self, row: Certification) -> str:
        return row.sentence

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.certify)
        return [path("certify/", view, name="syncs_certification_certify"), *super().get_urls()]

    def certify(self, request: HttpRequest) -> HttpResponse:
        """Ask the task queue for a certification of the current tenant's profile."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        tenant = access.of(request).tenant
        if tenant is None or not self.may_certify(request):
            raise PermissionDenied
        problem = _why_not(tenant)
        if problem:
            self.message_user(request, problem, messages.ERROR)
        else:
            async_task("syncs.certifying.task", tenant.pk, actor_of(request))
            self.message_user(request, "It starts as soon as a worker is free. Reload this page then.")
        return HttpResponseRedirect(reverse("admin:syncs_certification_changelist"))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.own(request, object_id)
        if row is None:
            return self.not_there(request, object_id)
        badge = words.badge(TONES[row.state], row.get_state_display())
        return self.page(request, "certification.html", title=f"Certification {row.pk}", badge=badge, **shown(row))


def _why_not(tenant: Tenant) -> str:
    try:
        certified.check_place(tenant)
        certified.codes_of(tenant)
    except ConnectorError as error:
        return error.message
    return ""


def shown(row: Certification) -> dict[str, Any]:
    """Context of the page of one certification."""
    zone = row.tenant.time_zone
    facts = [
        ("Workspace", row.workspace),
        ("Profile", f"{row.preset}, version {row.profile_version}, {row.profile_hash[:12]}"),
        ("Started", words.moment(row.started_at, zone)),
        ("Ended", words.moment(row.finished_at, zone)),
        ("Asked for by", row.actor),
        *((name.replace("_", " ").capitalize(), str(value)) for name, value in row.figures.items()),
    ]
    steps = [{**one, "badge": words.badge(STEP_TONES.get(one["answer"], "held"), one["answer"])} for one in row.steps]
    return {"row": row, "tone": "good" if row.state == "passed" else "bad", "facts": facts, "steps": steps}
