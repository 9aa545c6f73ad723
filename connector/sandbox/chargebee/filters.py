"""Reads the filters of a list request: `updated_at[after]=1700000000`, `id[in]=["a","b"]`."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from typing import Any

from connector.sandbox.chargebee.failures import wrong_value
from connector.sandbox.chargebee.resources import BOOLEAN, NUMBER, OPERATORS, TIME, Resource

Test = Callable[[dict[str, Any]], bool]
_BRACKETED = re.compile(r"([a-z_]+)\[([a-z_]+)\]")
_DAY = 86_400


def tests(resource: Resource, query: tuple[tuple[str, str], ...]) -> list[Test]:
    """One test for each filter; names that the resource does not have are ignored, as Chargebee does."""
    found = []
    for name, text in query:
        match = _BRACKETED.fullmatch(name)
        if match and match[1] in resource.filters:
            found.append(_test(match[1], match[2], resource.filters[match[1]], text))
    return found


def _test(field: str, operator: str, kind: str, text: str) -> Test:
    param = f"{field}[{operator}]"
    if operator not in OPERATORS[kind]:
        raise wrong_value(param, "operator is not supported")
    if operator == "is_present":
        wanted = _boolean(param, text)
        return lambda row: (row.get(field) is not None) == wanted
    compare = _comparison(param, operator, kind, text)
    # A row without the field fails every comparison: this is how rows without updated_at get lost.
    return lambda row: row.get(field) is not None and compare(row[field])


def _comparison(param: str, operator: str, kind: str, text: str) -> Callable[[Any], bool]:
    if operator in ("in", "not_in"):
        values = {_value(param, kind, part) for part in _array(param, text)}
        return (lambda value: value in values) if operator == "in" else (lambda value: value not in values)
    if operator == "between":
        bounds = [_value(param, kind, part) for part in _array(param, text)]
        if len(bounds) != 2:
            raise wrong_value(param, "needs two values")
        return lambda value: bool(bounds[0] <= value <= bounds[1])
    wanted = _value(param, kind, text)
    if operator == "on":
        return lambda value: bool(value // _DAY == wanted // _DAY)
    return _SIMPLE[operator](wanted)


_SIMPLE: dict[str, Callable[[Any], Callable[[Any], bool]]] = {
    "is": lambda wanted: lambda value: bool(value == wanted),
    "is_not": lambda wanted: lambda value: bool(value != wanted),
    "starts_with": lambda wanted: lambda value: str(value).startswith(wanted),
    "before": lambda wanted: lambda value: bool(value < wanted),
    "after": lambda wanted: lambda value: bool(value > wanted),
    "lt": lambda wanted: lambda value: bool(value < wanted),
    "gt": lambda wanted: lambda value: bool(value > wanted),
    "lte": lambda wanted: lambda value: bool(value <= wanted),
    "gte": lambda wanted: lambda value: bool(value >= wanted),
}


def _array(param: str, text: str) -> list[str]:
    """`["a","b"]`, `[1,2]`, the unquoted `[a,b]` of older clients and the `['a', 'b']` of the Python SDK."""
    if not (text.startswith("[") and text.endswith("]")):
        raise wrong_value(param, "needs a list like [1,2]")
    try:
        return [str(part) for part in json.loads(text)]
    except ValueError:
        return [part.strip(" '\"") for part in text[1:-1].split(",") if part.strip()]


def _value(param: str, kind: str, text: str) -> Any:
    if kind == BOOLEAN:
        return _boolean(param, text)
    if kind not in (NUMBER, TIME):
        return text
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    try:
        return int(dt.datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=dt.UTC).timestamp())
    except ValueError:
        raise wrong_value(param, "value is not a valid number or time") from None


def _boolean(param: str, text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise wrong_value(param, "value must be true or false")
    return text.lower() == "true"
