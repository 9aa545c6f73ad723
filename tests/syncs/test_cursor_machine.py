"""No document is lost by reading: any edits between any pages, ties, lag, deletions, crashes, faults, two pollers."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from connector.errors import ConnectorError
from syncs.models import Cursor, RunPage, SourceDocument
from tests.syncs.stage import NOON, Stage

pytestmark = pytest.mark.django_db

LONGEST_LAG = 300  # seconds, half of the overlap
IDS = st.integers(0, 5)
FAULTS = ("api_request_limit_exceeded", "internal_error", "truncate", "html", "empty", "drop")
_numbers = itertools.count()

EDIT = st.tuples(st.just("edit"), st.lists(IDS, min_size=1, max_size=4, unique=True), st.integers(0, 3), st.booleans())
READ = st.tuples(st.just("read"), st.sampled_from((0, 0, 0, 1)), st.sampled_from((1, 1, 2, 9)))
WAIT = st.tuples(st.just("wait"), st.sampled_from((0, 1, 60, 299, 400, 800)))
LAG = st.tuples(st.just("lag"), st.sampled_from((0, 5, LONGEST_LAG, LONGEST_LAG)))
DELETE = st.tuples(st.just("delete"), IDS)
TROUBLE = st.tuples(st.just("run_into"), st.sampled_from(("crash", "skew", "offsets", *FAULTS)), st.integers(0, 3))
STEPS = st.lists(st.one_of(EDIT, EDIT, READ, READ, READ, WAIT, WAIT, LAG, DELETE, TROUBLE), min_size=20, max_size=60)
# No trouble but edits between pages, each long after the last: whoever skips a row has lost it for good.
TOUCH = st.tuples(st.just("edit"), st.lists(IDS, min_size=1, max_size=1), st.just(0), st.just(True))
TURN = st.tuples(st.just("read"), st.just(0), st.just(1))
LONG = st.tuples(st.just("wait"), st.just(1300))
CALM = st.lists(st.one_of(TOUCH, TURN, TURN, LONG), min_size=30, max_size=60)


class Twin:
    """The site, read by id, is the truth; two pollers read it through its lists into one inbox."""

    def __init__(self, kind: str, *, counts_rows: bool) -> None:
        self.kind = kind
        self.stage = Stage(counts_rows=counts_rows, slug=f"t{next(_numbers)}")
        self.store = self.stage.site.core.store
        for row in self.stage.site.all(kind):  # the site's own catalogue: stamped long ago, so no lag may hide it
            self.store.forget(kind, row["id"])
        self.passes: list[Iterator[int] | None] = [None, None]
        self.reached = None
        self.known: dict[str, tuple[Any, ...]] = {}

    def edit(self, numbers: list[int], days: int, is_stamped: bool) -> None:
        """A document without updated_at is one that nobody changed for years: it is there before the first pass."""
        for name in (f"D{number}" for number in numbers):
            is_first = self.store.get(self.kind, name) is None
            dated = {"date": int(NOON.timestamp()) - 86_400 * days} if is_first else {}
            self.stage.edit(name, kind=self.kind, deleted=False, **dated)
            if is_first and not is_stamped and not self._has_read():
                document = dict(self.store.get(self.kind, name) or {})
                del document["updated_at"]
                self.store.put(document)

    def delete(self, number: int) -> None:
        if self.store.get(self.kind, f"D{number}"):
            self.stage.edit(f"D{number}", kind=self.kind, deleted=True)

    def wait(self, seconds: int) -> None:
        self.stage.wait(seconds)

    def lag(self, seconds: int) -> None:
        self.stage.site.lag(seconds)

    def read(self, poller: int, pages: int) -> None:
        for _ in range(pages):
            if not self._page(poller):
                return

    def run_into(self, trouble: str, amount: int) -> None:
        if trouble == "crash":
            running, self.passes[amount % 2] = self.passes[amount % 2], None
            if running is not None:
                running.close()
        elif trouble == "skew":
            self.stage.skew = (-3600, -60, 0, 3600)[amount]
        elif trouble == "offsets":
            self.stage.site.expire_offsets()
        else:
            self.stage.site.faults.add(trouble, times=amount or 1)

    def _has_read(self) -> bool:
        return any(self.passes) or SourceDocument.objects.filter(tenant=self.stage.tenant).exists() or self.reached

    def _page(self, poller: int) -> bool:
        """False when the pass is over, however it ended."""
        running = self.passes[poller] or self.stage.reading(self.kind)
        self.passes[poller] = running
        before, is_whole = self._watermark(), False
        try:
            next(running)
        except StopIteration:
            self.passes[poller], is_whole = None, True
        except ConnectorError:
            self.passes[poller] = None
        assert is_whole or self._watermark() == before
        self._judge_watermark()
        self._judge_versions()
        return self.passes[poller] is not None

    def _watermark(self) -> Any:
        rows = Cursor.objects.filter(tenant=self.stage.tenant, kind=self.kind)
        return rows.values_list("watermark", flat=True).first()

    def _judge_versions(self) -> None:
        """What is stored of a document is never replaced by what it was before."""
        rows = SourceDocument.objects.filter(tenant=self.stage.tenant, kind=self.kind)
        found = {row[0]: row[1:] for row in rows.values_list("source_id", "generation", "resource_version")}
        assert all(found[name] >= version for name, version in self.known.items())
        self.known = found

    def _judge_watermark(self) -> None:
        """It goes forward, and never beyond Chargebee's own time."""
        cursor = Cursor.objects.filter(tenant=self.stage.tenant, kind=self.kind).first()
        if cursor is None or cursor.watermark is None:
            return
        assert cursor.watermark <= self.stage.clock.now()
        assert self.reached is None or cursor.watermark >= self.reached
        self.reached = cursor.watermark

    def end(self) -> None:
        """What is under way ends, and one more pass begins and ends after everything has become visible."""
        self.stage.site.faults.clear()
        self.stage.wait(LONGEST_LAG + 1)
        for poller in (0, 1, 0):
            while self._page(poller):
                pass
        truth = {row["id"]: _state(row) for row in self.stage.site.all(self.kind)}
        rows = SourceDocument.objects.filter(tenant=self.stage.tenant, kind=self.kind)
        assert {row.source_id: _state(row.content) for row in rows} == truth
        wire = {row[0] for page in RunPage.objects.filter(tenant=self.stage.tenant) for row in page.listed}
        assert wire == set(truth)


def _state(document: dict[str, Any]) -> tuple[Any, ...]:
    return document.get("updated_at"), document["resource_version"], document["deleted"], document["x"]


def explore(kind: str, examples: int, steps_of: Any = STEPS) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(steps=steps_of, counts_rows=st.booleans())
    def run(steps: list[tuple[Any, ...]], counts_rows: bool) -> None:
        twin = Twin(kind, counts_rows=counts_rows)
        for name, *arguments in steps:
            getattr(twin, name)(*arguments)
        twin.end()

    run()


@pytest.mark.parametrize("kind", ["invoice", pytest.param("credit_note", marks=pytest.mark.slow)])
@pytest.mark.slow
def test_no_document_is_lost(kind: str):
    explore(kind, examples=4)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["invoice", "credit_note", "transaction", "customer", "item", "item_family"])
def test_no_document_is_lost_in_many_runs(kind: str):
    explore(kind, examples=60)


@pytest.mark.slow
def test_no_row_is_skipped_while_others_move_between_two_pages():
    explore("invoice", examples=12, steps_of=CALM)
