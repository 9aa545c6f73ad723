"""The plan's limit of requests a minute."""

from __future__ import annotations

import threading

from connector.sandbox.chargebee.failures import Refused
from connector.sandbox.clock import Clock

_MINUTE = 60


class RateLimit:
    """Counts requests in whole minutes of the site's clock; `per_minute` None means no limit."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._window = 0
        self._used = 0
        self.per_minute: int | None = None
        self.refused = 0

    def check(self) -> None:
        if self.per_minute is None:
            return
        with self._lock:
            window, passed = divmod(self._clock.seconds(), _MINUTE)
            if window != self._window:
                self._window, self._used = window, 0
            self._used += 1
            if self._used <= self.per_minute:
                return
            self.refused += 1
        text = "Sorry, too many requests. Please try again after some time"
        raise Refused("api_request_limit_exceeded", text, retry_after=_MINUTE - passed)
