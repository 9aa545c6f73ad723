"""The postings of one source in the order in which they were made: what stands, what may still change, what is next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace

from connector.errors import Problem
from connector.ledger.by_hand import cannot_be_reversed
from connector.ledger.documents import Adjustment, Application, Posted, Reversal
from connector.ledger.reversals import reversal
from connector.ledger.stored import restore
from syncs.batch import REBUILDABLE, Batch, add_posting, fits, keep, name_for, rebuild, withdraw
from syncs.models import Kind, Posting, SourceDocument
from syncs.states import IN_FLIGHT, STANDING, PostingState

# Which postings are the document itself; others of its chain settle, take back or stand beside it (withheld tax).
MAIN: dict[str, tuple[str, ...]] = {
    Kind.INVOICE: ("invoice",),
    Kind.CREDIT_NOTE: ("credit_note",),
    Kind.TRANSACTION: ("payment", "refund", "journal"),
}
EDGES = ("application", "unapplication")
Chain = Sequence[Posting]


def chains_of(rows: Iterable[SourceDocument]) -> dict[int, list[Posting]]:
    """Each source's postings, oldest first."""
    found: dict[int, list[Posting]] = {row.pk: [] for row in rows}
    for posting in Posting.objects.filter(source__in=found).order_by("pk"):
        found[posting.source_id].append(posting)
    return found


def is_in_flight(chain: Chain) -> bool:
    """Something is on its way: its outcome comes first."""
    return any(posting.state in IN_FLIGHT for posting in chain)


def mains(row: SourceDocument, chain: Chain) -> list[Posting]:
    """The versions of the document, oldest first."""
    return [posting for posting in chain if posting.kind in MAIN[row.kind]]


def last_main(row: SourceDocument, chain: Chain) -> Posting | None:
    """The version that stands, or may still stand; None if there is none or all were taken back."""
    versions = mains(row, chain)
    return versions[-1] if versions and versions[-1].state != PostingState.REVERSED else None


def is_edited(row: SourceDocument, main: Posting, projection: str) -> bool:
    """Whether Chargebee has it otherwise than it was posted; of what nobody could read the content tells."""
    return main.projection not in (projection, row.content_hash)


def is_known_by_hand(row: SourceDocument, chain: Chain) -> bool:
    """Whether QAD has it although nobody can read it here: somebody entered just this content there."""
    main = last_main(row, chain)
    return main is not None and main.is_by_hand and main.state in STANDING and main.projection == row.content_hash


def sides(row: SourceDocument, chain: Chain) -> list[Posting]:
    """What stands beside the document: withheld tax, and withheld tax that goes back."""
    return [posting for posting in chain if posting.kind not in (*MAIN[row.kind], *EDGES, "reversal")]


def reversals_of(chain: Chain, posting: Posting) -> list[Posting]:
    return [one for one in chain if one.reverses_id == posting.pk]


def next_place(batch: Batch, row: SourceDocument, chain: Chain, kinds: Iterable[str]) -> int:
    """The place of one more posting of these kinds, counted over all that the source ever had."""
    kinds = set(kinds)
    fresh = [posting for posting in batch.fresh if posting.source is row]
    return sum(posting.kind in kinds for posting in (*chain, *fresh))


def as_posted(posting: Posting) -> Posted:
    """A posting as another document names it."""
    day = posting.qad_posting_date or posting.posting_date
    return Posted(posting.qad_reference, posting.qad_number, day, posting.customer_code, posting.kind)


def reverse(
    batch: Batch,
    row: SourceDocument,
    chain: Chain,
    posting: Posting,
    *,
    on: dt.date,
    applications: tuple[Application, ...] = (),
) -> list[Problem]:
    """One reversal of a posting, whichever signal comes first; [] or why it cannot be written.

    `applications` are all that it settles now: they come off with it.
    """
    if posting.is_by_hand:
        return [cannot_be_reversed(str(row), posting.qad_number)]
    earlier = reversals_of(chain, posting)
    if earlier and earlier[-1].state not in REBUILDABLE:
        return []
    original = restore(posting.document)
    if isinstance(original, Adjustment | Reversal):
        raise TypeError(f"{posting} is not taken back by a reversal.")
    place = next_place(batch, row, chain, ("reversal",))
    name = earlier[-1].reference if earlier else name_for(batch, "reversal", row.source_id, place)
    day = max(on, as_posted(posting).posting_date)
    original = replace(original, reference=posting.qad_reference)
    document = fits(batch, reversal(original, name, on=day, number=posting.qad_number, applications=applications))
    if isinstance(document, list):
        return document
    if earlier:
        rebuild(batch, earlier[-1], document, posting.projection)
    else:
        add_posting(batch, row, document, posting.order_key, posting.projection, reverses=posting, place=place)
    return []


def leave(batch: Batch, chain: Chain, posting: Posting) -> None:
    """It stays in QAD: a reversal that has not gone out does not go."""
    keep(batch, posting)
    for one in reversals_of(chain, posting):
        withdraw(batch, one)
