"""How a value of one system looks in the other: length, letters, characters, and codes that differ."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from connector.errors import Problem
from connector.ledger.party_fields import FIELDS, LETTERED, one_line

Characters = Literal["unicode", "latin-1", "ascii"]
# Letters that decomposing leaves whole, as they are usually written without them.
_SPELLED = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D",
     "þ": "th", "Þ": "Th", "ı": "i", "’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "€": "EUR"}
)  # fmt: skip


@dataclass(frozen=True)
class Projection:
    """`longest` are QAD's limits; `codes` translate Chargebee's codes into QAD's, field by field.

    `term_days` has the days of each of QAD's credit terms. Both directions lose what the other side cannot keep, so
    two values are the same if either is what the other becomes.
    """

    longest: Mapping[str, int] = field(default_factory=dict)
    characters: Characters = "unicode"
    in_capitals: bool = False
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    term_days: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def _back(self) -> dict[str, dict[str, str]]:
        """QAD's codes into Chargebee's; of several the first one named."""
        return {
            name: {theirs: ours for ours, theirs in reversed(list(table.items()))} for name, table in self.codes.items()
        }

    def to_qad(self, name: str, value: str) -> str:
        text = self.codes.get(name, {}).get(value) or one_line(value)
        text = written_in(text, self.characters)
        if self.in_capitals and name in LETTERED:
            text = text.upper()
        return _cut(name, text, self.longest.get(name, 0))

    def to_chargebee(self, name: str, value: str) -> str:
        if name == "credit_terms":
            return self.term_days.get(value, "")
        text = self._back.get(name, {}).get(value) or one_line(value)
        return _cut(name, text, FIELDS[name].longest)

    def same(self, name: str, chargebee: str, qad: str) -> bool:
        """Whether the two sides agree, as far as either of them can keep what the other has."""
        key = FIELDS[name].key
        return key(self.to_qad(name, chargebee)) == key(qad) or key(self.to_chargebee(name, qad)) == key(chargebee)

    def problem(self, name: str, side: str, value: str) -> Problem | None:
        """Why `value` cannot go to a side, None if it can."""
        label = FIELDS[name].label
        if name == "credit_terms" and not value:
            message = "QAD's list of credit terms does not say how many days these terms have."
            return Problem("terms-without-days", label, message, "Add lists.credit_terms.fields.days to the profile.")
        limit = self.longest.get(name, 0) if side == "qad" else FIELDS[name].longest
        if limit and len(value) > limit:
            shown = {"qad": "QAD", "chargebee": "Chargebee"}[side]
            message = f"{label} '{value}' is longer than the {limit} characters that {shown} keeps."
            return Problem("value-too-long", label, message, "Shorten it where it comes from.")
        return None


def written_in(text: str, characters: Characters) -> str:
    """`text` in the characters that QAD keeps; what has no likeness there becomes a question mark."""
    if characters == "unicode":
        return text
    return "".join(_letter(c, characters) for c in text)


def _letter(letter: str, characters: Characters) -> str:
    if _fits(letter, characters):
        return letter
    plain = "".join(
        c for c in unicodedata.normalize("NFKD", letter.translate(_SPELLED)) if not unicodedata.combining(c)
    )
    return plain if plain and _fits(plain, characters) else "?"


def _fits(text: str, characters: Characters) -> bool:
    try:
        text.encode(characters)
    except UnicodeEncodeError:
        return False
    return True


def _cut(name: str, text: str, limit: int) -> str:
    return text[:limit].rstrip() if limit and FIELDS[name].is_cut else text
