"""One commit for everything that waits for one: a flush of the disk costs the same for one row as for ten."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

LONGEST_WAIT = 30.0  # seconds; a writer that is stuck must not keep every thread of the process
Item = TypeVar("Item")
log = logging.getLogger(__name__)


class NotStored(Exception):
    """It is not known to be committed: whoever sent it must send it again."""


@dataclass(slots=True)
class _Place(Generic[Item]):
    item: Item
    outcome: Exception | None = field(default_factory=lambda: NotStored("The writer ended early."))
    is_done: bool = False


class GroupCommit(Generic[Item]):
    """`write` commits items in one transaction and says of each what was wrong with it (None: it is stored).

    No thread of its own: whoever finds nobody writing writes what waits, his own and the others', who meanwhile queue
    for the same lock and find theirs done.
    """

    def __init__(
        self, write: Callable[[Sequence[Item]], Sequence[Exception | None]], *, longest_wait: float = LONGEST_WAIT
    ) -> None:
        self._write = write
        self._longest_wait = longest_wait
        self._waiting: list[_Place[Item]] = []
        self._list, self._writing = threading.Lock(), threading.Lock()

    def put(self, item: Item) -> None:
        """Returns when the item is committed. Raises NotStored where that is not known, for whatever reason."""
        mine = _Place(item)
        with self._list:
            self._waiting.append(mine)
        if not self._writing.acquire(timeout=self._longest_wait):
            raise NotStored("Nobody could write for too long.")
        try:
            if not mine.is_done:
                self._write_all()
        finally:
            self._writing.release()
        if mine.outcome is not None:
            raise NotStored("It could not be stored.") from mine.outcome

    def _write_all(self) -> None:
        with self._list:
            group, self._waiting = self._waiting, []
        outcomes: Sequence[Exception | None] = ()  # a writer that is torn away leaves everybody's NotStored
        try:
            outcomes = self._write([place.item for place in group])
        except Exception as error:  # noqa: BLE001 - whatever it was, none of them is known to be stored
            log.error("%d rows are not stored: %s", len(group), error)
            outcomes = [error] * len(group)
        finally:
            for place, outcome in zip(group, outcomes, strict=False):
                place.outcome = outcome
            for place in group:
                place.is_done = True
