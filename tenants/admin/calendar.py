"""The billing calendar in the browser: rules with their next runs, and blackouts for the close."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from tenants import access, calendar
from tenants.access import Action
from tenants.admin.badges import badge
from tenants.admin.calendar_forms import BlackoutForm, RuleForm
from tenants.admin.scoped import TenantScopedAdmin
from tenants.models import Blackout, CalendarRule


def in_zone(at: dt.datetime, zone: str) -> SafeString:
    """A moment in a zone; the same in UTC where the pointer rests on it."""
    local, utc = at.astimezone(ZoneInfo(zone)), at.astimezone(dt.UTC)
    shown = f"{local:%a %Y-%m-%d %H:%M %Z}"
    return format_html('<time datetime="{}" title="{}">{}</time>', utc.isoformat(), f"{utc:%Y-%m-%d %H:%M} UTC", shown)


class CalendarAdmin(TenantScopedAdmin):
    """Who may start a sync may say when one starts."""

    nav_group = "Tenants & connections"
    view_action = Action.VIEW
    add_action = change_action = delete_action = Action.RUN
    sortable_by = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("tenant")

    def zone(self, request: HttpRequest) -> str:
        tenant = access.of(request).tenant
        return tenant.time_zone if tenant is not None else "UTC"


@admin.register(CalendarRule)
class CalendarRuleAdmin(CalendarAdmin):
    form = RuleForm
    nav_label, nav_order = "Billing calendar", 40
    list_display = ("name", "comes", "reads", "standing", "next_runs")
    actions = ("pause", "go_on")
    fieldsets = (
        (None, {"fields": ("name", "kinds", "is_paused")}),
        (
            "When it comes",
            {
                "fields": ("pattern", "at", "day", "weekday", "cron", "time_zone"),
                "description": "Only what the chosen kind of rule needs is kept: a day for a monthly one, a weekday "
                "for a weekly one, a cron expression for the last. A time that does not exist on the day the clocks "
                "go forward comes when they have; one that comes twice when they go back is used once.",
            },
        ),
    )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change or set(form.changed_data) & set(calendar.TIMED_BY):
            calendar.schedule(obj, timezone.now())
        super().save_model(request, obj, form, change)

    @admin.action(description="Pause the chosen rules", permissions=["change"])
    def pause(self, request: HttpRequest, queryset: QuerySet[CalendarRule]) -> None:
        self._switch(request, queryset, is_paused=True)

    @admin.action(description="Go on with the chosen rules", permissions=["change"])
    def go_on(self, request: HttpRequest, queryset: QuerySet[CalendarRule]) -> None:
        self._switch(request, queryset, is_paused=False)

    def _switch(self, request: HttpRequest, queryset: QuerySet[CalendarRule], *, is_paused: bool) -> None:
        """Slots that come while a rule is paused are not made up for: it was paused on purpose."""
        done = 0
        with transaction.atomic():
            for rule in queryset.filter(is_paused=not is_paused).select_for_update(of=("self",)):
                rule.is_paused = is_paused
                calendar.schedule(rule, timezone.now()).save()
                self.record(request, rule, "changed", {"is_paused": not is_paused}, {"is_paused": is_paused})
                done += 1
        self.message_user(request, f"{done} rule(s) {'paused' if is_paused else 'go on'}.", messages.SUCCESS)

    @admin.display(description="comes")
    def comes(self, rule: CalendarRule) -> str:
        return calendar.described(rule)

    @admin.display(description="reads")
    def reads(self, rule: CalendarRule) -> str:
        return ", ".join(kind.replace("_", " ") for kind in rule.kinds) or "Everything"

    @admin.display(description="state")
    def standing(self, rule: CalendarRule) -> SafeString:
        now = timezone.now()
        if rule.is_paused:
            return badge("off", "Paused")
        if rule.next_at is None:
            return badge("failed", "Never comes again")
        if rule.next_at > now:
            return badge("on")
        held_until = calendar.open_until(rule.tenant, now)
        if held_until is not None:
            return badge("warning", "Due, held by a blackout")
        said = f"{rule.last_sentence} Tried again by itself." if rule.attempts > 1 else ""
        return format_html("{} {}", badge("test", "Due"), said)

    @admin.display(description="next runs")
    def next_runs(self, rule: CalendarRule) -> SafeString:
        now = timezone.now()
        coming = calendar.upcoming(rule, now, calendar.windows(rule.tenant, now))
        items = format_html_join("", "<li>{}</li>", ((in_zone(at, rule.timing.zone),) for at in coming))
        return format_html('<ol class="next-runs">{}</ol>', items) if coming else SafeString("")


@admin.register(Blackout)
class BlackoutAdmin(CalendarAdmin):
    form = BlackoutForm
    nav_order = 41
    list_display = ("reason", "begins", "ends", "standing")
    fields = ("reason", "begins_at", "ends_at")

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Entered and shown by the clock of the tenant; a moment that this clock skips or has twice is refused."""
        with timezone.override(ZoneInfo(self.zone(request))):
            answer: Any = super().changeform_view(request, *args, **kwargs)
            return answer.render() if hasattr(answer, "render") else answer

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        zone = self.zone(request)
        if "begins_at" in form.base_fields:
            form.base_fields["begins_at"].help_text = f"In {zone}. Nothing new is read from then on."
            form.base_fields["ends_at"].help_text = f"In {zone}. What came due meanwhile runs once, right after it."
        return form

    @admin.display(description="begins")
    def begins(self, row: Blackout) -> SafeString:
        return in_zone(row.begins_at, row.tenant.time_zone)

    @admin.display(description="ends")
    def ends(self, row: Blackout) -> SafeString:
        return in_zone(row.ends_at, row.tenant.time_zone)

    @admin.display(description="state")
    def standing(self, row: Blackout) -> SafeString:
        now = timezone.now()
        if now >= row.ends_at:
            return badge("empty", "Over")
        return badge("warning", "Open") if now >= row.begins_at else badge("test", "To come")
