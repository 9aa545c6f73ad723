"""The call limit of a Chargebee site, shared by every process: tokens are fetched from a row, some at a time."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable

from django.utils import timezone

from connector.http.pacing import Bucket, refill
from tenants.models import CallBudget

AT_ONCE = 20  # calls that one UPDATE pays for
KEPT_SECONDS = 60.0  # leave that was fetched and not used lapses: it would come on top of a later minute's


class SharedPace:
    """`pace()` for ChargebeeClient: 0.0 means go, else seconds to wait before asking again."""

    def __init__(
        self, host: str, per_minute: float, *, clock: Callable[[], dt.datetime] = timezone.now, burst: float = 0.0
    ) -> None:
        self._host, self._per_minute, self._clock = host, per_minute, clock
        self._burst = burst or max(1.0, min(AT_ONCE, per_minute / 4))
        self._left = 0
        self._fetched_at = 0.0
        self._lock = threading.Lock()

    def __call__(self) -> float:
        with self._lock:
            now = self._clock().timestamp()
            if self._left and now - self._fetched_at <= KEPT_SECONDS:
                self._left -= 1
                return 0.0
            taken, wait = self._fetch(now)
            self._left, self._fetched_at = max(0, taken - 1), now
            return wait

    def _fetch(self, now: float) -> tuple[int, float]:
        """Tokens taken from the row, or none and the seconds until one is there."""
        while True:
            row = self._row(now)
            full = refill(Bucket(row.tokens, row.counted_at.timestamp()), now, self._per_minute, self._burst)
            taken = min(AT_ONCE, int(full.tokens))
            if taken < 1:
                return 0, (1.0 - full.tokens) * 60.0 / self._per_minute if self._per_minute > 0 else 60.0
            moment = dt.datetime.fromtimestamp(full.at, tz=dt.UTC)
            unchanged = CallBudget.objects.filter(pk=row.pk, tokens=row.tokens, counted_at=row.counted_at)
            if unchanged.update(tokens=full.tokens - taken, counted_at=moment):
                return taken, 0.0

    def _row(self, now: float) -> CallBudget:
        moment = dt.datetime.fromtimestamp(now, tz=dt.UTC)
        given = {"tokens": self._burst, "counted_at": moment}
        return CallBudget.objects.get_or_create(host=self._host, defaults=given)[0]
