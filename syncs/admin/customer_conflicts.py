"""Customer conflicts and customers that may be one: both sides' values, who wins by rule, and a person's answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from connector.errors import Problem
from connector.ledger.party_fields import FIELDS
from syncs.admin import words
from syncs.admin.customers import SIDES, fields
from syncs.admin.reading import ReadOnlyAdmin
from syncs.admin.replaying import go_on
from syncs.alignment import choosing, reviewing
from syncs.models import (
    AlignedCustomer,
    ConflictKind,
    ConflictState,
    CustomerConflict,
    Kind,
    MatchReview,
    ReviewState,
    SourceDocument,
)
from tenants import access
from tenants.access import Action
from tenants.changes import actor_of

_TONES: dict[str, str] = {ConflictState.WAITING: "held", ConflictState.APPLIED: "waiting", ReviewState.OPEN: "held"}
_BOTH_GET = (("chargebee", "Both get Chargebee's value"), ("qad", "Both get QAD's value"))
_NOTED = (("note", "Noted"),)
# What a line's buttons say and do, by kind; the rest is only noted.
_WAYS: dict[str, tuple[tuple[str, str], ...]] = {
    **dict.fromkeys(choosing.WITH_VALUES, (*_BOTH_GET, ("note", "Leave it so"))),
    ConflictKind.PARKED: _BOTH_GET,
    ConflictKind.FROZEN: (("go-on", "Go on with this customer"),),
    ConflictKind.DELETED: (("merge", "It was merged"), ("note", "It was deleted")),
    ConflictKind.RECREATED: (("again", "It is the same customer"), ("note", "Leave it alone")),
}
Deed = Callable[..., list[Problem]]
_DEEDS: dict[str, Deed] = {
    "note": choosing.note,
    "go-on": choosing.let_go_on,
    "again": choosing.take_up_again,
    "merge": choosing.merge,
}


class Answered(ReadOnlyAdmin):
    """Questions about customers; answering needs the right to change mappings."""

    nav_group = "Customers"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("tenant")

    def get_urls(self) -> list[URLPattern]:
        name = f"syncs_{self.opts.model_name}_answer"
        return [path("<int:key>/answer/", self.admin_site.admin_view(self.answer), name=name), *super().get_urls()]

    def may_answer(self, request: HttpRequest) -> bool:
        return access.of(request).may(Action.CHANGE_MAPPINGS)

    def answer(self, request: HttpRequest, key: int) -> HttpResponse:
        """One answer to one question of the current tenant."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = self.get_queryset(request).filter(pk=key).first()
        if row is None:
            return self.not_there(request, str(key))
        if not self.may_answer(request):
            raise PermissionDenied
        problems = self.do(request, row, request.POST.get("way", ""))
        for problem in problems:
            self.message_user(request, str(problem), messages.ERROR)
        if not problems:
            go_on(row.tenant, ("prepare", "align"))
            self.message_user(request, "Decided. It is carried out as soon as a worker is free.")
        return HttpResponseRedirect(reverse(f"admin:syncs_{self.opts.model_name}_change", args=[row.pk]))

    def do(self, request: HttpRequest, row: Any, way: str) -> list[Problem]:
        raise NotImplementedError

    @admin.display(description="state")
    def state_badge(self, row: Any) -> SafeString:
        return words.badge(_TONES.get(row.state, "posted"), row.get_state_display())

    @admin.display(description="since")
    def seen(self, row: Any) -> str:
        return words.minute(row.since, row.tenant.time_zone)


@admin.register(CustomerConflict)
class CustomerConflictAdmin(Answered):
    nav_label, nav_order = "Conflicts", 20
    list_title = "Customer conflicts"
    list_help = "Every value that was not kept, who won by which rule, and what waits for a person."
    list_display = (
        "kind_shown",
        "field_shown",
        "customer",
        "chargebee_shown",
        "qad_shown",
        "won",
        "seen",
        "state_badge",
    )
    list_filter = ("state", "kind")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("customer")

    @admin.display(description="what")
    def kind_shown(self, row: CustomerConflict) -> str:
        return str(row.get_kind_display())

    @admin.display(description="field")
    def field_shown(self, row: CustomerConflict) -> str:
        return label_of(row)

    @admin.display(description="Chargebee had")
    def chargebee_shown(self, row: CustomerConflict) -> str:
        return row.chargebee_value or words.NONE

    @admin.display(description="QAD had")
    def qad_shown(self, row: CustomerConflict) -> str:
        return row.qad_value or words.NONE

    @admin.display(description="kept")
    def won(self, row: CustomerConflict) -> str:
        return SIDES[row.winner]

    def show(self, request: HttpRequest, row: Any) -> HttpResponse:
        context = {
            "row": row,
            "badge": self.state_badge(row),
            "field": label_of(row),
            "winner": SIDES[row.winner],
            "since": words.moment(row.since, row.tenant.time_zone),
            "decided": words.moment(row.decided_at, row.tenant.time_zone),
            "ways": ways_of(row) if self.may_answer(request) else (),
        }
        return self.page(request, "conflict.html", title=str(row.get_kind_display()), **context)

    def do(self, request: HttpRequest, row: CustomerConflict, way: str) -> list[Problem]:
        if way not in {name for name, _ in ways_of(row)}:
            return [Problem("conflict-not-decided", str(row), "This cannot be decided so.", "Reload the page.")]
        who: dict[str, Any] = {"actor": actor_of(request), "now": timezone.now()}
        if way in ("chargebee", "qad"):
            return choosing.take(row, way, **who)
        if way == "merge":
            return choosing.merge(row, request.POST.get("into", "").strip(), **who)
        return _DEEDS[way](row, **who)


@admin.register(MatchReview)
class MatchReviewAdmin(Answered):
    nav_label, nav_order = "Possible matches", 30
    list_title = "Possible matches"
    list_help = "Customers that may be one. Nobody is created while there is a candidate."
    list_display = ("chargebee_id", "qad_code", "why", "found_from", "seen", "state_badge")
    list_filter = ("state", "found_from")

    def show(self, request: HttpRequest, row: Any) -> HttpResponse:
        key = {"tenant": row.tenant_id, "kind": Kind.CUSTOMER, "source_id": row.chargebee_id}
        pair = AlignedCustomer(tenant=row.tenant, chargebee_id=row.chargebee_id, qad_code=row.qad_code)
        context = {
            "row": row,
            "badge": self.state_badge(row),
            "fields": fields(pair, SourceDocument.objects.filter(**key).first()),
            "may_answer": self.may_answer(request) and row.state == ReviewState.OPEN,
        }
        return self.page(request, "match.html", title=str(row), **context)

    def do(self, request: HttpRequest, row: MatchReview, way: str) -> list[Problem]:
        who: dict[str, Any] = {"actor": actor_of(request), "now": timezone.now()}
        if row.state != ReviewState.OPEN or way not in ("link", "create", "apart"):
            return [Problem("match-not-decided", str(row), "This cannot be decided so.", "Reload the page.")]
        if way == "link":
            return reviewing.join(row, **who)
        if way == "create":
            reviewing.create(row, **who)
        else:
            reviewing.keep_apart(row, **who)
        return []


def ways_of(row: CustomerConflict) -> tuple[tuple[str, str], ...]:
    """The answers that a line still takes; between values that were erased nobody chooses."""
    if row.state not in choosing.OPEN:
        return ()
    ways = _WAYS.get(row.kind, _NOTED)
    return tuple(way for way in ways if way not in _BOTH_GET) if row.erased_at else ways


def label_of(row: CustomerConflict) -> str:
    return FIELDS[row.field].label if row.field in FIELDS else words.NONE
