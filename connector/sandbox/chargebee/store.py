"""The site's rows. A row's versions are never changed in place, so a list may read while a change is made."""

from __future__ import annotations

import json
import threading
from collections import deque
from typing import Any

from connector.sandbox.chargebee.resources import BY_KIND
from connector.sandbox.clock import Clock

Document = dict[str, Any]


class Version:
    """One state of a row; its JSON text is made once."""

    __slots__ = ("_text", "changed_at", "siblings", "value")

    def __init__(self, value: Document, changed_at: float, siblings: Document | None = None) -> None:
        self.value = value
        self.changed_at = changed_at
        self.siblings = siblings or {}
        self._text: bytes | None = None

    def text(self) -> bytes:
        """The wrapped row as a list carries it."""
        if self._text is None:
            self._text = encode({self.value["object"]: self.value, **self.siblings})
        return self._text


class Row:
    """`number` is the internal key that offsets carry; `versions` end with the newest."""

    __slots__ = ("number", "versions")

    def __init__(self, number: int, version: Version) -> None:
        self.number = number
        self.versions: deque[Version] = deque([version])

    @property
    def newest(self) -> Version:
        return self.versions[-1]

    def seen_at(self, moment: float) -> Version | None:
        """What a list that runs behind shows; None while the row is too new for it."""
        return next((version for version in reversed(self.versions) if version.changed_at <= moment), None)


class Store:
    """All rows by kind and id. `generation` changes with every write; `lag` is in seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.lock = threading.RLock()
        self.lag = 0.0
        self.generation = 0
        self._numbers = 343_000_000
        self._resource_version = 0
        self._rows: dict[str, dict[str, Row]] = {kind: {} for kind in BY_KIND}

    def stamp(self) -> int:
        """A resource_version: milliseconds, never the same twice."""
        self._resource_version = max(int(self._clock.time() * 1000), self._resource_version + 1)
        return self._resource_version

    def put(self, value: Document, siblings: Document | None = None) -> Document:
        """Stores `value`, which the caller no longer changes, as the newest version of its row."""
        with self.lock:
            rows, key = self._rows[value["object"]], str(value["id"])
            version = Version(value, self._clock.time(), siblings)
            self.generation += 1
            if key in rows:
                self._renew(rows[key], version)
            else:
                self._numbers += 1
                rows[key] = Row(self._numbers, version)
            return value

    def _renew(self, row: Row, version: Version) -> None:
        if not version.siblings:
            version.siblings = row.newest.siblings
        row.versions.append(version)
        while len(row.versions) > 1 and row.versions[1].changed_at <= self._clock.time() - self.lag:
            row.versions.popleft()

    def get(self, kind: str, key: str) -> Document | None:
        row = self._rows[kind].get(key)
        return row.newest.value if row else None

    def row(self, kind: str, key: str) -> Row | None:
        return self._rows[kind].get(key)

    def forget(self, kind: str, key: str) -> None:
        with self.lock:
            self.generation += 1
            self._rows[kind].pop(key, None)

    def all(self, kind: str) -> list[Document]:
        return [row.newest.value for row in list(self._rows[kind].values())]

    def listed(self, kind: str) -> list[tuple[int, Version]]:
        """(number, version) of every row that lists show now."""
        rows = list(self._rows[kind].values())
        if not self.lag:
            return [(row.number, row.newest) for row in rows]
        moment = self._clock.time() - self.lag
        seen = ((row.number, row.seen_at(moment)) for row in rows)
        return [(number, version) for number, version in seen if version is not None]

    def count(self, kind: str) -> int:
        return len(self._rows[kind])


def encode(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
