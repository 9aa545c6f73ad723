"""A webhook is a hint: a change arrives sooner by it, and whatever it says or leaves out, the books end the same."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import pytest
from django.core.management import call_command

from syncs import webhooks
from syncs.models import Posting, SourceDocument, WebhookEvent
from syncs.preparing import POSTED_KINDS, prepare_documents
from tenants import connections
from tests.flows.scene import Scene, a_scene
from tests.syncs.webhook_desk import Sender, an_event

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def scene():
    with a_scene(customers=6) as found:
        found.sync()
        yield found


@pytest.fixture
def sender(scene):
    return Sender(scene.tenant)


def drained(scene: Scene) -> dict[str, int]:
    with connections.chargebee_client(scene.tenant, clock=scene.clock) as client:
        return dict(webhooks.drain(scene.tenant, client, clock=scene.clock, until=lambda: True))


def settle(scene: Scene) -> None:
    """What the lanes of the queue do after a webhook: prepare and post, without reading Chargebee."""
    for kind in POSTED_KINDS:
        prepare_documents(scene.tenant, kind, clock=scene.clock, actor="test")
    scene.post()


def told(scene: Scene, **wanted: Any) -> list[dict[str, Any]]:
    """The site's own events, oldest first."""
    events = [
        one
        for one in scene.world.chargebee.all("event")
        if all(one["content"].get(kind, {}).get("id") == key for kind, key in wanted.items())
    ]
    return sorted(events, key=lambda one: one["occurred_at"])


def the_source(source_id: str) -> SourceDocument:
    return SourceDocument.objects.get(source_id=source_id)


@pytest.mark.slow
def test_a_new_invoice_arrives_by_webhook_alone(scene, sender):
    invoice = scene.world.chargebee.add_invoice(total=500)
    sender.send(told(scene, invoice=invoice["id"])[0])
    assert drained(scene) == {"done": 1}
    assert the_source(invoice["id"]).state == "new"
    assert WebhookEvent.objects.get().documents == [["invoice", invoice["id"], "new"]]


def test_what_the_body_says_is_not_used(scene, sender):
    invoice = scene.world.chargebee.add_invoice(total=500)
    event = told(scene, invoice=invoice["id"])[0]
    lie = {**event["content"]["invoice"], "total": 99_999_999, "status": "voided"}
    sender.send({**event, "event_type": "invoice_deleted", "content": {"invoice": lie}})
    drained(scene)
    assert (the_source(invoice["id"]).total_minor, the_source(invoice["id"]).status) == (500, invoice["status"])


def test_a_forged_event_causes_one_question_and_nothing_else(scene, sender):
    before = SourceDocument.objects.count()
    sender.send(an_event("ev_forged", content={"invoice": {"id": "INV-forged", "total": 1}}))
    scene.world.requests.clear()
    assert drained(scene) == {"unknown": 1}
    row = WebhookEvent.objects.get()
    assert "another site's, or forged" in row.sentence
    assert scene.world.requests == {"GET /api/v2/events/ev_forged": 1}
    assert SourceDocument.objects.count() == before


def test_an_event_that_chargebee_shows_late_is_found_when_it_comes_again(scene, sender):
    invoice = scene.world.chargebee.add_invoice(total=500)
    event = told(scene, invoice=invoice["id"])[0]
    scene.world.chargebee.core.store.forget("event", event["id"])
    sender.send(event)
    assert drained(scene) == {"unknown": 1}
    scene.world.chargebee.core.store.put(event)
    sender.send(event)
    assert drained(scene) == {"done": 1}


def test_an_event_about_nothing_that_is_read_here_is_put_away(scene, sender):
    event = scene.world.chargebee.core.tell("card_updated", card={"id": "card-1"})
    sender.send(event)
    assert drained(scene) == {"nothing": 1}


def test_a_deleted_document_is_taken_in_as_deleted(scene, sender):
    invoice = scene.world.chargebee.add_invoice(total=500)
    scene.world.chargebee.delete("invoice", invoice["id"])
    for event in told(scene, invoice=invoice["id"]):
        sender.send(event)
    drained(scene)
    assert the_source(invoice["id"]).is_deleted


def test_the_reverse_order_ends_right(scene, sender):
    invoice = scene.world.chargebee.add_invoice(total=500)
    scene.world.chargebee.void_invoice(invoice["id"])
    for event in reversed(told(scene, invoice=invoice["id"])):
        sender.send(event)
        drained(scene)
    assert the_source(invoice["id"]).status == "voided"


def test_twenty_events_of_one_invoice_ask_for_it_once(scene, sender):
    invoice = scene.world.chargebee.add_invoice(total=500)
    for number in range(19):
        scene.world.chargebee.edit("invoice", invoice["id"], po_number=str(number))
    for event in told(scene, invoice=invoice["id"]):
        sender.send(event)
    scene.world.requests.clear()
    assert drained(scene) == {"done": 20}
    assert scene.world.requests[f"GET /api/v2/invoices/{invoice['id']}"] == 1


def test_an_event_that_cannot_be_read_now_waits_longer_each_time(scene, sender):
    invoice = scene.world.chargebee.add_invoice(total=500)
    sender.send(told(scene, invoice=invoice["id"])[0])
    scene.fault("api_request_limit_exceeded", side="chargebee", times=None, retry_after=300)
    assert drained(scene) == {"failed": 1}
    assert drained(scene) == {}
    scene.clock.forward(299)
    assert drained(scene) == {}
    scene.heal()
    scene.clock.forward(400)
    assert drained(scene) == {"done": 1}


def test_a_refused_key_leaves_every_event_to_be_tried_again(scene, sender):
    for number in range(3):
        invoice = scene.world.chargebee.add_invoice(total=500 + number)
        sender.send(told(scene, invoice=invoice["id"])[0])
    keys, scene.world.chargebee.api.keys = scene.world.chargebee.api.keys, {}
    with pytest.raises(Exception, match="key"):
        drained(scene)
    assert set(WebhookEvent.objects.values_list("state", flat=True)) == {"failed"}
    scene.world.chargebee.api.keys = keys
    scene.clock.forward(7200)
    assert drained(scene) == {"done": 3}


def test_a_killed_worker_leaves_an_event_that_the_next_one_takes_up(scene, sender):
    invoice = scene.world.chargebee.add_invoice(total=500)
    sender.send(told(scene, invoice=invoice["id"])[0])
    assert webhooks._claim(scene.tenant, scene.clock())  # and then it dies
    assert drained(scene) == {}
    scene.clock.forward(webhooks.LEASE.total_seconds() + 1)
    assert drained(scene) == {"done": 1}


def test_a_worker_that_was_taken_for_dead_settles_nothing(scene, sender):
    sender.send(an_event("ev_1"))
    (slow,) = webhooks._claim(scene.tenant, scene.clock())
    scene.clock.forward(webhooks.LEASE.total_seconds() + 1)
    drained(scene)
    webhooks._settle(slow, webhooks.EventState.DONE, "", [], scene.clock())
    assert WebhookEvent.objects.get().state == "unknown"


def test_an_event_that_kills_its_worker_each_time_keeps_no_other_back(scene, sender, monkeypatch):
    poison, *others = [scene.world.chargebee.add_invoice(total=500 + day) for day in range(4)]
    for one in (poison, *others):
        sender.send(told(scene, invoice=one["id"])[0])
    take_in = webhooks.take_in

    def dying(tenant, kind, source_id, client, **options):
        if source_id == poison["id"]:
            raise MemoryError
        return take_in(tenant, kind, source_id, client, **options)

    monkeypatch.setattr(webhooks, "take_in", dying)
    for _ in range(3):
        with contextlib.suppress(MemoryError):
            drained(scene)
        scene.clock.forward(webhooks.LEASE.total_seconds() + 1)

    assert SourceDocument.objects.filter(source_id__in=[one["id"] for one in others]).count() == len(others)
    assert sorted(WebhookEvent.objects.values_list("state", flat=True)) == ["done", "done", "done", "reading"]


@pytest.mark.parametrize("seconds", [10**15, -5, True, "soon"])
def test_an_event_that_happened_at_no_moment_is_read_all_the_same(scene, sender, seconds):
    invoice = scene.world.chargebee.add_invoice(total=500)
    event = told(scene, invoice=invoice["id"])[0]
    scene.world.chargebee.core.store.put({**event, "occurred_at": seconds})
    sender.send(event)
    assert drained(scene) == {"done": 1}


def test_a_person_may_have_an_event_read_again(scene, sender):
    sender.send(an_event("ev_1"))
    drained(scene)
    row = WebhookEvent.objects.get()
    assert webhooks.again(scene.tenant, row.pk, actor="mira", now=scene.clock())
    assert drained(scene) == {"unknown": 1}


def test_what_is_older_than_anybody_asks_for_is_forgotten(scene, sender):
    sender.send(an_event("ev_old"))
    scene.clock.forward(89 * 86400)
    assert webhooks.forget_old(scene.tenant, scene.clock()) == 0
    scene.clock.forward(2 * 86400)
    sender.send(an_event("ev_new"))
    WebhookEvent.objects.filter(event_id="ev_new").update(received_at=scene.clock())
    assert webhooks.forget_old(scene.tenant, scene.clock()) == 1
    assert WebhookEvent.objects.get().event_id == "ev_new"


def test_an_event_too_old_by_chargebees_own_word_is_left_alone(scene, sender):
    invoice = scene.world.chargebee.add_invoice(total=500)
    event = told(scene, invoice=invoice["id"])[0]
    scene.world.chargebee.core.store.put({**event, "occurred_at": event["occurred_at"] - 8 * 86400})
    sender.send(event)  # its body says today
    assert drained(scene) == {"old": 1}
    assert not SourceDocument.objects.filter(source_id=invoice["id"]).exists()


@pytest.mark.slow
def test_with_webhooks_off_for_five_days_polling_alone_misses_nothing(scene):
    who = scene.customer()
    wanted = [scene.invoice(who, total=500 + day) for day in range(3)]
    for _ in range(5):
        scene.world.clock.advance(86400)
        scene.clock.forward(86400)
        scene.world.chargebee.edit("invoice", wanted[0], po_number="later")
        wanted.append(scene.invoice(who, total=700))
    story = scene.sync()
    assert story.run.state == "complete"
    assert [the_source(one).total_minor for one in wanted] == [500, 501, 502, *[700] * 5]
    assert {scene.posting(one).state for one in wanted} == {"posted"}
    assert not WebhookEvent.objects.exists()


@pytest.mark.slow
def test_a_hundred_duplicates_make_one_inbox_change_and_one_posting(scene, sender):
    """One after another; tests/flows/test_webhooks_over_http.py sends them at once."""
    invoice = scene.invoice(total=500)
    call_command("refresh", scene.tenant.slug, stdout=io.StringIO())  # QAD's list with the new customer
    event = told(scene, invoice=invoice)[0]
    for number in range(100):
        assert sender.send(event).status_code == 200
        if number % 20 == 7:
            drained(scene)
    drained(scene)

    row = WebhookEvent.objects.get()
    assert (row.deliveries, row.state, row.attempts) == (100, "done", 1)
    assert SourceDocument.objects.filter(source_id=invoice).count() == 1
    settle(scene)
    assert Posting.objects.filter(source__source_id=invoice).count() == 1
    assert scene.world.ledger()["duplicates"] == {}
