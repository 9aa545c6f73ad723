"""External references: one name for one document, made once, found again byte for byte."""

from __future__ import annotations

import base64
import hashlib

LONGEST = 40  # QAD's description field, the narrowest place a reference may have to live in
KINDS = {
    "invoice": "INV",
    "credit_note": "CN",
    "payment": "PAY",
    "refund": "REF",
    "application": "APP",
    "reversal": "REV",
    "write_off": "WO",
    "withheld_tax": "WHT",
}


def reference(prefix: str, kind: str, source_id: str, place: int = 0) -> str:
    """`{prefix}-{kind}-{id}[-{n}]`, 40 characters at most; `place` is the stored place in the correction chain.

    An id that is too long, or that holds anything but ASCII letters, digits and `_-./`, is replaced by its hash.
    """
    head, tail = _ends(prefix, kind, place)
    if len(head) + len(source_id) + len(tail) <= LONGEST and _is_plain(source_id):
        return f"{head}{source_id}{tail}"
    return hashed_reference(prefix, kind, source_id, place)


def hashed_reference(prefix: str, kind: str, source_id: str, place: int = 0) -> str:
    """The form for an id that may not stand as it is, such as one of two that differ only in case."""
    head, tail = _ends(prefix, kind, place)
    digest = base64.b32encode(hashlib.sha256(source_id.encode()).digest()).decode()[:16]
    return f"{head}~{digest}{tail}"


def _ends(prefix: str, kind: str, place: int) -> tuple[str, str]:
    return f"{prefix}-{KINDS[kind]}-", f"-{place}" if place else ""


def _is_plain(source_id: str) -> bool:
    return source_id.isascii() and all(c.isalnum() or c in "_-./" for c in source_id)
