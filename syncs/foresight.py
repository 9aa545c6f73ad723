"""What preparing would make of a document now, decided by the same code and not saved."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from syncs.batch import Batch, as_json
from syncs.desk import Desk
from syncs.models import SourceDocument
from syncs.preparing import DECIDE, decide_all


@dataclass(frozen=True, slots=True)
class Foreseen:
    """`state` is the document's new state, '' if it stays; `problems` why it is held, waits or is skipped.

    `documents`: reference -> what QAD would be told under it, in its stored form.
    """

    state: str
    problems: list[dict[str, str]]
    documents: dict[str, dict[str, Any]]


def dry(desk: Desk, rows: Sequence[SourceDocument], *, now: dt.datetime) -> Batch:
    """What preparing would decide about documents of one kind; whatever a decision might write is rolled back."""
    batch = Batch(desk, now, "preview")
    with transaction.atomic():
        decide_all(batch, rows)
        transaction.set_rollback(True)
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
