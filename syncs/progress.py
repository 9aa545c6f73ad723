"""Progress of a sync for a person at a terminal, or as plain lines in a log."""

from __future__ import annotations

from typing import Protocol, TextIO

from syncs.running import Step

WIDTH = 30


class Bar:
    """One line that is written over; a stage that is done stays."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._stage = ""

    def tell(self, step: Step) -> None:
        if self._stage and step.stage != self._stage:
            self._out.write("\n")
        self._stage = step.stage
        self._out.write("\r\x1b[K" + self._text(step))
        self._out.flush()

    def end(self) -> None:
        if self._stage:
            self._out.write("\n")
            self._stage = ""

    def _text(self, step: Step) -> str:
        if not step.total:
            return f"{step.stage:<32}" + (f"{step.done}" if step.done else "")
        filled = min(WIDTH, WIDTH * step.done // step.total)
        return f"{step.stage:<32}{'█' * filled}{'░' * (WIDTH - filled)} {step.done}/{step.total}"


class Writes(Protocol):
    """Anything that takes text."""

    def write(self, text: str, /) -> object: ...

    def flush(self) -> object: ...


class Lines:
    """A line for each stage, with its last count; at once, for who follows a log."""

    def __init__(self, out: Writes) -> None:
        self._out = out
        self._last: Step | None = None

    def tell(self, step: Step) -> None:
        if self._last is not None and step.stage != self._last.stage:
            self._write(self._last)
        self._last = step

    def end(self) -> None:
        if self._last is not None:
            self._write(self._last)
            self._last = None

    def _write(self, step: Step) -> None:
        self._out.write(f"{step.stage}: {step.done}\n" if step.done else f"{step.stage}\n")
        self._out.flush()
