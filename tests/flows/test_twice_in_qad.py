"""Once a day QAD is read whole: what stands there twice is found, and what is unknown here stops posting."""

from __future__ import annotations

import datetime as dt
import time

import pytest

from syncs import newest, running, tasks, twice
from syncs.models import Posting, ReadBack
from syncs.permission import why_not_posting
from tenants.models import AuditEntry
from tests.flows.scene import Scene, a_scene

pytestmark = pytest.mark.django_db(transaction=True)


def swept(scene: Scene, until: float = float("inf")):
    with scene.qad() as client:
        return twice.sweep(scene.tenant, client, running.pace_of(scene.tenant), clock=scene.clock, until=until)


def repeated(scene: Scene) -> None:
    """Something on the way sends the last invoice once more."""
    again = [
        one.request for one in scene.world.asked if "Invoices" in one.request.path and one.request.method == "POST"
    ]
    scene.world.handle(again[-1])


@pytest.mark.slow
def test_a_proxy_that_repeats_our_request_is_found_and_the_document_says_what_to_do():
    with a_scene() as scene:
        source_id = scene.invoice()
        scene.sync()
        repeated(scene)
        assert len(scene.in_qad()) == 2

        assert swept(scene)["duplicate"] == 1

        assert scene.posting(source_id).state == "duplicate"
        assert all(one["number"] in scene.sentences(source_id) for one in scene.in_qad())
        assert AuditEntry.objects.filter(action="duplicate", subject__startswith="posting:").count() == 1
        assert why_not_posting(scene.tenant) == ""
        assert swept(scene)["duplicate"] == 0  # told once


def test_a_reference_of_ours_that_nobody_here_knows_stops_posting():
    with a_scene() as scene:
        scene.invoice()
        scene.sync()
        customer = Posting.objects.get().customer_code
        day = scene.clock().date() - dt.timedelta(days=20)
        scene.world.qad.enter_invoice(customer, "5.00", reference="CB-INV-theirs", posting_date=day)
        newest.forget()
        scene.post()
        assert why_not_posting(scene.tenant) == ""  # older than what a start looks at

        swept(scene)

        assert "CB-INV-theirs" in why_not_posting(scene.tenant)


def test_it_goes_on_where_its_time_was_over_and_then_rests_for_a_day():
    with a_scene() as scene:
        scene.invoice()
        scene.sync()
        assert twice.is_due(scene.tenant, scene.clock())

        swept(scene, until=time.monotonic())
        assert twice.is_due(scene.tenant, scene.clock())
        swept(scene)

        assert not twice.is_due(scene.tenant, scene.clock())
        assert "nothing is there twice" in ReadBack.objects.get().sentence
        scene.clock.forward(25 * 3600)
        assert twice.is_due(scene.tenant, scene.clock())


@pytest.mark.slow
def test_the_dispatcher_gives_it_a_turn():
    with a_scene() as scene:
        scene.invoice()
        scene.sync()
        repeated(scene)

        assert tasks.WORK["twice"](scene.tenant)
        tasks.LANES["twice"](scene.tenant)

        assert scene.posting().state == "duplicate"
        assert not tasks.WORK["twice"](scene.tenant)
