"""The inbox of webhooks: what came, what became of it, and the button that has it read again."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from syncs import webhooks
from syncs.admin import links, words
from syncs.admin.jsontext import indented
from syncs.admin.reading import ReadOnlyAdmin
from syncs.models import EventState, Kind, SourceDocument, WebhookEvent
from syncs.refetch import Outcome
from syncs.states import Disposition
from tenants import access
from tenants.access import Action
from tenants.changes import actor_of
from tenants.models import Tenant

_TONES: dict[str, str] = {
    EventState.RECEIVED: Disposition.WAITING,
    EventState.READING: Disposition.WAITING,
    EventState.FAILED: Disposition.HELD,
    EventState.DONE: Disposition.POSTED,
    EventState.NOTHING: Disposition.SKIPPED,
    EventState.OLD: Disposition.SKIPPED,
    EventState.UNKNOWN: Disposition.HELD,
    EventState.REFUSED: Disposition.REJECTED,
}
_OUTCOMES = {
    Outcome.NEW.value: "new here",
    Outcome.CHANGED.value: "changed",
    Outcome.SAME.value: "as it was known",
    Outcome.VANISHED.value: "gone from Chargebee",
    Outcome.ABSENT.value: "not in Chargebee",
}


def state_badge(event: WebhookEvent) -> SafeString:
    return words.badge(_TONES.get(event.state, ""), event.get_state_display())


def may_read_again(event: WebhookEvent) -> bool:
    return event.state not in (EventState.READING, EventState.REFUSED)


@admin.register(WebhookEvent)
class WebhookEventAdmin(ReadOnlyAdmin):
    nav_group, nav_label, nav_order = "Traffic", "Webhook events", 60
    list_title = "Webhook events"
    list_help = "What Chargebee told by webhook. Each is only a hint: what it names is read again by its id."
    list_display = ("event_id", "event_type", "state_badge", "received", "delivered", "sentence_shown")
    list_filter = ("state",)
    search_fields = ("event_id",)
    search_help_text = "The id of an event, or the beginning of one."

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("tenant").defer("body")

    def find(self, tenant: Tenant, text: str) -> set[int]:
        rows = WebhookEvent.objects.filter(tenant=tenant, event_id__startswith=text)
        return set(rows.values_list("pk", flat=True)[:500])

    @admin.display(description="state")
    def state_badge(self, event: WebhookEvent) -> SafeString:
        return state_badge(event)

    @admin.display(description="received")
    def received(self, event: WebhookEvent) -> str:
        return words.minute(event.received_at, event.tenant.time_zone)

    @admin.display(description="deliveries")
    def delivered(self, event: WebhookEvent) -> str:
        return f"{event.deliveries:,}"

    @admin.display(description="in words")
    def sentence_shown(self, event: WebhookEvent) -> str:
        if event.sentence:
            return event.sentence
        return ", ".join(f"{kind.replace('_', ' ')} {key}" for kind, key, _ in event.documents[:3])

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.read_again)
        ours = path("<int:event_id>/read-again/", view, name="syncs_webhookevent_read_again")
        return [ours, *super().get_urls()]

    def read_again(self, request: HttpRequest, event_id: int) -> HttpResponse:
        """Put one event back into the inbox."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        tenant = access.of(request).tenant
        if tenant is None or not access.of(request).may(Action.RUN):
            raise PermissionDenied
        if webhooks.again(tenant, event_id, actor=actor_of(request), now=timezone.now()):
            self.message_user(request, "It is read again as soon as a worker is free.")
        else:
            said = "It cannot be read again: it is being read, was refused, or is not there."
            self.message_user(request, said, messages.WARNING)
        return HttpResponseRedirect(reverse("admin:syncs_webhookevent_changelist"))

    def show(self, request: HttpRequest, event: WebhookEvent) -> HttpResponse:
        return self.page(
            request,
            "webhook_event.html",
            title=event.event_id,
            badge=state_badge(event),
            tone=words.tone(_TONES.get(event.state, "")),
            event=event,
            facts=_facts(event),
            documents=_documents(event),
            body=indented(event.body_text),
            may_read_again=access.of(request).may(Action.RUN) and may_read_again(event),
        )


def _facts(event: WebhookEvent) -> list[tuple[str, str]]:
    zone = event.tenant.time_zone
    return [
        ("Type", event.event_type or words.NONE),
        ("Happened", words.moment(event.occurred_at, zone)),
        ("Received", words.moment(event.received_at, zone)),
        ("Deliveries", f"{event.deliveries:,}, the last {words.moment(event.delivered_at, zone)}"),
        ("Tried", f"{event.attempts:,} times"),
        ("Next try", words.moment(event.not_before, zone)),
        ("Done", words.moment(event.processed_at, zone)),
    ]


def _documents(event: WebhookEvent) -> list[tuple[SafeString | str, str]]:
    """Each document that was read, with the way to it, and what reading it did."""
    found = []
    for kind, key, outcome in event.documents:
        label = f"{Kind(kind).label} {key}" if kind in Kind.values else f"{kind} {key}"
        row = SourceDocument.objects.filter(tenant=event.tenant_id, kind=kind, source_id=key).only("pk").first()
        shown = format_html('<a href="{}">{}</a>', links.document_url(row.pk), label) if row else label
        found.append((shown, _OUTCOMES.get(outcome, outcome)))
    return found
