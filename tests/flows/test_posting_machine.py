"""Workers, faults, pauses and deaths in any order: whatever happens, QAD has each document once in the end.

The real claim, send, settle, sweep and replay against the sandbox's QAD, with a clock that both sides share. A worker
may pause after its last look at the clock for PAUSE seconds, QAD may post LATE seconds after it was given up, and its
lists show a document LAG seconds later; the settle window is as long as the three together.
"""

from __future__ import annotations

import datetime as dt
import random
import re
from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from connector.http.retry import delay
from connector.ledger.stored import content_hash
from connector.sandbox.clock import Clock
from connector.sandbox.server import serve
from connector.sandbox.world import World
from syncs import newest, posting, replay, settling
from syncs.following import catch_up
from syncs.models import Attempt, Posting, SourceDocument
from syncs.sending import Result, send_all
from syncs.settling import Claim, Pace, settle
from syncs.states import may_move
from syncs.sweeping import sweep
from tenants import connections
from tenants.models import AuditEntry, Circuit
from tests.flows.scene import INVOICES
from tests.flows.setting import a_connected_tenant
from tests.syncs.rows import NOW, a_document, a_posting

pytestmark = pytest.mark.django_db(transaction=True)

PAUSE, LATE, LAG = 30, 300, 60
# what happens to the next write -> the sandbox's fault and its settings
FATES = {
    "posted": None,
    "posted, answer lost": ("drop_after_commit", {}),
    "lost on the way": ("drop", {}),
    "posted late": ("late", {"delay": LATE}),
    "posted soon after": ("late", {"delay": 5}),
    "broken, not posted": ("status", {"status": 500}),
    "broken, but posted": ("status_after_commit", {"status": 502}),
    "too many": ("status", {"status": 429}),
    "a web page": ("html", {"status": 200}),
    "half an answer": ("truncate", {}),
}

a_fate = st.sampled_from([*sorted(FATES), *["posted late"] * 6])  # what needs the window most


@pytest.fixture(autouse=True)
def _the_same_chance_each_time(monkeypatch):
    """The same history ends in the same place when it is played again: how long a document waits is no lottery here."""
    monkeypatch.setattr(
        settling, "delay", lambda attempts, base, cap, chance: delay(attempts, base, cap, random.Random(attempts))
    )


@dataclass
class Worker:
    """What a process holds in its memory: gone when it dies."""

    claim: Claim | None = None
    results: list[Result] = field(default_factory=list)


class Machine(RuleBasedStateMachine):
    examples = 0

    def __init__(self) -> None:
        super().__init__()
        Machine.examples += 1
        self.world = World(seed=1, customers=0, clock=Clock(frozen_at=NOW))
        self.world.qad.modes.lookup_lag = float(LAG)
        self.server = serve(self.world)
        url = self.server.__enter__().url
        name = f"M{Machine.examples}"  # the port of an earlier example may come again
        self.tenant = a_connected_tenant(url, slug=name.lower(), prefix=name, concurrency=1)
        self.pace = Pace(1, 10.0, dt.timedelta(seconds=PAUSE + LATE + LAG), attempt_budget=100)
        self.client_of = connections.qad_client(self.tenant)
        self.client = self.client_of.__enter__()
        self.workers = [Worker(), Worker()]
        catch_up(self.tenant, now=self.clock(), actor="machine")  # its documents are made by hand
        self.known = self._ready("known")
        self._drain()
        assert Posting.objects.get(pk=self.known.pk).state == "posted"
        self.tick(LAG + 1)
        one, two, three = self._ready("one"), self._ready("two"), self._ready("three")
        Posting.objects.filter(pk=three.pk).update(order_key=two.order_key)
        self.mine = [self.known, one, two, three]

    def clock(self) -> dt.datetime:
        return self.world.clock.now()

    def _ready(self, name: str) -> Posting:
        code = f"M{Machine.examples:03d}{name[:2].upper()}"
        self.world.qad.add_customer(code, f"{name} Works")
        source = a_document(self.tenant, name, currency="USD", total_minor=1250, customer_id=code)
        row = a_posting(source, state="ready")
        document = {**row.document, "customer": code}
        frozen = {"document": document, "document_hash": content_hash(document)}
        Posting.objects.filter(pk=row.pk).update(customer_code=code, order_key=code, **frozen)
        return row

    def _drain(self) -> None:
        posting.drain(self.tenant, self.client, self.pace, clock=self.clock, until=float("inf"))

    # What may happen

    def tick(self, seconds: float) -> None:
        self.world.clock.advance(seconds)

    def meet(self, fate: str) -> None:
        """The next write meets this."""
        fault = FATES[fate]
        if fault is not None:
            self.world.faults("qad").add(fault[0], method="POST", path=INVOICES, **fault[1])

    @rule(at=st.integers(0, 1), size=st.integers(1, 3))
    def claim(self, at: int, size: int) -> None:
        worker = self.workers[at]
        if worker.claim is None:
            worker.claim = posting.take(self.tenant, self.pace, now=self.clock(), actor=f"worker {at}", size=size)

    @precondition(lambda self: any(self._may_send(worker) for worker in self.workers))
    @rule(at=st.integers(0, 1), is_locked=st.booleans(), fate=a_fate, seconds=st.sampled_from([0, 3, 35]))
    def send(self, at: int, is_locked: bool, fate: str, seconds: float) -> None:
        """Also by a worker that paused between its last look at the clock and its first byte."""
        worker = self.workers[at]
        self.tick(seconds)
        if not self._may_send(worker):
            return
        self.meet(fate)
        sendings, unfit = posting._render(self.client, worker.claim.postings, is_careful=False)
        assert not unfit
        if is_locked:
            self.world.qad.lock_period(2026, 11)
        until = worker.claim.send_until
        worker.results = send_all(self.client, sendings, pool_size=1, send_until=until, deadline=10.0)
        self.world.qad.unlock_period(2026, 11)

    def _may_send(self, worker: Worker) -> bool:
        if worker.claim is None or worker.results:
            return False
        return self.clock() <= worker.claim.deadline - dt.timedelta(seconds=10) + dt.timedelta(seconds=PAUSE)

    @rule(at=st.integers(0, 1))
    def write_down(self, at: int) -> None:
        worker = self.workers[at]
        if worker.claim is not None and worker.results:
            settle(self.tenant, worker.claim, worker.results, pace=self.pace, now=self.clock(), actor=f"worker {at}")
            self.workers[at] = Worker()

    @rule(at=st.integers(0, 1))
    def die(self, at: int) -> None:
        """A process is killed; the next one looks back first."""
        self.workers[at] = Worker()
        newest.forget()

    @rule(fate=a_fate)
    def drain(self, fate: str) -> None:
        self.meet(fate)
        self._drain()
        Circuit.objects.filter(tenant=self.tenant).delete()

    @rule(seconds=st.sampled_from([3, 35, 95, 95]))
    def look_up(self, seconds: float) -> None:
        self.tick(seconds)
        sweep(self.tenant, self.client, self.pace, clock=self.clock)

    @rule(which=st.integers(0, 3))
    def press_replay(self, which: int) -> None:
        rows = list(SourceDocument.objects.filter(pk=self.mine[which].source_id))
        replay.resend(self.tenant, rows, now=self.clock(), actor="ada")

    # What must always hold

    @invariant()
    def each_document_stands_in_qad_once_at_most(self) -> None:
        if not hasattr(self, "mine"):
            return
        counts = Counter(one["reference"] for one in self.world.ledger()["documents"])
        assert all(count == 1 for count in counts.values()), counts

    @invariant()
    def nothing_was_sent_without_an_attempt(self) -> None:
        if not hasattr(self, "mine"):
            return
        rows = Attempt.objects.filter(tenant=self.tenant).values_list("posting__reference", flat=True)
        attempted, sent = Counter(rows), self._sent()
        assert all(count <= attempted[reference] for reference, count in sent.items()), (sent, attempted)

    def _sent(self) -> Counter[str]:
        bodies = [one.request for one in self.world.asked if re.search(INVOICES, one.request.path)]
        writes = [request.body.decode() for request in bodies if request.method == "POST"]
        return Counter(re.search(r'"externalReference":"([^"]+)"', body)[1] for body in writes)

    @invariant()
    def a_customer_has_one_in_flight_at_most(self) -> None:
        rows = Posting.objects.filter(tenant=self.tenant, state__in=("sending", "uncertain"))
        keys = list(rows.values_list("order_key", flat=True))
        assert len(keys) == len(set(keys))

    def teardown(self) -> None:
        try:
            self._heal()
        finally:
            self.client_of.__exit__(None, None, None)
            self.server.__exit__(None, None, None)

    def _heal(self) -> None:
        self.world.faults("qad").clear()
        self.workers = [Worker(), Worker()]
        for _ in range(12):
            self.tick(1000)
            for number in range(4):
                self.press_replay(number)
            self.look_up(1)
            self.drain("posted")
        states = Counter(Posting.objects.filter(tenant=self.tenant).values_list("state", flat=True))
        assert states == {"posted": 4}, states
        self.each_document_stands_in_qad_once_at_most()
        assert len(self.world.ledger()["documents"]) == 4
        told = AuditEntry.objects.filter(tenant=self.tenant, subject__startswith="posting:")
        moves = {
            (before["state"], after["state"])
            for before, after in told.values_list("before", "after")
            if before and after and "state" in before and after["state"] != "late"
        }
        assert [move for move in moves if not may_move(*move)] == []


def tried(examples: int, steps: int, *, is_random: bool) -> None:
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=not is_random,
            print_blob=is_random,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.slow
def test_whatever_happens_each_document_is_posted_once():
    tried(3, 15, is_random=False)


@pytest.mark.slow
def test_the_same_histories_each_time_post_each_document_once():
    tried(5, 20, is_random=False)


@pytest.mark.slow
def test_whatever_happens_however_long_each_document_is_posted_once():
    tried(60, 30, is_random=True)
