"""Mapping to frozen values by their annotations, collecting every problem with the path to its key."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from connector.errors import Problem
from connector.qad.closed import forbidden_word, refusal
from connector.qad.profile_rules import RULES

_WORDS = {str: "text", bool: "true or false", int: "a whole number"}


class Loader:
    """One loading: `problems` fills while `value` walks. A value that failed is `None` and never reaches a caller."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def complain(self, code: str, path: str, message: str, fix: str) -> None:
        self.problems.append(
            Problem(f"profile-{code}", f"Profile key '{path}'", f"Profile key '{path}': {message}", fix)
        )

    def value(self, kind: Any, given: Any, path: str, test: str = "") -> Any:
        """`given` as `kind`: a dataclass, mapping, tuple, literal, optional or plain type."""
        origin = get_origin(kind)
        if dataclasses.is_dataclass(kind):
            return self._record(kind, given, path)
        if origin in (Union, types.UnionType):
            return self._either(kind, given, path, test)
        if origin is Literal:
            return self._choice(get_args(kind), given, path)
        if origin is tuple:
            return self._row(get_args(kind)[0], given, path, test)
        if origin is Mapping or origin is dict:
            return self._mapping(kind, given, path, test)
        return self._plain(kind, given, path, test)

    def _either(self, kind: Any, given: Any, path: str, test: str) -> Any:
        options = [option for option in get_args(kind) if option is not type(None)]
        if all(get_origin(option) is Literal for option in options):
            return self._choice(tuple(word for option in options for word in get_args(option)), given, path)
        return self.value(options[0], given, path, test)

    def _record(self, kind: Any, given: Any, path: str) -> Any:
        if not isinstance(given, Mapping):
            return self._wrong(path, given, "a table")
        hints, fields = _hints(kind)
        self._unknown(given, tuple(fields), path)
        made: dict[str, Any] = {}
        before = len(self.problems)
        for name, field in fields.items():
            below = join(path, name)
            if name in given:
                made[name] = self.value(hints[name], given[name], below, field.metadata.get("is_", ""))
            elif _required(field):
                self.complain("missing", below, "it is missing.", "Add it to the profile.")
        return kind(**made) if len(self.problems) == before else None

    def _unknown(self, given: Mapping[Any, Any], known: tuple[str, ...], path: str) -> None:
        for name in given:
            if name in known:
                continue
            near = get_close_matches(str(name), known, 1)
            hint = f"Did you mean '{near[0]}'?" if near else f"Known here: {', '.join(known)}."
            self.complain(
                "unknown-key", join(path, str(name)), "there is no such key.", f"{hint} Correct or remove it."
            )

    def _choice(self, words: tuple[Any, ...], given: Any, path: str) -> Any:
        if isinstance(given, str) and given in words:
            return given
        listed = ", ".join(f"'{word}'" for word in words if word)
        self.complain("wrong-value", path, f"{_shown(given)} is not one of {listed}.", "Use one of them.")
        return None

    def _row(self, kind: Any, given: Any, path: str, test: str) -> Any:
        if not isinstance(given, list | tuple):
            return self._wrong(path, given, "a list")
        return tuple(self.value(kind, item, f"{path}.{place}", test) for place, item in enumerate(given))

    def _mapping(self, kind: Any, given: Any, path: str, test: str) -> Any:
        if not isinstance(given, Mapping):
            return self._wrong(path, given, "a table")
        key_kind, value_kind = get_args(kind)
        names = get_args(key_kind) if get_origin(key_kind) is Literal else None
        made = {}
        for name, item in given.items():
            below = join(path, str(name))
            if not isinstance(name, str):
                self._wrong(below, name, "text")
            elif names and name not in names:
                self._outside(name, names, below)
            else:
                made[name] = self.value(value_kind, item, below, test)
        return made

    def _outside(self, name: str, names: tuple[str, ...], path: str) -> None:
        word = forbidden_word(name)
        if word:
            self.complain("forbidden", path, refusal(word), "Remove it.")
            return
        self.complain("closed-list", path, f"'{name}' is not on the closed list.", f"Allowed: {', '.join(names)}.")

    def _plain(self, kind: Any, given: Any, path: str, test: str) -> Any:
        if kind is Any:
            return self._constant(given, path)
        if not isinstance(given, kind) or (kind is int and isinstance(given, bool)):
            return self._wrong(path, given, _WORDS[kind])
        fault = RULES[test](given) if test else ""
        if fault:
            code = "forbidden" if "never touches" in fault else "wrong-value"
            self.complain(code, path, f"{_shown(given)}: {fault}", "Correct it in the QAD profile.")
        return given

    def _constant(self, given: Any, path: str) -> Any:
        """A constant of a body: text, whole number, true or false, and lists and tables of them; never a float."""
        if isinstance(given, Mapping):
            return {str(name): self._constant(item, join(path, str(name))) for name, item in given.items()}
        if isinstance(given, list | tuple):
            return tuple(self._constant(item, f"{path}.{place}") for place, item in enumerate(given))
        if isinstance(given, str | bool | int):
            return given
        return self._wrong(path, given, "text, a whole number, true or false, a list or a table")

    def _wrong(self, path: str, given: Any, wanted: str) -> None:
        self.complain("wrong-type", path, f"{_shown(given)} is not {wanted}.", f"Give {wanted}.")


def join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _shown(given: Any) -> str:
    text = repr(given)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


@lru_cache
def _hints(kind: Any) -> tuple[dict[str, Any], dict[str, dataclasses.Field[Any]]]:
    return get_type_hints(kind), {field.name: field for field in dataclasses.fields(kind)}
