"""The inbox of webhooks: stored as they come, then each event and each document it names is read again by its id.

received, failed -> reading -> done | nothing | unknown | old | failed. A killed worker leaves *reading*, which is taken
up again when its lease is over. What a body says is never used: it only names an event to ask Chargebee for.
"""

from __future__ import annotations

import datetime as dt
import random
import uuid
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import DataError, IntegrityError, transaction
from django.db.models import F, Q, QuerySet

from connector.chargebee import webhook
from connector.chargebee.client import ChargebeeClient
from connector.chargebee.webhook import Notice
from connector.errors import ConnectorError, Transient
from connector.http.retry import delay
from syncs.models import EventState, Kind, SourceDocument, WebhookCredential, WebhookEvent
from syncs.preparing import POSTED_KINDS
from syncs.refetch import take_in
from tenants import audit
from tenants.appending import append
from tenants.models import Tenant

BATCH = 20
LEASE = dt.timedelta(minutes=10)
_FIRST_PAUSE, _LONGEST_PAUSE = 30.0, 6 * 3600.0  # seconds
KEPT = dt.timedelta(days=90)
_FORGOTTEN_AT_ONCE = 500
_GIVES_UP_AFTER = webhook.TOO_OLD
_ENDED_BADLY = (EventState.UNKNOWN, EventState.OLD, EventState.REFUSED)
_rng = random.Random()

Clock = Callable[[], dt.datetime]
Documents = list[list[str]]
Looked = dict[tuple[str, str], str]


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came through the door, from whom, and when."""

    credential: WebhookCredential
    notice: Notice
    at: dt.datetime


def store_all(deliveries: Sequence[Delivery]) -> list[Exception | None]:
    """Commit deliveries together; says of each why it is not stored, None where it is.

    One that the database refuses does not keep the others out. Always in the same order, so that two processes with
    the same events wait for each other and not crosswise.
    """
    order = sorted(range(len(deliveries)), key=lambda place: _key(deliveries[place]))
    try:
        _insert([deliveries[place] for place in order])
        return [None] * len(deliveries)
    except (IntegrityError, DataError) as error:
        return [error] if len(deliveries) == 1 else [_store_alone(one) for one in deliveries]


def _store_alone(delivery: Delivery) -> Exception | None:
    return store_all([delivery])[0]


def _key(delivery: Delivery) -> tuple[int, str]:
    return delivery.credential.tenant_id, delivery.notice.event_id


# An event that is known already is only counted, or taken up again if it ended without a document: refused, too old, or
# unknown to Chargebee at that time. So a forged body cannot keep out the event whose id it used.
_FRESH = ("event_type", "occurred_at", "body", "state", "sentence")
_COLUMNS = ("tenant_id", "event_id", "credential", "received_at", "delivered_at", *_FRESH)
_EVENTS = WebhookEvent._meta.db_table
_ENDED = ", ".join(f"'{state.value}'" for state in _ENDED_BADLY)
_TAKEN_UP = ", ".join(
    f"{name} = CASE WHEN {_EVENTS}.state IN ({_ENDED}) THEN excluded.{name} ELSE {_EVENTS}.{name} END"
    for name in (*_FRESH, "not_before", "attempts")
)
_KNOWN_ALREADY = (
    f"ON CONFLICT (tenant_id, event_id) DO UPDATE SET deliveries = {_EVENTS}.deliveries + 1, "
    f"credential = excluded.credential, delivered_at = excluded.delivered_at, {_TAKEN_UP}"
)


def _insert(deliveries: Sequence[Delivery]) -> None:
    with transaction.atomic():
        append(WebhookEvent, _COLUMNS, [_values(one) for one in deliveries], on_conflict=_KNOWN_ALREADY)


def _values(delivery: Delivery) -> tuple[Any, ...]:
    """What stands in _COLUMNS."""
    notice, at = delivery.notice, delivery.at
    state, sentence = EventState.REFUSED if notice.refusal else EventState.RECEIVED, notice.refusal
    if not notice.refusal and webhook.is_too_old(notice.occurred_at, at):
        state, sentence = EventState.OLD, _old(notice.occurred_at)
    body = zlib.compress(notice.body.encode(), 1) if notice.body else b""
    fresh = (notice.event_type, notice.occurred_at, body, state, sentence)
    return delivery.credential.tenant_id, notice.event_id, delivery.credential.pk, at, at, *fresh


def due(tenant: Tenant, now: dt.datetime) -> QuerySet[WebhookEvent]:
    """Events that may be read now."""
    waiting = Q(state=EventState.RECEIVED) & (Q(not_before=None) | Q(not_before__lte=now))
    again = Q(state=EventState.FAILED, not_before__lte=now)
    orphaned = Q(state=EventState.READING, lease_until__lt=now)
    return WebhookEvent.objects.filter(waiting | again | orphaned, tenant=tenant)


def drain(tenant: Tenant, client: ChargebeeClient, *, clock: Clock, until: Callable[[], bool]) -> Counter[str]:
    """Read what the inbox names, batch by batch, while `until` allows. Raises what a person must mend."""
    done: Counter[str] = Counter()
    while until() and (batch := _claim(tenant, clock())):
        done += _read(tenant, batch, client, clock)
    return done


def forget_old(tenant: Tenant, now: dt.datetime) -> int:
    """Delete what is older than anybody asks for, the oldest first, a few at a time."""
    oldest = (
        WebhookEvent.objects.filter(tenant=tenant).order_by("id").values_list("pk", "received_at")[:_FORGOTTEN_AT_ONCE]
    )
    old = [pk for pk, received_at in oldest if now - received_at > KEPT]
    if not old:
        return 0
    rows = WebhookEvent.objects.filter(tenant=tenant, pk__in=old).exclude(state=EventState.READING)
    return rows.delete()[0]


def again(tenant: Tenant, pk: int, *, actor: str, now: dt.datetime) -> bool:
    """Read an event once more because a person asks for it; False while it is being read, or was refused."""
    rows = WebhookEvent.objects.filter(tenant=tenant, pk=pk).exclude(state__in=(EventState.READING, EventState.REFUSED))
    with transaction.atomic():
        before = rows.values_list("state", flat=True).first()
        if not rows.update(state=EventState.RECEIVED, sentence="", attempts=0, not_before=None):
            return False
        line = audit.Line("webhook-event.again", f"webhook-event:{pk}", before={"state": before})
        audit.record(tenant.pk, [line], actor=actor, now=now)
    return True


def _claim(tenant: Tenant, now: dt.datetime) -> list[WebhookEvent]:
    """Events that are now this worker's: whoever else asks for them gets none.

    At most one of them, and the last, is one under which a worker died: it may kill this one too.
    """
    rows, dead = due(tenant, now).values_list("pk", flat=True), Q(state=EventState.READING)
    keys = [*rows.exclude(dead).order_by("id")[:BATCH], *rows.filter(dead).order_by("attempts", "id")[:1]]
    if not keys:
        return []
    mine = uuid.uuid4()
    due(tenant, now).filter(pk__in=keys).update(
        state=EventState.READING, key=mine, lease_until=now + LEASE, attempts=F("attempts") + 1
    )
    claimed = WebhookEvent.objects.defer("body").filter(tenant=tenant, key=mine, state=EventState.READING)
    return sorted(claimed, key=lambda event: keys.index(event.pk))


def _read(tenant: Tenant, batch: list[WebhookEvent], client: ChargebeeClient, clock: Clock) -> Counter[str]:
    """Ask for every event of a batch, then for each document once, however many events name it."""
    done: Counter[str] = Counter()
    looked: Looked = {}
    for position, event in enumerate(batch):
        try:
            state, sentence, documents = _one(tenant, event, client, looked, clock)
        except Transient as error:
            _try_later(event, error, clock())
            done[EventState.FAILED] += 1
        except ConnectorError as error:
            for left in batch[position:]:
                _try_later(left, error, clock())
            raise
        else:
            _settle(event, state, sentence, documents, clock())
            done[state] += 1
    return done


def _one(
    tenant: Tenant, event: WebhookEvent, client: ChargebeeClient, looked: Looked, clock: Clock
) -> tuple[EventState, str, Documents]:
    """What became of one event: its state, a sentence, and its documents."""
    found = client.retrieve("events", event.event_id)
    if found is None:
        sentence = (
            "Chargebee's site of this tenant has no such event: it is another site's, or forged. Nothing was read."
        )
        return EventState.UNKNOWN, sentence, []
    happened_at = webhook.moment(found.get("occurred_at"))
    if webhook.is_too_old(happened_at, clock()):
        return EventState.OLD, _old(happened_at), []
    named = webhook.documents(found)
    documents = _take_all(tenant, named, client, looked, clock)
    documents += _take_all(tenant, _unknown_customers(tenant, named), client, looked, clock)
    if documents:
        return EventState.DONE, "", documents
    return EventState.NOTHING, "The event names no document that the connector reads.", []


def _take_all(
    tenant: Tenant, named: list[tuple[str, str]], client: ChargebeeClient, looked: Looked, clock: Clock
) -> Documents:
    """Each is asked for once in a batch, however many events name it."""
    for kind, source_id in named:
        if (kind, source_id) not in looked:
            looked[kind, source_id] = take_in(tenant, kind, source_id, client, clock=clock).outcome.value
    return [[kind, source_id, looked[kind, source_id]] for kind, source_id in named]


def _unknown_customers(tenant: Tenant, named: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Customers of these documents of whom nobody told yet: polling reads them before documents too."""
    wanted: set[str] = set()
    for kind in {of for of, _ in named if of in POSTED_KINDS}:
        ids = [source_id for of, source_id in named if of == kind]
        rows = SourceDocument.objects.filter(tenant=tenant, kind=kind, source_id__in=ids).exclude(customer_id="")
        wanted.update(rows.values_list("customer_id", flat=True))
    if not wanted:
        return []
    people = SourceDocument.objects.filter(tenant=tenant, kind=Kind.CUSTOMER, source_id__in=wanted)
    known = set(people.values_list("source_id", flat=True)) | {one for of, one in named if of == Kind.CUSTOMER}
    return [(Kind.CUSTOMER.value, one) for one in sorted(wanted - known)]


def _settle(event: WebhookEvent, state: EventState, sentence: str, documents: Documents, now: dt.datetime) -> None:
    """Write the outcome, unless another worker has taken the event over."""
    _mine(event).update(
        state=state, sentence=sentence, documents=documents, processed_at=now, not_before=None, key=None
    )


def _try_later(event: WebhookEvent, error: ConnectorError, now: dt.datetime) -> None:
    """Again after a pause that grows; after a week never, since polling has read it long ago."""
    pause = max(_FIRST_PAUSE, delay(event.attempts, _FIRST_PAUSE, _LONGEST_PAUSE, _rng))
    if isinstance(error, Transient) and error.retry_after:
        pause = max(pause, error.retry_after)
    is_over = now - event.received_at > _GIVES_UP_AFTER
    sentence = f"{error.message} It was tried for a week; press Read again once the cause is mended." if is_over else ""
    _mine(event).update(
        state=EventState.FAILED,
        sentence=sentence or error.message,
        not_before=None if is_over else now + dt.timedelta(seconds=pause),
        key=None,
    )


def _mine(event: WebhookEvent) -> QuerySet[WebhookEvent]:
    return WebhookEvent.objects.filter(pk=event.pk, key=event.key, state=EventState.READING)


def _old(occurred_at: dt.datetime | None) -> str:
    day = f" of {occurred_at:%Y-%m-%d}" if occurred_at else ""
    return (
        f"This event{day} is older than {webhook.TOO_OLD.days} days. Polling has read what it names; nothing was read."
    )
