"""Webhooks in the browser and on the command line: the secret once, the inbox with its sentences, own tenant only."""

from __future__ import annotations

import io
import re

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone

from syncs import webhook_keys
from syncs.models import Style, WebhookCredential, WebhookEndpoint, WebhookEvent
from tenants.models import AuditEntry, Role
from tests.builders import a_tenant, a_user
from tests.syncs.rows import HOSTILE, a_document
from tests.syncs.webhook_desk import Sender, an_event

pytestmark = pytest.mark.django_db
SETUP = "admin:syncs_webhookendpoint_changelist"
INBOX = "admin:syncs_webhookevent_changelist"


@pytest.fixture
def acme():
    return a_tenant("acme")


@pytest.fixture
def sender(acme):
    return Sender(acme)


@pytest.fixture
def keeper(client, acme):
    client.force_login(a_user({acme: [Role.INTEGRATION_ADMIN]}))
    return client


def text(answer) -> str:
    return answer.content.decode()


def codes(answer) -> list[str]:
    return re.findall(r"<code>(.*?)</code>", text(answer))


def make(client, style="basic"):
    return client.post(reverse("admin:syncs_webhookendpoint_make"), {"style": style})


def test_a_new_secret_is_shown_once_and_opens_the_door(keeper, acme):
    answer = make(keeper)
    username, password, url = codes(answer)
    assert "no-store" in answer.headers["Cache-Control"]
    assert url.endswith(WebhookEndpoint.objects.get().public_id)
    assert "acme" not in url
    assert webhook_keys.recognised(url.rsplit("/", 1)[1], webhook_keys.Shown("basic", username, password))
    again = text(keeper.get(reverse(SETUP)))
    assert password not in again
    assert username in again
    assert url in again


def test_an_address_with_a_secret_is_shown_once_too(keeper):
    whole = codes(make(keeper, "url_token"))[0]
    url, secret = whole.split("?token=")
    assert webhook_keys.recognised(url.rsplit("/", 1)[1], webhook_keys.Shown("url_token", "", secret))
    assert secret not in text(keeper.get(reverse(SETUP)))


def test_the_page_says_where_to_paste_it_and_what_came_last(keeper, acme, sender):
    shown = text(keeper.get(reverse(SETUP)))
    for words in ("Settings › Configure Chargebee", "Protect webhook URL with basic authentication", "nothing yet"):
        assert words in shown
    sender.send(an_event())
    shown = text(keeper.get(reverse(SETUP)))
    assert "(invoice_updated)" in shown
    assert "nothing yet" not in shown
    assert "never" not in re.sub(r"<p class=\"hint\">.*?</p>", "", shown)


def test_a_third_credential_and_an_unknown_style_are_refused_in_a_sentence(keeper, acme):
    make(keeper)
    make(keeper)
    assert "Two webhook credentials are valid already" in text(keeper.get(make(keeper).url))
    WebhookCredential.objects.update(retired_at=timezone.now())
    assert "Choose how Chargebee" in text(keeper.get(make(keeper, "smoke").url))


def test_retiring_by_button_ends_a_credential_at_once(keeper, acme, sender):
    where = reverse("admin:syncs_webhookendpoint_retire")
    for wrong in ("", "x", "9" * 30, "999999"):
        assert "no such valid credential" in text(keeper.post(where, {"credential": wrong}, follow=True))
    keeper.post(where, {"credential": sender.made.row.pk})
    assert sender.send(an_event()).status_code == 401
    assert AuditEntry.objects.latest("id").action == "webhook-credential.retired"


@pytest.mark.parametrize("role", [Role.FINANCE_USER, Role.ACCOUNTANT, Role.AUDITOR])
def test_only_who_manages_connections_sees_and_changes_the_set_up(client, acme, sender, role):
    client.force_login(a_user({acme: role}))
    assert client.get(reverse(SETUP)).status_code == 403
    assert make(client).status_code == 403
    retired = client.post(reverse("admin:syncs_webhookendpoint_retire"), {"credential": sender.made.row.pk})
    assert retired.status_code == 403
    assert WebhookCredential.objects.filter(retired_at=None).count() == 1
    assert client.get(reverse(INBOX)).status_code == 200


@pytest.mark.parametrize("door", ["make", "retire"])
def test_the_doors_understand_post_only(keeper, door):
    assert keeper.get(reverse(f"admin:syncs_webhookendpoint_{door}")).status_code == 405


def test_another_tenants_webhooks_do_not_exist(keeper, acme):
    theirs = Sender(a_tenant("theirs"))
    theirs.send(an_event("ev_foreign"))
    event = WebhookEvent.objects.get()
    shown = text(keeper.get(reverse(SETUP)))
    assert theirs.made.row.username not in shown
    assert theirs.path not in shown
    assert "ev_foreign" not in text(keeper.get(reverse(INBOX)))
    assert "Nothing matches" in text(keeper.get(reverse(INBOX), {"q": "ev_foreign"}))
    assert "<pre>" not in text(keeper.get(reverse("admin:syncs_webhookevent_change", args=[event.pk]), follow=True))
    keeper.post(reverse("admin:syncs_webhookevent_read_again", args=[event.pk]))
    keeper.post(reverse("admin:syncs_webhookendpoint_retire"), {"credential": theirs.made.row.pk})
    assert theirs.send(an_event("ev_2")).status_code == 200
    assert not AuditEntry.objects.filter(action="webhook-event.again").exists()


def page_of(client, event) -> str:
    return text(client.get(reverse("admin:syncs_webhookevent_change", args=[event.pk])))


def test_the_inbox_shows_each_event_with_its_state_and_its_documents(keeper, acme, sender):
    sender.send(an_event("ev_done"))
    sender.send(an_event("ev_old_version", api_version="v1"))
    known = a_document(acme, "INV-1")
    WebhookEvent.objects.filter(event_id="ev_done").update(
        state="done", documents=[["invoice", "INV-1", "changed"], ["customer", "c-9", "absent"]]
    )
    shown = text(keeper.get(reverse(INBOX)))
    assert "Read again from Chargebee" in shown
    assert "choose API version V2" in shown
    assert "ev_done" not in text(keeper.get(reverse(INBOX), {"state__exact": "refused"}))

    page = page_of(keeper, WebhookEvent.objects.get(event_id="ev_done"))
    assert reverse("admin:syncs_sourcedocument_change", args=[known.pk]) in page
    assert "Customer c-9" in page
    assert "&quot;invoice_updated&quot;" in page
    assert "Read again</button>" in page
    assert "Read again</button>" not in page_of(keeper, WebhookEvent.objects.get(event_id="ev_old_version"))


def test_hostile_events_do_nothing_on_the_pages(keeper, acme, sender):
    sender.send(an_event(HOSTILE[:90], event_type=HOSTILE, content={HOSTILE: {"id": HOSTILE}}))
    WebhookEvent.objects.update(documents=[["invoice", HOSTILE, HOSTILE], [HOSTILE, "x", "y"]], sentence=HOSTILE)
    for shown in (text(keeper.get(reverse(INBOX))), page_of(keeper, WebhookEvent.objects.get())):
        assert "<script>alert" not in shown
        assert "<img src=x" not in shown
        assert not re.findall(r"<script(?![^>]*\bsrc=)[^>]*>|<style|<[^>]+\s(?:style|on[a-z]+)=\"", shown)


def test_read_again_puts_an_event_back_for_who_may_start_a_sync(client, acme, sender):
    sender.send(an_event())
    event = WebhookEvent.objects.get()
    WebhookEvent.objects.update(state="unknown", attempts=3)
    where = reverse("admin:syncs_webhookevent_read_again", args=[event.pk])
    client.force_login(a_user({acme: Role.FINANCE_USER}))
    assert client.post(where).status_code == 403
    client.force_login(a_user({acme: Role.ACCOUNTANT}))
    assert client.get(where).status_code == 405
    assert "as soon as a worker is free" in text(client.post(where, follow=True))
    event.refresh_from_db()
    assert (event.state, event.attempts) == ("received", 0)
    assert AuditEntry.objects.latest("id").action == "webhook-event.again"


@pytest.mark.parametrize("state", ["reading", "refused"])
def test_what_is_being_read_or_was_refused_is_not_read_again(client, acme, sender, state):
    sender.send(an_event())
    WebhookEvent.objects.update(state=state)
    client.force_login(a_user({acme: Role.ACCOUNTANT}))
    where = reverse("admin:syncs_webhookevent_read_again", args=[WebhookEvent.objects.get().pk])
    assert "cannot be read again" in text(client.post(where, follow=True))
    assert WebhookEvent.objects.get().state == state


def ran(*arguments: str) -> str:
    out = io.StringIO()
    call_command("webhook", *arguments, stdout=out)
    return out.getvalue()


@override_settings(ALLOWED_HOSTS=["connector.acme.example"], IS_BEHIND_TLS=True)
def test_the_command_prints_makes_and_retires(acme):
    first = ran("acme")
    assert re.search(r"https://connector\.acme\.example/webhooks/\S{24}$", first, re.MULTILINE)
    assert "Nobody may send yet" in first
    made = ran("acme", "--make", "basic")
    password = re.search(r"Password:  (\S+)", made)[1]
    assert password not in ran("acme")
    token = re.search(r"\?token=(\S+)", ran("acme", "--make", "url_token"))[1]
    endpoint = WebhookEndpoint.objects.get().public_id
    row = webhook_keys.recognised(endpoint, webhook_keys.Shown(Style.URL_TOKEN, "", token))
    assert "no longer valid" in ran("acme", "--retire", str(row.pk))
    assert webhook_keys.recognised(endpoint, webhook_keys.Shown(Style.URL_TOKEN, "", token)) is None


def test_the_command_answers_wrong_input_in_a_sentence(acme):
    with pytest.raises(CommandError, match="no valid webhook credential 77"):
        ran("acme", "--retire", "77")
    ran("acme", "--make", "basic")
    ran("acme", "--make", "basic")
    with pytest.raises(CommandError, match="Retire the one"):
        ran("acme", "--make", "basic")
    with pytest.raises(CommandError, match="no tenant"):
        ran("acmee")
