"""The shipped profiles, as data files that a person can read; a tenant's profile is one of them with overrides."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import Any

from connector.errors import Configuration
from connector.qad.profile import merge

PRESETS = ("adaptive", "offset-rest")


def preset(name: str) -> dict[str, Any]:
    """A fresh copy of the preset's mapping, fit for `merge` and `load`. Raises Configuration for an unknown name."""
    return merge({}, tomllib.loads(source(name)))


@lru_cache
def source(name: str) -> str:
    """The preset's own text, comments included."""
    if name not in PRESETS:
        raise Configuration(f"There is no QAD profile preset '{name}'. Use one of: {', '.join(PRESETS)}.")
    return files("connector.qad").joinpath("presets", f"{name}.toml").read_text(encoding="utf-8")
