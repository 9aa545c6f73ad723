"""How an audit entry becomes a link of its tenant's hash chain; anyone can recompute it from an export.

digest(n) = SHA-256 of digest(n-1) in hexadecimal, followed by the entry as JSON: keys sorted, no blanks, ASCII only,
moments in UTC with microseconds. The first entry follows 64 zeros. Personal values are in the chain by digest alone.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from typing import Any

FIRST = "0" * 64  # what the first entry follows


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain: (0, zeros) while nothing is sealed."""

    position: int = 0
    digest: str = FIRST
    entry_id: int = 0

    def __str__(self) -> str:
        return f"{self.position}:{self.digest}"


def _number(text: str) -> int | float:
    """PostgreSQL gives 1e16 back as 10000000000000000; both are the same number."""
    value = float(text)
    return int(value) if value.is_integer() else value


_read = json.JSONDecoder(parse_float=_number).decode
_write = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=repr).encode


def canonical(text: str | None) -> Any:
    """Stored JSON as a value; what is no JSON (somebody wrote past us) stays a text, marked."""
    if text is None:
        return None
    try:
        return _read(text)
    except ValueError:
        return {"unreadable": text}


def moment(at: Any) -> str:
    """An aware moment as the chain writes it."""
    if not isinstance(at, dt.datetime):
        return f"unreadable: {at}"
    return f"{at.astimezone(dt.UTC).isoformat(timespec='microseconds')[:26]}Z"


def text_of(facts: dict[str, Any]) -> str:
    """The JSON of an entry that is hashed."""
    return _write(facts)


def next_digest(previous: str, text: str) -> str:
    return hashlib.sha256((previous + text).encode("ascii")).hexdigest()


def personal_digest(salt: str, before: Any, after: Any) -> str:
    """What an entry keeps of its personal values. The salt goes with them, so that no guess can be checked later."""
    values = canonical(json.dumps([before, after]))
    return hashlib.sha256((salt + _write(values)).encode("ascii")).hexdigest()
