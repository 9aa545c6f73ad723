"""A record that QAD gave, patched and sent back whole: what an update of customer data is. Pure."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from connector.errors import Configuration
from connector.qad.payloads import HEADERS, WriteRequest
from connector.qad.profile_shape import Profile, Write
from connector.qad.substitute import filled, filled_pairs, filled_values

Record = dict[str, Any]
UPDATABLE = ("customer", "business_relation")  # nothing else of QAD's is ever changed in place


def update(
    profile: Profile, entity: str, record: Record, changes: Mapping[str, Any], *, keys: Mapping[str, str]
) -> WriteRequest:
    """The request that changes these fields (our names) of a record as it was read; all the rest goes back as it is.

    `keys` are what the record was read by. Raises Configuration where the profile knows no way.
    """
    write = profile.write(entity)
    if entity not in UPDATABLE or write is None or write.update.how == "not_possible":
        raise Configuration(
            f"The QAD profile does not say how '{entity}' is changed. "
            f'Set writes.{entity}.update.how to "whole_record" in the QAD profile.'
        )
    patched = copy.deepcopy(record)
    for name, value in changes.items():
        if name not in write.fields:
            raise Configuration(
                f"The QAD profile has no name for the field '{name}'. Add it to writes.{entity}.fields, "
                f"or let nobody align it."
            )
        put(patched, write.fields[name], value)
    for name, value in filled_values(write.update.constants, profile.context).items():
        put(patched, name, value)
    return WriteRequest(
        entity,
        "POST",
        filled(write.path, profile.context),
        _query(profile, write, keys),
        HEADERS,
        _body(profile, write, patched).encode(),
    )


def put(record: Record, name: str, value: Any) -> None:
    """Set a field by its very name or, where a dot nests, level by level."""
    if name in record or "." not in name:
        record[name] = value
        return
    head, _, rest = name.partition(".")
    below = record.get(head)
    if not isinstance(below, dict):
        below = record[head] = {}
    put(below, rest, value)


def exact(value: Any) -> str:
    """JSON text in which numbers keep every digit."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(str(name))}:{exact(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(exact, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _query(profile: Profile, write: Write, keys: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    context = profile.context
    known = {"domain": context.domain, "entity": context.entity, "shared_set": context.shared_set, **keys}
    pairs = [(theirs, known[ours]) for ours, theirs in write.keys.items() if known.get(ours)]
    pairs += filled_pairs(context.query, context)
    return (*pairs, (write.view_uri_parameter, write.view_uri)) if write.view_uri else tuple(pairs)


def _body(profile: Profile, write: Write, record: Record) -> str:
    if write.style == "array":
        return exact([record])
    return exact({**filled_values(write.envelope, profile.context), write.collection: [record]})
