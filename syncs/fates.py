"""What Replay would do to one document, from the states of it and its postings: shown before, done after."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from syncs.models import Kind
from syncs.preparing import POSTED_KINDS
from syncs.states import DONE, IN_FLIGHT, PostingState, SourceState

STUCK = (PostingState.REJECTED, PostingState.PARKED, PostingState.HELD)
RESENDABLE = (PostingState.REJECTED, PostingState.PARKED)
TO_DECIDE = (PostingState.CONFLICT, PostingState.DUPLICATE)


class Way(StrEnum):
    REBUILD = "rebuild"
    RESEND = "resend"


class Deed(StrEnum):
    """What happens to a document, as a reader sees it."""

    REBUILT = "rebuilt"
    RESENT = "sent again"
    LOOKED_UP = "looked up"
    LEFT = "left as it is"


@dataclass(frozen=True, slots=True)
class Fate:
    """`why` is a clause for a person."""

    deed: Deed
    why: str


def fate(way: Way, kind: str, source_state: str, postings: Collection[str]) -> Fate:
    """`postings`: the states of everything that was made of the document."""
    states = set(postings)
    if kind == Kind.CUSTOMER:
        return _of_customer(way, source_state)
    if kind not in POSTED_KINDS:
        return Fate(Deed.LEFT, "nothing of this kind is posted")
    if source_state == SourceState.IGNORED:
        return Fate(Deed.LEFT, "it is ignored by decision; take that back first")
    if states & set(IN_FLIGHT):
        return Fate(Deed.LOOKED_UP, "QAD may have it, so nothing is sent again")
    if states & set(TO_DECIDE):
        return Fate(Deed.LEFT, "QAD has something else or too much of it; settle that on its page")
    return (_rebuilt if way == Way.REBUILD else _resent)(source_state, states)


def _of_customer(way: Way, source_state: str) -> Fate:
    if way == Way.REBUILD and source_state in (SourceState.HELD, SourceState.UNREADABLE):
        return Fate(Deed.REBUILT, "it is matched with QAD's customers again")
    return Fate(Deed.LEFT, "nothing holds this customer")


def _rebuilt(source_state: str, states: set[str]) -> Fate:
    if source_state in (SourceState.HELD, SourceState.UNREADABLE):
        return Fate(Deed.REBUILT, "it is prepared again; what holds it may be mended by now")
    if states & set(STUCK) or PostingState.READY in states:
        return Fate(Deed.REBUILT, "it is prepared again under its old reference, after a look whether QAD has it")
    if states & set(DONE):
        return _posted(states)
    return Fate(Deed.REBUILT, "it is prepared from what Chargebee and the mappings say now")


def _resent(source_state: str, states: set[str]) -> Fate:
    if source_state == SourceState.CODED and states & set(RESENDABLE):
        return Fate(Deed.RESENT, "it goes out unchanged, after a look whether QAD has it")
    if states & set(RESENDABLE):
        return Fate(Deed.LEFT, "it has changed since; rebuild it instead")
    if states & set(DONE):
        return _posted(states)
    return Fate(Deed.LEFT, "QAD has not refused it")


def _posted(states: set[str]) -> Fate:
    if PostingState.POSTED in states:
        return Fate(Deed.LOOKED_UP, "QAD has it; it is read back and compared")
    return Fate(Deed.LEFT, "QAD has it, and it has been read back")
