"""One request and its reply as a value that may be stored and shown: redacted, truncated, plain text."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from connector.http import redact

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Exchange:
    """`status` is None when no answer came; `error` then says why. `elapsed` is in seconds."""

    method: str
    url: str
    request_headers: Pairs
    request_body: str
    status: int | None
    reply_headers: Pairs
    reply_body: str
    started_at: dt.datetime
    elapsed: float
    error: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {**asdict(self), "started_at": self.started_at.isoformat()}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Exchange:
        """What `as_dict` gave, before or after a round through JSON."""
        values = {field.name: stored[field.name] for field in fields(cls) if field.name in stored}
        values["started_at"] = dt.datetime.fromisoformat(values["started_at"])
        for name in ("request_headers", "reply_headers"):
            values[name] = tuple((pair[0], pair[1]) for pair in values[name])
        return cls(**values)


def redacted(
    *,
    method: str,
    url: str,
    request_headers: Iterable[tuple[str, str]],
    request_body: bytes | None,
    status: int | None,
    reply_headers: Iterable[tuple[str, str]],
    reply_body: bytes,
    started_at: dt.datetime,
    elapsed: float,
    error: str,
    secrets: tuple[str, ...],
) -> Exchange:
    """The only way an Exchange is made from the wire."""
    return Exchange(
        method=method,
        url=redact.text(url, secrets),
        request_headers=redact.headers(request_headers, secrets),
        request_body=redact.body(request_body, secrets),
        status=status,
        reply_headers=redact.headers(reply_headers, secrets),
        reply_body=redact.body(reply_body, secrets),
        started_at=started_at,
        elapsed=round(elapsed, 6),
        error=redact.text(error, secrets),
    )
