"""The seam: what the rest of the product needs of a way to put documents into QAD.

`QadClient` writes a document in one call. A flow of several steps for one document (a header, then its grid) is
another class with these three methods; nothing else has to know.
"""

from __future__ import annotations

from typing import Any, Protocol

from connector.errors import Problem
from connector.qad.payloads import Document, WriteRequest
from connector.qad.replies import Receipt


class Transport(Protocol):
    def render(self, document: Document, entity: str = "") -> WriteRequest | list[Problem]: ...

    def send(self, write: WriteRequest, deadline: float) -> Receipt: ...

    def read(self, entity: str, keys: dict[str, str]) -> dict[str, Any] | None: ...
