"""A connection that fails is left alone: for a while where time may heal it, else until a test succeeds."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from syncs.permission import why_not_posting
from syncs.sending import DOUBTS_IN_A_ROW
from tenants import connections, probes
from tenants.models import AuditEntry, Circuit, QadConnection, QadCredential, Side
from tests.flows.ledgers import assert_books_agree
from tests.flows.scene import Scene, a_scene

pytestmark = pytest.mark.django_db(transaction=True)


def ready(scene: Scene, number: int) -> None:
    scene.invoice()
    scene.sync()
    for _ in range(number):
        scene.invoice()
    scene.prepare()


def _password(scene: Scene, text: str) -> None:
    row = QadCredential.objects.get(tenant=scene.tenant)
    row.password = text
    row.save()


def told(action: str) -> int:
    return AuditEntry.objects.filter(subject="connection:qad", action=action).count()


@pytest.mark.slow
def test_an_instance_that_breaks_off_is_left_alone_after_a_few_and_tried_with_one():
    with a_scene(concurrency=1) as scene:
        ready(scene, 12)
        scene.fault("status", status=503, times=None)
        sent = scene.sent()

        scene.post()

        assert scene.sent() - sent == DOUBTS_IN_A_ROW
        assert scene.dispositions() == {"posted": 1, "uncertain": DOUBTS_IN_A_ROW, "waiting": 12 - DOUBTS_IN_A_ROW}
        assert "It is tried again by itself in 30 seconds." in why_not_posting(scene.tenant)
        scene.clock.forward(31)
        scene.post()  # one document tries it, and the pause doubles
        assert scene.sent() - sent == DOUBTS_IN_A_ROW + 1
        circuit = Circuit.objects.get()
        assert circuit.failures == 2
        assert circuit.try_again_at - scene.clock() > dt.timedelta(seconds=50)
        scene.heal()
        for _ in range(3):
            scene.clock.forward(90)
            scene.post()
        assert not Circuit.objects.exists()
        assert (told("stopped"), told("resumed")) == (1, 1)
        assert scene.dispositions() == {"posted": 13}
        assert_books_agree(scene)


@pytest.mark.slow
def test_a_refusal_waits_for_a_test_that_succeeds():
    with a_scene(concurrency=1) as scene:
        ready(scene, 6)
        _password(scene, "changed-by-somebody")
        sent = scene.sent()

        scene.post()
        scene.clock.forward(100_000)
        probes.test_connection(scene.tenant, timezone.now())

        assert scene.sent() == sent
        assert "Press Test connection when it is mended." in why_not_posting(scene.tenant)
        assert (told("stopped"), told("resumed")) == (1, 0)
        _password(scene, "sandbox-password")
        probes.test_connection(scene.tenant, timezone.now())
        assert why_not_posting(scene.tenant) == ""
        scene.post()
        assert scene.dispositions() == {"posted": 7}
        assert_books_agree(scene)


@pytest.mark.parametrize(("header", "at_least", "at_most"), [(120, 100, 130), (None, 20, 40), ("garbage", 20, 40)])
@pytest.mark.slow
def test_it_waits_as_long_as_qad_asks_within_reason(header, at_least, at_most):
    with a_scene(concurrency=1) as scene:
        row = QadConnection.objects.get()
        row.profile_override["replies"] = {"not_processed_statuses": [429]}
        row.save()
        scene.tenant.refresh_from_db()
        ready(scene, 3)
        scene.fault("status", status=429, times=None, retry_after=header)

        scene.post()

        left = (Circuit.objects.get().try_again_at - scene.clock()).total_seconds()
        assert at_least < left < at_most
        assert scene.dispositions() == {"posted": 1, "waiting": 3}


def test_pauses_grow_to_a_quarter_of_an_hour_and_no_further():
    pauses = [connections.pause_after(failures).total_seconds() for failures in (1, 2, 3, 5, 6, 30)]

    assert pauses == [30, 60, 120, 480, 900, 900]


@pytest.mark.slow
def test_one_tenants_stopped_connection_stops_no_other():
    with a_scene() as scene:
        ready(scene, 1)
        connections.stop(scene.tenant, Side.QAD, "QAD is away.", now=scene.clock(), heals=True)
        other = scene.tenant.__class__.objects.create(slug="other", name="Other")

        assert connections.is_stopped(scene.tenant, Side.QAD)
        assert not connections.is_stopped(other, Side.QAD)
