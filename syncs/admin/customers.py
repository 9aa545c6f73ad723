"""A customer of both systems on one page: both records side by side, who owns what, what was decided, Replay."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from connector.errors import ConnectorError
from connector.ledger.party_fields import FIELDS
from mappings.models import QadCustomer
from syncs.admin import owners, words
from syncs.admin.customer_timeline import timeline
from syncs.admin.reading import ReadOnlyAdmin
from syncs.admin.replaying import go_on
from syncs.alignment import choosing, rehearsing
from syncs.alignment.setting import OFF, setting_of
from syncs.alignment.sides import stored_chargebee
from syncs.models import AlignedCustomer, Kind, LinkState, SourceDocument
from tenants import access, connections
from tenants.access import Action
from tenants.changes import actor_of
from tenants.models import Tenant

TONES: dict[str, str] = {
    LinkState.ALIGNED: "posted",
    LinkState.BLOCKED: "rejected",
    LinkState.FROZEN: "conflict",
    LinkState.CREATING: "waiting",
    LinkState.GONE: "held",
}
SIDES = {"chargebee": "Chargebee", "qad": "QAD", "shared": "Shared", "none": "Nobody", "": words.NONE}


@admin.register(AlignedCustomer)
class AlignedCustomerAdmin(ReadOnlyAdmin):
    nav_group, nav_label, nav_order = "Customers", "Customers in both systems", 10
    list_title = "Customers in both systems"
    list_help = "Pairs that are kept the same, and what became of those that are not any more."
    change_list_template = "admin/syncs/customers.html"
    list_display = ("chargebee_id", "qad_code", "state_badge", "reason", "aligned")
    list_filter = ("state",)
    search_fields = ("chargebee_id",)
    search_help_text = "A Chargebee id or a QAD code, or the beginning of one."

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("tenant").defer("base", "pending", "written", "wanted")

    def find(self, tenant: Tenant, text: str) -> set[int]:
        rows = AlignedCustomer.objects.filter(tenant=tenant)
        rows = rows.filter(Q(chargebee_id__startswith=text) | Q(qad_code__startswith=text.upper()))
        return set(rows.values_list("pk", flat=True)[:1000])

    @admin.display(description="state")
    def state_badge(self, row: AlignedCustomer) -> SafeString:
        return words.badge(TONES.get(row.state, "skipped"), row.get_state_display())

    @admin.display(description="last found the same")
    def aligned(self, row: AlignedCustomer) -> str:
        return words.minute(row.aligned_at, row.tenant.time_zone)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("rehearsal/", wrap(self.rehearsal), name="syncs_alignedcustomer_rehearsal"),
            path("owners/", wrap(self.owners), name="syncs_alignedcustomer_owners"),
            path("<int:key>/replay/", wrap(self.replay), name="syncs_alignedcustomer_replay"),
            *super().get_urls(),
        ]

    def show(self, request: HttpRequest, row: AlignedCustomer) -> HttpResponse:
        may = access.of(request).may
        return self.page(request, "customer.html", title=str(row), may_replay=may(Action.REPLAY), **shown(row))

    def replay(self, request: HttpRequest, key: int) -> HttpResponse:
        """Read both sides of one pair anew and bring them together."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = self.get_queryset(request).filter(pk=key).first()
        if row is None:
            return self.not_there(request, str(key))
        if not access.of(request).may(Action.REPLAY):
            raise PermissionDenied
        choosing.replay(row, actor=actor_of(request), now=timezone.now())
        go_on(row.tenant, ("align",))
        self.message_user(
            request, f"{row}: both sides are read anew as soon as a worker is free. Reload this page then."
        )
        return HttpResponseRedirect(reverse("admin:syncs_alignedcustomer_change", args=[row.pk]))

    def rehearsal(self, request: HttpRequest) -> HttpResponse:
        """What a first pass would do, from what was read last."""
        tenant = access.of(request).tenant
        if tenant is None or not self.has_view_permission(request):
            raise PermissionDenied
        try:
            found = rehearsing.from_last_reading(tenant, connections.qad_profile(tenant))
        except ConnectorError as error:
            self.message_user(request, error.message, messages.ERROR)
            return HttpResponseRedirect(reverse("admin:syncs_alignedcustomer_changelist"))
        examples = [(name, rows) for name, rows in found.examples.items() if rows]
        sentences = list(rehearsing.told(found))
        return self.page(request, "rehearsal.html", title="Rehearsal", sentences=sentences, examples=examples)

    def owners(self, request: HttpRequest) -> HttpResponse:
        """Who owns which field of a customer: shown to everybody, changed by the integration admin."""
        tenant = access.of(request).tenant
        if tenant is None or not self.has_view_permission(request):
            raise PermissionDenied
        may_change = access.of(request).may(Action.MANAGE_TENANT)
        if request.method == "POST":
            if not may_change:
                raise PermissionDenied
            told = owners.save(tenant, request.POST, actor=actor_of(request), now=timezone.now())
            for text in told.problems:
                self.message_user(request, text, messages.ERROR)
            if not told.problems:
                self.message_user(request, f"{words.counted(told.changed, 'field')} changed.")
            return HttpResponseRedirect(reverse("admin:syncs_alignedcustomer_owners"))
        context = owners.shown(tenant)
        return self.page(request, "owners.html", title="Who owns which field", may_change=may_change, **context)


def shown(row: AlignedCustomer) -> dict[str, Any]:
    """Context of the page of one pair."""
    zone = row.tenant.time_zone
    source = SourceDocument.objects.filter(tenant=row.tenant_id, kind=Kind.CUSTOMER, source_id=row.chargebee_id).first()
    return {
        "row": row,
        "badge": words.badge(TONES.get(row.state, "skipped"), row.get_state_display()),
        "fields": fields(row, source),
        "document": source,
        "facts": [
            ("Last found the same", words.moment(row.aligned_at, zone)),
            ("Linked", words.moment(row.created_at, zone)),
            ("Goes on", words.moment(row.not_before, zone)),
        ],
        "lines": [(one, words.minute(one.since, zone)) for one in row.conflicts.order_by("-id")[:100]],
        "trail": timeline(row),
    }


def fields(row: AlignedCustomer, source: SourceDocument | None) -> list[dict[str, str]]:
    """Both sides as they were read last, with the owner of each field."""
    mirror = QadCustomer.objects.filter(tenant=row.tenant_id, code=row.qad_code).first()
    qad = mirror.content if mirror else {}
    rules: dict[str, str] = {}
    chargebee: dict[str, str] = {}
    try:
        setting = setting_of(row.tenant, connections.qad_profile(row.tenant))
        rules = {rule.name: rule.owner for rule in setting.rules} if setting.mode != OFF else {}
        there = stored_chargebee(setting, source) if source else None
        chargebee = dict(there.values) if there else {}
    except ConnectorError:
        pass  # the page of the connection says what is wrong with it
    return [
        {
            "label": field.label,
            "owner": SIDES[rules.get(name, "none")],
            "chargebee": chargebee.get(name, ""),
            "qad": qad.get(name, ""),
        }
        for name, field in FIELDS.items()
    ]
