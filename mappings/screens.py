"""What every screen that changes mappings has in common: the impact comes before the save, and the release after it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple, Protocol

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from mappings.planning import Change
from mappings.saving import Saved
from tenants import access
from tenants.models import Tenant

AfterSave = Callable[[HttpRequest, Tenant, Saved], None]
SEEN = "_impact_seen"  # the impact of this very form has been shown


class Limit(NamedTuple):
    """How many open documents are weighed, and for how long; the sentences say where that was not all."""

    documents: int
    seconds: float


ON_A_PAGE, IN_BACKGROUND = Limit(1_000, 10.0), Limit(10_000, 60.0)


class ImpactOf(Protocol):
    """One sentence for each thing that changes would do to open documents; [] where there is none."""

    def __call__(
        self, tenant: Tenant, changes: Sequence[Change], deleted: Sequence[Any] = (), /, *, limit: Limit = ON_A_PAGE
    ) -> list[str]: ...


class SavingScreen:
    """Mixed into the admin classes that save mappings.

    `impact_of` says what changes would do to documents, `after_save` is told of what was saved. Whoever knows the
    documents sets them here.
    """

    after_save: ClassVar[AfterSave | None] = None
    impact_of: ClassVar[ImpactOf | None] = None

    def impact(self, request: HttpRequest, changes: Sequence[Change], deleted: Sequence[Any] = ()) -> list[str]:
        tenant, impact_of = access.of(request).tenant, type(self).impact_of
        return impact_of(tenant, changes, deleted) if tenant is not None and impact_of is not None else []

    def impact_page(self, request: HttpRequest, subject: str, changes: Sequence[Change]) -> HttpResponse | None:
        """The page between a form and its save; None where it has been seen, or nothing open is touched.

        Its button sends the same form once more.
        """
        lines = [] if SEEN in request.POST else self.impact(request, changes)
        if not lines:
            return None
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "title": "What this change would do",
            "opts": self.opts,  # type: ignore[attr-defined]
            "list_title": getattr(self, "nav_label", ""),
            "lines": lines,
            "posted": [(name, value) for name in request.POST for value in request.POST.getlist(name)],
            "seen": SEEN,
            "subject": subject,
        }
        return TemplateResponse(request, "admin/mappings/impact.html", context)

    def saved_changes(self, request: HttpRequest, saved: Saved) -> None:
        """Tell `after_save` what changed."""
        tenant, after_save = access.of(request).tenant, type(self).after_save
        if saved and after_save is not None and tenant is not None:
            after_save(request, tenant, saved)
