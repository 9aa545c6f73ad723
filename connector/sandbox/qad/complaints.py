"""A refusal or a warning as the instance words it, before a dialect gives it its shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from connector.sandbox.qad.dialects import MESSAGES


@dataclass(frozen=True, slots=True)
class Complaint:
    """`field` is a word of the ledger (`lines[0].gl_account`); a dialect translates it."""

    key: str
    field: str
    value: str
    text: str

    @property
    def code(self) -> str:
        return MESSAGES[self.key].code


def complain(key: str, field: str = "", value: Any = "", **words: Any) -> Complaint:
    text = MESSAGES[key].text.format(value=value, **words)
    return Complaint(key, field, str(value), text)
