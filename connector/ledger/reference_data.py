"""What QAD's lists say, as one value that the checks ask. What was never read is not checked against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from connector.ledger.calendar import Calendar


@dataclass(frozen=True, slots=True)
class ReferenceData:
    """`codes` is list -> code -> is it active, for the codes that mappings use; a list that is absent is unknown.

    `left_out` are the lists that the instance's profile does not have: nothing is checked against them.
    `daybooks` is daybook type (see `dating.folded`) -> its active codes; `base_currency` is QAD's own, '' if not told.
    """

    codes: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)
    calendar: Calendar | None = None
    daybooks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    base_currency: str = ""
    left_out: frozenset[str] = frozenset()

    def state(self, list_name: str, code: str) -> str:
        """'active', 'inactive', 'unknown' to QAD, or 'unchecked' while the list was never read."""
        listed = self.codes.get(list_name)
        if listed is None:
            return "unchecked"
        is_active = listed.get(code)
        return "unknown" if is_active is None else ("active" if is_active else "inactive")
