"""Certifications of a QAD profile: each try with its steps, what was measured, and the button that starts one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from connector.errors import ConnectorError
from syncs import certified
from syncs.admin import words
from syncs.admin.reading import Job, JobAdmin
from syncs.models import Certification
from tenants import access
from tenants.access import Action
from tenants.models import Tenant

# The state of a run or posting whose colour says the same.
TONES = {"passed": "complete", "failed": "red", "interrupted": "interrupted", "running": "running"}
STEP_TONES = {"ok": "posted", "warning": "held", "not configured": "held", "failed": "rejected", "sending": "sending"}


@admin.register(Certification)
class CertificationAdmin(JobAdmin):
    nav_group, nav_label, nav_order = "Tenants & connections", "Certifications", 45
    list_title = "Certifications"
    list_help = (
        "A QAD profile is tried in a test workspace: a document of each kind is posted, found, compared and reversed. "
        "A live tenant of the same company posts only with a profile that has passed as it stands."
    )
    change_list_template = "admin/syncs/certifications.html"
    list_display = ("number", "started", "state_badge", "workspace", "sentence_shown", "actor")
    list_filter = ("state",)
    job_name, job_action = "certify", Action.MANAGE_CONNECTIONS

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        found = access.of(request)
        standing = certified.why_not_certified(found.tenant) if found.tenant is not None else ""
        own = {"may_certify": self.may_queue(request), "standing": standing}
        return super().changelist_view(request, {**own, **(extra_context or {})})

    @admin.display(description="certification")
    def number(self, row: Certification) -> str:
        return f"{row.pk}"

    @admin.display(description="started")
    def started(self, row: Certification) -> str:
        return words.minute(row.started_at, row.tenant.time_zone)

    @admin.display(description="result")
    def state_badge(self, row: Certification) -> SafeString:
        return words.badge(TONES[row.state], row.get_state_display())

    def job(self, request: HttpRequest, tenant: Tenant) -> Job | str:
        return _why_not(tenant) or Job("syncs.certifying.task", (), "It starts as soon as a worker is free.")

    def show(self, request: HttpRequest, row: Certification) -> HttpResponse:
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
