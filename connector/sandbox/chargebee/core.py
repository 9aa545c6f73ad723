"""The heart of the site: rows, sequences, events. Everything that changes a document goes through `save`."""

from __future__ import annotations

import copy
import random
from collections import Counter
from typing import Any

from connector.sandbox.chargebee.failures import not_found
from connector.sandbox.chargebee.store import Document, Store
from connector.sandbox.chargebee.webhooks import Webhooks
from connector.sandbox.clock import Clock

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
KEY_NAME = "full_access_key_v1"


class Core:
    """State without rules; the modules of this package act on it."""

    def __init__(self, clock: Clock, seed: int, domain: str = "acme-test") -> None:
        self.clock = clock
        self.seed = seed
        self.domain = domain
        self.time_zone = "America/New_York"
        self.store = Store(clock)
        self.webhooks = Webhooks(clock, self.store, seed)
        self._sequences: Counter[str] = Counter()

    def number(self, sequence: str) -> int:
        self._sequences[sequence] += 1
        return self._sequences[sequence]

    def opaque(self, prefix: str) -> str:
        """An id like those the real site makes, the same for the same seed and order of calls."""
        chance = random.Random(f"{self.seed}:{prefix}:{self.number(prefix)}")
        return prefix + "".join(chance.choices(_LETTERS, k=16))

    def now(self) -> int:
        return self.clock.seconds()

    def find(self, kind: str, key: str) -> Document:
        document = self.store.get(kind, key)
        if document is None:
            raise not_found(kind, key)
        return document

    def draft(self, kind: str, key: str) -> Document:
        """A copy that may be changed and saved."""
        return copy.deepcopy(self.find(kind, key))

    def save(self, document: Document, event: str = "", *, source: str = "admin_console", **content: Any) -> Document:
        """Stores the document with a new updated_at and resource_version, and tells `event` with its content."""
        with self.store.lock:
            document["updated_at"] = self.now()
            document["resource_version"] = self.store.stamp()
            self.store.put(document)
            if event:
                self.tell(event, source=source, **{document["object"]: document}, **content)
            return document

    def tell(self, event: str, *, source: str = "admin_console", **content: Any) -> Document:
        """Records an event, a snapshot at this moment, and plans its webhooks."""
        return self.store.put(
            self.webhooks.schedule(
                {
                    "object": "event",
                    "id": self.opaque("ev_"),
                    "occurred_at": self.now(),
                    "source": source,
                    "user": KEY_NAME if source == "api" else "billing@acme.example",
                    "event_type": event,
                    "api_version": "v2",
                    "content": content,
                    "webhook_status": "not_configured",
                }
            )
        )
