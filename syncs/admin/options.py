"""What somebody may do with a document as it stands, each with the sentence that says what will happen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse

from syncs import forcing, ignoring, keyed, resolving
from syncs.fates import Deed, Way, fate
from syncs.models import ForceRequest, ForceState, Posting, SourceDocument
from syncs.states import DONE, URGENCY, PostingState, SourceState
from tenants.access import Access, Action

REREAD = (PostingState.UNCERTAIN, PostingState.POSTED, PostingState.VERIFIED)


@dataclass(frozen=True, slots=True)
class Option:
    """`name` ends its URL name; `is_post` acts at once, the others open a page first."""

    name: str
    label: str
    says: str
    is_post: bool = False
    is_main: bool = False
    url: str = ""


BY_HAND = Option(
    "mark-posted",
    "Mark as posted by hand…",
    "For a document that somebody entered in QAD: it is read there by its number and compared first.",
)


def concerned(chain: Sequence[Posting]) -> Posting | None:
    """The posting that a decision is about: the most urgent, and of several the document's own."""
    found = sorted(chain, key=lambda one: (URGENCY.index(PostingState(one.state)), one.kind not in forcing.MAIN))
    return found[0] if found else None


def options(row: SourceDocument, chain: Sequence[Posting], access: Access) -> list[Option]:
    """In the order in which they are shown; [] for somebody who may only read."""
    states = [posting.state for posting in chain]
    posting = concerned(chain)
    settlings = _settlings(posting, access) or _keyed(row, chain, access)
    found = [*_replays(row, states, access), *settlings, *_aside(row, states, access)]
    return [
        Option(one.name, one.label, one.says, one.is_post, one.is_main, reverse(_url(one.name), args=[row.pk]))
        for one in found
    ]


def _url(name: str) -> str:
    return f"admin:syncs_sourcedocument_{name.replace('-', '_')}"


def _replays(row: SourceDocument, states: Sequence[str], access: Access) -> list[Option]:
    if not access.may(Action.REPLAY):
        return []
    found = []
    anew, same = (fate(way, row.kind, row.state, states) for way in (Way.REBUILD, Way.RESEND))
    if anew.deed == Deed.REBUILT and row.state != SourceState.NEW:
        both = " Or it is sent again as it was." if same.deed == Deed.RESENT else ""
        found.append(Option("rebuild", "Replay…", f"{_sentence(anew.why)}{both}", is_main=True))
    if any(state in REREAD for state in states):
        says = "QAD is asked what it has under its reference. Nothing is sent."
        found.append(Option("look-up", "Look it up in QAD", says, is_post=True))
    return found


def _sentence(clause: str) -> str:
    return f"{clause[:1].upper()}{clause[1:]}. First you see what would change."


def _settlings(posting: Posting | None, access: Access) -> list[Option]:
    if posting is None:
        return []
    found = []
    if posting.state in resolving.TO_DECIDE and access.may(Action.SETTLE_CONFLICT):
        says = "Shows both documents side by side. You take what QAD has, or say that it is wrong there."
        found.append(Option("settle", "Compare and settle…", says, is_main=True))
    by_hand = posting.state in resolving.BY_HAND and posting.state != PostingState.READY
    if by_hand and access.may(Action.MARK_POSTED):
        found.append(BY_HAND)
    asked = ForceRequest.objects.filter(posting=posting, state=ForceState.OPEN).exists()
    if not asked and access.may(Action.REQUEST_FORCE) and not forcing.why_not(posting):
        says = "For a document that QAD has lost. A second person approves; it is sent only if it is proved absent."
        found.append(Option("force", "Ask to send it again…", says))
    return found


def _keyed(row: SourceDocument, chain: Sequence[Posting], access: Access) -> list[Option]:
    return [BY_HAND] if access.may(Action.MARK_POSTED) and not keyed.why_not(row, chain) else []


def _aside(row: SourceDocument, states: Sequence[str], access: Access) -> list[Option]:
    if not access.may(Action.IGNORE):
        return []
    if row.state == SourceState.IGNORED:
        says = "It is held again until somebody presses Replay."
        return [Option("take-back", "Stop ignoring it", says, is_post=True)]
    if not ignoring.why_not(row, states):
        says = "It is not posted until the day you choose, counts as ignored at month end, and then comes back."
        return [Option("ignore", "Ignore…", says)]
    return []


# What the connector itself does next, so that nobody has to guess.
_NEXT: dict[str, str] = {
    PostingState.READY: "It is sent to QAD as soon as its turn comes.",
    PostingState.SENDING: "It is being sent to QAD at this moment.",
    PostingState.UNCERTAIN: (
        "QAD's answer is missing. It is looked up there by itself, and sent again only if two look-ups prove it absent."
    ),
    PostingState.REJECTED: "QAD said no. Nothing more happens until somebody mends the cause and presses Replay.",
    PostingState.PARKED: "It was sent as often as allowed and never arrived. It waits for a person.",
    PostingState.CONFLICT: "QAD has something else under our reference. Nothing is sent until a person has decided.",
    PostingState.DUPLICATE: "QAD has it more than once. Nothing more of it is sent until a person has chosen.",
    PostingState.HELD: "It was withdrawn before it was sent. It goes on when what holds it is mended.",
    PostingState.POSTED: "QAD has it. It is read back and compared by itself.",
}
_NEXT_OF_SOURCE: dict[str, str] = {
    SourceState.NEW: "It is prepared within a minute.",
    SourceState.HELD: "It is prepared again when the mapping that it needs is saved, or when somebody presses Replay.",
    SourceState.UNREADABLE: "Nothing is posted of it until Chargebee sends it in a form that can be read.",
    SourceState.WAITING: "It follows by itself as soon as what it waits for is in QAD.",
    SourceState.IGNORED: "It is not posted. It comes back by itself on its day.",
}


def what_next(row: SourceDocument, chain: Sequence[Posting]) -> str:
    """One sentence on what happens without anybody, '' where nothing is left to do."""
    if row.state in _NEXT_OF_SOURCE:
        return _NEXT_OF_SOURCE[row.state]
    posting = concerned(chain)
    if posting is None or (posting.state in DONE and posting.state != PostingState.POSTED):
        return ""
    return _NEXT.get(posting.state, "")
