"""From source documents to postings, or to the problems that hold them. No network; each batch is one transaction."""

from __future__ import annotations

import datetime as dt
import logging
from collections import Counter
from collections.abc import Callable, Sequence

from django.db import transaction

from connector.chargebee.records import Item, ItemPrice
from connector.errors import Problem
from connector.ledger.skipping import other_entity
from mappings import revision
from mappings.models import CatalogPrice
from syncs import deciding_invoices, deciding_notes_and_cash
from syncs.batch import Batch, mark, outcome, record, tell, withdraw, write
from syncs.chains import chains_of, is_in_flight
from syncs.desk import Desk, open_desk, up_to_date
from syncs.ignoring import leave_out
from syncs.models import Kind, SourceDocument
from syncs.states import SourceState
from syncs.turns import in_turn
from tenants.models import Tenant

BATCH = 200
UNFORESEEN = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
CATALOGUE = (Kind.ITEM_FAMILY, Kind.ITEM, Kind.ITEM_PRICE)
POSTED_KINDS = (Kind.INVOICE, Kind.CREDIT_NOTE, Kind.TRANSACTION)  # in the order in which they lean on each other
logger = logging.getLogger(__name__)
DECIDE: dict[str, Callable[[Batch, Sequence[SourceDocument]], None]] = {
    Kind.INVOICE: deciding_invoices.decide,
    Kind.CREDIT_NOTE: deciding_notes_and_cash.decide,
    Kind.TRANSACTION: deciding_notes_and_cash.decide,
}


def prepare_catalogue(tenant: Tenant, *, now: dt.datetime, actor: str = "sync") -> int:
    """Keep what the mappings need of item families, items and item prices; returns how many were read."""
    desk = open_desk(tenant.pk)
    return sum(_prepare_catalogue_kind(desk, kind, now=now, actor=actor) for kind in CATALOGUE)


def _prepare_catalogue_kind(desk: Desk, kind: str, *, now: dt.datetime, actor: str) -> int:
    done = 0
    while True:
        with transaction.atomic():
            rows = _locked(desk.tenant, kind)
            if not rows:
                return done
            batch = Batch(desk, now, actor)
            prices = [price for row in rows if (price := _keep(batch, row)) is not None]
            _upsert_prices(desk.tenant, prices, now)
            write(batch)
        done += len(rows)


def prepare_documents(
    tenant: Tenant,
    kind: str,
    *,
    clock: Callable[[], dt.datetime],
    actor: str = "sync",
    on_batch: Callable[[int], None] = lambda count: None,
) -> Counter[str]:
    """Prepare every new document of a kind; returns how many ended in which source state."""
    counts: Counter[str] = Counter()
    desk = open_desk(tenant.pk)
    after = 0
    while True:
        with transaction.atomic():
            in_turn(tenant.pk)
            rows = _locked(tenant, kind, after=after)
            if not rows:
                return counts
            desk = up_to_date(desk)
            decided = decide(desk, rows, now=clock(), actor=actor)
        after = rows[-1].pk
        counts.update(decided)
        on_batch(len(rows))


def decide(desk: Desk, rows: Sequence[SourceDocument], *, now: dt.datetime, actor: str) -> Counter[str]:
    """Prepare these documents of one kind inside the caller's transaction; returns how many ended in which state.

    The caller holds the tenant's turn; mappings that were saved since the desk was opened are taken into account.
    One that nobody thought of stops alone: the others are decided one by one.
    """
    if not rows:
        return Counter()
    desk = up_to_date(desk)
    batch = Batch(desk, now, actor)
    try:
        decide_all(batch, rows)
    except UNFORESEEN as error:
        if len(rows) > 1:
            return sum((decide(desk, [row], now=now, actor=actor) for row in rows), Counter())
        batch = Batch(desk, now, actor)
        _hold_strange(batch, rows[0], error)
    write(batch)
    return outcome(batch)


def _hold_strange(batch: Batch, row: SourceDocument, error: Exception) -> None:
    """Held with what went wrong, unless QAD's answer about a posting of it is still to come."""
    logger.error("%s could not be decided.", row, exc_info=error)
    chain = chains_of([row])[row.pk]
    if is_in_flight(chain):
        return
    message = f"{row} could not be decided ({type(error).__name__}: {str(error)[:200]})."
    fix = "Look at it in Chargebee. If Chargebee shows it right, report this sentence with the connector's version."
    tell(batch, row, SourceState.HELD, [Problem("cannot-be-decided", str(row), message, fix, "document")])
    for posting in chain:
        withdraw(batch, posting)


def decide_all(batch: Batch, rows: Sequence[SourceDocument]) -> None:
    """Decide these documents of one kind; nothing is written yet. What a person has set aside stays so."""
    left = leave_out(batch, rows)
    if left:
        DECIDE[left[0].kind](batch, left)


def _locked(tenant: Tenant, kind: str, *, after: int = 0) -> list[SourceDocument]:
    """New documents that nobody else is preparing now (on SQLite the write lock of the transaction sees to that)."""
    new = SourceDocument.objects.filter(tenant=tenant, kind=kind, state=SourceState.NEW, pk__gt=after)
    return list(new.select_for_update(skip_locked=True).order_by("pk")[:BATCH])


def _keep(batch: Batch, row: SourceDocument) -> ItemPrice | None:
    found = record(batch, row)
    if isinstance(found, list):
        tell(batch, row, SourceState.UNREADABLE, found)
        return None
    entity = found.business_entity_id if isinstance(found, Item | ItemPrice) else ""
    if entity and (rule := other_entity(batch.desk.tenant.business_entities, entity)):
        tell(batch, row, SourceState.SKIPPED, [Problem(rule.rule, str(row), rule.sentence, "")])
        return None
    mark(batch, row, SourceState.KEPT)
    return found if isinstance(found, ItemPrice) else None


def _upsert_prices(tenant: Tenant, prices: list[ItemPrice], now: dt.datetime) -> None:
    rows = [
        CatalogPrice(
            tenant=tenant,
            item_price=price.id,
            item=price.item_id,
            family=price.item_family_id,
            item_type=price.item_type,
            name=price.name[:250],
            currency=price.currency,
            status=price.status[:20],
            accounting_code=price.accounting_code[:100],
            sku=price.sku[:100],
            first_seen_at=now,
        )
        for price in prices
    ]
    CatalogPrice.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["tenant", "item_price"],
        update_fields=["item", "family", "item_type", "name", "currency", "status", "accounting_code", "sku"],
    )
    if rows:
        revision.bump(tenant.pk)
