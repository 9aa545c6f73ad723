"""Rules that single values of a profile must keep: each returns '' or a sentence."""

from __future__ import annotations

import datetime as dt
import re
import string
from collections.abc import Callable
from typing import Any

from connector.qad.closed import forbidden_word, refusal

HIGHEST_PAGE_SIZE = 100

PLACEHOLDERS = frozenset(
    {"domain", "entity", "shared_set", "collection", "field", "operator", "value", "code", "reference", "number"}
)


def _route(text: str) -> str:
    word = forbidden_word(text)
    if word:
        return refusal(word)
    return _template(text)


def _path(text: str) -> str:
    if text and not text.startswith("/"):
        return "a path begins with '/' and is relative to the base URL."
    if ".." in text or "?" in text or "#" in text or "://" in text or text.startswith("//"):
        return "a path holds no '..', '?', '#' or host name; query keys have their own table."
    return _route(text)


def _pointer(text: str) -> str:
    return "" if not text or text.startswith("/") else "a JSON pointer is empty or begins with '/'."


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        return f"it is not a regular expression ({error})."
    return "" if text else "an empty pattern would match every message."


def _template(text: str) -> str:
    try:
        names = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    except ValueError as error:
        return f"its braces do not match ({error})."
    strange = names - PLACEHOLDERS
    if strange:
        return f"unknown placeholder {{{sorted(strange)[0]}}}; known: {', '.join(sorted(PLACEHOLDERS))}."
    return ""


def _page_size(number: int) -> str:
    if 1 <= number <= HIGHEST_PAGE_SIZE:
        return ""
    return f"a page holds 1 to {HIGHEST_PAGE_SIZE} rows, whatever the server would give."


def _positive(number: int) -> str:
    return "" if number > 0 else "it must be at least 1."


def _date_format(text: str) -> str:
    day = dt.date(2031, 12, 25)
    shown = day.strftime(text)
    if "2031" in shown and "12" in shown and "25" in shown:
        return ""
    return "a date format names %Y, %m and %d."


RULES: dict[str, Callable[[Any], str]] = {
    "route": _route,
    "path": _path,
    "pointer": _pointer,
    "pattern": _pattern,
    "template": _template,
    "page_size": _page_size,
    "positive": _positive,
    "date_format": _date_format,
}
