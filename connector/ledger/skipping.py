"""A rule that keeps a document out of QAD."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

OTHER_ENTITY = "other-entity"


@dataclass(frozen=True, slots=True)
class Skipped:
    """Not posted, by a rule that anyone can read."""

    rule: str
    sentence: str


def other_entity(entities: Collection[str], entity: str) -> Skipped | None:
    """Of several business entities on one site, a tenant may have some; none named: all are its own."""
    if not entities or entity in entities:
        return None
    return Skipped(OTHER_ENTITY, f"It belongs to business entity '{entity}' of another tenant.")
