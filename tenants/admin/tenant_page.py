"""The page of a tenant: its settings, policies, the posting switch and the test of its connections."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from connector.qad.closed import ENTITIES
from tenants import access, calendar, policies, probes
from tenants.access import Action
from tenants.admin.badges import badge
from tenants.admin.policy_form import PolicyForm
from tenants.admin.scoped import TenantScopedAdmin
from tenants.admin.tenant_form import TenantForm
from tenants.changes import actor_of
from tenants.models import ChargebeeConnection, Circuit, PolicySetting, ProbeResult, QadConnection, Side, Tenant
from tenants.sandbox import is_sandbox

ENTITIES_CHANGED = (
    "What was skipped for its business entity, and what is not in QAD yet, is decided anew within a minute. "
    "What is in QAD stays there; the overview lists what is another tenant's now."
)


@admin.register(Tenant)
class TenantAdmin(TenantScopedAdmin):
    """Members see their tenants; the platform sees all, adds them, and sees nothing inside."""

    form = TenantForm
    change_action = Action.MANAGE_TENANT
    nav_group, nav_order = "Tenants & connections", 10
    change_form_template = "admin/tenants/tenant.html"
    list_display = ("name", "slug", "mode_badge", "posting_badge", "time_zone", "base_currency")
    search_fields = ("name", "slug")
    fields = ("name", "slug", "mode", "time_zone", "base_currency", "business_entities")

    def allows(self, request: HttpRequest, action: Action | None, obj: Model | None) -> bool:
        found = access.of(request)
        if found.is_platform:
            return True
        if obj is None:
            return any(found.may(action, tenant.pk) for tenant in found.tenants)
        return found.may(action, obj.pk)

    def tenant_id_of(self, obj: Any) -> int | None:
        return int(obj.pk)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access.of(request).is_platform

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # its audit trail outlives it

    def scope(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        found = access.of(request)
        return queryset if found.is_platform else queryset.filter(pk__in=found.roles)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("slug", "mode") if obj is not None else ()  # test and live never turn into one another

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            if "time_zone" in form.changed_data:
                calendar.reschedule(obj, timezone.now())
            if "business_entities" in form.changed_data:
                messages.info(request, ENTITIES_CHANGED)
            return
        obj.save()
        self.record(request, obj, "added", {}, {"slug": obj.slug, "name": obj.name, "mode": obj.mode})

    @admin.display(description="mode", ordering="mode")
    def mode_badge(self, tenant: Tenant) -> SafeString:
        return badge(tenant.mode, tenant.get_mode_display())

    @admin.display(description="posting", ordering="is_posting_on")
    def posting_badge(self, tenant: Tenant) -> SafeString:
        return badge("on" if tenant.is_posting_on else "off")

    def get_urls(self) -> list[URLPattern]:
        views = (
            ("test", self.test),
            ("policies", self.policy_page),
            ("posting", self.posting),
            ("override", self.override),
        )
        ours = [
            path(f"<int:tenant_id>/{name}/", self.admin_site.admin_view(view), name=f"tenants_tenant_{name}")
            for name, view in views
        ]
        return ours + super().get_urls()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if object_id.isdigit():
            access.choose(request, int(object_id))  # who opens a tenant works in it
        tenant = self.get_object(request, object_id)
        shown = self._shown(request, tenant) if tenant is not None else {}
        return super().change_view(request, object_id, form_url, {**shown, **(extra_context or {})})

    def _shown(self, request: HttpRequest, tenant: Tenant) -> dict[str, Any]:
        """What the page shows beside the form; to the platform alone, nothing from inside the tenant."""
        found = access.of(request)
        if not found.may(Action.VIEW, tenant.pk):
            return {"is_member": False}
        return {
            "is_member": True,
            "mode_badge": badge(tenant.mode, tenant.get_mode_display()),
            "posting_badge": self.posting_badge(tenant),
            "is_sandbox": is_sandbox(tenant),
            "sides": [self._side(tenant, Side.CHARGEBEE), self._side(tenant, Side.QAD)],
            "decided": [(policies.POLICIES[key].sentence, value) for key, value in policies.read(tenant).items()],
            "may_test": found.may(Action.MANAGE_CONNECTIONS, tenant.pk),
            "may_manage": found.may(Action.MANAGE_TENANT, tenant.pk),
            "may_switch": found.may(Action.SWITCH_POSTING, tenant.pk),
        }

    def _side(self, tenant: Tenant, side: Side) -> dict[str, Any]:
        model: Any = {Side.CHARGEBEE: ChargebeeConnection, Side.QAD: QadConnection}[side]
        row = model.objects.filter(tenant=tenant).first()
        name = f"admin:tenants_{model._meta.model_name}"
        return {
            "label": side.label,
            "row": row,
            "url": reverse(f"{name}_change", args=[row.pk]) if row else reverse(f"{name}_changelist"),
            "circuit": Circuit.objects.filter(tenant=tenant, side=side).first(),
            "probes": [
                (probe, badge(probe.answer), side == Side.QAD and probe.subject in ENTITIES and probe.answer != "ok")
                for probe in ProbeResult.objects.filter(tenant=tenant, side=side).order_by("id")
            ],
        }

    def _own(self, request: HttpRequest, tenant_id: int, action: Action) -> Tenant:
        """The tenant, for a member who may do it."""
        tenant = Tenant.objects.filter(pk=tenant_id).first()
        if tenant is None or tenant.pk not in access.of(request).roles:
            raise Http404("There is no such tenant.")
        if not access.of(request).may(action, tenant.pk):
            raise PermissionDenied
        return tenant

    def _back(self, tenant: Tenant) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:tenants_tenant_change", args=[tenant.pk]))

    def test(self, request: HttpRequest, tenant_id: int) -> HttpResponse:
        return require_POST(self._test)(request, tenant_id)

    def _test(self, request: HttpRequest, tenant_id: int) -> HttpResponse:
        tenant = self._own(request, tenant_id, Action.MANAGE_CONNECTIONS)
        rows = probes.test_connection(tenant, timezone.now(), actor=actor_of(request))
        failed = [row for row in rows if row.answer not in ("ok", "empty", "not_configured", "warning")]
        failed += [row for row in rows if row.subject in ("host", "sign-in") and row.answer == "not_configured"]
        if failed:
            messages.error(request, f"{len(failed)} of {len(rows)} steps failed. {failed[0].sentence}")
        else:
            messages.success(request, f"All {len(rows)} steps were answered.")
        return self._back(tenant)

    def posting(self, request: HttpRequest, tenant_id: int) -> HttpResponse:
        return require_POST(self._posting)(request, tenant_id)

    def _posting(self, request: HttpRequest, tenant_id: int) -> HttpResponse:
        tenant = self._own(request, tenant_id, Action.SWITCH_POSTING)
        wanted, reason = request.POST.get("posting") == "on", request.POST.get("reason", "").strip()
        if not reason:
            messages.error(request, "Say why; the reason is kept in the audit.")
            return self._back(tenant)
        with transaction.atomic():
            if Tenant.objects.filter(pk=tenant.pk, is_posting_on=not wanted).update(is_posting_on=wanted):
                before, after = {"posting": not wanted}, {"posting": wanted}
                self.record(request, tenant, "posting", before, after, reason=reason)
        messages.success(request, f"Posting of {tenant} is {'on' if wanted else 'off'}.")
        return self._back(tenant)

    def override(self, request: HttpRequest, tenant_id: int) -> HttpResponse:
        return require_POST(self._override)(request, tenant_id)

    def _override(self, request: HttpRequest, tenant_id: int) -> HttpResponse:
        tenant = self._own(request, tenant_id, Action.MANAGE_CONNECTIONS)
        subject, reason = request.POST.get("subject", ""), request.POST.get("reason", "").strip()[:200]
        probe = ProbeResult.objects.filter(tenant=tenant, side=Side.QAD, subject=subject).exclude(answer="ok").first()
        if probe is None or subject not in ENTITIES or not reason:
            messages.error(request, "Name the entity whose test failed, and say why posting to it is allowed.")
            return self._back(tenant)
        with transaction.atomic():
            ProbeResult.objects.filter(pk=probe.pk).update(overridden_reason=reason)
            self.record(
                request, tenant, "probe_overridden", {}, {"entity": subject, "answer": probe.answer}, reason=reason
            )
        messages.warning(request, f"Posting of {subject} is allowed although its test says: {probe.sentence}")
        return self._back(tenant)

    def policy_page(self, request: HttpRequest, tenant_id: int) -> HttpResponse:
        tenant = self._own(request, tenant_id, Action.MANAGE_TENANT)
        decided = policies.read(tenant)
        form = PolicyForm(request.POST or None, decided=decided)
        if request.method == "POST" and form.is_valid():
            self._save_policies(request, tenant, decided, form.cleaned_data)
            return self._back(tenant)
        context = {**self.admin_site.each_context(request), "title": "Policies", "form": form, "tenant": tenant}
        return render(request, "admin/tenants/policies.html", {**context, "opts": self.opts})

    @transaction.atomic
    def _save_policies(self, request: HttpRequest, tenant: Tenant, old: dict[str, Any], new: dict[str, Any]) -> None:
        changed = [key for key in new if new[key] != old[key]]
        for key in changed:
            PolicySetting.objects.update_or_create(tenant=tenant, key=key, defaults={"value": new[key]})
        if changed:
            before, after = ({key: values[key] for key in changed} for values in (old, new))
            self.record(request, tenant, "policies", before, after)
            messages.success(
                request, f"{len(changed)} policies were changed; documents prepared from now on follow them."
            )
