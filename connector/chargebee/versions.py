"""Which of two states of one document is the later one."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Version:
    """What tells one state of a document from another. `digest` stands for its whole content."""

    updated_at: dt.datetime | None
    number: int | None  # resource_version
    is_deleted: bool
    digest: str


class Verdict(Enum):
    """What a state that was found is beside the one that is stored."""

    SAME = "same"
    OLDER = "older"
    NEWER = "newer"
    REBORN = "reborn"  # a deleted id stands for a document again; its numbers may start anew
    DISPUTED = "disputed"  # one version, two contents: Chargebee contradicts itself


def judge(found: Version, stored: Version) -> Verdict:
    """Later by updated_at, then by resource_version; a record without updated_at by its resource_version alone."""
    if found.digest == stored.digest:
        return Verdict.SAME
    mine, other = _key(found, stored), _key(stored, found)
    if mine < other:
        return Verdict.OLDER
    if stored.is_deleted and not found.is_deleted:
        return Verdict.REBORN
    return Verdict.DISPUTED if mine == other and found.is_deleted == stored.is_deleted else Verdict.NEWER


def _key(version: Version, other: Version) -> tuple[float, int]:
    both = version.updated_at is not None and other.updated_at is not None
    moment = version.updated_at.timestamp() if both and version.updated_at is not None else 0.0
    return moment, version.number or 0
