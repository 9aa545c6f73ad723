"""Every few minutes Chargebee's events say what reading has passed over and which webhook got lost."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django_q.models import OrmQ

from connector.errors import ConnectorError
from syncs import tasks, witnessing
from syncs.models import Cursor, Notice, SourceDocument
from tenants import connections
from tenants.models import Blackout
from tests.flows.scene import Scene, a_scene
from tests.syncs.webhook_desk import Sender

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = 60


def witness(scene: Scene) -> int:
    with connections.chargebee_client(scene.tenant) as client:
        return witnessing.witness(scene.tenant, client, clock=scene.clock)


def pass_time(scene: Scene, seconds: float) -> None:
    scene.world.clock.advance(seconds)
    scene.clock.forward(seconds)


def read(scene: Scene) -> None:
    scene.tenant.__class__.objects.filter(pk=scene.tenant.pk).update(is_posting_on=False)
    scene.sync()


def is_stored(*ids: str) -> bool:
    return SourceDocument.objects.filter(source_id__in=ids).count() == len(ids)


@contextlib.contextmanager
def lists_without(scene: Scene, name: str) -> Iterator[None]:
    """Chargebee's list of invoices does not show this one; by its id it is there."""
    site = scene.world.chargebee
    page = site.api.lists.page

    def without_it(resource: Any, request: Any) -> bytes:
        if resource.kind != "invoice":
            return page(resource, request)
        row = site.core.store._rows["invoice"].pop(name)
        try:
            return page(resource, request)
        finally:
            site.core.store._rows["invoice"][name] = row

    site.api.lists.page = without_it  # type: ignore[method-assign]
    yield
    site.api.lists.page = page  # type: ignore[method-assign]


@pytest.mark.slow
def test_what_a_pass_has_passed_over_is_read_and_said_within_minutes():
    with a_scene() as scene:
        read(scene)
        assert witness(scene) == 0
        lost = scene.invoice(total=300)
        with lists_without(scene, lost):
            for _ in range(3):
                pass_time(scene, 5 * MINUTE)
                scene.sync()
        assert not is_stored(lost)

        pass_time(scene, MINUTE)

        assert witness(scene) == 1
        assert scene.source(lost).total_minor == 300
        said = Notice.objects.get(code="passed-over").sentence
        assert (
            f"1 missing, 0 stale. Chargebee's events told of them, and they are healed: missing invoice {lost}" in said
        )
        assert witness(scene) == 0


def test_a_lost_webhook_is_made_up_for_and_without_webhooks_the_calendar_says_when():
    with a_scene() as scene:
        read(scene)
        fresh = scene.invoice()
        pass_time(scene, MINUTE)
        assert witness(scene) == 0 and not is_stored(fresh)

        Sender(scene.tenant)

        assert witness(scene) >= 1 and is_stored(fresh)
        assert not Notice.objects.exists()


@pytest.mark.slow
def test_a_flood_of_changes_is_left_to_the_next_pass_and_a_gap_in_it_is_not(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(witnessing, "MOST_BY_ID", 2)
    with a_scene() as scene:
        Sender(scene.tenant)
        who = scene.customer()
        read(scene)
        witness(scene)
        lost = scene.invoice(who)
        with lists_without(scene, lost):
            for _ in range(3):
                pass_time(scene, 5 * MINUTE)
                scene.sync()
        flood = [scene.invoice(who) for _ in range(3)]

        assert witness(scene) == 1

        assert is_stored(lost) and not SourceDocument.objects.filter(source_id__in=flood).exists()
        scene.sync()
        assert is_stored(lost, *flood)


def test_events_that_cannot_be_read_are_asked_for_again():
    with a_scene() as scene:
        read(scene)
        witness(scene)
        before = Cursor.objects.get(kind=witnessing.NEWEST)
        scene.fault("api_authentication_failed", side="chargebee", times=None, path="events")

        with pytest.raises(ConnectorError):
            witness(scene)

        after = Cursor.objects.get(kind=witnessing.NEWEST)
        assert (after.watermark, after.finished_at) == (before.watermark, before.finished_at)


def test_it_is_due_every_few_minutes_once_reading_has_begun_and_never_in_a_blackout():
    with a_scene() as scene:
        assert not witnessing.is_due(scene.tenant, scene.clock())
        read(scene)
        assert witnessing.is_due(scene.tenant, scene.clock())
        witness(scene)
        assert not witnessing.is_due(scene.tenant, scene.clock())
        assert witnessing.is_due(scene.tenant, scene.clock() - dt.timedelta(hours=1))  # a clock that was set back
        scene.clock.forward(5 * MINUTE)
        assert witnessing.is_due(scene.tenant, scene.clock())

        now, hour = scene.clock(), dt.timedelta(hours=1)
        Blackout.objects.create(tenant=scene.tenant, reason="Close", begins_at=now - hour, ends_at=now + hour)
        assert not witnessing.is_due(scene.tenant, now)


def test_the_dispatcher_gives_it_a_turn():
    with a_scene() as scene:
        read(scene)
        tasks.dispatch()
        assert (scene.tenant.pk, "events") in [one.args() for one in OrmQ.objects.all()]

        assert tasks.work(scene.tenant.pk, "events") == {"lane": "events", "done": 0}

        OrmQ.objects.all().delete()
        tasks.dispatch()
        assert (scene.tenant.pk, "events") not in [one.args() for one in OrmQ.objects.all()]
