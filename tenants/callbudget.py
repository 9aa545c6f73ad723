"""The call limit of a Chargebee site, shared by every process: tokens are fetched from a row, some at a time."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from collections.abc import Callable

from django.db.models import F
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from connector.http.pacing import Bucket, refill
from connector.http.retry import LONGEST_WAIT
from connector.processes import is_gone, this_process
from tenants.models import CallBudget, CallPlace

AT_ONCE = 20  # calls that one UPDATE pays for
KEPT_SECONDS = 60.0  # leave that was fetched and not used lapses: it would come on top of a later minute's
REMEMBERED = 61  # minutes of which the calls are known
PLACE_SECONDS, RENEWED_BEFORE = 120.0, 60.0  # a place outlives the longest call of its holder
ASKED_AGAIN_AFTER = 0.5  # seconds, while every place is taken
CLOCK_SET_BACK = 60.0  # seconds ahead of now: the row was counted by a clock that was wrong, and is counted on from now
Clock = Callable[[], dt.datetime]


class SharedPace:
    """`pace()` for ChargebeeClient: 0.0 means go, else seconds to wait before asking again."""

    def __init__(self, host: str, per_minute: float, *, clock: Clock = timezone.now, burst: float = 0.0) -> None:
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

    def hold(self, seconds: float) -> None:
        """Chargebee said "later": nobody on this site calls before that, in whatever process."""
        with self._lock:
            self._left = 0
            now = self._clock()
            until = now + dt.timedelta(seconds=min(max(seconds, 0.0), LONGEST_WAIT))
            self._row(now.timestamp())
            later = Greatest(Coalesce(F("blocked_until"), until), until)
            CallBudget.objects.filter(host=self._host).update(blocked_until=later)

    def close(self) -> None:
        """Give back what was fetched and not used."""
        with self._lock:
            if self._left and self._clock().timestamp() - self._fetched_at <= KEPT_SECONDS:
                CallBudget.objects.filter(host=self._host).update(tokens=F("tokens") + self._left)
            self._left = 0

    def _fetch(self, now: float) -> tuple[int, float]:
        """Tokens taken from the row, or none and the seconds until one is there."""
        while True:
            row = self._row(now)
            if row.blocked_until is not None and row.blocked_until.timestamp() > now:
                return 0, row.blocked_until.timestamp() - now
            if row.counted_at.timestamp() - now > CLOCK_SET_BACK:
                moment = dt.datetime.fromtimestamp(now, tz=dt.UTC)
                CallBudget.objects.filter(pk=row.pk, counted_at=row.counted_at).update(counted_at=moment)
                continue
            full = refill(Bucket(row.tokens, row.counted_at.timestamp()), now, self._per_minute, self._burst)
            taken = min(AT_ONCE, int(full.tokens))
            if taken < 1:
                return 0, (1.0 - full.tokens) * 60.0 / self._per_minute if self._per_minute > 0 else 60.0
            moment = dt.datetime.fromtimestamp(full.at, tz=dt.UTC)
            unchanged = CallBudget.objects.filter(pk=row.pk, tokens=row.tokens, counted_at=row.counted_at)
            recent = with_calls(row.recent, int(now // 60), taken)
            if unchanged.update(tokens=full.tokens - taken, counted_at=moment, recent=recent):
                return taken, 0.0

    def _row(self, now: float) -> CallBudget:
        moment = dt.datetime.fromtimestamp(now, tz=dt.UTC)
        given = {"tokens": self._burst, "counted_at": moment}
        return CallBudget.objects.get_or_create(host=self._host, defaults=given)[0]


class SharedPlace:
    """One of `most` places of a site, taken before a call and kept while calls go on; 0.0 means go, else wait."""

    def __init__(self, host: str, most: int, *, clock: Clock = timezone.now) -> None:
        self._host, self._most, self._clock = host, most, clock
        self._me = uuid.uuid4()
        self._until = 0.0
        self._lock = threading.Lock()

    def __call__(self) -> float:
        with self._lock:
            now = self._clock()
            if self._until - now.timestamp() > RENEWED_BEFORE:
                return 0.0
            until = now + dt.timedelta(seconds=PLACE_SECONDS)
            if not self._take(now, until):
                return ASKED_AGAIN_AFTER
            self._until = until.timestamp()
            return 0.0

    def close(self) -> None:
        with self._lock:
            self._until = 0.0
            mine = CallPlace.objects.filter(host=self._host, holder=self._me)
            mine.update(holder=None, process="", lease_until=None)

    def _take(self, now: dt.datetime, until: dt.datetime) -> bool:
        """Renew the own place, or take one that is free or whose holder is gone."""
        rows = CallPlace.objects.filter(host=self._host, number__lt=self._most)
        if rows.filter(holder=self._me).update(lease_until=until):
            return True
        taken = {"holder": self._me, "process": this_process(), "lease_until": until}
        for _ in range(2):
            for place in rows.all():
                as_seen = rows.filter(pk=place.pk, holder=place.holder, lease_until=place.lease_until)
                if _is_free(place, now) and as_seen.update(**taken):
                    return True
            if rows.count() >= self._most:
                return False
            CallPlace.objects.bulk_create(
                [CallPlace(host=self._host, number=number) for number in range(self._most)], ignore_conflicts=True
            )
        return False


def _is_free(place: CallPlace, now: dt.datetime) -> bool:
    """Nobody's, or of a process of this machine that is no more; of one elsewhere only the lease tells."""
    if place.holder is None or place.lease_until is None:
        return True
    return place.lease_until < now or is_gone(place.process)


class Leave:
    """A place and a token for each call."""

    def __init__(self, place: SharedPlace, pace: SharedPace) -> None:
        self._place, self._pace = place, pace

    def __call__(self) -> float:
        return self._place() or self._pace()

    def hold(self, seconds: float) -> None:
        self._pace.hold(seconds)

    def close(self) -> None:
        self._pace.close()
        self._place.close()


def with_calls(recent: list[list[int]], minute: int, calls: int) -> list[list[int]]:
    """[[minute, calls], ...] of the last hour with so many more; minutes are those of Unix time."""
    kept = [pair for pair in recent if pair[0] > minute - REMEMBERED]
    if kept and kept[-1][0] == minute:
        return [*kept[:-1], [minute, kept[-1][1] + calls]]
    return [*kept, [minute, calls]]


def used(host: str, now: dt.datetime) -> tuple[int, int]:
    """Calls that were allowed in this minute and in the last hour, of every process and tenant on the site."""
    row = CallBudget.objects.filter(host=host).first()
    minute = int(now.timestamp() // 60)
    recent = row.recent if row is not None else []
    in_hour = sum(calls for at, calls in recent if minute - 60 < at <= minute)
    return sum(calls for at, calls in recent if at == minute), in_hour
