"""What comes back, read without trust: JSON with exact numbers, pointers, and values of a known kind or None."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, NoReturn

from connector.money import decimal_text
from connector.qad.canonical import AMOUNTS, DATES, FLAGS

_YES, _NO = frozenset({"true", "yes", "1"}), frozenset({"false", "no", "0"})
_LONGEST_EXCERPT = 200


def parse(content: bytes) -> Any:
    """JSON as values, numbers exact. Raises ValueError for anything else, cut, NaN or too deep."""
    try:
        return json.loads(content, parse_float=Decimal, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("The JSON is nested too deeply.") from None
    except InvalidOperation:
        raise ValueError("The JSON holds a number beyond reason.") from None


def is_html(headers: Mapping[str, str], content: bytes) -> bool:
    """A web page, whatever its header says: gateways and login pages answer so."""
    return "text/html" in header(headers, "Content-Type").lower() or content.lstrip()[:1] == b"<"


def document(headers: Mapping[str, str], content: bytes) -> dict[str, Any] | list[Any] | None:
    """A whole JSON object or list, whatever the header says; None for anything else."""
    if is_html(headers, content):
        return None
    try:
        value = parse(content)
    except ValueError:
        return None
    return value if isinstance(value, dict | list) else None


def header(headers: Mapping[str, str], name: str) -> str:
    """Found in any case of letters, '' if absent."""
    wanted = name.lower()
    return next((str(value) for key, value in headers.items() if key.lower() == wanted), "")


def excerpt(content: bytes) -> str:
    """The beginning of an answer in one line, for a sentence; of a page its title."""
    start = content[:4000].decode("utf-8", "replace")
    title = re.search(r"<title[^>]*>([^<]{1,200})", start, re.IGNORECASE)
    words = " ".join((title.group(1) if title else start).split())
    return words[:_LONGEST_EXCERPT] or "an empty answer"


def at(value: Any, pointer: str) -> Any:
    """What a JSON pointer leads to, None where it leads nowhere. '' is the whole."""
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(value, Mapping):
            value = value.get(key)
        elif isinstance(value, list) and key.isdecimal() and len(key) < 7 and int(key) < len(value):
            value = value[int(key)]
        else:
            return None
    return value


def flat(record: Any, name: str) -> Any:
    return record.get(name) if isinstance(record, Mapping) else None


def nested(record: Any, name: str) -> Any:
    """A dot in `name` is a level."""
    for step in name.split("."):
        if not isinstance(record, Mapping):
            return None
        record = record.get(step)
    return record


def pluck(record: Any, name: str) -> Any:
    """By pointer, by the very name, or by levels."""
    if not name:
        return None
    if name.startswith("/"):
        return at(record, name)
    found = flat(record, name)
    return nested(record, name) if found is None and "." in name else found


def as_text(value: Any) -> str:
    """Text of a text or number, '' for everything else."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else ""


def as_amount(value: Any) -> Decimal | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    return decimal_text(value.strip()) if isinstance(value, str) and len(value) < 60 else None


def as_flag(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    word = as_text(value).strip().lower()
    return True if word in _YES else (False if word in _NO else None)


def as_date(value: Any, pattern: str) -> dt.date | None:
    """By the profile's format, else by an ISO beginning."""
    return _date(value, pattern) if isinstance(value, str) and len(value) < 60 else None


def kind(name: str, pattern: str) -> Callable[[Any], Any]:
    """How the value of one of our fields is read; `pattern` is the profile's date format."""
    if name in DATES:
        return lambda value: as_date(value, pattern)
    if name in AMOUNTS:
        return as_amount
    return as_flag if name in FLAGS else as_text


@lru_cache(maxsize=4096)
def _date(text: str, pattern: str) -> dt.date | None:
    try:
        return dt.datetime.strptime(text, pattern).date()  # noqa: DTZ007 - a business date has no zone
    except ValueError:
        pass
    try:
        return dt.date.fromisoformat(text[:10])
    except ValueError:
        return None


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"The JSON holds {name}, which is no number.")
