"""Everything the instance keeps, and the switches by which one instance differs from another."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Protocol

from connector.sandbox.qad.books import Books, Document
from connector.sandbox.qad.calendar import Calendar
from connector.sandbox.qad.masters import Row, masters
from connector.sandbox.qad.parties import Parties


class Clock(Protocol):
    def now(self) -> dt.datetime: ...


@dataclass(slots=True)
class Modes:
    """How this instance is set up. The defaults are what public sources make likely."""

    duplicates: str = "warn"  # warn | reject
    workspace: str = "refuse"  # refuse: 403 for another workspace | empty: that domain's empty tables
    over_limit: str = "clamp"  # dialect B, more than 100 rows: clamp | refuse
    basic_auth: bool = False  # dialect A
    checks_hash: bool = True
    shifts_dates: bool = False  # post in the first open period instead of refusing
    lookup_lag: float = 0.0  # seconds until a document appears in lists
    session_minutes: int = 480
    idle_minutes: int = 30


@dataclass(slots=True)
class Company:
    clock: Clock
    calendar: Calendar
    modes: Modes = field(default_factory=Modes)
    masters: dict[str, dict[str, Row]] = field(default_factory=masters)
    parties: Parties = field(default_factory=Parties)
    books: Books = field(default_factory=Books)
    lag_ends_at: dt.datetime | None = None

    def visible(self, documents: list[Document]) -> list[Document]:
        """Those that lists already show."""
        now = self.clock.now()
        if self.lag_ends_at is None or self.lag_ends_at <= now:
            return documents
        return [document for document in documents if document.get("visible_at", now) <= now]

    def hide(self, document: Document, seconds: float) -> None:
        until = self.clock.now() + dt.timedelta(seconds=seconds)
        document["visible_at"] = until
        self.lag_ends_at = max(until, self.lag_ends_at or until)
