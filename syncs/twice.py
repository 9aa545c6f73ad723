"""Once a day: everything that QAD shows under our prefix, whether it is there twice or unknown here.

What is there twice becomes *duplicate*; what this database does not know switches restore mode on. A crash loses the
current week of posting dates, which is read again.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable, Iterable

from django.db.models import Q

from connector.ledger.compare import Copy
from connector.periods import business_date
from connector.qad.client import QadClient
from syncs import newest, restoring, verifying
from syncs.entities import entity_of
from syncs.models import Posting, ReadBack
from syncs.newest import Listing
from syncs.reading_back import Shown, lists, look_up, pages
from syncs.sending import assert_no_transaction
from syncs.settling import Pace
from syncs.states import PostingState
from tenants.models import QadConnection, Tenant

EVERY = dt.timedelta(days=1)
STEP = dt.timedelta(days=7)
AHEAD = dt.timedelta(days=1)
Clock = Callable[[], dt.datetime]


def is_due(tenant: Tenant, now: dt.datetime) -> bool:
    """Whether a day has passed since QAD was last read whole."""
    if not QadConnection.objects.filter(tenant=tenant).exists():
        return False
    fresh = Q(swept_at__gt=now - EVERY, sweep_from=None) | Q(restoring_since__isnull=False)
    return not ReadBack.objects.filter(fresh, tenant=tenant).exists()


def sweep(
    tenant: Tenant, client: QadClient, pace: Pace, *, clock: Clock, until: float, actor: str = "schedule"
) -> Counter[str]:
    """Read on, a week of posting dates after the other, until today or `until` (monotonic); counts what was found."""
    assert_no_transaction()
    counts: Counter[str] = Counter()
    row, _ = ReadBack.objects.get_or_create(tenant=tenant)
    today = business_date(clock(), tenant.time_zone)
    day = row.sweep_from or today - newest.UNKNOWN_AGE
    while day <= today + AHEAD and time.monotonic() < until:
        last = min(day + STEP - AHEAD, today + AHEAD)
        counts += _week(tenant, client, pace, day, last, clock=clock, actor=actor)
        if restoring.mode_of(tenant) is not None:
            return counts
        day = last + AHEAD
        ReadBack.objects.filter(pk=row.pk).update(sweep_from=day)
    if day > today + AHEAD:
        sentence = f"Everything of the last {newest.UNKNOWN_AGE.days} days was read back from QAD: {_said(counts)}."
        ReadBack.objects.filter(pk=row.pk).update(sweep_from=None, swept_at=clock(), sentence=sentence)
    return counts


def _said(counts: Counter[str]) -> str:
    return f"{counts['duplicate']} stand there twice" if counts["duplicate"] else "nothing is there twice"


def _week(
    tenant: Tenant, client: QadClient, pace: Pace, first: dt.date, last: dt.date, *, clock: Clock, actor: str
) -> Counter[str]:
    listing, counts = Listing(), Counter[str]()
    suspects: set[str] = set()
    for name in lists(client.profile):
        for page in pages(client, name, tenant.qad.reference_prefix, first, last):
            newest.compare(tenant, name, page, listing)
            suspects |= _suspects(tenant, page)
            counts["read"] += len(page)
    why = restoring.why_of(listing.strangers, listing.unsent)
    if why:
        restoring.enter(tenant, why, listing.strangers, read_from=first, now=clock(), actor=actor)
        counts["unknown"] += len(listing.strangers) + len(listing.unsent)
    counts["duplicate"] += _settle(tenant, client, pace, suspects, clock=clock, actor=actor)
    return counts


def _suspects(tenant: Tenant, page: Iterable[Copy]) -> set[str]:
    """References that a page shows twice, or under another number than the one that we know."""
    numbers: dict[str, set[str]] = {}
    for copy in page:
        numbers.setdefault(copy.reference, set()).add(copy.number)
    rows = Posting.objects.filter(tenant=tenant, reference__in=numbers, state__in=verifying.READABLE)
    return {
        reference for reference, number in rows.values_list("reference", "qad_number") if numbers[reference] != {number}
    }


def _settle(tenant: Tenant, client: QadClient, pace: Pace, suspects: set[str], *, clock: Clock, actor: str) -> int:
    shown, found = Shown(client.profile), 0
    rows = Posting.objects.filter(tenant=tenant, reference__in=suspects).select_related("reverses")
    for posting in rows.order_by("pk"):
        copies = look_up(client, entity_of(posting), posting.reference, posting.qad_number)
        if copies is not None and len(copies) > 1:
            counts = verifying.settle(tenant, [(posting, copies)], shown, pace, now=clock(), actor=actor)
            found += counts[PostingState.DUPLICATE]
    return found
