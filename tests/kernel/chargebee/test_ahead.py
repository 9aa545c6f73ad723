"""The next page is fetched while its reader is busy, and that changes nothing else."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connector.chargebee.ahead import Ahead
from connector.chargebee.client import ChargebeeClient, Patience
from connector.chargebee.paging import Void, pages
from connector.errors import Transient
from connector.http.session import Http
from tests.kernel.http.wire import ALLOW, http, wire

THREE = {"": ("a", "1"), "1": ("b", "2"), "2": ("c", None)}


class Site:
    """Three pages of one item. `before` runs ahead of each answer and may give another one."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.on_the_line, self.most_on_the_line = 0, 0
        self.has_come = {name: threading.Event() for name in ("", "1", "2", "A")}
        self.before: Callable[[str, int], bytes | None] = lambda name, time: None

    def __call__(self, line: socket.socket, request: bytes) -> None:
        parts = urlsplit(request.split(b" ")[1].decode())
        name = parts.path.rpartition("/")[2].replace("items", "") or parse_qs(parts.query).get("offset", [""])[0]
        self.on_the_line += 1
        self.most_on_the_line = max(self.most_on_the_line, self.on_the_line)
        self.asked.append(name)
        self.has_come[name].set()
        answer = self.before(name, self.asked.count(name)) or http(200, json.dumps(self.body(name)).encode())
        self.on_the_line -= 1
        line.sendall(answer)

    def body(self, name: str) -> dict[str, Any]:
        if name == "A":
            return {"item": {"id": "A"}}
        row, then = THREE[name]
        return {"list": [{"item": {"id": row}}], **({"next_offset": then} if then else {})}


@contextmanager
def reading(site: Site, **options: Any) -> Iterator[ChargebeeClient]:
    with wire(site) as server, Http(allow=ALLOW) as door, closing(Ahead(door)) as ahead:
        given = {"patience": Patience(attempts=2), "sleep": lambda seconds: None, **options}
        yield ChargebeeClient(door, server.url, "test_key", ahead=ahead, **given)


def ids(found: Any) -> list[str]:
    return [row["id"] for page in found for row in page.rows]


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("chargebee-ahead")]


def test_the_next_page_is_asked_for_while_the_reader_is_busy_with_this_one():
    site = Site()
    with reading(site) as client:
        found = pages(client, "items")
        assert ids([next(found)]) == ["a"]
        assert site.has_come["1"].wait(5)
        assert not site.has_come["2"].is_set()
        assert ids(found) == ["b", "c"]
    assert site.asked == ["", "1", "2"]
    assert site.most_on_the_line == 1


def test_each_page_takes_leave_once():
    site, taken = Site(), []
    with reading(site, pace=lambda: taken.append(1) or 0.0) as client:
        assert ids(pages(client, "items")) == ["a", "b", "c"]
    assert (len(taken), site.asked) == (3, ["", "1", "2"])


def test_without_leave_nothing_is_begun_and_the_page_waits_its_turn():
    site, slept = Site(), []
    waits = iter([0.0, 7.0, 7.0, 0.0, 7.0, 0.0])
    with reading(site, pace=lambda: next(waits), sleep=slept.append) as client:
        found = pages(client, "items")
        next(found)
        assert threads() == []
        assert ids(found) == ["b", "c"]
    assert (slept, site.asked) == ([7.0], ["", "1", "2"])


def test_a_page_that_fails_ahead_is_tried_again_when_its_turn_comes():
    site, told = Site(), []
    busy = http(503, b"{}")
    site.before = lambda name, time: busy if (name, time) == ("1", 1) else None
    with reading(site, report=told.append) as client:
        found = pages(client, "items")
        assert ids([next(found)]) == ["a"]
        assert site.has_come["1"].wait(5)
        assert told == [None]
        assert ids(found) == ["b", "c"]
    assert site.asked == ["", "1", "1", "2"]


def test_a_page_that_keeps_failing_ends_the_reading_after_the_pages_before_it():
    site = Site()
    site.before = lambda name, time: http(503, b"{}") if name == "1" else None
    with reading(site) as client:
        found = pages(client, "items")
        assert ids([next(found)]) == ["a"]
        with pytest.raises(Transient):
            next(found)
    assert site.asked == ["", "1", "1"]


def test_an_offset_that_is_refused_ahead_voids_the_pass():
    site = Site()
    body = {"api_error_code": "invalid_request", "error_param": "offset", "param": "offset", "message": "offset"}
    site.before = lambda name, time: http(400, json.dumps(body).encode()) if name == "1" else None
    with reading(site) as client:
        found = pages(client, "items")
        next(found)
        with pytest.raises(Void, match="starts again"):
            next(found)


def test_a_limit_that_is_met_ahead_is_told_to_everyone():
    site, held = Site(), []
    limit = http(429, b"{}", "Retry-After: 9")
    site.before = lambda name, time: limit if (name, time) == ("1", 1) else None
    with reading(site, hold=held.append) as client:
        assert ids(pages(client, "items")) == ["a", "b", "c"]
    assert held == [9.0]


def test_a_single_document_waits_for_the_page_that_is_on_the_line():
    site, free = Site(), threading.Event()

    def before(name: str, time: int) -> bytes | None:
        assert name != "1" or free.wait(5)
        return None

    site.before = before
    with reading(site) as client:
        found = pages(client, "items")
        next(found)
        assert site.has_come["1"].wait(5)
        threading.Timer(0.05, free.set).start()
        assert client.retrieve("items", "A") == {"id": "A"}
        assert ids(found) == ["b", "c"]
    assert site.asked == ["", "1", "A", "2"]
    assert site.most_on_the_line == 1


def test_what_an_abandoned_reading_fetched_is_not_given_to_a_later_one():
    site = Site()
    waits = iter([0.0, 0.0, 0.0, 7.0, 0.0, 0.0, 0.0])
    with reading(site, pace=lambda: next(waits)) as client:
        next(pages(client, "items"))
        assert site.has_come["1"].wait(5)
        assert ids(pages(client, "items")) == ["a", "b", "c"]
    assert site.asked == ["", "1", "", "1", "2"]


def test_a_reader_that_stops_leaves_no_thread():
    site = Site()
    with pytest.raises(KeyboardInterrupt), reading(site) as client:
        next(pages(client, "items"))
        assert len(threads()) == 1
        raise KeyboardInterrupt
    assert threads() == []
