"""Chargebee's limits: waits are kept, one tenant's limit is not another's, and a stop ends by itself."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from connector.errors import ConnectorError
from connector.sandbox.server import serve
from connector.sandbox.world import World
from syncs import proving, quota, tasks
from syncs.models import Cursor, WebhookEvent
from syncs.status import status
from tenants import connections
from tenants.models import CallBudget, ChargebeeConnection, Circuit, Side
from tests.flows.scene import a_scene
from tests.flows.setting import a_connected_tenant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.slow
def test_a_limit_that_says_long_stops_the_run_and_the_next_process_does_not_even_ask():
    with a_scene() as scene:
        scene.invoice()
        scene.fault("api_request_limit_exceeded", side="chargebee", times=1, path="invoices", retry_after=900)

        with pytest.raises(ConnectorError, match="429"):
            scene.sync()
        asked = sum(scene.world.requests.values())
        with pytest.raises(ConnectorError, match="used up for now"):
            scene.sync()

        reads = {name: count for name, count in scene.world.requests.items() if "/api/v2/" in name}
        assert sum(scene.world.requests.values()) - asked < 10 and reads["GET /api/v2/invoices"] == 1
        assert status(scene.tenant)["last_run"]["state"] == "stopped"
        assert connections.is_stopped(scene.tenant, Side.CHARGEBEE)
        CallBudget.objects.update(blocked_until=None)
        assert scene.sync().run.state == "complete"
        assert not Circuit.objects.filter(side=Side.CHARGEBEE).exists()


def test_the_limit_of_one_site_slows_no_other_tenant():
    with a_scene() as scene, serve(World(seed=2, customers=0)) as server:
        scene.fault("api_request_limit_exceeded", side="chargebee", times=None, retry_after=900)
        with pytest.raises(ConnectorError):
            scene.sync()
        other = a_connected_tenant(server.url, slug="bravo")

        began = timezone.now()
        with connections.chargebee_client(other) as client:
            assert client.list("customers", {"limit": 1}).rows == []

        assert timezone.now() - began < dt.timedelta(seconds=5)
        assert not connections.is_stopped(other, Side.CHARGEBEE)


def test_the_queue_leaves_a_stopped_site_alone_until_its_time_has_come():
    with a_scene() as scene:
        now = timezone.now()
        assert not tasks._is_barred(scene.tenant, "prove", now)
        connections.stop(scene.tenant, Side.CHARGEBEE, "Away.", now=now, heals=True)
        Cursor.objects.create(tenant=scene.tenant, kind="invoice", watermark=now)

        assert tasks._is_barred(scene.tenant, "calendar", now)
        assert not tasks._is_barred(scene.tenant, "post", now)
        assert proving.due(scene.tenant, now) == (False, None)
        assert not tasks._is_barred(scene.tenant, "calendar", now + dt.timedelta(minutes=1))


@pytest.mark.slow
def test_what_is_left_to_read_has_an_end_in_sight():
    with a_scene() as scene:
        scene.invoice()
        scene.prepare()
        assert quota.forecast(scene.tenant) is None
        ChargebeeConnection.objects.update(calls_per_minute=2)
        first = iter([True])
        ChargebeeConnection.objects.update(calls_per_minute=60_000)
        left = proving.sweep(
            scene.tenant, since=None, trigger="test", clock=scene.clock, tell=lambda step: None,
            until=lambda: next(first, False),
        ).left  # fmt: skip
        ChargebeeConnection.objects.update(calls_per_minute=2)

        told = quota.forecast(scene.tenant)

        calls = left - 1  # the window that compares copies asks Chargebee nothing
        assert (told.calls, told.a_minute, told.minutes) == (calls, 2.0, -(-calls // 2))
        assert not WebhookEvent.objects.exists()
