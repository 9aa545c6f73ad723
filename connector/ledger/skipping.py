"""A rule that keeps a document out of QAD."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Skipped:
    """Not posted, by a rule that anyone can read."""

    rule: str
    sentence: str
