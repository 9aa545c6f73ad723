"""JSON fragments for one field at a time, compiled once: exact digits, fixed order, nothing through float."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any

from connector.errors import Problem
from connector.money import Money, plain

Fragment = Callable[[Any, list[Problem]], str]  # (document or row, problems) -> '"name":value', '' for nothing to say
Getter = Callable[[Any], Any]
quoted: Callable[[str], str] = encode_basestring


@lru_cache(maxsize=4096)
def date_text(date: dt.date, pattern: str) -> str:
    return date.strftime(pattern)


def digits(value: Money | Decimal) -> str:
    """Plain digits: money with its currency's places, a rate with its own."""
    return plain(value) if isinstance(value, Money) else f"{value:f}"


def text(name: str, get: Getter, check: Callable[[str, list[Problem]], str] | None) -> Fragment:
    """Left out when empty. `check` sees to length and to what may not be empty, and returns what is sent."""
    start = f"{quoted(name)}:"

    def plain_fragment(row: Any, _: list[Problem]) -> str:
        value = get(row)
        return start + quoted(str(value)) if value not in ("", None) else ""

    def checked_fragment(row: Any, problems: list[Problem]) -> str:
        value = check(str(get(row) or ""), problems) if check else ""
        return start + quoted(value) if value else ""

    return checked_fragment if check else plain_fragment


def date(name: str, get: Getter, pattern: str) -> Fragment:
    start = f"{quoted(name)}:"

    def fragment(row: Any, _: list[Problem]) -> str:
        value = get(row)
        return start + quoted(date_text(value, pattern)) if value is not None else ""

    return fragment


def flag(name: str, get: Getter) -> Fragment:
    yes, no = f"{quoted(name)}:true", f"{quoted(name)}:false"
    return lambda row, _: yes if get(row) else no


def number(name: str, get: Getter, *, as_text: bool) -> Fragment:
    """An exact number, as JSON digits or as text. `None` is left out."""
    start, end = (f'{quoted(name)}:"', '"') if as_text else (f"{quoted(name)}:", "")

    def fragment(row: Any, _: list[Problem]) -> str:
        value = get(row)
        return f"{start}{digits(value)}{end}" if value is not None else ""

    return fragment


def constant(name: str, value: Any) -> Fragment:
    written = f"{quoted(name)}:{json.dumps(thawed(value), ensure_ascii=False, separators=(',', ':'), sort_keys=True)}"
    return lambda _row, _problems: written


def rows(name: str, get: Getter, one: Callable[[Any, list[Problem]], str]) -> Fragment:
    """A list of objects; '' from `one` leaves an element out. The list itself is always sent."""
    start = f"{quoted(name)}:["

    def fragment(row: Any, problems: list[Problem]) -> str:
        return start + ",".join(filter(None, [one(element, problems) for element in get(row)])) + "]"

    return fragment


def nested(fragments: Sequence[tuple[str, Callable[[str], Fragment]]]) -> Callable[[Any, list[Problem]], str]:
    """An object of fields whose names may hold dots: each dot is a level, in the order of first appearance."""
    own: dict[str, Any] = {}
    for path, make in fragments:
        head, _, rest = path.partition(".")
        if rest:
            own.setdefault(head, []).append((rest, make))
        else:
            own[head] = make(head)
    parts = tuple(_branch(head, part) if isinstance(part, list) else part for head, part in own.items())

    def whole_object(row: Any, problems: list[Problem]) -> str:
        return "{" + ",".join(filter(None, [part(row, problems) for part in parts])) + "}"

    return whole_object


def _branch(name: str, below: list[tuple[str, Callable[[str], Fragment]]]) -> Fragment:
    inner = nested(below)
    start = f"{quoted(name)}:"

    def fragment(row: Any, problems: list[Problem]) -> str:
        value = inner(row, problems)
        return start + value if value != "{}" else ""

    return fragment


def thawed(value: Any) -> Any:
    """Lists for tuples, so that a constant can be written as JSON or TOML."""
    if isinstance(value, Mapping):
        return {name: thawed(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [thawed(item) for item in value]
    return value
