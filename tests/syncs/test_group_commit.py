"""Threads that share a commit: nobody hears "stored" before it, and nobody suffers for another's row."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from syncs.group_commit import GroupCommit, NotStored


class Disk:
    """Commits what it is given when it is let: `held` while it must not."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.begun, self.free = threading.Semaphore(0), threading.Semaphore(0)
        self.inbox = GroupCommit(self.write, longest_wait=5)
        self.refused: set[str] = set()

    def write(self, items: Sequence[str]) -> list[Exception | None]:
        self.begun.release()
        assert self.free.acquire(timeout=5)
        if "no disk" in items:
            raise OSError("no disk")
        self.groups.append([item for item in items if item not in self.refused])
        return [ValueError(item) if item in self.refused else None for item in items]

    def stored(self) -> list[str]:
        return sorted(item for group in self.groups for item in group)


@pytest.fixture
def threads():
    with ThreadPoolExecutor(16) as pool:
        yield pool


def queued(disk: Disk, threads: ThreadPoolExecutor, *items: str) -> list[Future[None]]:
    """Puts that wait behind a write that has begun."""
    before = len(disk.inbox._waiting)
    puts = [threads.submit(disk.inbox.put, item) for item in items]
    for _ in range(1000):
        if len(disk.inbox._waiting) == before + len(items):
            return puts
        time.sleep(0.005)
    raise AssertionError("they do not wait")


def begun(disk: Disk, threads: ThreadPoolExecutor, item: str) -> Future[None]:
    put = threads.submit(disk.inbox.put, item)
    assert disk.begun.acquire(timeout=5)
    return put


def test_what_comes_during_a_commit_shares_the_next_one(threads):
    disk = Disk()
    first = begun(disk, threads, "first")
    others = queued(disk, threads, "a", "b", "c", "d")
    disk.free.release(2)
    for put in (first, *others):
        put.result(5)
    assert (disk.groups[0], sorted(disk.groups[1])) == (["first"], ["a", "b", "c", "d"])


def test_nobody_is_answered_before_the_commit(threads):
    disk = Disk()
    first = begun(disk, threads, "first")
    others = queued(disk, threads, "a", "b")
    assert not any(put.done() for put in (first, *others))
    disk.free.release()
    first.result(5)
    assert disk.begun.acquire(timeout=5)
    assert not any(put.done() for put in others)
    disk.free.release()
    assert [put.result(5) for put in others] == [None, None]


def test_a_row_that_is_refused_fails_alone(threads):
    disk = Disk()
    disk.refused = {"bad"}
    first = begun(disk, threads, "first")
    good, bad, last = queued(disk, threads, "good", "bad", "last")
    disk.free.release(2)
    with pytest.raises(NotStored):
        bad.result(5)
    assert [put.result(5) for put in (first, good, last)] == [None, None, None]
    assert disk.stored() == ["first", "good", "last"]


def test_a_commit_that_fails_fails_for_all_of_its_group_and_for_nobody_else(threads):
    disk = Disk()
    first = begun(disk, threads, "first")
    others = queued(disk, threads, "a", "no disk", "b")
    disk.free.release(2)
    first.result(5)
    for put in others:
        with pytest.raises(NotStored):
            put.result(5)
    disk.free.release()
    disk.inbox.put("later")
    assert disk.stored() == ["first", "later"]


def test_a_writer_that_is_torn_away_tells_nobody_that_it_is_stored(threads):
    def write(items: Sequence[str]) -> list[Exception | None]:
        raise SystemExit

    inbox = GroupCommit(write)
    with pytest.raises(SystemExit):
        inbox.put("a")
    with pytest.raises(SystemExit):
        inbox.put("b")

    disk = Disk()
    first = begun(disk, threads, "first")
    others = queued(disk, threads, "a", "b")
    disk.inbox._write = write
    disk.free.release()
    first.result(5)
    outcomes = [put.exception(5) for put in others]
    assert sorted(type(one).__name__ for one in outcomes) == ["NotStored", "SystemExit"]


def test_a_writer_that_is_stuck_keeps_nobody_for_ever(threads):
    disk = Disk()
    disk.inbox = GroupCommit(disk.write, longest_wait=0.05)
    first = begun(disk, threads, "first")
    with pytest.raises(NotStored):
        disk.inbox.put("second")
    disk.free.release()
    first.result(5)


def test_of_hundreds_at_once_each_is_stored_once(threads):
    disk = Disk()
    disk.free.release(1000)
    list(threads.map(disk.inbox.put, [f"{number:03}" for number in range(400)]))
    assert disk.stored() == [f"{number:03}" for number in range(400)]
