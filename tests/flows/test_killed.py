"""Killed without warning at any moment, and started again: QAD's ledger is that of an undisturbed run."""

from __future__ import annotations

import datetime as dt
import random
import re
import threading
import time
from collections.abc import Callable
from decimal import Decimal

import pytest

from connector.sandbox.clock import Clock
from connector.sandbox.server import serve
from connector.sandbox.world import World
from tests.flows.installation import Installation, free_port
from tests.flows.scene import INVOICES

pytestmark = pytest.mark.slow

MOMENT = dt.datetime.now(dt.UTC).replace(microsecond=0)
CUSTOMERS, SEED = 14, 5
LONGEST = 60.0


def a_world() -> World:
    """The same documents, to the second, each time."""
    world = World(seed=SEED, customers=CUSTOMERS, clock=Clock(frozen_at=MOMENT))
    world.bill_cycle()
    return world


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """An installation before its first sync, and what an undisturbed one leads to."""
    port = free_port()
    installation = Installation(tmp_path_factory.mktemp("template"))
    with serve(a_world(), port) as server:
        installation.set_up(server.url)
    undisturbed, world = installation.copy(tmp_path_factory.mktemp("undisturbed")), a_world()
    with serve(world, port):
        undisturbed.manage("sync", "demo")
    assert undisturbed.json("status", "demo")["last_run"]["holds"]
    return installation, port, world.ledger()


def killed_when(world: World, installation: Installation, happened: Callable[[], bool]) -> None:
    process = installation.start("sync", "demo")
    end = time.monotonic() + LONGEST
    while not happened() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.002)
    process.kill()
    process.wait(10)
    world.release()
    world.faults("qad").clear()


def at_request(number: int) -> Callable[[World, Installation], None]:
    """Killed as soon as the systems were asked so often."""

    def kill(world: World, installation: Installation) -> None:
        world.requests.clear()
        killed_when(world, installation, lambda: world.requests.total() >= number)

    return kill


def in_answer(fault: str, after: int, path: str) -> Callable[[World, Installation], None]:
    """Killed while QAD has the request, before (`hold_before`) or after (`hold`) it posted the document."""

    def kill(world: World, installation: Installation) -> None:
        qad = world.faults("qad")
        qad.add(fault, method="POST", path=path, after=after, times=3)
        killed_when(world, installation, lambda: qad.held > 0)

    return kill


def finished(installation: Installation) -> dict[str, object]:
    """Synced until nothing is on its way any more."""
    for _ in range(8):
        installation.let_pass(400)
        installation.manage("sync", "demo", may_fail=True)
        status = installation.json("status", "demo")
        counts = {name for group in status["groups"] for name in group["counts"]}
        if not counts & {"waiting", "uncertain"}:
            return status
    raise AssertionError(f"Still on its way after eight syncs: {status['groups']}")


MOMENTS = sorted(random.Random().sample(range(3, 60), 3))
STORIES = {
    "between claim and answer": [
        in_answer("hold", 2, INVOICES),
        in_answer("hold_before", 1, INVOICES),
        in_answer("hold", 9, INVOICES),
    ],
    "between the two steps of a customer": [
        in_answer("hold", 1, "customerV2s"),
        in_answer("hold_before", 0, "mfgCustomers"),
        in_answer("hold", 1, "mfgCustomers"),
    ],
    "at any request": [at_request(number) for number in MOMENTS],
}


@pytest.mark.parametrize("story", STORIES)
def test_it_ends_with_the_ledger_of_an_undisturbed_run_when_it_was_killed(story, template, tmp_path):
    print(f"Killed at requests {MOMENTS}.")  # noqa: T201 - to repeat it
    original, port, expected = template
    installation, world = original.copy(tmp_path / "own"), a_world()
    with serve(world, port):
        for kill in STORIES[story]:
            kill(world, installation)
            installation.let_pass(400)

        status = finished(installation)

        ledger = world.ledger()
    assert status["last_run"]["holds"], status["last_run"]
    assert ledger["duplicates"] == {}
    assert ledger["trial_balance"] == expected["trial_balance"]
    assert _open(ledger) == _open(expected)
    assert _references(ledger) == _references(expected)
    assert _ours(installation) == _theirs(ledger)
    assert len(ledger["customers"]) == len(expected["customers"])
    assert all(row["is_complete"] for row in ledger["customers"].values())
    assert installation.rows("SELECT count(*) FROM syncs_run WHERE state = 'complete' AND finished_at IS NULL") == [
        (0,)
    ]
    sent = sum(count for asked, count in world.requests.items() if re.search(f"POST.*{INVOICES}", asked))
    attempted = installation.rows("SELECT count(*) FROM syncs_attempt")[0][0]
    assert sent <= attempted


def test_a_sync_after_a_kill_goes_on_at_once(template, tmp_path):
    original, port, _ = template
    installation, world = original.copy(tmp_path / "own"), a_world()
    with serve(world, port):
        killed_when(world, installation, lambda: world.requests["GET /api/v2/invoices"] > 0)

        installation.manage("sync", "demo")

    assert [state for (state,) in installation.rows("SELECT state FROM syncs_run ORDER BY id")] == [
        "interrupted",
        "complete",
    ]


def test_two_processes_that_sync_and_drain_at_once_post_each_document_once(template, tmp_path):
    original, port, expected = template
    installation, world = original.copy(tmp_path / "own"), a_world()
    with serve(world, port):
        workers = [threading.Thread(target=installation.manage, args=("sync", "demo"), kwargs={"may_fail": True})]
        lanes = "('customers', 'post', 'sweep')"
        code = f"from syncs import tasks; [tasks.work(1, lane) for _ in range(3) for lane in {lanes}]"
        for _ in range(2):
            arguments = ("shell", "--no-imports", "-c", code)
            workers.append(threading.Thread(target=installation.manage, args=arguments, kwargs={"may_fail": True}))
        for worker in workers:
            worker.start()
            time.sleep(0.7)
        for worker in workers:
            worker.join(LONGEST)

        finished(installation)

        ledger = world.ledger()
    assert ledger["duplicates"] == {}
    assert ledger["trial_balance"] == expected["trial_balance"]


def _open(ledger) -> dict[str, dict[str, str]]:
    """What is left of each item by customer; whether a payment carried its applications or they followed it is one."""
    items = ledger["open_items"].items()
    return {customer: {item["reference"]: item["open"] for item in rows} for customer, rows in items}


def _references(ledger) -> set[str]:
    return {one["reference"] for one in ledger["documents"] if one["reference"] and one["kind"] != "adjustment"}


def _ours(installation: Installation) -> dict[str, Decimal]:
    accounts = installation.json("trial_balance", "demo")["accounts"]
    sums = {key: Decimal(debit) - Decimal(credit) for key, (debit, credit) in accounts.items()}
    return {key: amount for key, amount in sums.items() if amount}


def _theirs(ledger) -> dict[str, Decimal]:
    balances = ledger["trial_balance"].items()
    return {f"{account} {currency}": Decimal(text) for account, row in balances for currency, text in row.items()}
