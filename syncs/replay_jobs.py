"""Replays of thousands: a row remembers what was confirmed and how far it is, so a crash costs one batch at most."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable, Sequence

from django.db import transaction

from syncs.desk import Desk, open_desk
from syncs.fates import Way
from syncs.models import ReplayJob
from syncs.models.replay_job import pack_keys
from syncs.preparing import BATCH
from syncs.replay import replay_batch
from tenants import audit
from tenants.models import Tenant


def ask(tenant: Tenant, way: Way, keys: Sequence[int], *, now: dt.datetime, actor: str) -> ReplayJob:
    """Write down which documents are to be replayed; the task queue does it."""
    with transaction.atomic():
        job = ReplayJob.objects.create(
            tenant=tenant, way=way.value, actor=actor, keys=pack_keys(keys), total=len(keys), asked_at=now
        )
        after = {"way": way.value, "documents": len(keys)}
        audit.record(tenant.pk, [audit.Line("replay-asked", f"replay:{job.pk}", after=after)], actor=actor, now=now)
    return job


def has_work(tenant: Tenant) -> bool:
    return ReplayJob.objects.filter(tenant=tenant, finished_at=None).exists()


def work(tenant: Tenant, *, clock: Callable[[], dt.datetime], until: float) -> int:
    """Go on with what was asked for, oldest first, until `until` (monotonic); returns how many documents."""
    done = 0
    while time.monotonic() < until:
        job = ReplayJob.objects.filter(tenant=tenant, finished_at=None).order_by("pk").first()
        if job is None:
            break
        done += _one(tenant, job, clock, until)
    return done


def _one(tenant: Tenant, job: ReplayJob, clock: Callable[[], dt.datetime], until: float) -> int:
    keys, done = job.documents, 0
    desk = open_desk(tenant.pk) if job.way == Way.REBUILD else None
    while time.monotonic() < until:
        count = _batch(tenant, job.pk, keys, desk, clock())
        done += count
        if not count:
            break
    return done


def _batch(tenant: Tenant, pk: int, keys: Sequence[int], desk: Desk | None, now: dt.datetime) -> int:
    """The batch and the note of it are one transaction; another worker waits for the row and goes on behind it."""
    with transaction.atomic():
        job = ReplayJob.objects.select_for_update().defer("keys").get(pk=pk)
        some = keys[job.done : job.done + BATCH]
        counts = Counter(job.counts)
        if some:
            counts += replay_batch(tenant, Way(job.way), some, desk, now=now, actor=job.actor)
        job.done, job.counts = job.done + len(some), dict(counts)
        if job.done >= job.total and job.finished_at is None:
            job.finished_at = now
            line = audit.Line("replay-done", f"replay:{job.pk}", after={"counts": job.counts})
            audit.record(tenant.pk, [line], actor=job.actor, now=now)
        job.save(update_fields=["done", "counts", "finished_at"])
    return len(some)
