"""Whole lists and whole documents, and a stop for those that run in a circle."""

from __future__ import annotations

import json
import socket
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connector.chargebee.client import ChargebeeClient, Patience
from connector.chargebee.paging import all_lines, pages
from connector.errors import Transient
from connector.http.session import Http
from tests.kernel.http.wire import ALLOW, http, wire


class Book:
    """Answers by the offset asked for; `asked` keeps the queries."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers, self.asked = answers, []

    def __call__(self, line: socket.socket, request: bytes) -> None:
        query = {name: values[0] for name, values in parse_qs(urlsplit(request.split(b" ")[1].decode()).query).items()}
        self.asked.append(query)
        found = self.answers[query.get("offset", query.get("line_items_offset", ""))]
        missing = {"api_error_code": "resource_not_found", "message": "x"}
        line.sendall(http(404 if found is None else 200, json.dumps(missing if found is None else found).encode()))


@pytest.fixture
def read():
    """Runs a function with a client of a book."""

    def run(book: Book, ask: Any) -> Any:
        with wire(book) as server, Http(allow=ALLOW) as door:
            return ask(ChargebeeClient(door, server.url, "test_key", patience=Patience(attempts=1)))

    return run


def page(*ids: str, then: str | None = None) -> dict[str, Any]:
    return {"list": [{"item": {"id": name}} for name in ids], **({"next_offset": then} if then else {})}


def test_it_reads_every_page_and_sends_offsets_back_verbatim(read: Any):
    book = Book({"": page("a", "b", then='["1","2"]'), '["1","2"]': page(then="x&y=1"), "x&y=1": page("c")})
    rows = read(book, lambda client: [row["id"] for found in pages(client, "items", {"a[b]": 1}) for row in found.rows])
    assert rows == ["a", "b", "c"]
    assert [query.get("offset") for query in book.asked] == [None, '["1","2"]', "x&y=1"]
    assert all(query["limit"] == "100" and query["a[b]"] == "1" for query in book.asked)


@pytest.mark.parametrize(
    "answers",
    [
        {"": page("a", then="1"), "1": page("b", then="2"), "2": page("c", then="1")},
        {"": page("a", then="1"), "1": page("b", then="1")},
        {"": page("a", then="1"), "1": page("a", then="2"), "2": page("b")},
        {"": page(then="0"), **{str(n): page(then=str(n + 1)) for n in range(50)}},
    ],
    ids=["circle", "same offset", "same page", "endless empty pages"],
)
def test_it_stops_at_a_list_that_runs_in_a_circle(read: Any, answers: dict[str, Any]):
    book = Book(answers)
    with pytest.raises(Transient, match="twice"):
        read(book, lambda client: list(pages(client, "items")))
    assert len(book.asked) < 30


def invoice(*lines: str, then: str | None = None, version: int = 1) -> dict[str, Any]:
    row = {
        "id": "INV-1",
        "resource_version": version,
        "line_items": [{"id": name, "amount": 5} for name in lines],
        "line_item_taxes": [{"line_item_id": name, "tax_name": "VAT"} for name in lines],
    }
    return {**row, **({"line_items_next_offset": then} if then else {})}


def test_it_fetches_the_lines_that_were_kept_back(read: Any):
    book = Book({"1": {"invoice": invoice("c", "d", then="2")}, "2": {"invoice": invoice("d", "e")}})
    whole = read(book, lambda client: all_lines(client, invoice("a", "b", then="1")))
    assert [line["id"] for line in whole["line_items"]] == ["a", "b", "c", "d", "e"]
    assert [tax["line_item_id"] for tax in whole["line_item_taxes"]] == ["a", "b", "c", "d", "e"]
    assert "line_items_next_offset" not in whole and book.asked[0]["line_items_limit"] == "300"


def test_it_asks_nothing_for_a_whole_document(read: Any):
    book, row = Book({}), invoice("a")
    assert read(book, lambda client: all_lines(client, row)) == row and book.asked == []


@pytest.mark.parametrize(
    "answers",
    [
        {"1": {"invoice": invoice("c", version=2)}},
        {"1": None},
        {"1": {"invoice": invoice("c", then="2")}, "2": {"invoice": invoice("d", then="1")}},
        {str(n): {"invoice": invoice(f"line-{n}", then=str(n + 1))} for n in range(1, 100)},
        {"1": {"invoice": {**invoice("c"), "line_items_next_offset": ["2"]}}},
    ],
    ids=["changed", "vanished", "circle", "endless", "no text"],
)
def test_it_gives_up_a_document_that_moves_while_it_is_read(read: Any, answers: dict[str, Any]):
    with pytest.raises(Transient):
        read(Book(answers), lambda client: all_lines(client, invoice("a", then="1")))
