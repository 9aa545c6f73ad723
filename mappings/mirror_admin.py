"""Screens of what QAD listed: an overview of all lists with what is checked against them, and their rows, read-only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from connector.errors import ConnectorError
from mappings import table, usage
from mappings.catalog import refresh_configured
from mappings.kinds import KINDS
from mappings.listed import ACCOUNTS, CUSTOMERS, LISTS, Mirrored
from mappings.models import AccountRole, BankMapping, MirrorAnswer, MirrorState, QadAccount, QadCode, QadCustomer
from tenants import access, certificates
from tenants.access import Action
from tenants.admin import TenantScopedAdmin
from tenants.connections import qad_client
from tenants.models import Tenant

AfterRefresh = Callable[[HttpRequest, Tenant], None]
_TONES = {
    MirrorAnswer.OK: "good",
    MirrorAnswer.EMPTY: "warn",
    MirrorAnswer.NOT_CONFIGURED: "quiet",
    MirrorAnswer.FAILED: "bad",
}


def may_refresh(request: HttpRequest) -> bool:
    found = access.of(request)
    return found.may(Action.CHANGE_MAPPINGS) or found.may(Action.RUN)


class RefreshingAdmin(TenantScopedAdmin):
    """What QAD listed last: to look at and to read anew, never to edit.

    `after_refresh` is told when a list was read; whoever knows what waits for lists sets it here.
    """

    nav_group = "Mappings"
    after_refresh: ClassVar[AfterRefresh | None] = None

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_refresh"
        return [
            path("refresh/", self.admin_site.admin_view(require_POST(self.refresh_view)), name=name),
            *super().get_urls(),
        ]

    def asked_list(self, request: HttpRequest) -> str:
        """The list that a refresh is about. Raises PermissionDenied for one that nobody mirrors."""
        raise NotImplementedError

    def refresh_view(self, request: HttpRequest) -> HttpResponse:
        """Read the list from QAD now."""
        tenant = access.of(request).tenant
        if tenant is None or not may_refresh(request):
            raise PermissionDenied
        name = self.asked_list(request)
        try:
            with qad_client(tenant) as client:
                for state in refresh_configured(tenant, client, [name], timezone.now()):
                    tell = messages.success if state.answer == MirrorAnswer.OK else messages.warning
                    tell(request, state.sentence)
        except ConnectorError as error:
            messages.error(request, f"The list could not be read. {error.message}")
        else:
            after = type(self).after_refresh
            if after is not None:
                after(request, tenant)
        return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))


class MirrorAdmin(RefreshingAdmin):
    """The rows of one list."""

    nav_label = ""
    list_name = ""
    change_list_template = "admin/mappings/mirror_change_list.html"

    @admin.display(description="state")
    def state(self, row: Any) -> str:
        since = f" since {row.lost_at:%Y-%m-%d %H:%M} UTC" if row.lost_at else ""
        if row.is_gone:
            return f"No longer listed{since}"
        if not row.is_active:
            return f"Inactive{since}"
        return "Active" if getattr(row, "is_complete", True) else "Active, but no site or daybook set"

    def asked_list(self, request: HttpRequest) -> str:
        return self.list_name

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        tenant = access.of(request).tenant
        state = MirrorState.objects.filter(tenant=tenant, list_name=self.list_name).first() if tenant else None
        context = {"mirror_state": state, "may_refresh": may_refresh(request), "list_title": self.nav_label}
        return super().changelist_view(request, {**(extra_context or {}), **context})


@admin.register(QadAccount)
class QadAccountAdmin(MirrorAdmin):
    nav_order = 60
    nav_label = "GL accounts in QAD"
    list_name = ACCOUNTS
    list_display = ("code", "description", "account_type", "currency", "state", "needs", "refuses", "seen_at")
    list_filter = ("is_active", "is_gone")
    search_fields = ("code", "description")

    @admin.display(description="needs")
    def needs(self, row: QadAccount) -> str:
        return _named((row.needs_sub_account, row.needs_cost_centre, row.needs_project))

    @admin.display(description="takes no")
    def refuses(self, row: QadAccount) -> str:
        return _named((not row.takes_sub_account, not row.takes_cost_centre, not row.takes_project))


def _named(flags: tuple[bool, bool, bool]) -> str:
    names = ("sub-account", "cost centre", "project")
    return ", ".join(name for name, is_set in zip(names, flags, strict=True) if is_set) or "—"


@admin.register(QadCustomer)
class QadCustomerAdmin(MirrorAdmin):
    nav_order = 70
    nav_label = "Customers in QAD"
    list_name = CUSTOMERS
    list_display = ("code", "name", "country", "currency", "tax_id", "state", "seen_at")
    list_filter = ("is_active", "is_complete", "is_gone")
    search_fields = ("code", "name", "tax_id", "external_reference")


class ListFilter(admin.SimpleListFilter):
    title = "list"
    parameter_name = "list"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(one.name, one.title) for one in LISTS.values() if one.model is QadCode]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(list_name=self.value()) if self.value() else queryset


@admin.register(QadCode)
class QadCodeAdmin(MirrorAdmin):
    """Rows of every list that has no screen of its own; reached from the overview."""

    nav_group = ""
    nav_label = "Codes in QAD"
    list_display = ("code", "description", "list_title", "state", "told", "seen_at")
    list_filter = (ListFilter, "is_active", "is_gone")
    search_fields = ("code__istartswith", "description__icontains")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == ListFilter.parameter_name or super().lookup_allowed(lookup, value, request)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        tenant, name = access.of(request).tenant, request.GET.get("list", "")
        state = MirrorState.objects.filter(tenant=tenant, list_name=name).first() if tenant else None
        context = {"mirror_state": state, "may_refresh": False, "title": _title(name) or "Codes in QAD"}
        return TenantScopedAdmin.changelist_view(self, request, {**(extra_context or {}), **context})

    @admin.display(description="list", ordering="list_name")
    def list_title(self, row: QadCode) -> str:
        return _title(row.list_name)

    @admin.display(description="QAD also says")
    def told(self, row: QadCode) -> str:
        return ", ".join(f"{name.replace('_', ' ')} {_text(value)}" for name, value in row.facts.items() if value != "")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) or "none" if isinstance(value, list) else str(value)


def _title(name: str) -> str:
    one = LISTS.get(name)
    return f"{one.title[:1].upper()}{one.title[1:]} in QAD" if one else ""


@admin.register(MirrorState)
class MirrorStateAdmin(RefreshingAdmin):
    nav_label, nav_order = "QAD's lists", 55

    def asked_list(self, request: HttpRequest) -> str:
        name = request.POST.get("list", "")
        if name not in LISTS:
            raise PermissionDenied
        return name

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        tenant = access.of(request).tenant
        shown = board(tenant) if tenant is not None else {}
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "QAD's lists",
            "may_refresh": may_refresh(request),
            **shown,
        }
        return TemplateResponse(request, "admin/mappings/mirrors.html", context)


def board(tenant: Tenant) -> dict[str, Any]:
    """Every list with its state, and the mappings that lean on what is lost."""
    states = {state.list_name: state for state in MirrorState.objects.filter(tenant=tenant)}
    lost = _lost(tenant)
    return {
        "lists": [_shown(one, states.get(one.name), lost.get(one.name, 0)) for one in LISTS.values()],
        "uses": [(use, _row_url(use)) for use in usage.of_lost_codes(tenant)],
        "uses_shown": usage.SHOWN,
    }


def _lost(tenant: Tenant) -> dict[str, int]:
    unusable = Q(is_gone=True) | Q(is_active=False)
    rows = QadCode.objects.filter(unusable, tenant=tenant).order_by().values_list("list_name")
    return {
        **dict(rows.annotate(count=Count("pk"))),
        ACCOUNTS: QadAccount.objects.filter(unusable, tenant=tenant).count(),
        CUSTOMERS: QadCustomer.objects.filter(unusable, tenant=tenant).count(),
    }


def _shown(one: Mirrored, state: MirrorState | None, lost: int) -> dict[str, Any]:
    address = reverse(f"admin:mappings_{one.model._meta.model_name}_changelist")
    return {
        "name": one.name,
        "title": one.title[:1].upper() + one.title[1:],
        "serves": one.serves,
        "url": f"{address}?list={one.name}" if one.model is QadCode else address,
        "state": state,
        "label": state.get_answer_display() if state else "Not read yet",
        "tone": _TONES[MirrorAnswer(state.answer)] if state else "wait",
        "sentence": state.sentence if state else "Nothing is checked against it until it was read once.",
        "lost": lost,
    }


def _row_url(use: usage.Use) -> str:
    try:
        return reverse(f"admin:mappings_{KINDS[use.kind].model._meta.model_name}_change", args=[use.row.pk])
    except NoReverseMatch:
        return ""


def leaned_on(tenant: Tenant) -> dict[str, set[str]]:
    """What the test of a connection asks QAD for: default accounts, cash accounts, and daybooks of mappings."""
    accounts: set[str] = set()
    for model in (AccountRole, BankMapping):
        accounts |= set(model._default_manager.filter(tenant=tenant).values_list("gl_account", flat=True))
    return {"gl_accounts": accounts, "daybooks": table.codes_in_use(tenant.pk)["daybooks"]}


certificates.register(leaned_on)
