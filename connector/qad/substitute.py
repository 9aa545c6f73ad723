"""{domain}, {entity} and {shared_set} in the texts of a profile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.qad.profile_shape import Context


def filled(text: str, context: Context) -> str:
    """The three company placeholders replaced; any other stays for the one who knows it."""
    if "{" not in text:
        return text
    return (
        text.replace("{domain}", context.domain)
        .replace("{entity}", context.entity)
        .replace("{shared_set}", context.shared_set)
    )


def filled_pairs(table: Mapping[str, str], context: Context) -> tuple[tuple[str, str], ...]:
    """Query keys in a fixed order."""
    return tuple((name, filled(value, context)) for name, value in sorted(table.items()))


def filled_values(value: Any, context: Context) -> Any:
    """The same in every text of a constant."""
    if isinstance(value, str):
        return filled(value, context)
    if isinstance(value, Mapping):
        return {name: filled_values(item, context) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [filled_values(item, context) for item in value]
    return value
