"""Is the queue alive? A sign of life each minute, and what a load balancer or monitor may ask without signing in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from syncs.models import Heartbeat

LATE_AFTER = dt.timedelta(minutes=3)
_BETWEEN_BEATS = dt.timedelta(seconds=30)


def beat(now: dt.datetime) -> None:
    """A worker of the queue was here."""
    Heartbeat.objects.update_or_create(pk=1, defaults={"beat_at": now})


def pulse(clock: Callable[[], dt.datetime]) -> Callable[[object], None]:
    """For the progress of a long run: workers that are all busy with one are not a queue that stands still."""
    last = dt.datetime.min.replace(tzinfo=dt.UTC)

    def tell(step: object) -> None:
        nonlocal last
        now = clock()
        if abs(now - last) > _BETWEEN_BEATS:
            last = now
            beat(now)

    return tell


def silent_since(now: dt.datetime) -> dt.datetime | None:
    """When the queue was last seen, if that is too long ago; a queue that never ran was last seen in the year 1."""
    last = Heartbeat.objects.filter(pk=1).values_list("beat_at", flat=True).first()
    if last is None:
        return dt.datetime.min.replace(tzinfo=dt.UTC)
    return last if abs(now - last) > LATE_AFTER else None


def sentence(now: dt.datetime) -> str:
    """What the overview says of a queue that does not run, '' of one that does."""
    since = silent_since(now)
    if since is None:
        return ""
    seen = f"has not run since {since:%Y-%m-%d %H:%M} UTC" if since.year > 1 else "has never run"
    return (
        f"The task queue {seen}: the calendar, webhooks and postings wait. Start or restart manage.py qcluster "
        "under its supervisor; nothing is lost meanwhile."
    )


@require_safe
def answer(request: HttpRequest) -> HttpResponse:
    """`ok` with 200, or with 503 `late` where the queue does not run, `down` where the database does not answer."""
    try:
        is_late = silent_since(timezone.now()) is not None
    except DatabaseError:
        return _plain("down", 503)
    return _plain("late", 503) if is_late else _plain("ok", 200)


@require_safe
def pages(request: HttpRequest) -> HttpResponse:
    """`ok` while pages can be shown, whether the queue runs or not."""
    try:
        silent_since(timezone.now())
    except DatabaseError:
        return _plain("down", 503)
    return _plain("ok", 200)


def _plain(word: str, status: int) -> HttpResponse:
    return HttpResponse(word + "\n", status=status, content_type="text/plain", headers={"Cache-Control": "no-store"})
