"""The sandbox's own time: the real time and a shift, or a frozen moment that a test steps."""

from __future__ import annotations

import datetime as dt
import threading
import time


class Clock:
    """Shared by both halves, so a jump forward ages tokens, lists and billing days alike."""

    def __init__(self, frozen_at: dt.datetime | None = None) -> None:
        self._lock = threading.Lock()
        self._start = frozen_at.timestamp() if frozen_at else None
        self.reset()

    def reset(self) -> None:
        """As it was made."""
        self._shift, self._frozen = 0.0, self._start

    def time(self) -> float:
        """Unix seconds."""
        return self._frozen if self._frozen is not None else time.time() + self._shift

    def seconds(self) -> int:
        return int(self.time())

    def now(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self.time(), dt.UTC)

    def advance(self, seconds: float) -> None:
        """Forward, or back with a negative number."""
        with self._lock:
            if self._frozen is not None:
                self._frozen += seconds
            else:
                self._shift += seconds

    def set(self, moment: dt.datetime) -> None:
        self.advance(moment.timestamp() - self.time())

    def freeze(self) -> None:
        self._frozen = self.time()

    def run(self) -> None:
        """Ends a freeze; the time goes on from where it stood."""
        with self._lock:
            if self._frozen is not None:
                self._shift, self._frozen = self._frozen - time.time(), None
