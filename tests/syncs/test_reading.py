"""Each way in which a poller is known to lose documents, one by one."""

from __future__ import annotations

import datetime as dt

import pytest

from connector.errors import ConnectorError, Transient
from syncs.models import SourceDocument
from tenants.models import AuditEntry
from tests.syncs.stage import NOON, Stage

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("counts_rows", [True, False], ids=["offset counts rows", "offset names a row"])
@pytest.mark.parametrize("kind", ["invoice", "transaction", "item", "customer"])
def test_an_edit_between_two_pages_hides_no_other_row(kind: str, counts_rows: bool):
    stage = Stage(counts_rows=counts_rows)
    stage.pull(kind)
    stage.edit("A", "B", "C", "D", kind=kind)
    stage.wait(700)
    reading = stage.reading(kind)
    next(reading)
    for name in ("A", "B", "C", "D"):
        stage.edit(name, kind=kind)
        next(reading, None)
    list(reading)

    stage.wait(700)
    stage.pull(kind)

    stored = stage.inbox(kind)
    assert {name: stored[name] for name in "ABCD"} == {"A": 2, "B": 2, "C": 2, "D": 2}


@pytest.mark.parametrize("counts_rows", [True, False], ids=["offset counts rows", "offset names a row"])
@pytest.mark.parametrize("kind", ["invoice", "credit_note", "transaction", "item", "customer"])
def test_a_row_that_nobody_edits_is_read_though_others_move_between_the_pages(kind: str, counts_rows: bool):
    """Its change lies before the overlap of the next pass: what this pass skips is lost for good."""
    stage = Stage(counts_rows=counts_rows)
    stage.pull(kind)
    for name in "ABCDEF":
        stage.edit(name, kind=kind)
        stage.wait(1)
    stage.wait(700)
    reading = stage.reading(kind)
    for name in "AF":
        next(reading)
        stage.edit(name, kind=kind)
    list(reading)

    stage.wait(700)
    stage.pull(kind)

    stored = stage.inbox(kind)
    assert {name: stored.get(name) for name in "ABCDEF"} == {"A": 2, "B": 1, "C": 1, "D": 1, "E": 1, "F": 2}


def test_rows_of_one_second_over_the_edge_of_a_page_are_all_read():
    stage = Stage()
    stage.pull()
    stage.edit("A", "B", "C", "D", "E")
    reading = stage.reading()
    next(reading)
    stage.edit("B")
    list(reading)

    stage.wait(1)
    stage.pull()

    assert stage.inbox() == stage.truth()


def test_a_change_that_shows_minutes_after_its_stamp_is_read():
    stage = Stage()
    stage.pull()
    stage.site.lag(290)
    stage.edit("A")
    stage.wait(10)
    stage.pull()
    assert stage.inbox() == {}

    stage.wait(290)
    stage.pull()

    assert stage.inbox() == {"A": 1}
    assert (stage.cursor().lag_seconds, stage.cursor().overlap_seconds, stage.said()) == (10, 600, [])


def test_a_change_at_the_very_edge_of_the_overlap_is_read():
    stage = Stage()
    stage.site.lag(601)
    stage.edit("A")
    stage.wait(600)
    stage.pull()
    assert (stage.inbox(), stage.reached()) == ({}, 600)

    stage.wait(1)
    stage.pull()

    assert stage.inbox() == {"A": 1}


def test_a_change_that_shows_later_than_half_of_the_overlap_widens_it_and_is_said():
    stage = Stage()
    stage.site.lag(400)
    stage.edit("A")
    stage.wait(399)
    stage.pull()
    stage.wait(1)

    stage.pull()

    assert stage.inbox() == {"A": 1}
    assert (stage.cursor().lag_seconds, stage.cursor().overlap_seconds, stage.said()) == (399, 1200, ["late-change"])


def test_the_first_pass_takes_rows_that_have_no_updated_at():
    stage = Stage()
    stage.edit("A", "B")
    row = dict(stage.site.get("invoice", "A"))
    del row["updated_at"]
    stage.site.core.store.put(row)

    stage.pull()

    assert stage.inbox() == {"A": 1, "B": 1}
    assert stage.asked("updated_at[after]") == [""]


def test_a_stamp_in_the_future_moves_no_watermark():
    stage = Stage()
    stage.edit("A")
    stage.site.core.store.put({**stage.site.get("invoice", "A"), "updated_at": stage.clock.seconds() + 86_400})
    stage.pull()
    assert stage.reached() == 0

    stage.wait(60)
    stage.edit("B")
    stage.wait(700)
    stage.pull()

    assert stage.inbox() == {"A": 1, "B": 1}


@pytest.mark.parametrize("skew", [3600, -3600, 86_400])
def test_the_watermark_is_chargebees_time_whatever_our_clock_says(skew: int):
    stage = Stage()
    stage.skew = skew
    stage.pull()
    assert (stage.reached(), stage.cursor().skew_seconds) == (0, -skew)

    stage.wait(30)
    stage.edit("A")
    stage.wait(30)
    stage.pull()

    assert stage.inbox() == {"A": 1}
    assert stage.reached() == 60


def test_our_clock_may_jump_between_two_passes():
    stage = Stage()
    stage.pull()
    for jump in (3600, -3600, 86_400, 0):
        stage.skew = jump
        stage.edit("A")
        stage.wait(900)
        stage.pull()
        assert stage.inbox() == stage.truth()
        assert stage.cursor().watermark == stage.clock.now()


def test_a_clock_of_chargebees_that_went_back_hides_nothing_and_is_said():
    stage = Stage()
    stage.pull()
    stage.wait(60)
    stage.clock.advance(7200)
    stage.skew = -7200  # ours stays right
    stage.pull()
    assert stage.reached() == 7260

    stage.clock.advance(-7200)
    stage.skew = 0
    stage.edit("A")
    stage.wait(3000)
    stage.edit("B")
    stage.wait(60)
    stage.pull()

    assert stage.inbox() == {"A": 1, "B": 1}
    assert stage.reached() == 3120
    assert (stage.said(), stage.cursor().overlap_seconds) == (["clock-went-back"], 1200)


def test_a_clock_that_went_back_and_caught_up_unseen_hides_nothing():
    stage = Stage()
    stage.clock.advance(7200)
    stage.skew = -7200
    stage.pull()
    stage.clock.advance(-7200)
    stage.skew = 0
    stage.wait(60)
    stage.edit("A")
    stage.wait(10_000)

    stage.pull()

    assert stage.inbox() == {"A": 1}


def test_an_answer_that_lay_in_a_cache_counts_as_so_much_older():
    stage = Stage()
    stage.door.headers = {"Age": "120"}

    stage.pull()

    assert stage.reached() == -120


def test_an_answer_without_a_time_moves_no_watermark_and_is_said():
    stage = Stage()
    stage.edit("A")
    stage.door.headers = {"Date": ""}

    stage.pull()

    assert (stage.inbox(), stage.reached(), stage.said()) == ({"A": 1}, None, ["no-server-time"])


@pytest.mark.parametrize("fault", ["api_request_limit_exceeded", "internal_error", "truncate", "html", "empty", "drop"])
def test_a_pass_that_breaks_in_the_middle_leaves_the_watermark_and_loses_nothing(fault: str):
    stage = Stage()
    stage.pull()
    stage.edit("A", "B", "C", "D", "E")
    stage.wait(60)
    stage.site.faults.add(fault, times=None, after=1)

    with pytest.raises(ConnectorError):
        stage.pull()

    assert (len(stage.inbox()), stage.reached()) == (2, 0)
    stage.site.faults.clear()
    stage.wait(700)
    stage.pull()
    assert stage.inbox() == stage.truth()


@pytest.mark.parametrize("fault", ["api_request_limit_exceeded", "internal_error", "drop"])
def test_one_bad_answer_in_the_middle_is_asked_for_again(fault: str):
    stage = Stage()
    stage.edit("A", "B", "C", "D", "E")
    stage.site.faults.add(fault, times=1, after=1)

    assert stage.pull() == 5
    assert stage.inbox() == stage.truth()


def test_an_offset_that_expired_starts_the_pass_again():
    stage = Stage()
    stage.edit("A", "B", "C", "D", "E")
    reading = stage.reading()
    next(reading)
    stage.site.expire_offsets()
    stage.wait(40)

    list(reading)

    assert stage.inbox() == stage.truth()
    assert stage.reached() == 40  # the pass that came to its end began then


def test_offsets_that_always_expire_end_the_pass_after_a_few_starts():
    stage = Stage()
    stage.edit("A", "B", "C")
    stage.door.before = lambda request: stage.site.expire_offsets()

    with pytest.raises(Transient, match="starts again"):
        stage.pull()

    assert len(stage.door.asked) == 8
    assert stage.reached() is None


def test_a_list_without_an_end_is_left_after_a_few_starts():
    stage = Stage()
    stage.edit("A", "B", "C", "D", "E")
    stage.site.api.lists.page = lambda resource, request: b'{"list":[{"invoice":{"id":"A"}}],"next_offset":"endless"}'

    with pytest.raises(Transient, match="twice"):
        stage.pull()

    assert len(stage.door.asked) <= 12
    assert stage.reached() is None


def test_two_pollers_at_once_store_each_state_once():
    stage = Stage()
    stage.edit("A", "B", "C", "D", "E")
    one, other = stage.reading(), stage.reading()
    for _ in range(4):
        next(one, None)
        stage.edit("C")
        next(other, None)
    list(one), list(other)
    stage.pull()

    assert stage.inbox() == stage.truth()
    assert SourceDocument.objects.filter(tenant=stage.tenant).count() == 5
    assert AuditEntry.objects.filter(tenant=stage.tenant, action="listed").count() == 5


def test_the_slower_of_two_pollers_takes_the_watermark_nowhere_back():
    stage = Stage()
    stage.edit("A", "B", "C")
    slow = stage.reading()
    next(slow)
    stage.wait(100)
    stage.pull()
    assert stage.reached() == 100

    list(slow)

    assert stage.reached() == 100


def test_a_deletion_in_the_middle_of_a_pass_becomes_a_tombstone():
    stage = Stage()
    stage.edit("A", "B", "C", "D", "E")
    reading = stage.reading()
    next(reading)
    stage.edit("A", "E", deleted=True)
    list(reading)
    stage.wait(1)
    stage.pull()

    assert {row.source_id for row in SourceDocument.objects.filter(is_deleted=True)} == {"A", "E"}
    assert len(stage.inbox()) == 5


def test_an_old_page_does_not_bring_a_deleted_document_back():
    stage = Stage()
    stage.edit("A")
    old = dict(stage.site.get("invoice", "A"))
    stage.wait(60)
    stage.edit("A", deleted=True)
    stage.pull()
    stage.site.core.store.put(old)

    stage.pull()

    assert stage.source("A").is_deleted


def test_an_id_that_is_used_again_after_its_deletion_starts_a_generation_though_its_version_starts_anew():
    stage = Stage()
    stage.edit("A")
    stage.edit("A", deleted=True)
    stage.pull()
    stage.wait(60)
    fresh = {**stage.site.get("invoice", "A"), "deleted": False, "resource_version": 1, "x": 9}
    stage.site.core.store.put({**fresh, "updated_at": stage.clock.seconds()})

    stage.pull()

    row = stage.source("A")
    assert (row.is_deleted, row.generation, stage.inbox()) == (False, 1, {"A": 9})


def test_one_version_with_two_contents_is_stored_and_said():
    stage = Stage()
    stage.edit("A")
    stage.pull()
    stage.site.core.store.put({**stage.site.get("invoice", "A"), "x": 7})

    stage.pull()

    assert (stage.inbox(), stage.said()) == ({"A": 7}, ["same-version-other-content"])


def test_what_chargebee_changes_without_a_new_version_is_stored_and_not_said():
    stage = Stage()
    stage.edit("A")
    stage.pull()
    stage.site.core.store.put({**stage.site.get("invoice", "A"), "dunning_status": "in_progress"})

    stage.pull()

    assert stage.source("A").content["dunning_status"] == "in_progress"
    assert stage.said() == []


def test_nothing_is_sent_that_a_list_does_not_know():
    stage = Stage()
    for kind in ("customer", "item_family", "item", "item_price", "invoice", "credit_note", "transaction"):
        stage.pull(kind)
        stage.door.asked.clear()
        stage.wait(60)
        stage.pull(kind)
        (asked,) = [dict(request.query) for request in stage.door.asked[:1]]
        assert ("updated_at[after]" in asked) == (kind != "item_family")
        assert ("include_deleted" in asked) == (kind in ("customer", "invoice", "credit_note", "transaction"))
        wanted = {"item_family": None, "credit_note": "date"}.get(kind, "updated_at")
        assert asked.get("sort_by[desc]") == wanted


def test_a_day_without_reading_is_caught_up_by_one_pass():
    stage = Stage()
    stage.edit("A", "B")
    stage.pull()
    for _ in range(24):
        stage.wait(3600)
        stage.edit("A", "B", "C")

    stage.pull()

    assert stage.inbox() == {"A": 25, "B": 25, "C": 24}
    assert stage.cursor().watermark == NOON + dt.timedelta(days=1)
    assert stage.cursor().overlap_seconds == 600
