"""Documents follow the business entities of their tenant: when those change, what was decided by them is decided anew.

A pass goes through the documents in batches, each one transaction that also says how far it came; a second change
begins it anew. Nothing is sent before it is finished. What QAD has or may have is not touched, but told.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Sequence

from django.db import transaction
from django.db.models import Q, QuerySet

from connector.ledger.skipping import OTHER_ENTITY, other_entity
from mappings import revision
from syncs.models import EntityScope, Kind, Posting, SourceDocument
from syncs.renewing import renew
from syncs.states import UNSENT, PostingState, SourceState
from syncs.turns import in_turn
from tenants import audit
from tenants.models import Tenant

BATCH = 500
NAMED = 5
POSTED = (Kind.INVOICE, Kind.CREDIT_NOTE, Kind.TRANSACTION)
_SKIPPED = Q(state=SourceState.SKIPPED, codes__contains=f"|{OTHER_ENTITY}|")
_OPEN = Q(kind__in=POSTED, state__in=(SourceState.CODED, SourceState.HELD, SourceState.WAITING)) | Q(
    kind=Kind.CUSTOMER, state__in=(SourceState.HELD, SourceState.CREATING)
)


def entities_of(tenant: Tenant) -> list[str]:
    """As they are stored at this moment."""
    found: list[str] = Tenant.objects.values_list("business_entities", flat=True).get(pk=tenant.pk)
    return found


def is_followed(tenant: Tenant) -> bool:
    """Whether every document was decided by the entities that the tenant has now."""
    scope = EntityScope.objects.filter(tenant=tenant).first()
    if scope is None:
        return not entities_of(tenant)
    return scope.finished_at is not None and scope.entities == entities_of(tenant)


def has_work(tenant: Tenant) -> bool:
    return not is_followed(tenant)


def follow(tenant: Tenant, *, clock: Callable[[], dt.datetime], actor: str) -> int:
    """Bring the documents in line; returns how many will be decided anew."""
    moved = 0
    while True:
        now = clock()
        with transaction.atomic():
            in_turn(tenant.pk)
            scope = _current(tenant)
            if scope.finished_at is not None:
                return moved
            moved += _batch(tenant, scope, now, actor)


def is_outside(entities: Sequence[str], kind: str, entity: str) -> bool:
    """Whether a document is another tenant's. A customer or an item without an entity is everyone's."""
    return bool(entity or kind in POSTED) and other_entity(entities, entity) is not None


def _current(tenant: Tenant) -> EntityScope:
    """The pass under way, begun anew when the entities have changed."""
    entities = entities_of(tenant)
    scope = EntityScope.objects.filter(tenant=tenant).first() or EntityScope(tenant=tenant, entities=entities)
    if scope.pk is None or scope.entities != entities:
        scope = EntityScope(pk=scope.pk, tenant=tenant, entities=entities)
        scope.save()
        revision.bump(tenant.pk)  # what is being prepared by the old ones takes the new ones
    return scope


def _batch(tenant: Tenant, scope: EntityScope, now: dt.datetime, actor: str) -> int:
    rows = list(_concerned(tenant, scope).order_by("pk").select_for_update()[:BATCH])
    entity_of = {row.pk: str(row.content.get("business_entity_id") or "") for row in rows}
    outside = {row.pk for row in rows if is_outside(scope.entities, row.kind, entity_of[row.pk])}
    back = [row.pk for row in rows if row.state == SourceState.SKIPPED and row.pk not in outside]
    gone = [row for row in rows if row.state != SourceState.SKIPPED and row.pk in outside]
    in_qad, taken_back = _reached_qad(gone)
    anew = [*back, *(row.pk for row in gone if row.pk not in in_qad | taken_back)]
    why = f"The tenant's business entities are now: {scope}."
    moved = renew(tenant.pk, SourceDocument.objects.filter(pk__in=anew), why, now=now, actor=actor)
    _tell(scope, [row for row in gone if row.pk in in_qad], entity_of, now, actor)
    scope.decided_anew += moved
    scope.reached = rows[-1].pk if rows else scope.reached
    scope.finished_at = None if rows else now
    scope.save()
    return moved


def _concerned(tenant: Tenant, scope: EntityScope) -> QuerySet[SourceDocument]:
    """With every entity its own, a tenant has none outside."""
    concerned = _SKIPPED | _OPEN if scope.entities else _SKIPPED
    return SourceDocument.objects.filter(concerned, tenant=tenant, pk__gt=scope.reached)


def _reached_qad(rows: Sequence[SourceDocument]) -> tuple[set[int], set[int]]:
    """Those that QAD has or may have, and those that were only there."""
    states: dict[int, set[str]] = defaultdict(set)
    for source_id, state in Posting.objects.filter(source__in=rows).values_list("source_id", "state"):
        states[source_id].add(state)
    beyond = {*UNSENT, PostingState.REVERSED}
    in_qad = {key for key, found in states.items() if found - beyond}
    return in_qad, {key for key, found in states.items() if found == {PostingState.REVERSED}}


def _tell(
    scope: EntityScope, rows: Sequence[SourceDocument], entity_of: dict[int, str], now: dt.datetime, actor: str
) -> None:
    why = "It is in QAD, or on its way there, and stays; its business entity is not this tenant's any more."
    lines = [
        audit.Line("posted-outside", f"{row.kind}:{row.source_id}", after={"entity": entity_of[row.pk]}, reason=why)
        for row in rows
    ]
    audit.record(scope.tenant_id, lines, actor=actor, now=now)
    scope.posted_outside += len(rows)
    scope.named = [*scope.named, *(str(row) for row in rows)][:NAMED]
