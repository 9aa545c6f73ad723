"""What preparing would make of a document now, decided by the same code and not saved."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from connector.ledger.documents import LedgerDocument
from connector.ledger.stored import restore
from syncs.batch import Batch, as_json
from syncs.desk import Desk
from syncs.models import SourceDocument
from syncs.preparing import DECIDE, POSTED_KINDS, decide_all
from syncs.states import SourceState


@dataclass(frozen=True, slots=True)
class Foreseen:
    """`state` is the document's new state, '' if it stays; `problems` why it is held, waits or is skipped.

    `documents`: reference -> what QAD would be told under it, in its stored form.
    """

    state: str
    problems: list[dict[str, str]]
    documents: dict[str, dict[str, Any]]


def dry(desk: Desk, rows: Sequence[SourceDocument], *, now: dt.datetime) -> Batch:
    """What preparing would decide about documents of one kind. Deciding only reads; writing a batch is another step."""
    batch = Batch(desk, now, "preview")
    decide_all(batch, rows)
    return batch


def foresee(desk: Desk, row: SourceDocument, *, now: dt.datetime) -> Foreseen:
    """One document of a posted kind."""
    if row.kind not in DECIDE:
        return Foreseen("", [], {})
    batch = dry(desk, [row], now=now)
    documents = {posting.reference: posting.document for posting in batch.fresh}
    for move in batch.moves:
        if "document" in move.values:
            documents[move.posting.reference] = move.values["document"]
    marked = next((str(state) for state, rows in batch.by_state.items() if row in rows), "")
    for told, state, found in batch.told:
        if told is row:
            return Foreseen(str(state), [as_json(problem) for problem in found], documents)
    return Foreseen(marked, [], documents)


@dataclass(slots=True)
class Rehearsed:
    """`state` is '' where deciding leaves the document as it is; `documents` are those that would be sent."""

    row: SourceDocument
    state: str = ""
    problems: list[Any] = field(default_factory=list)
    documents: list[LedgerDocument] = field(default_factory=list)

    @property
    def is_held(self) -> bool:
        return self.state in (SourceState.HELD, SourceState.UNREADABLE, SourceState.WAITING)


def rehearse(desk: Desk, rows: Sequence[SourceDocument], *, now: dt.datetime) -> list[Rehearsed]:
    """One answer for each row, in the same order. Reads only."""
    found = {row.pk: Rehearsed(row) for row in rows}
    for kind in POSTED_KINDS:
        mine = [row for row in rows if row.kind == kind]
        if mine:
            _collect(dry(desk, mine, now=now), found)
    return [found[row.pk] for row in rows]


def _collect(batch: Batch, found: dict[int, Rehearsed]) -> None:
    for state, rows in batch.by_state.items():
        for row in rows:
            found[row.pk].state = state
    for told, state, problems in batch.told:
        found[told.pk].state, found[told.pk].problems = state, list(problems)
    for posting in batch.fresh:
        found[posting.source_id].documents.append(restore(posting.document))
    for move in batch.moves:
        if "document" in move.values:
            found[move.posting.source_id].documents.append(restore(move.values["document"]))
