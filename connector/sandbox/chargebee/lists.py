"""List requests: filter, sort, cut a page, hand out an offset that only this query accepts."""

from __future__ import annotations

import bisect
import json
import zlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from connector.sandbox.chargebee import filters
from connector.sandbox.chargebee.failures import wrong_value
from connector.sandbox.chargebee.resources import Resource
from connector.sandbox.chargebee.store import Store, Version
from connector.sandbox.wire import Request

DEFAULT_LIMIT, LARGEST_LIMIT = 10, 100
_REMEMBERED = 16
_SEAL = 10_000
_PAGING = ("offset", "limit")
_TEXTS = ("name", "id")


@dataclass(frozen=True, slots=True)
class _Order:
    field: str
    is_descending: bool


@dataclass(frozen=True, slots=True)
class _Result:
    keys: list[tuple[Any, int]]  # (sort value, internal number), ascending
    versions: list[Version]
    generation: int


class Lists:
    """Answers lists of one store; sorted results are kept while nothing changes, so that later pages are cheap.

    `most_rows` caps a page below what is asked for. `counts_rows` makes an offset the number of rows before it, so
    that a row which moves to the front pushes others over the edge of a page; else it names the row where it goes on.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._results: OrderedDict[str, _Result] = OrderedDict()
        self._epoch = 0
        self.most_rows = LARGEST_LIMIT
        self.counts_rows = False

    def expire_offsets(self) -> None:
        """Every offset handed out so far becomes invalid."""
        self._epoch += 1

    def page(self, resource: Resource, request: Request) -> bytes:
        limit = min(_limit(request.first("limit")), self.most_rows)
        order = _order(resource, request.query)
        query = [pair for pair in request.query if pair[0] not in _PAGING]
        seal = zlib.crc32(repr((self._epoch, resource.kind, sorted(query))).encode()) % _SEAL
        result = self._result(resource, request, order, repr((resource.kind, query)))
        start = self._start(result, order, request.first("offset"), seal)
        texts, rest = _cut(result, order, start, limit)
        if rest is None:
            return b'{"list":[' + b",".join(texts) + b"]}"
        offset = json.dumps(_offset(self._place(result, order, rest), order, seal))
        return b'{"list":[' + b",".join(texts) + b'],"next_offset":' + offset.encode() + b"}"

    def _result(self, resource: Resource, request: Request, order: _Order, name: str) -> _Result:
        with self._store.lock:
            kept = self._results.get(name)
            if kept and kept.generation == self._store.generation and not self._store.lag:
                self._results.move_to_end(name)
                return kept
            result = self._find(resource, request, order)
            self._results[name] = result
            while len(self._results) > _REMEMBERED:
                self._results.popitem(last=False)
            return result

    def _find(self, resource: Resource, request: Request, order: _Order) -> _Result:
        checks = filters.tests(resource, request.query)
        with_deleted = not resource.takes_include_deleted or request.first("include_deleted").lower() == "true"
        found = [
            ((_sort_value(version.value, order.field), number), version)
            for number, version in self._store.listed(resource.kind)
            if (with_deleted or not version.value.get("deleted")) and all(check(version.value) for check in checks)
        ]
        found.sort(key=lambda pair: pair[0])
        return _Result([key for key, _ in found], [version for _, version in found], self._store.generation)

    def _start(self, result: _Result, order: _Order, offset: str, seal: int) -> int:
        """Position of the first row of the page in the ascending result."""
        if not offset:
            return len(result.keys) - 1 if order.is_descending else 0
        key = _key(offset, seal, order)
        if self.counts_rows:
            return len(result.keys) - 1 - key[1] if order.is_descending else key[1]
        if order.is_descending:
            return bisect.bisect_right(result.keys, key) - 1
        return bisect.bisect_left(result.keys, key)

    def _place(self, result: _Result, order: _Order, rest: int) -> tuple[Any, int]:
        """What an offset says of the row at `rest`: its key, or how many rows stand before it."""
        if not self.counts_rows:
            return result.keys[rest]
        return (0, len(result.keys) - 1 - rest if order.is_descending else rest)


def _cut(result: _Result, order: _Order, start: int, limit: int) -> tuple[list[bytes], int | None]:
    """The page's rows and the position of the row after them."""
    if order.is_descending:
        stop = max(start - limit, -1)
        return [result.versions[at].text() for at in range(start, stop, -1)], stop if stop >= 0 else None
    stop = min(start + limit, len(result.keys))
    return [version.text() for version in result.versions[start:stop]], stop if stop < len(result.keys) else None


def _limit(text: str) -> int:
    if not text:
        return DEFAULT_LIMIT
    if not text.isdigit() or not 1 <= int(text) <= LARGEST_LIMIT:
        raise wrong_value("limit", f"value must be between 1 and {LARGEST_LIMIT}")
    return int(text)


def _order(resource: Resource, query: tuple[tuple[str, str], ...]) -> _Order:
    """A sort that is not legal, or not written as it must be, is ignored without a word."""
    for name, value in query:
        if name in ("sort_by[asc]", "sort_by[desc]") and value in resource.sorts:
            return _Order(value, name == "sort_by[desc]")
    return _Order(resource.order, is_descending=True)


def _sort_value(row: dict[str, Any], field: str) -> str | int:
    if field in _TEXTS:
        return str(row.get(field, ""))
    return int(row.get(field) or 0) * 1000


def _offset(key: tuple[Any, int], order: _Order, seal: int) -> str:
    """Looks like the real ones: a JSON array of strings inside a string."""
    return json.dumps([str(key[0]), str(key[1] * _SEAL + seal)], separators=(",", ":"))


def _key(offset: str, seal: int, order: _Order) -> tuple[Any, int]:
    try:
        first, second = json.loads(offset)
        number, told = divmod(int(second), _SEAL)
        value = first if order.field in _TEXTS else int(first)
    except (ValueError, TypeError):
        raise wrong_value("offset", "invalid value") from None
    if told != seal:
        raise wrong_value("offset", "invalid value")
    return value, number
