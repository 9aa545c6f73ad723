"""What preparing would make of documents, decided by the same code and written nowhere."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from connector.ledger.documents import LedgerDocument
from connector.ledger.stored import restore
from syncs.batch import Batch
from syncs.desk import Desk
from syncs.models import SourceDocument
from syncs.preparing import DECIDE, POSTED_KINDS
from syncs.states import SourceState


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
            batch = Batch(desk, now, "rehearsal")
            DECIDE[kind](batch, mine)
            _collect(batch, found)
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
