"""Which QAD entity a posting is written to and looked up in."""

from __future__ import annotations

from syncs.models import Posting

ENTITIES = {"refund": "payment", "application": "adjustment", "unapplication": "adjustment"}


def entity_of(posting: Posting) -> str:
    """A reversal is found where its original is."""
    kind = posting.reverses.kind if posting.kind == "reversal" and posting.reverses else posting.kind
    return ENTITIES.get(kind, kind)
