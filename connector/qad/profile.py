"""A profile is data: loaded from a mapping, refused with every mistake at once, merged over a preset."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, cast

from connector.errors import Configuration, Problem
from connector.qad.profile_checks import check
from connector.qad.profile_load import Loader
from connector.qad.profile_shape import Profile

__all__ = ["Profile", "ProfileError", "dump", "load", "merge", "reached"]


class ProfileError(Configuration):
    """The profile cannot be used. `problems` holds every mistake, each with the path to its key."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        lines = "\n".join(f"- {problem}" for problem in problems)
        super().__init__(f"The QAD profile has {len(problems)} mistake(s):\n{lines}")
        self.problems = problems


def load(mapping: Mapping[str, Any]) -> Profile:
    """The profile that `mapping` (parsed TOML or JSON) describes. Raises ProfileError."""
    loader = Loader()
    profile = loader.value(Profile, mapping, "")
    if not loader.problems:
        check(profile, loader)
    if loader.problems:
        raise ProfileError(tuple(loader.problems))
    return cast(Profile, profile)


def merge(base: Mapping[str, Any], override: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `override` laid over it, table by table; lists and values are replaced whole, `"-"` removes a key."""
    merged: dict[str, Any] = {name: _copied(item) for name, item in base.items()}
    for name, item in override.items():
        below = merged.get(name)
        if isinstance(item, str) and item == "-":
            merged.pop(name, None)
        elif isinstance(item, Mapping) and isinstance(below, Mapping):
            merged[name] = merge(below, item)
        else:
            merged[name] = _copied(item)
    return merged


def dump(profile: Profile) -> dict[str, Any]:
    """The mapping that loads to an equal profile, without what is at its default; fit to be written as TOML."""
    return cast(dict[str, Any], _dumped(profile))


def reached(profile: Profile) -> tuple[str, ...]:
    """The entities and lists that this profile configures, writes first."""
    return (*profile.writes, *profile.lists)


def _dumped(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        shown = {}
        for field in dataclasses.fields(value):
            item = getattr(value, field.name)
            if item is not None and item != _default(field):
                shown[field.name] = _dumped(item)
        return shown
    if isinstance(value, Mapping):
        return {name: _dumped(item) for name, item in value.items()}
    if isinstance(value, tuple):
        return [_dumped(item) for item in value]
    return value


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _copied(item: Any) -> Any:
    if isinstance(item, Mapping):
        return {name: _copied(below) for name, below in item.items()}
    if isinstance(item, list | tuple):
        return [_copied(below) for below in item]
    return item
