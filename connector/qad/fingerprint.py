"""One text for the content of a profile, whichever company it is used in: what was certified is known by it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from connector.qad.profile_shape import Profile


@lru_cache(maxsize=64)
def fingerprint(profile: Profile) -> str:
    """SHA-256 of everything that decides what is sent and how answers are read, without the company's own codes."""
    context = dataclasses.replace(profile.context, domain="", entity="", shared_set="")
    bare = dataclasses.replace(profile, context=context, name="", notes="")
    return hashlib.sha256(json.dumps(_plain(bare), sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | bool) or value is None else str(value)
