"""A document that came after QAD's customers were read last, and is held for its customer, has them read again.

What a webhook brings is prepared by a list that may be a day old. The pause counts from the last try, so many such
documents share one reading, and one that nothing cures costs one reading.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.db import transaction
from django.db.models import Q, QuerySet

from connector.errors import ConnectorError
from connector.qad.client import QadClient
from mappings import catalog
from mappings.listed import CUSTOMERS
from mappings.models import MirrorAnswer, MirrorState
from syncs import refreshing
from syncs.customers import prepare_customers
from syncs.models import Kind, SourceDocument
from syncs.releasing import CURES, held_for, release
from syncs.renewing import renew
from tenants.models import Tenant

PAUSE = dt.timedelta(minutes=10)
_WHY = "QAD's customers were read again."


def is_due(tenant: Tenant, now: dt.datetime) -> bool:
    """Whether a document waits for a customer whom the list, as it was read, could not show."""
    state = MirrorState.objects.filter(tenant=tenant, list_name=CUSTOMERS).first()
    if state is None or state.refreshed_at is None or state.answer == MirrorAnswer.NOT_CONFIGURED:
        return False  # the schedule's
    pause = refreshing.AFTER_FAILURE if state.answer == MirrorAnswer.FAILED else PAUSE
    if (state.asked_at or state.refreshed_at) > now - pause:
        return False
    return _came_after(_waiting(tenant), state.refreshed_at).exists()


def seek(tenant: Tenant, qad: QadClient, *, clock: Callable[[], dt.datetime], actor: str) -> int:
    """Read QAD's customers and decide anew who and what waited for them; returns how many documents wait no more."""
    now = clock()
    try:
        refreshing.refresh(tenant, qad, [CUSTOMERS], now)
    except ConnectorError as error:
        catalog.note_failure(tenant, CUSTOMERS, error.message, now)
        raise
    with transaction.atomic():
        renew(tenant.pk, _unmatched(tenant), _WHY, now=now, actor=actor)
    prepare_customers(tenant, clock=clock, actor=actor)
    return release(tenant, ("customers",), now=clock(), actor=actor).released


def _waiting(tenant: Tenant) -> QuerySet[SourceDocument]:
    return held_for(tenant, CURES["customers"])


def _came_after(rows: QuerySet[SourceDocument], moment: dt.datetime) -> QuerySet[SourceDocument]:
    """Those of which Chargebee's latest state was read after a moment."""
    return rows.filter(Q(first_seen_at__gt=moment) | Q(versions__replaced_at__gt=moment))


def _unmatched(tenant: Tenant) -> QuerySet[SourceDocument]:
    """Customers of the documents that wait, whom QAD did not have."""
    people = held_for(tenant, ("customer-not-in-qad",), (Kind.CUSTOMER,))
    return people.filter(source_id__in=_waiting(tenant).values("customer_id"))
