"""How one entity is written in a dialect: the words of the ledger on the left, the words of the wire on the right."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Rows:
    """A list inside a document: its wire name and the names inside one element."""

    name: str
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class Shape:
    """`fields` are header fields; a dot in a wire name means nesting where the dialect nests, else nothing.

    `reply` holds what the instance assigns and sends back; `keys` the wire names of a keyed read, in the order of the
    instance URI; `prefix` the BC name in front of every browse column.
    """

    kind: str
    path: str
    fields: dict[str, str]
    reply: dict[str, str] = field(default_factory=dict)
    lines: Rows | None = None
    taxes: Rows | None = None
    applications: Rows | None = None
    collection: str = ""
    view_uri: str = ""
    browse_id: str = ""
    prefix: str = ""
    keys: tuple[str, ...] = ()
    constants: dict[str, str] = field(default_factory=dict)
