"""What became of one document, and the exception that ends the reading of it."""

from dataclasses import dataclass
from datetime import date

from .books import Entry


class Stop(Exception):
    """No error: the document is held, waiting or skipped."""

    def __init__(self, state: str, reason: str) -> None:
        super().__init__(f"{state}: {reason}")
        self.state = state
        self.reason = reason


@dataclass(frozen=True)
class Outcome:
    """`is_open` is true while the document stands in the books: posted and not reversed."""

    state: str  # posted | skipped | held | waiting
    reason: str
    entries: tuple[Entry, ...] = ()
    is_open: bool = False

    @property
    def is_posted(self) -> bool:
        return bool(self.entries) or self.state == "posted"

    @property
    def day(self) -> date | None:
        """The posting date of the version that stands last."""
        days = [entry.date for entry in self.entries if entry.part in {"document", "correction"}]
        return days[-1] if days else None


def held(reason: str) -> Stop:
    return Stop("held", reason)


def skipped(reason: str) -> Stop:
    return Stop("skipped", reason)


def waiting(reason: str) -> Stop:
    return Stop("waiting", reason)
