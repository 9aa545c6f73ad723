"""Chargebee's sender against gunicorn: retries, a hundred copies at once, disorder, huge bodies, and silent logs."""

from __future__ import annotations

import base64
import contextlib
import http.client
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from connector.sandbox.server import serve
from connector.sandbox.world import World
from tests.flows.installation import ROOT, Installation, free_port

pytestmark = pytest.mark.slow
WORK = """
from syncs import tasks
from tenants.models import Tenant
for lane in ("webhooks", "prepare", "customers", "prepare", "post"):
    answer = tasks.work(Tenant.objects.get().pk, lane)
    assert "stopped" not in answer, answer
"""


class House:
    """An installation with its web pages behind gunicorn, and the site that sends to it."""

    def __init__(self, folder: Path, world: World) -> None:
        self.world, self.port = world, free_port()
        self.own = Installation(folder, LOG_LEVEL="INFO")
        self.log = folder / "gunicorn.log"
        self.secrets: list[str] = []

    @contextlib.contextmanager
    def open(self) -> Iterator[None]:
        """gunicorn at its most talkative."""
        command = [sys.executable, "-m", "gunicorn", "connector.wsgi", "--bind", f"127.0.0.1:{self.port}"]
        command += ["--workers", "2", "--threads", "4", "--access-logfile", "-", "--log-level", "debug"]
        command += ["--access-logformat", "%(r)s %(q)s %(s)s %({authorization}i)s %({raw_uri}e)s"]
        with self.log.open("ab") as log:
            process = subprocess.Popen(command, cwd=ROOT, env=self.own.env, stdout=log, stderr=log)
        try:
            self._wait()
            yield
        finally:
            process.terminate()
            process.wait(15)

    def _wait(self) -> None:
        end = time.monotonic() + 30
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                if self.ask("GET", "/healthz/pages")[0] == 200:
                    return
            time.sleep(0.1)
        raise AssertionError(f"gunicorn did not start: {self.log.read_text()[-2000:]}")

    def make(self, style: str) -> tuple[str, str, str]:
        """(address, user, password) of a new credential, as the command prints it."""
        told = self.own.manage("webhook", "demo", "--make", style)
        path = urlsplit(re.search(r"Address: +(\S+)", told)[1])
        user = re.search(r"User name: (\S+)", told)
        password = re.search(r"Password: +(\S+)", told)
        self.secrets.append(password[1] if password else path.query.removeprefix("token="))
        address = f"http://127.0.0.1:{self.port}{path.path}" + (f"?{path.query}" if path.query else "")
        return address, user[1] if user else "", password[1] if password else ""

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, str]:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            line.request(method, path, body, headers)
            answer = line.getresponse()
            return answer.status, answer.read().decode()
        finally:
            line.close()

    def work(self) -> None:
        """What the queue does in its next minutes."""
        self.own.manage("shell", "-c", WORK)

    def a_linked_customer(self) -> str:
        """One whom the sync has found in QAD, and who pays in dollars."""
        linked = self.own.rows(
            "SELECT source_id FROM syncs_sourcedocument WHERE kind = 'customer' AND state = 'linked'"
        )
        found = [self.world.chargebee.get("customer", key) for (key,) in linked]
        return next(one["id"] for one in found if one.get("preferred_currency_code", "USD") == "USD")

    def one(self, query: str) -> Any:
        return self.own.rows(query)[0][0]


def test_every_way_of_sending_ends_in_one_posting_and_no_secret_in_a_log(tmp_path):
    world = World(seed=5, customers=6)
    with serve(world) as server:
        house = House(tmp_path / "own", world)
        house.own.set_up(server.url)
        house.own.manage("sync", "demo")
        site = world.chargebee
        address, user, password = house.make("basic")
        site.webhooks.add(address, user=user, password=password)
        site.webhooks.add(house.make("url_token")[0])

        # nobody at home: the first try of each is lost, the second comes two minutes later
        who = house.a_linked_customer()
        first = site.add_invoice(customer=who, total=500)["id"]
        assert site.webhooks.deliver() == {"0": 2}
        with house.open():
            assert site.webhooks.deliver() == {}
            world.clock.advance(120)
            assert site.webhooks.deliver() == {"200": 2}

            # a hundred copies at once, through both addresses, and two changes in the wrong order
            second = site.add_invoice(customer=who, total=700)["id"]
            assert site.webhooks.deliver(copies=50, at_once=2) == {"200": 100}
            third = site.add_invoice(customer=who, total=900)["id"]
            site.void_invoice(third)
            assert set(site.webhooks.deliver(shuffled=True, copies=2)) == {"200"}
            house.work()

            wrong_senders_and_huge_bodies(house, address, user, password)

        assert house.one("SELECT count(*) FROM syncs_webhookevent WHERE state != 'done'") == 0
        assert house.one("SELECT max(deliveries) FROM syncs_webhookevent") == 100
        found = dict(house.own.rows("SELECT source_id, state FROM syncs_sourcedocument WHERE kind = 'invoice'"))
        assert set(found) == {first, second, third}
        postings = house.own.rows(
            "SELECT d.source_id, p.state FROM syncs_posting p JOIN syncs_sourcedocument d ON d.id = p.source_id "
            "WHERE d.kind = 'invoice' ORDER BY d.id"
        )
        assert postings == [(first, "posted"), (second, "posted")]
        assert world.ledger()["duplicates"] == {}
        assert house.one(f"SELECT status FROM syncs_sourcedocument WHERE source_id = '{third}'") == "voided"

    log = house.log.read_text()
    assert "POST /webhooks/" in log
    assert "token=***" in log
    assert "Basic ***" in log
    basic = base64.b64encode(f"{user}:{password}".encode()).decode()
    assert not [secret for secret in (*house.secrets, basic) if secret in log]


def wrong_senders_and_huge_bodies(house: House, address: str, user: str, password: str) -> None:
    path = urlsplit(address).path
    right = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    wrong = "Basic " + base64.b64encode(f"{user}:nothing".encode()).decode()
    before = house.one("SELECT count(*) FROM syncs_webhookevent")
    huge = b" " * 10_000_000

    def in_chunks() -> Iterator[bytes]:
        for start in range(0, len(huge), 65536):
            yield huge[start : start + 65536]

    assert house.ask("POST", path, huge, Authorization=right)[0] == 413
    assert house.ask("POST", path, in_chunks(), Authorization=right)[0] == 413
    refused = [
        house.ask("POST", path, b"{}", Authorization=wrong),
        house.ask("POST", path, b"{}"),
        house.ask("POST", "/webhooks/somebody-else", b"{}", Authorization=right),
        house.ask("POST", f"{path}?token=wrong", b"{}"),
    ]
    assert {status for status, _ in refused} == {401}
    assert len(set(refused)) == 1
    assert house.ask("GET", path, Authorization=right)[0] == 405
    assert house.one("SELECT count(*) FROM syncs_webhookevent") == before
