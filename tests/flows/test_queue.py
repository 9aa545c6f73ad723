"""The queue of either kind drains a tenant; what it loses or repeats costs time and never money."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import redis

from connector.sandbox.server import serve
from connector.sandbox.world import World
from tests.flows.installation import ROOT, Installation

pytestmark = pytest.mark.slow
LONGEST = 90.0
POSTING_OFF = 4  # exit code of a sync whose documents wait for the switch
QUEUE = "django_q:connector:q"
SWITCH = "from tenants.models import Tenant; Tenant.objects.update(is_posting_on={})"
DISPATCH = "from syncs import tasks; [tasks.dispatch() for _ in range({times})]"


def redis_url() -> str:
    """A database of its own on the server that the environment names."""
    given = os.environ.get("REDIS_URL", "")
    return urlsplit(given)._replace(path="/15").geturl() if given else ""


@pytest.fixture(params=["the database", "Redis"])
def installation(request, tmp_path) -> Iterator[Installation]:
    if request.param == "the database":
        yield Installation(tmp_path / "own")
        return
    if not redis_url():
        pytest.skip("REDIS_URL is not set, so the queue in Redis was not tried.")
    with contextlib.closing(redis.Redis.from_url(redis_url())) as server:
        server.delete(QUEUE)
        yield Installation(tmp_path / "own", REDIS_URL=redis_url())
        server.delete(QUEUE)


@contextlib.contextmanager
def a_cluster(installation: Installation) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "qcluster"],
        cwd=ROOT,
        env=installation.env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(15)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(5)


def test_a_cluster_drains_a_tenant_and_posts_each_document_once(installation):
    world = World(seed=5, customers=6)
    with serve(world) as server:
        installation.set_up(server.url)
        installation.manage("sync", "demo")  # customers; nothing is billed yet
        world.bill_cycle()
        installation.manage("shell", "-c", SWITCH.format(False))
        installation.manage("sync", "demo", ends_with=POSTING_OFF)
        installation.manage("shell", "-c", SWITCH.format(True))
        waiting = installation.rows("SELECT count(*) FROM syncs_posting WHERE state = 'ready'")[0][0]
        assert waiting > 0
        installation.manage("shell", "-c", DISPATCH.format(times=5))  # the same work five times over

        with a_cluster(installation):
            end = time.monotonic() + LONGEST
            while installation.rows("SELECT count(*) FROM syncs_posting WHERE state != 'posted'")[0][0]:
                assert time.monotonic() < end, "The queue did not drain the tenant in time."
                time.sleep(0.3)

    ledger = world.ledger()
    assert ledger["duplicates"] == {}
    posted = installation.rows("SELECT count(*) FROM syncs_posting WHERE state = 'posted'")[0][0]
    assert posted == len([one for one in ledger["documents"] if one["reference"]]) >= waiting
    assert installation.rows("SELECT count(*) FROM syncs_attempt")[0][0] == posted
