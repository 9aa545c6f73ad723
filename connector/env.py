"""Reads settings from the environment; wrong text stops the start with a sentence."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path

import dj_database_url


class SettingsError(Exception):
    """A setting that cannot be used. The text names the variable, its value and what would do."""


_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})


class Env:
    """Typed access to one mapping of variables, `os.environ` unless told otherwise."""

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        self._variables = os.environ if variables is None else variables

    def text(self, name: str, default: str = "") -> str:
        return self._variables.get(name, default).strip()

    def flag(self, name: str, *, default: bool) -> bool:
        value = self._variables.get(name)
        if value is None:
            return default
        if value.strip().lower() in _TRUE:
            return True
        if value.strip().lower() in _FALSE:
            return False
        raise SettingsError(f"{name} is '{value}'. Set it to 1 or 0.")

    def number(self, name: str, default: int, *, low: int, high: int) -> int:
        value = self.text(name, str(default))
        if not value.isascii() or not value.isdigit() or not low <= int(value) <= high:
            raise SettingsError(f"{name} is '{value}'. Set it to a whole number from {low} to {high}.")
        return int(value)

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        value = self.text(name, default)
        if value not in allowed:
            raise SettingsError(f"{name} is '{value}'. Set it to one of: {', '.join(allowed)}.")
        return value

    def words(self, name: str, default: str = "") -> list[str]:
        return [word.strip() for word in self.text(name, default).split(",") if word.strip()]

    def networks(self, name: str) -> tuple[str, ...]:
        """Comma-separated CIDR ranges, e.g. `127.0.0.0/8`."""
        for word in self.words(name):
            try:
                ipaddress.ip_network(word)
            except ValueError as error:
                raise SettingsError(f"{name} holds '{word}', which is not a network such as 10.0.0.0/8.") from error
        return tuple(self.words(name))

    def folder(self, name: str, default: Path) -> Path:
        """A folder, made if need be."""
        path = Path(self.text(name) or default)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(f"{name} is '{path}', a folder that cannot be made: {error.strerror}.") from error
        return path

    def database(self, name: str, default: Path) -> dict[str, object]:
        url = self.text(name) or f"sqlite:///{default}"
        try:
            found = dj_database_url.parse(url, conn_max_age=600)
        except (ValueError, dj_database_url.UnknownSchemeError, dj_database_url.ParseError) as error:
            raise SettingsError(
                f"{name} cannot be read. Use postgresql://user:password@host/name or sqlite:////path/to/file."
            ) from error
        if found["ENGINE"] not in ("django.db.backends.sqlite3", "django.db.backends.postgresql"):
            raise SettingsError(f"{name} names {found['ENGINE']}. Only SQLite and PostgreSQL are supported.")
        return dict(found)
