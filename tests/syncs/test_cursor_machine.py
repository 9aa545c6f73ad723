"""No document is lost by reading: any edits between any pages, ties, lag, deletions, crashes, faults, two pollers."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from connector.errors import ConnectorError
from connector.sandbox.chargebee.site import ChargebeeSite
from connector.sandbox.clock import Clock
from syncs import intake
from syncs.models import Cursor, Run, RunPage, SourceDocument
from tests.builders import a_tenant
from tests.syncs.direct import Direct, client_of

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
LONGEST_LAG = 300  # seconds, half of the overlap
IDS = st.integers(0, 6)
FAULTS = ("api_request_limit_exceeded", "internal_error", "truncate", "html", "empty", "drop")
_numbers = itertools.count()


class Reading(RuleBasedStateMachine):
    """The twin of an inbox: `truth` is what the site has, read by id; two pollers read it through lists."""

    kind = "invoice"

    @initialize(counts_rows=st.booleans())
    def begin(self, counts_rows: bool) -> None:
        self.clock = Clock(NOON)
        self.site = ChargebeeSite(self.clock, seed=1, customers=0)
        self.site.pages(2, counts_rows=counts_rows)
        self.tenant = a_tenant(f"t{next(_numbers)}")
        self.skew = 0
        self.passes: list[Iterator[int] | None] = [None, None]
        self.client = client_of(Direct(self.site), self.ours)
        self.reached: dt.datetime | None = None

    def ours(self) -> dt.datetime:
        return self.clock.now() + dt.timedelta(seconds=self.skew)

    @rule(numbers=st.sets(IDS, min_size=1, max_size=4), dated=st.integers(0, 5), stamped=st.booleans())
    def edit(self, numbers: set[int], dated: int, stamped: bool) -> None:
        for number in sorted(numbers):
            self._edit(number, dated, stamped)

    def _edit(self, number: int, dated: int, stamped: bool) -> None:
        document = {"object": self.kind, "id": f"D{number}", "date": int(NOON.timestamp()) - 86400 * dated, "x": dated}
        known = self.site.core.store.get(self.kind, f"D{number}")
        if known and not known.get("deleted"):
            document["date"] = known["date"]
        saved = self.site.core.save({**document, "deleted": False})
        if not stamped and known is None and not Cursor.objects.filter(watermark__isnull=False).exists():
            self.site.core.store.put({name: value for name, value in saved.items() if name != "updated_at"})

    @rule(number=IDS)
    def delete(self, number: int) -> None:
        known = self.site.core.store.get(self.kind, f"D{number}")
        if known:
            self.site.core.save({**known, "deleted": True})

    @rule(seconds=st.sampled_from((0, 1, 1, 2, 60, 400)))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule(seconds=st.sampled_from((0, 1, 5, 120, LONGEST_LAG)))
    def lag(self, seconds: int) -> None:
        self.site.lag(seconds)

    @rule(poller=st.sampled_from((0, 0, 0, 1)), pages=st.sampled_from((1, 2, 9)))
    def read(self, poller: int, pages: int) -> None:
        for _ in range(pages):
            if not self._step(poller):
                return

    @rule(trouble=st.sampled_from(("crash", "skew", "offsets", *FAULTS)), amount=st.integers(0, 3))
    def run_into(self, trouble: str, amount: int) -> None:
        if trouble == "crash":
            self._crash(amount % 2)
        elif trouble == "skew":
            self.skew = (-3600, -60, 0, 3600)[amount]
        elif trouble == "offsets":
            self.site.expire_offsets()
        else:
            self.site.faults.add(trouble, times=amount or 1)

    def _crash(self, poller: int) -> None:
        if self.passes[poller] is not None:
            self.passes[poller].close()
        self.passes[poller] = None

    @invariant()
    def the_watermark_goes_forward_and_never_beyond_chargebees_time(self) -> None:
        row = Cursor.objects.filter(tenant=self.tenant, kind=self.kind).first() if hasattr(self, "tenant") else None
        if row is None or row.watermark is None:
            return
        assert row.watermark <= self.clock.now()
        assert self.reached is None or row.watermark >= self.reached
        self.reached = row.watermark

    def _step(self, poller: int) -> bool:
        """One page; False when the pass is over, however it ended."""
        if self.passes[poller] is None:
            run = Run.objects.create(
                tenant=self.tenant, key=uuid.uuid4(), state="complete", lease_until=NOON, started_at=NOON
            )
            self.passes[poller] = intake.reading(self.tenant, run, self.kind, self.client, clock=self.ours)
        try:
            next(self.passes[poller])
            return True
        except (StopIteration, ConnectorError):
            self.passes[poller] = None
            return False

    def teardown(self) -> None:
        if not hasattr(self, "tenant"):
            return
        self.site.faults.clear()
        self.clock.advance(LONGEST_LAG + 1)
        for poller in (0, 1, 0):  # what is under way ends, and one more pass begins and ends
            while self._step(poller):
                pass
        truth = {row["id"]: _state(row) for row in self.site.all(self.kind)}
        rows = SourceDocument.objects.filter(tenant=self.tenant, kind=self.kind)
        assert {row.source_id: _state(row.content) for row in rows} == truth
        wire = {row[0] for page in RunPage.objects.filter(tenant=self.tenant) for row in page.listed}
        assert wire == set(truth)


def _state(document: dict[str, Any]) -> tuple[Any, ...]:
    return document.get("updated_at"), document["resource_version"], document["deleted"], document["x"]


def explore(kind: str, examples: int, steps: int) -> None:
    machine = type("Machine", (Reading,), {"kind": kind})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=True,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize("kind", ["invoice", "credit_note"])
def test_no_document_is_lost(kind: str):
    explore(kind, examples=12, steps=20)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["invoice", "credit_note", "transaction", "customer", "item", "item_family"])
def test_no_document_is_lost_in_many_runs(kind: str):
    explore(kind, examples=80, steps=40)
