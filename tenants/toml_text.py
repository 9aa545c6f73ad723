"""Writes a mapping as TOML that `tomllib` reads back to the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+\Z")


def dumps(mapping: Mapping[str, Any]) -> str:
    """Tables last, each under its own header; None is left out, since TOML has no word for it."""
    return "\n".join(_table((), mapping)).strip() + "\n"


def value(item: Any) -> str:
    """One value in a line."""
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, int | float):
        return repr(item)
    if isinstance(item, str):
        return json.dumps(item, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(item, Mapping):
        pairs = ", ".join(f"{key(name)} = {value(each)}" for name, each in item.items() if each is not None)
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(item, list | tuple):
        return "[" + ", ".join(value(each) for each in item) + "]"
    raise TypeError(f"TOML has no form for {item!r}")


def key(name: str) -> str:
    return name if _BARE.match(name) else value(name)


def _table(path: tuple[str, ...], mapping: Mapping[str, Any]) -> Iterator[str]:
    plain = {name: item for name, item in mapping.items() if item is not None and not isinstance(item, Mapping)}
    tables = {name: item for name, item in mapping.items() if isinstance(item, Mapping)}
    if path and (plain or not tables):
        yield ""
        yield f"[{'.'.join(key(name) for name in path)}]"
    for name, item in plain.items():
        yield f"{key(name)} = {value(item)}"
    for name, item in tables.items():
        yield from _table((*path, name), item)
