"""The arithmetic of a pass over what changed: from where, until where, and when a clock cannot be believed.

A change becomes visible in a list some minutes after its stamp (Chargebee's page on list operations speaks of five),
so each pass begins `overlap` before the watermark: Chargebee's own time at the start of the last whole pass.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

SHORTEST_OVERLAP = dt.timedelta(minutes=10)
LONGEST_OVERLAP = dt.timedelta(days=1)  # what shows later than that is found by the sweep over document dates
LAGS_IN_OVERLAP = 3
LARGEST_SKEW = dt.timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Reached:
    """The end of a whole pass: Chargebee's time at its start, and ours at the same moment."""

    watermark: dt.datetime
    ours: dt.datetime | None


def since(watermark: dt.datetime | None, overlap: dt.timedelta) -> int | None:
    """Unix seconds for `after`, which may or may not include its bound; None: everything.

    The first pass is not filtered at all, because rows without updated_at would be dropped without a word.
    """
    return None if watermark is None else int((watermark - overlap).timestamp()) - 1


def is_skewed(theirs: dt.datetime, ours: dt.datetime) -> bool:
    """Whether the two clocks differ by more than anyone should have to believe."""
    return abs(theirs - ours) > LARGEST_SKEW


def went_back(before: Reached, theirs: dt.datetime, ours: dt.datetime) -> bool:
    """Whether Chargebee's clock lost time beside ours since the last pass: then its watermark hides changes.

    What was stamped after the correction may lie before the watermark by more than any overlap.
    """
    if before.ours is None:
        return before.watermark - theirs > LARGEST_SKEW
    return (ours - before.ours) - (theirs - before.watermark) > LARGEST_SKEW


def lag(watermark: dt.datetime | None, updated_at: dt.datetime | None) -> dt.timedelta:
    """For how long at least a change was invisible that is seen only now, after a pass that reached `watermark`."""
    if watermark is None or updated_at is None or updated_at >= watermark:
        return dt.timedelta(0)
    return watermark - updated_at


def overlap(longest_lag: dt.timedelta) -> dt.timedelta:
    """How far a pass reaches back, from the longest lag ever seen."""
    return min(max(SHORTEST_OVERLAP, LAGS_IN_OVERLAP * longest_lag), LONGEST_OVERLAP)


def widened(current: dt.timedelta, seen: dt.timedelta) -> dt.timedelta:
    """Doubled when a lag used up half of the overlap, and never narrower than what the lag asks for."""
    doubled = min(current * 2, LONGEST_OVERLAP) if seen > current / 2 else current
    return max(doubled, overlap(seen))
