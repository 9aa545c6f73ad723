"""Our newest references, read back from QAD: what this database does not know says that it is a copy or a backup.

It is asked before the first document of a process is sent and then once an hour: a page or a few of each list.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Max

from connector.errors import Configuration, Transient
from connector.ledger.compare import Copy
from connector.periods import business_date
from connector.qad.client import QadClient
from syncs import restoring
from syncs.models import Attempt, Posting, ReadBack
from syncs.models.attempt import Outcome
from syncs.reading_back import lists, pages
from syncs.sending import assert_no_transaction
from syncs.states import UNSENT, PostingState
from tenants.models import AuditEntry, Tenant

ONCE_MORE = 3600.0  # seconds: so often a process that runs on looks again
MARGIN = dt.timedelta(days=1)  # before the day of our last send
UNKNOWN_AGE = dt.timedelta(days=35)  # how far back where this database has sent nothing
MOST_PAGES = 20
PARTIES = ("customer", "business_relation")  # what is written without a reference of ours
_MAY_HAVE_ARRIVED = (Outcome.OPEN, Outcome.POSTED, Outcome.UNCERTAIN, Outcome.ADOPTED, Outcome.ABSENT, Outcome.CONFLICT)
Clock = Callable[[], dt.datetime]


@dataclass(slots=True)
class Listing:
    """What QAD's lists showed under our prefix. `missing` are lists that showed nothing of what they showed before."""

    seen: int = 0
    strangers: list[dict[str, str]] = field(default_factory=list)
    unsent: list[str] = field(default_factory=list)  # known here, not sent from here, and QAD has them
    unreadable: list[str] = field(default_factory=list)  # sentences of lists that cannot be asked
    missing: list[str] = field(default_factory=list)
    is_whole: bool = True


@dataclass(slots=True)
class _Memory:
    """What this process knows of a tenant: when it looked, and how far the audit trail had come."""

    looked_at: float
    newest_entry: int


_memories: dict[tuple[Any, ...], _Memory] = {}
_lock = threading.Lock()


def forget() -> None:
    """As a new process knows nothing yet."""
    with _lock:
        _memories.clear()


def may_send(tenant: Tenant, client: QadClient, *, clock: Clock, actor: str) -> bool:
    """Whether what QAD shows of ours is known here; False switches restore mode on, which says why.

    Raises Transient or Authentication while QAD cannot be asked: then nothing may be sent either.
    """
    assert_no_transaction()
    if restoring.mode_of(tenant) is not None:
        return False
    key, newest = (tenant.pk, tenant.created_at), _newest_entry(tenant)
    with _lock:
        memory = _memories.get(key)
    if memory is not None and newest < memory.newest_entry:
        why = "This database stands where it stood some time ago: a backup was restored under a running process."
        restoring.enter(tenant, why, [], read_from=first_day(tenant, clock()), now=clock(), actor=actor)
        return False
    if memory is None or time.monotonic() - memory.looked_at > ONCE_MORE:
        if not _look_back(tenant, client, now=clock(), actor=actor):
            return False
        memory = _Memory(time.monotonic(), newest)
    memory.newest_entry = newest
    with _lock:
        _memories[key] = memory
    return True


def _newest_entry(tenant: Tenant) -> int:
    newest: int | None = AuditEntry.objects.filter(tenant=tenant).aggregate(newest=Max("pk"))["newest"]
    return newest or 0


def first_day(tenant: Tenant, now: dt.datetime) -> dt.date:
    """The posting date from which QAD may have what this database does not know."""
    last = Attempt.objects.filter(tenant=tenant).order_by("-pk").values_list("claimed_at", flat=True).first()
    return business_date(now - UNKNOWN_AGE if last is None else min(last, now) - MARGIN, tenant.time_zone)


def _look_back(tenant: Tenant, client: QadClient, *, now: dt.datetime, actor: str) -> bool:
    first = first_day(tenant, now)
    listing = read(tenant, client, first, business_date(now, tenant.time_zone) + MARGIN, most_pages=MOST_PAGES)
    why = restoring.why_of(listing.strangers, listing.unsent)
    if why:
        restoring.enter(tenant, why, listing.strangers, read_from=first, now=now, actor=actor)
        return False
    if listing.missing:
        raise Transient(
            f"QAD's list of {listing.missing[0]} shows nothing of ours, although it did before. Nothing is sent until "
            "it does: without it nobody can tell whether another installation posts for this tenant."
        )
    sentence = " ".join(listing.unreadable) or f"{listing.seen} references were read back from QAD; all are known."
    values = {"checked_at": now, "sentence": sentence, "is_proved": not listing.unreadable}
    ReadBack.objects.update_or_create(tenant=tenant, defaults=values)
    return True


def read(tenant: Tenant, client: QadClient, first: dt.date, last: dt.date, *, most_pages: int | None = None) -> Listing:
    """Every list that shows our documents, over a time of posting dates. Raises Transient and Authentication."""
    listing, prefix = Listing(), tenant.qad.reference_prefix
    for name in lists(client.profile):
        before = listing.seen
        try:
            for number, page in enumerate(pages(client, name, prefix, first, last), start=1):
                compare(tenant, name, page, listing)
                if number == most_pages:
                    listing.is_whole = False
                    break
        except Configuration as error:
            listing.unreadable.append(error.message)
            continue
        if listing.seen == before and _was_shown(tenant, client, name, first, last):
            listing.missing.append(name.replace("_", " "))
    for entity, write in client.profile.writes.items():
        if write.lookup.how == "none" and not entity.startswith(PARTIES):
            fix = f"Fill in writes.{entity}.lookup of the QAD profile."
            listing.unreadable.append(f"QAD cannot be asked which '{entity}' documents of ours it has. {fix}")
    return listing


def compare(tenant: Tenant, name: str, page: Iterable[Copy], listing: Listing) -> None:
    """One page: who is unknown here, and who is known but was never sent from here."""
    shown = {copy.reference: copy for copy in page}
    known = dict(Posting.objects.filter(tenant=tenant, reference__in=shown).values_list("reference", "state"))
    answered = restoring.answered_for(tenant)
    listing.seen += len(shown)
    for reference, copy in shown.items():
        if reference not in known and not restoring.is_certification(tenant, reference) and reference not in answered:
            listing.strangers.append({"reference": reference, "number": copy.number, "list": name})
    waiting = [reference for reference, state in known.items() if state in UNSENT]
    if waiting:
        rows = Posting.objects.filter(tenant=tenant, reference__in=waiting)
        rows.filter(must_look_up=False).update(must_look_up=True)
        unsent = rows.exclude(tries__outcome__in=_MAY_HAVE_ARRIVED).exclude(reference__in=answered)
        listing.unsent += unsent.values_list("reference", flat=True)


def _was_shown(tenant: Tenant, client: QadClient, name: str, first: dt.date, last: dt.date) -> bool:
    """Whether QAD has shown documents of that list and time before: they were verified by reading them back."""
    kinds = [entity for entity, write in client.profile.writes.items() if write.lookup.list == name]
    rows = Posting.objects.filter(tenant=tenant, kind__in=kinds, state=PostingState.VERIFIED)
    return rows.filter(qad_posting_date__gte=first, qad_posting_date__lte=last).exists()
