"""kill -9 at each of the nine points where a worker may die: what the table in ARCHITECTURE.md says, and one document.

The process is killed from outside: the sandbox holds a request or a reply, or another connection holds the database.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from connector.sandbox.clock import Clock
from connector.sandbox.server import serve
from connector.sandbox.world import World
from tests.flows.installation import Installation
from tests.flows.scene import INVOICES

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("kill points")]

LONGEST = 60.0
IMPORTS = (
    "import datetime as dt; from django.utils import timezone; from syncs import intake, running, tasks; "
    "from tenants import connections; from tenants.models import Tenant\n"
)
HEAD = IMPORTS + "tenant = Tenant.objects.get(slug='demo')\n"
SET_UP = (
    "from mappings.models import CustomerMapping; from tests.flows.setting import a_connected_tenant, map_everything\n"
    "map_everything(a_connected_tenant('{}', slug='demo')); tenant = Tenant.objects.get(slug='demo')\n"
    "CustomerMapping.objects.create(tenant=tenant, chargebee_id='{}', qad_code='Q0000001')\n"
)
SYNC = (
    "running.sync(tenant, intake.PULL_ORDER, trigger='test', clock=lambda: timezone.now() + dt.timedelta(seconds={0}), "
    "tell=lambda step: None, actor='test')\n"
)
POST = (
    "with connections.qad_client(tenant) as client:\n"
    "    running.post(tenant, client, clock=timezone.now, tell=lambda step: None, actor='test')\n"
)
PREPARE = (
    "Tenant.objects.update(is_posting_on=False)\n" + SYNC.format(0) + "Tenant.objects.update(is_posting_on=True)\n"
)
FINISH = "".join(SYNC.format(400 * number) for number in range(1, 5))


@dataclass
class Stage:
    """One installation and one sandbox in which everything is posted but the invoice of the test."""

    world: World
    installation: Installation
    who: str

    def an_invoice(self) -> str:
        return f"CB-INV-{self.world.chargebee.add_invoice(customer=self.who)['id']}"

    def start(self, code: str) -> subprocess.Popen[bytes]:
        return self.installation.start("shell", "--no-imports", "-c", HEAD + code)

    def run(self, code: str) -> None:
        self.installation.manage("shell", "--no-imports", "-c", HEAD + code)

    def state(self, reference: str) -> str:
        rows = self.installation.rows(f"SELECT state FROM syncs_posting WHERE reference = '{reference}'")
        return rows[0][0] if rows else "none"

    def attempts(self, reference: str) -> list[str]:
        rows = self.installation.rows(
            "SELECT outcome FROM syncs_attempt JOIN syncs_posting ON syncs_posting.id = posting_id "
            f"WHERE reference = '{reference}' ORDER BY number"
        )
        return [outcome for (outcome,) in rows]

    def in_qad(self, reference: str) -> int:
        return sum(one["reference"] == reference for one in self.world.ledger()["documents"])

    def audited(self, reference: str, action: str) -> int:
        query = "SELECT count(*) FROM tenants_auditentry WHERE subject = 'posting:{}' AND action = '{}'"
        return self.installation.rows(query.format(reference, action))[0][0]

    @contextlib.contextmanager
    def database_held(self) -> Iterator[None]:
        """Nobody else may write meanwhile."""
        with contextlib.closing(sqlite3.connect(self.installation.database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")

    def finish(self, reference: str) -> None:
        """Other workers go on; in the end QAD has it once and it is known here."""
        self.world.release()
        self.world.faults("qad").clear()
        self.run(FINISH)
        assert (self.state(reference), self.in_qad(reference)) == ("posted", 1)
        assert self.world.ledger()["duplicates"] == {}


@pytest.fixture(scope="module")
def stage(tmp_path_factory) -> Iterator[Stage]:
    world = World(seed=5, customers=1, clock=Clock(frozen_at=dt.datetime.now(dt.UTC).replace(microsecond=0)))
    installation = Installation(tmp_path_factory.mktemp("kill"))
    world.qad.add_customer("Q0000001", "Quick Works")
    who = world.chargebee.add_customer(preferred_currency_code="USD")["id"]
    with serve(world) as server:
        installation.manage("migrate", "--verbosity", "0")
        installation.manage("shell", "--no-imports", "-c", IMPORTS + SET_UP.format(server.url, who))
        made = Stage(world, installation, who)
        known = made.an_invoice()
        made.run(SYNC.format(0))
        assert made.state(known) == "posted"
        yield made


def until(happened: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + LONGEST
    while not happened():
        assert process.poll() is None, "It ended before it could be killed."
        assert time.monotonic() < end, "It did not come to the point in time."
        time.sleep(0.005)


def killed(process: subprocess.Popen[bytes], death: signal.Signals = signal.SIGKILL) -> None:
    process.send_signal(death)
    assert process.wait(30) == -death


def held(stage: Stage, fault: str, code: str, **where: str) -> subprocess.Popen[bytes]:
    """A worker whose request or reply the sandbox holds."""
    faults = stage.world.faults("qad")
    faults.add(fault, **{"method": "POST", "path": INVOICES, **where})
    process = stage.start(code)
    until(lambda: faults.held > 0, process)
    return process


def test_before_the_claim_is_committed(stage):
    reference = stage.an_invoice()
    stage.run(PREPARE)
    worker = held(stage, "hold", POST, method="GET", path="browses")  # it looks back before its first claim
    with stage.database_held():
        stage.world.release()
        time.sleep(1.0)
        killed(worker)

    assert (stage.state(reference), stage.attempts(reference), stage.in_qad(reference)) == ("ready", [], 0)
    stage.finish(reference)
    assert stage.attempts(reference) == ["posted"]


def test_after_the_claim_and_before_the_send(stage):
    reference = stage.an_invoice()
    stage.run(PREPARE)
    with contextlib.closing(sqlite3.connect(stage.installation.database)) as database:
        database.execute("UPDATE syncs_posting SET must_look_up = 1 WHERE state = 'ready'")
        database.commit()
    worker = stage.start(POST)
    stage.world.faults("qad").add("hold", method="GET", path="browses", times=None)
    until(lambda: _step_by_step(stage, reference), worker)
    killed(worker)

    assert (stage.state(reference), stage.attempts(reference), stage.in_qad(reference)) == ("sending", ["open"], 0)
    stage.finish(reference)
    assert stage.attempts(reference) == ["absent", "posted"]


def _step_by_step(stage: Stage, reference: str) -> bool:
    """Lets one held read after the other go, until the claim is committed."""
    if stage.state(reference) == "sending":
        return True
    if stage.world.faults("qad").held:
        stage.world.release()
    return False


@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGTERM])
def test_in_the_middle_of_the_send(stage, death):
    reference = stage.an_invoice()
    killed(held(stage, "hold_before", SYNC.format(0)), death)

    assert (stage.state(reference), stage.attempts(reference), stage.in_qad(reference)) == ("sending", ["open"], 0)
    stage.world.faults("qad").clear()  # the request that QAD holds arrives after all
    stage.finish(reference)
    assert stage.attempts(reference) == ["adopted"]


def test_qad_has_posted_it_and_the_answer_is_lost(stage):
    reference = stage.an_invoice()
    killed(held(stage, "hold", SYNC.format(0)))

    assert (stage.state(reference), stage.attempts(reference), stage.in_qad(reference)) == ("sending", ["open"], 1)
    stage.finish(reference)
    assert stage.attempts(reference) == ["adopted"]


def test_the_answer_is_read_and_not_written_down(stage):
    reference = stage.an_invoice()
    worker = held(stage, "hold", SYNC.format(0))
    with stage.database_held():
        stage.world.release()
        time.sleep(1.0)
        killed(worker)

    assert (stage.state(reference), stage.attempts(reference), stage.in_qad(reference)) == ("sending", ["open"], 1)
    stage.finish(reference)
    assert stage.attempts(reference) == ["adopted"]


def test_in_the_middle_of_writing_the_audit_line(stage):
    reference = stage.an_invoice()
    slow = (
        "CREATE TRIGGER slow BEFORE INSERT ON tenants_auditentry WHEN NEW.action = 'posted' BEGIN SELECT (WITH "
        "RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 2000000000) SELECT count(*) FROM c); END"
    )
    with contextlib.closing(sqlite3.connect(stage.installation.database)) as database:
        database.execute(slow)
    worker = held(stage, "hold", SYNC.format(0))
    stage.world.release()
    time.sleep(2.0)
    killed(worker)
    with contextlib.closing(sqlite3.connect(stage.installation.database)) as database:
        database.execute("DROP TRIGGER slow")

    assert (stage.state(reference), stage.attempts(reference), stage.in_qad(reference)) == ("sending", ["open"], 1)
    assert stage.audited(reference, "posted") == 0
    stage.finish(reference)
    assert stage.audited(reference, "posted") == 1


def test_posted_and_not_yet_read_back(stage):
    reference = stage.an_invoice()
    stage.run(SYNC.format(0))
    assert stage.state(reference) == "posted"
    killed(held(stage, "hold", "tasks.work(tenant.pk, 'verify')\n", method="GET", path="browses"))

    assert (stage.state(reference), stage.in_qad(reference)) == ("posted", 1)
    stage.world.release()
    stage.world.faults("qad").clear()
    stage.run("tasks.work(tenant.pk, 'verify')\n")
    assert (stage.state(reference), stage.in_qad(reference)) == ("verified", 1)


def test_the_database_lost_its_last_commits(stage, tmp_path):
    database = stage.installation.database
    with (
        contextlib.closing(sqlite3.connect(database)) as mine,
        contextlib.closing(sqlite3.connect(tmp_path / "backup")) as backup,
    ):
        mine.backup(backup)
    reference = stage.an_invoice()
    stage.run(SYNC.format(0))
    assert (stage.state(reference), stage.in_qad(reference)) == ("posted", 1)
    for suffix in ("-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    shutil.copy(tmp_path / "backup", database)

    stage.run(SYNC.format(0))
    assert (stage.state(reference), stage.in_qad(reference)) == ("ready", 1)
    assert stage.installation.rows("SELECT restoring_since IS NOT NULL FROM syncs_readback") == [(1,)]
    time.sleep(1.1)  # the settle window of this installation
    stage.installation.manage("leave_restore_mode", "demo", "--reason", "Restored.")
    stage.finish(reference)


def test_a_paused_worker_and_another_that_takes_over(stage):
    reference = stage.an_invoice()
    worker = held(stage, "hold", SYNC.format(0))
    worker.send_signal(signal.SIGSTOP)
    try:
        stage.world.release()
        stage.installation.let_pass(400)  # its leases are over
        stage.finish(reference)
        assert stage.attempts(reference) == ["adopted"]
    finally:
        worker.send_signal(signal.SIGCONT)
        worker.wait(LONGEST)

    assert (stage.state(reference), stage.in_qad(reference)) == ("posted", 1)
    assert stage.audited(reference, "late") == 1
