"""Deliveries that are committed together: duplicates are counted, and one bad row keeps no other out."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from connector.chargebee import webhook
from syncs.models import WebhookEvent
from syncs.webhooks import Delivery, store_all
from tests.builders import a_tenant
from tests.syncs.webhook_desk import Sender, an_event

pytestmark = pytest.mark.django_db


@pytest.fixture
def sender():
    return Sender(a_tenant("acme"))


def delivery(sender: Sender, event_id: str, *, seconds: int = 0, **fields) -> Delivery:
    at = timezone.now() + dt.timedelta(seconds=seconds)
    return Delivery(sender.made.row, webhook.read(json.dumps(an_event(event_id, **fields)).encode()), at)


def inbox() -> dict[str, tuple[str, int]]:
    return {row.event_id: (row.state, row.deliveries) for row in WebhookEvent.objects.all()}


def test_a_group_is_one_statement_in_one_transaction(sender):
    statements: list[str] = []

    def note(execute, sql, params, many, context):
        statements.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        assert store_all([delivery(sender, f"ev_{number}") for number in range(10)]) == [None] * 10
    assert [sql.split(" ")[0] for sql in statements if "SAVEPOINT" not in sql] == ["INSERT"]
    assert len(inbox()) == 10


def test_duplicates_inside_a_group_are_one_event_that_came_so_often(sender):
    names = ("ev_2", "ev_1", "ev_2", "ev_2")
    group = [delivery(sender, name, seconds=place) for place, name in enumerate(names)]
    store_all(group)
    assert inbox() == {"ev_1": ("received", 1), "ev_2": ("received", 3)}
    row = WebhookEvent.objects.get(event_id="ev_2")
    assert (row.received_at, row.delivered_at) == (group[0].at, group[3].at)


def test_a_duplicate_of_an_earlier_group_changes_neither_its_state_nor_its_body(sender):
    store_all([delivery(sender, "ev_1")])
    WebhookEvent.objects.update(state="done", sentence="as it was", attempts=2)
    before = WebhookEvent.objects.get()
    store_all([delivery(sender, "ev_1", event_type="forged"), delivery(sender, "ev_2")])
    after = WebhookEvent.objects.get(event_id="ev_1")
    assert (after.state, after.sentence, after.attempts, after.event_type) == (
        "done",
        "as it was",
        2,
        before.event_type,
    )
    assert (bytes(after.body), after.deliveries) == (bytes(before.body), 2)


def test_a_refused_copy_and_the_real_event_in_one_group_are_taken_up(sender):
    store_all([delivery(sender, "ev_1", api_version="v1"), delivery(sender, "ev_1")])
    assert inbox() == {"ev_1": ("received", 2)}


def test_one_row_that_the_database_refuses_keeps_no_other_out(sender):
    gone = Sender(a_tenant("gone"))
    group = [delivery(sender, "ev_1"), delivery(gone, "ev_2"), delivery(sender, "ev_3"), delivery(sender, "ev_1")]
    gone.made.row.pk = -1  # no such credential can be stored
    outcomes = store_all(group)
    assert [outcome is None for outcome in outcomes] == [True, False, True, True]
    assert inbox() == {"ev_1": ("received", 2), "ev_3": ("received", 1)}


def test_a_database_that_cannot_write_is_answered_with_503_and_later_with_200(sender):
    def refuse(execute, sql, params, many, context):
        if sql.startswith("INSERT"):
            raise OperationalError("database is locked")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        answer = sender.send(an_event("ev_1"))
    assert (answer.status_code, answer.content) == (503, b"It could not be stored. Send it again.\n")
    assert not WebhookEvent.objects.exists()
    assert sender.send(an_event("ev_1")).status_code == 200
    assert inbox() == {"ev_1": ("received", 1)}
