"""Which of QAD's customers belong in Chargebee: a manufacturer has thousands that never subscribe."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

KEYS = ("types", "groups", "flags", "added_after")


@dataclass(frozen=True, slots=True)
class Sharing:
    """A customer is shared by its type, its group or its flag, and only if it was added late enough. No rule: none."""

    types: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()
    added_after: dt.date | None = None

    def __bool__(self) -> bool:
        return bool(self.types or self.groups or self.flags or self.added_after)

    def takes(self, *, customer_type: str, group: str, flag: str, added_on: dt.date | None) -> bool:
        if not self:
            return False
        if self.added_after is not None and (added_on is None or added_on < self.added_after):
            return False
        has_kind = bool(self.types or self.groups or self.flags)
        return not has_kind or customer_type in self.types or group in self.groups or flag in self.flags


def sharing(stored: Mapping[str, str]) -> Sharing:
    """From a policy's table of texts, as { types = "SUB WEB", added_after = "2026-01-01" }. Raises ValueError."""
    unknown = set(stored) - set(KEYS)
    if unknown:
        raise ValueError(f"'{min(unknown)}' is not one of {', '.join(KEYS)}")
    named = {key: frozenset(stored.get(key, "").split()) for key in ("types", "groups", "flags")}
    since = stored.get("added_after", "")
    return Sharing(**named, added_after=dt.date.fromisoformat(since) if since else None)
