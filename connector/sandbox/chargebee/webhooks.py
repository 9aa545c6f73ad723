"""The site's webhooks: every event to every endpoint, tried again on the real schedule, by the sandbox's own clock.

Nothing is sent before somebody calls `deliver`, so a test decides when, in which order and how often. Source of the
schedule: Chargebee's support article 257941; success is any 2XX.
"""

from __future__ import annotations

import base64
import http.client
import json
import random
import threading
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from connector.sandbox.chargebee.store import Document, Store
from connector.sandbox.clock import Clock

MINUTE, HOUR, DAY = 60, 3600, 86400
PAUSES = (2 * MINUTE, 6 * MINUTE, 30 * MINUTE, HOUR, 5 * HOUR, DAY, 2 * DAY)  # each after the try before it
MOST_ENDPOINTS = 5
LONGEST_WAIT = 20.0  # seconds that a test site waits for an answer


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where events go. Without a user there is no Authorization header: the secret stands in the address then."""

    id: str
    url: str
    user: str = ""
    password: str = ""
    api_version: str = "v2"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one endpoint; `tries` were made before."""

    due_at: float
    event_id: str
    endpoint_id: str
    tries: int = 0


class Webhooks:
    """`log` holds [event id, status] of every request in order; a status of 0 means that nobody answered."""

    def __init__(self, clock: Clock, store: Store, seed: int) -> None:
        self._clock, self._store, self._seed = clock, store, seed
        self._lock = threading.Lock()
        self.endpoints: dict[str, Endpoint] = {}
        self.waiting: list[Delivery] = []
        self.log: list[list[Any]] = []

    def add(self, url: str, *, user: str = "", password: str = "", api_version: str = "v2") -> Endpoint:
        if len(self.endpoints) >= MOST_ENDPOINTS:
            raise ValueError(f"A site has at most {MOST_ENDPOINTS} webhooks")
        endpoint = Endpoint(f"whv2_{len(self.endpoints) + 1}", url, user, password, api_version)
        self.endpoints[endpoint.id] = endpoint
        return endpoint

    def clear(self) -> None:
        self.endpoints.clear()
        self.waiting.clear()

    def schedule(self, event: Document) -> Document:
        """The event as it is stored: with its webhooks planned, if there are any."""
        if not self.endpoints:
            return event
        with self._lock:
            self.waiting += [Delivery(self._clock.time(), event["id"], one) for one in self.endpoints]
        return {**event, "webhook_status": "scheduled"}

    def resend(self, event_id: str) -> int:
        """What a person does in the console: the event once more, whatever became of it."""
        with self._lock:
            self.waiting += [Delivery(self._clock.time(), event_id, one, len(PAUSES)) for one in self.endpoints]
        return len(self.endpoints)

    def deliver(self, *, copies: int = 1, shuffled: bool = False, at_once: int = 1) -> dict[str, int]:
        """Send what is due by now, each so many times, in disorder if asked for; counts of the answers by status."""
        due = self._take_due()
        if shuffled:
            random.Random(f"{self._seed}:{len(self.log)}").shuffle(due)
        answers: Counter[str] = Counter()
        with ThreadPoolExecutor(max_workers=max(1, at_once)) as pool:
            for statuses in pool.map(lambda one: self._send(one, copies), due):
                answers.update(str(status) for status in statuses)
        return dict(answers)

    def _take_due(self) -> list[Delivery]:
        now = self._clock.time()
        with self._lock:
            due = [one for one in self.waiting if one.due_at <= now]
            self.waiting = [one for one in self.waiting if one.due_at > now]
        return due

    def _send(self, delivery: Delivery, copies: int) -> list[int]:
        """All copies at the same moment; one that was taken is enough."""
        event, endpoint = self._store.get("event", delivery.event_id), self.endpoints.get(delivery.endpoint_id)
        if event is None or endpoint is None:
            return []
        body = _body(event, endpoint, delivery.tries)
        with ThreadPoolExecutor(max_workers=copies) as pool:
            statuses = list(pool.map(lambda _: post(endpoint, body), range(copies)))
        self._note(delivery, event, statuses)
        return statuses

    def _note(self, delivery: Delivery, event: Document, statuses: Iterable[int]) -> None:
        with self._lock:
            self.log += [[delivery.event_id, status] for status in statuses]
            if any(200 <= status < 300 for status in statuses):
                status = "succeeded"
            elif delivery.tries < len(PAUSES):
                status = "re_scheduled"
                due_at = self._clock.time() + PAUSES[delivery.tries]
                self.waiting.append(replace(delivery, due_at=due_at, tries=delivery.tries + 1))
            else:
                status = "failed"
            told = [{"id": delivery.endpoint_id, "webhook_status": status, "object": "webhook"}]
            self._store.put({**event, "webhook_status": status, "webhooks": told})


def _body(event: Document, endpoint: Endpoint, tries: int) -> bytes:
    """The bare event; how its webhooks fare is absent the first time."""
    left_out = () if tries else ("webhooks",)
    shown = {name: value for name, value in event.items() if name not in left_out}
    return json.dumps({**shown, "api_version": endpoint.api_version}).encode()


def post(endpoint: Endpoint, body: bytes) -> int:
    """The status of one request, 0 where no answer came."""
    parts = urlsplit(endpoint.url)
    line = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=LONGEST_WAIT)
    headers = {"Content-Type": "application/json", "User-Agent": "ChargeBee", "Connection": "close"}
    if endpoint.user:
        pair = f"{endpoint.user}:{endpoint.password}".encode()
        headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()
    try:
        line.request("POST", parts.path + (f"?{parts.query}" if parts.query else ""), body, headers)
        return line.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        line.close()
