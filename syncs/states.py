"""The states of a posting and of a source document, the moves between them, and the disposition of every pair."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import models


class SourceState(models.TextChoices):
    """Where a Chargebee document stands before a posting exists for it."""

    NEW = "new", "Waiting to be prepared"
    CODED = "coded", "Prepared"
    SKIPPED = "skipped", "Skipped by rule"
    WAITING = "waiting", "Waiting for another document"
    HELD = "held", "Held"
    UNREADABLE = "unreadable", "Unreadable"
    IGNORED = "ignored", "Ignored"
    KEPT = "kept", "Kept"
    LINKED = "linked", "Linked"
    CREATING = "creating", "Being created in QAD"


class PostingState(models.TextChoices):
    """Where a posting stands on its way into QAD."""

    READY = "ready", "Ready"
    SENDING = "sending", "Sending"
    POSTED = "posted", "Posted"
    VERIFIED = "verified", "Verified"
    REJECTED = "rejected", "Rejected by QAD"
    UNCERTAIN = "uncertain", "Uncertain, being looked up"
    CONFLICT = "conflict", "Conflict"
    DUPLICATE = "duplicate", "Duplicate in QAD"
    PARKED = "parked", "Parked"
    HELD = "held", "Held"
    IGNORED = "ignored", "Ignored"
    REVERSED = "reversed", "Reversed"


S = PostingState
IN_FLIGHT = (S.SENDING, S.UNCERTAIN)
DONE = (S.POSTED, S.VERIFIED, S.REVERSED)
STANDING = (S.POSTED, S.VERIFIED)  # QAD has it, and it was not taken back
UNSENT = (S.READY, S.REJECTED, S.PARKED, S.HELD, S.IGNORED)  # QAD should not have it
_FOUND = (S.POSTED, S.CONFLICT, S.DUPLICATE)  # what a look-up in restore mode leads to

MOVES: dict[PostingState, frozenset[PostingState]] = {
    S.READY: frozenset({S.SENDING, S.HELD, S.IGNORED, *_FOUND}),
    S.SENDING: frozenset({S.POSTED, S.REJECTED, S.UNCERTAIN, S.READY, S.CONFLICT, S.DUPLICATE}),
    S.UNCERTAIN: frozenset({S.POSTED, S.READY, S.CONFLICT, S.DUPLICATE, S.PARKED}),
    S.REJECTED: frozenset({S.READY, S.HELD, S.IGNORED, *_FOUND}),
    S.PARKED: frozenset({S.READY, S.HELD, S.IGNORED, *_FOUND}),
    S.HELD: frozenset({S.READY, S.IGNORED, *_FOUND}),
    # back to uncertain only by two people's decision, and then it is looked up before anything else
    S.POSTED: frozenset({S.VERIFIED, S.REVERSED, S.CONFLICT, S.DUPLICATE, S.UNCERTAIN}),
    S.VERIFIED: frozenset({S.REVERSED, S.CONFLICT, S.DUPLICATE, S.UNCERTAIN}),
    S.CONFLICT: frozenset({S.POSTED, S.UNCERTAIN}),
    S.DUPLICATE: frozenset({S.POSTED, S.UNCERTAIN}),
    S.IGNORED: frozenset({S.HELD, *_FOUND}),
    S.REVERSED: frozenset(),
}


class Disposition(models.TextChoices):
    """What became of a document that Chargebee listed: exactly one of these."""

    POSTED = "posted", "Posted"
    LINKED = "linked", "Linked"
    KEPT = "kept", "Kept for mapping"
    SKIPPED = "skipped", "Skipped by rule"
    IGNORED = "ignored", "Ignored by decision"
    WAITING = "waiting", "Waiting"
    HELD = "held", "Held"
    REJECTED = "rejected", "Rejected by QAD"
    UNCERTAIN = "uncertain", "Uncertain"
    PARKED = "parked", "Parked"
    CONFLICT = "conflict", "Conflict"
    UNREADABLE = "unreadable", "Unreadable"


_OF_SOURCE: dict[str, Disposition] = {
    SourceState.NEW: Disposition.WAITING,
    SourceState.WAITING: Disposition.WAITING,
    SourceState.SKIPPED: Disposition.SKIPPED,
    SourceState.HELD: Disposition.HELD,
    SourceState.UNREADABLE: Disposition.UNREADABLE,
    SourceState.IGNORED: Disposition.IGNORED,
    SourceState.KEPT: Disposition.KEPT,
    SourceState.LINKED: Disposition.LINKED,
    SourceState.CREATING: Disposition.WAITING,
}
_OF_POSTING: dict[str, Disposition] = {
    S.READY: Disposition.WAITING,
    S.SENDING: Disposition.WAITING,
    S.POSTED: Disposition.POSTED,
    S.VERIFIED: Disposition.POSTED,
    S.REVERSED: Disposition.POSTED,
    S.REJECTED: Disposition.REJECTED,
    S.UNCERTAIN: Disposition.UNCERTAIN,
    S.CONFLICT: Disposition.CONFLICT,
    S.DUPLICATE: Disposition.CONFLICT,
    S.PARKED: Disposition.PARKED,
    S.HELD: Disposition.HELD,
    S.IGNORED: Disposition.IGNORED,
}


def disposition(source_state: str, posting_state: str | None) -> Disposition | None:
    """The one disposition of a document; None for a pair that the table does not know, which turns a run red.

    What holds a document counts before what was posted of it: a posted invoice that was changed since is held.
    """
    if source_state == SourceState.CODED:
        return _OF_POSTING.get(posting_state or "")
    return _OF_SOURCE.get(source_state)


def may_move(old: str, new: str) -> bool:
    """Whether the table of moves has this one."""
    return PostingState(new) in MOVES[PostingState(old)]


# Which of several postings of one document counts: what a person must see first. A held one was withdrawn, and why
# stands on its source: beside others of its chain it counts for nothing.
URGENCY = (
    *(S.CONFLICT, S.DUPLICATE, S.UNCERTAIN, S.REJECTED, S.PARKED),
    *(S.SENDING, S.READY, S.IGNORED, S.POSTED, S.VERIFIED, S.REVERSED, S.HELD),
)


def most_urgent(states: Iterable[str]) -> str | None:
    """The state that stands for a chain of postings, None for an empty one."""
    return min(states, key=lambda state: URGENCY.index(PostingState(state)), default=None)
