"""The door for webhooks: only its own senders, only events, stored once and without a person's texts."""

from __future__ import annotations

import base64
import datetime as dt
import io
import json

import pytest
from django.db import IntegrityError, transaction
from django.test import Client, RequestFactory
from django.utils import timezone

from connector.errors import Configuration
from syncs import webhook_door, webhook_keys
from syncs.models import Style, WebhookCredential, WebhookEvent
from tenants.models import AuditEntry
from tests.builders import a_tenant
from tests.syncs.webhook_desk import Sender, an_event, basic

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme():
    return a_tenant("acme")


@pytest.fixture
def sender(acme):
    return Sender(acme)


def the_event(**wanted) -> WebhookEvent:
    return WebhookEvent.objects.get(**wanted)


def test_an_event_is_stored_and_answered_with_200(acme, sender):
    answer = sender.send(an_event("ev_1"))
    assert answer.status_code == 200
    row = the_event()
    assert (row.tenant, row.event_id, row.event_type, row.state) == (acme, "ev_1", "invoice_updated", "received")
    assert "Set-Cookie" not in answer.headers


def test_a_duplicate_is_counted_and_stored_once(sender):
    for _ in range(3):
        assert sender.send(an_event("ev_1")).status_code == 200
    assert the_event().deliveries == 3


def test_the_same_event_id_at_two_tenants_is_two_events(sender):
    sender.send(an_event("ev_1"))
    Sender(a_tenant("other")).send(an_event("ev_1"))
    assert WebhookEvent.objects.filter(event_id="ev_1").count() == 2


def test_a_persons_texts_are_not_stored(sender):
    person = {"first_name": "Ada", "email": "ada@acme.example", "billing_address": {"line1": "1 Main St", "zip": "80"}}
    invoice = {"id": "INV-1", "customer_id": "cust-1", "total": 1250, "status": "paid", "notes": ["Dear Ada"]}
    sender.send(an_event(user="ada@acme.example", content={"customer": {"id": "c1", **person}, "invoice": invoice}))
    kept = json.loads(the_event().body_text)
    assert "ada" not in json.dumps(kept).lower()
    assert "Main" not in json.dumps(kept)
    assert kept["content"]["invoice"] == {**invoice, "notes": ["***"]}
    assert kept["content"]["customer"]["id"] == "c1"


WRONG = {
    "no credentials": {"pair": ""},
    "another password": {"pair": "chargebee:wrong"},
    "no colon": {"pair": "chargebee"},
    "not base64": {"pair": "", "HTTP_AUTHORIZATION": "Basic %%%"},
    "another scheme": {"pair": "", "HTTP_AUTHORIZATION": "Bearer abc"},
    "an unknown endpoint": {"path": "/webhooks/nobody-lives-here"},
    "a hostile endpoint": {"path": "/webhooks/%00%27%22<>"},
    "a token that is no token": {"pair": "", "path": "/webhooks/x?token=abc"},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=list(WRONG))
def test_every_wrong_sender_gets_the_same_401_and_leaves_nothing(sender, wrong):
    answer = sender.send(an_event(), **wrong)
    expected = sender.send(an_event(), pair="chargebee:wrong")
    assert answer.status_code == 401
    assert (answer.content, dict(answer.headers)) == (expected.content, dict(expected.headers))
    assert not WebhookEvent.objects.exists()


def test_a_right_user_with_a_wrong_password_and_the_reverse_are_refused(sender):
    user, password = sender.pair.split(":")
    assert sender.send(an_event(), pair=f"{user}:{password}x").status_code == 401
    assert sender.send(an_event(), pair=f"{user}x:{password}").status_code == 401
    assert sender.send(an_event(), pair=f":{password}").status_code == 401


def test_another_tenants_credentials_are_refused(sender):
    other = Sender(a_tenant("other"))
    assert sender.send(an_event(), pair=other.pair).status_code == 401
    assert not WebhookEvent.objects.exists()


def test_a_secret_in_the_address_opens_the_door_and_only_as_such(acme):
    sender = Sender(acme, Style.URL_TOKEN)
    assert sender.send(an_event(), pair="", path=f"{sender.path}?token={sender.made.secret}").status_code == 200
    assert sender.send(an_event("ev_2"), pair=f":{sender.made.secret}").status_code == 401


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch", "head", "options"])
def test_only_post_is_understood(sender, method):
    answer = getattr(sender.client, method)(sender.path, HTTP_AUTHORIZATION=basic(sender.pair))
    assert answer.status_code == 405


def test_it_needs_no_csrf_token(acme, sender):
    sender.client = Client(enforce_csrf_checks=True)
    assert sender.send(an_event()).status_code == 200


def test_a_body_of_more_than_1_mb_is_refused_and_not_stored(sender):
    assert sender.send(b'{"id": "' + b"x" * 10_000_000 + b'"}').status_code == 413
    assert sender.send(b" " * 1024 * 1024 + b"x").status_code == 413
    assert not WebhookEvent.objects.exists()


def in_chunks(sender, body: bytes):
    """What gunicorn hands over for a request without Content-Length."""
    request = RequestFactory().post(sender.path, HTTP_AUTHORIZATION=basic(sender.pair))
    request.META.pop("CONTENT_LENGTH", None)
    request.META |= {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True}
    return webhook_door.receive(request, sender.path.rsplit("/", 1)[1])


def test_a_body_in_chunks_is_read_and_measured_too(sender):
    assert in_chunks(sender, json.dumps(an_event("ev_chunks")).encode()).status_code == 200
    assert in_chunks(sender, b" " * 10_000_000).status_code == 413
    assert the_event().event_id == "ev_chunks"


UNREADABLE = {
    "nothing": b"",
    "no JSON": b"<html>",
    "half an event": b'{"id": "ev_1"',
    "a list": b"[]",
    "a deep nest": b'{"id": "ev_1", "a": ' + b"[" * 100 + b"]" * 100 + b"}",
    "a nest for the parser": b"[" * 100_000,
    "no id": b'{"object": "event"}',
    "a number as id": b'{"id": 7}',
    "an id with a line break": b'{"id": "ev\\n1"}',
    "not a number": b'{"id": "ev_1", "total": NaN}',
    "broken letters": b'{"id": "\xff"}',
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=list(UNREADABLE))
def test_what_is_no_event_is_refused_in_a_sentence_and_seen_in_the_inbox(sender, body):
    answer = sender.send(body)
    assert answer.status_code == 422
    row = the_event()
    assert row.state == "refused"
    assert row.event_id.startswith("(unreadable) ")
    assert row.sentence.strip() == answer.content.decode().strip()


@pytest.mark.parametrize("version", ["v1", None, 2])
def test_an_event_of_another_api_version_is_refused_and_seen(sender, version):
    answer = sender.send(an_event(api_version=version))
    assert answer.status_code == 422
    assert "choose API version V2" in answer.content.decode()
    assert the_event().state == "refused"


def test_a_refused_event_that_comes_again_as_v2_is_taken_up(sender):
    sender.send(an_event(api_version="v1"))
    assert sender.send(an_event()).status_code == 200
    assert (the_event().state, the_event().sentence) == ("received", "")


def test_an_event_that_is_too_old_is_stored_and_left_alone(sender):
    long_ago = int((timezone.now() - dt.timedelta(days=8)).timestamp())
    assert sender.send(an_event(occurred_at=long_ago)).status_code == 200
    assert the_event().state == "old"


def test_a_forged_old_copy_does_not_keep_the_real_event_out(sender):
    sender.send(an_event("ev_1", occurred_at=1))
    sender.send(an_event("ev_1"))
    assert the_event().state == "received"


def test_hostile_text_in_an_event_is_stored_without_harm(sender):
    assert sender.send(an_event("ev_'\"<script>", event_type="x\x00y" + "z" * 500)).status_code == 200
    assert the_event().event_type.startswith("xy")
    assert sender.send(an_event("ev_2", event_type={"a": 1}, content=["x"], occurred_at="soon")).status_code == 200
    assert sender.send(an_event("ev_3", occurred_at=10**30)).status_code == 200
    assert sender.send(an_event("e" * 101)).status_code == 422


def test_two_credentials_are_valid_while_one_replaces_the_other(acme, sender):
    first = sender.pair
    second = webhook_keys.make(acme, Style.BASIC, actor="mira", now=timezone.now())
    pair = f"{second.row.username}:{second.secret}"
    assert [sender.send(an_event(f"ev_{n}"), pair=one).status_code for n, one in enumerate((first, pair))] == [200, 200]
    with pytest.raises(Configuration, match="Retire"):
        webhook_keys.make(acme, Style.BASIC, actor="mira", now=timezone.now())

    assert webhook_keys.retire(acme, sender.made.row.pk, actor="mira", now=timezone.now())
    assert [sender.send(an_event(), pair=one).status_code for one in (first, pair)] == [401, 200]
    assert not webhook_keys.retire(acme, sender.made.row.pk, actor="mira", now=timezone.now())


def test_a_tenant_cannot_retire_anothers_credential(acme, sender):
    other = a_tenant("other")
    assert not webhook_keys.retire(other, sender.made.row.pk, actor="mira", now=timezone.now())
    assert sender.send(an_event()).status_code == 200


def test_the_database_holds_no_third_credential(acme, sender):
    row = WebhookCredential.objects.get()
    row.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()
    row.slot = 3
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()


def test_making_and_retiring_leave_audit_lines_without_the_secret(acme, sender):
    webhook_keys.retire(acme, sender.made.row.pk, actor="mira", now=timezone.now())
    lines = list(AuditEntry.objects.filter(tenant=acme).order_by("id"))
    assert [line.action for line in lines] == [
        "webhook.added",
        "webhook-credential.added",
        "webhook-credential.retired",
    ]
    told = str([line.__dict__ for line in lines])
    assert sender.made.secret not in told
    assert sender.made.row.username in told


def test_the_secret_is_in_no_column_in_any_form(acme, sender):
    row = WebhookCredential.objects.values_list().get()
    forms = [sender.made.secret.encode(), base64.b64encode(sender.made.secret.encode())]
    stored = b"|".join(bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode() for value in row)
    assert not [form for form in forms if form in stored]
    assert sender.made.secret not in repr(sender.made)
