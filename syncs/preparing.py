"""From source documents to postings, or to the problems that hold them. No network; each batch is one transaction."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models.functions import Upper

from connector.chargebee import parse
from connector.chargebee.records import Invoice, ItemPrice
from connector.errors import Problem
from connector.ledger import problems as say
from connector.ledger.documents import CustomerInvoice
from connector.ledger.invoices import Skipped, projection, skip_rule, translate
from connector.ledger.reference import hashed_reference, reference
from connector.ledger.stored import content_hash, to_json
from connector.qad.payloads import render
from mappings import revision
from mappings.models import CatalogPrice
from syncs.desk import Desk, open_desk
from syncs.models import Kind, Posting, SourceDocument
from syncs.states import DONE, IN_FLIGHT, PostingState, SourceState
from tenants import audit
from tenants.models import Tenant

BATCH = 200
CATALOGUE = (Kind.ITEM_FAMILY, Kind.ITEM, Kind.ITEM_PRICE)
PARSERS: dict[str, Callable[..., Any]] = {
    Kind.ITEM_FAMILY: parse.item_family,
    Kind.ITEM: parse.item,
    Kind.ITEM_PRICE: parse.item_price,
    Kind.INVOICE: parse.invoice,
}


# States in which QAD provably does not have the document, so that its body may still change.
REBUILDABLE = (PostingState.READY, PostingState.REJECTED, PostingState.PARKED, PostingState.HELD)


@dataclass(frozen=True, slots=True)
class Move:
    """A change of an existing posting, valid only from the state it was read in."""

    posting: Posting
    old: str
    values: dict[str, Any]
    line: audit.Line


@dataclass(slots=True)
class Batch:
    """What a batch decided, written together at its end."""

    desk: Desk
    now: dt.datetime
    actor: str
    by_state: dict[str, list[int]] = field(default_factory=dict)
    told: list[tuple[SourceDocument, str, list[Problem]]] = field(default_factory=list)
    fresh: list[Posting] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    lines: list[audit.Line] = field(default_factory=list)


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
            _upsert_prices(desk.tenant, prices)
            _write(batch)
        done += len(rows)


def prepare_invoices(
    tenant: Tenant,
    *,
    clock: Callable[[], dt.datetime],
    actor: str = "sync",
    on_batch: Callable[[int], None] = lambda count: None,
) -> Counter[str]:
    """Prepare every new invoice of a tenant; returns how many ended in which source state."""
    counts: Counter[str] = Counter()
    desk = open_desk(tenant.pk)
    after = 0
    while True:
        with transaction.atomic():
            rows = _locked(tenant, Kind.INVOICE, after=after)
            if not rows:
                return counts
            if revision.current(tenant.pk) != desk.revision:
                desk = open_desk(tenant.pk)
            decided = decide(desk, rows, now=clock(), actor=actor)
        after = rows[-1].pk
        counts.update(decided)
        on_batch(len(rows))


def decide(desk: Desk, rows: Sequence[SourceDocument], *, now: dt.datetime, actor: str) -> Counter[str]:
    """Prepare these invoices inside the caller's transaction; returns how many ended in which source state."""
    batch = Batch(desk, now, actor)
    postings = {
        posting.source_id: posting
        for posting in Posting.objects.filter(tenant=desk.tenant, source__in=rows, kind="invoice", place=0)
    }
    references = _references(desk, [row.source_id for row in rows if row.pk not in postings])
    for row in rows:
        _decide_one(batch, row, postings.get(row.pk), references)
    _write(batch)
    return Counter({state: len(keys) for state, keys in batch.by_state.items()}) + Counter(
        state for _, state, _ in batch.told
    )


def preview(desk: Desk, content: dict[str, Any], name: str) -> CustomerInvoice | Skipped | list[Problem]:
    """What preparing would make of a raw invoice, without saving anything: the journal preview."""
    record = read(desk, Kind.INVOICE, content)
    if isinstance(record, list):
        return record
    return skip_rule(record, desk.rules) or translate(record, desk.table, desk.rules, name)


def read(desk: Desk, kind: str, content: dict[str, Any]) -> Any:
    """The typed record of a raw document, or its problems."""
    return PARSERS[kind](content, minor_units=desk.policies["minor_units"])


def identity_problem(row: SourceDocument, told: str) -> list[Problem]:
    """A document that is stored under another name than its own id would be posted anew with each change of it."""
    if told == row.source_id:
        return []
    subject = f"{row.get_kind_display()} {row.source_id}"
    message = f"{subject}: its id '{told[:60]}…' ({len(told)} characters) cannot be kept as it is."
    return [Problem("unusable-id", subject, message, "Tell the people who support this connector.", "document")]


def _locked(tenant: Tenant, kind: str, *, after: int = 0) -> list[SourceDocument]:
    """New documents that nobody else is preparing now (on SQLite the write lock of the transaction sees to that)."""
    new = SourceDocument.objects.filter(tenant=tenant, kind=kind, state=SourceState.NEW, pk__gt=after)
    return list(new.select_for_update(skip_locked=True).order_by("pk")[:BATCH])


def _references(desk: Desk, source_ids: Iterable[str]) -> dict[str, str]:
    """A reference for each id that has no posting yet; two ids that differ only in case do not share one."""
    plain = {source_id: reference(desk.prefix, "invoice", source_id) for source_id in source_ids}
    wanted = {name.upper() for name in plain.values()}
    taken = set(
        Posting.objects.annotate(upper=Upper("reference"))
        .filter(tenant=desk.tenant, upper__in=wanted)
        .values_list("upper", flat=True)
    )
    for source_id, name in plain.items():
        if name.upper() in taken:
            plain[source_id] = hashed_reference(desk.prefix, "invoice", source_id)
        taken.add(name.upper())
    return plain


def _decide_one(batch: Batch, row: SourceDocument, posting: Posting | None, references: dict[str, str]) -> None:
    if posting is not None and posting.state in IN_FLIGHT:
        return  # its outcome comes first; the row stays new and is prepared after it
    record = _record(batch, row)
    if isinstance(record, list):
        _tell(batch, row, SourceState.UNREADABLE, record)
        _withdraw(batch, posting)
    elif posting is not None and posting.state in DONE:
        _decide_posted(batch, row, record, posting)
    elif (rule := skip_rule(record, batch.desk.rules)) is not None:
        _tell(batch, row, SourceState.SKIPPED, [Problem(rule.rule, f"Invoice {row.source_id}", rule.sentence, "")])
        _withdraw(batch, posting)
    else:
        _translate(batch, row, record, posting, references.get(row.source_id, ""))


def _record(batch: Batch, row: SourceDocument) -> Any:
    record = read(batch.desk, row.kind, row.content)
    return record if isinstance(record, list) else identity_problem(row, record.id) or record


def _withdraw(batch: Batch, posting: Posting | None) -> None:
    """A posting that QAD does not have may not go out as it stands any more."""
    if posting is None or posting.state not in REBUILDABLE or posting.state == PostingState.HELD:
        return
    line = audit.Line(
        "withdrawn", f"posting:{posting.reference}", before={"state": posting.state}, after={"state": "held"}
    )
    batch.moves.append(Move(posting, posting.state, {"state": PostingState.HELD, "changed_at": batch.now}, line))


def _decide_posted(batch: Batch, row: SourceDocument, invoice: Invoice, posting: Posting) -> None:
    """A posted invoice: a payment leaves it alone, anything that changes what was posted holds it."""
    name = f"Invoice {invoice.id}"
    if invoice.status == "voided" or invoice.deleted:
        gone = "deleted" if invoice.deleted else "voided"
        _tell(batch, row, SourceState.HELD, [say.voided_after_posting(name, gone)])
    elif projection(invoice) != posting.projection:
        _tell(batch, row, SourceState.HELD, [say.changed_after_posting(name, posting.total, invoice.total)])
    else:
        _mark(batch, row, SourceState.CODED)


def _translate(batch: Batch, row: SourceDocument, invoice: Invoice, posting: Posting | None, name: str) -> None:
    document = _document(batch.desk, invoice, posting.reference if posting else name)
    if isinstance(document, list):
        _tell(batch, row, SourceState.HELD, document)
        _withdraw(batch, posting)
        return
    stored = to_json(document)
    if posting is None:
        batch.fresh.append(_posting(batch, row, invoice, document, stored))
    else:
        _rebuild(batch, row, posting, invoice, document, stored)
    _mark(batch, row, SourceState.CODED)


def _document(desk: Desk, invoice: Invoice, name: str) -> CustomerInvoice | list[Problem]:
    """The translated document, proved to fit this instance's fields."""
    document = translate(invoice, desk.table, desk.rules, name)
    if isinstance(document, list):
        return document
    rendered = render(document, desk.profile)
    return rendered if isinstance(rendered, list) else document


def _posting(
    batch: Batch, row: SourceDocument, invoice: Invoice, document: CustomerInvoice, stored: dict[str, Any]
) -> Posting:
    batch.lines.append(
        audit.Line("prepared", f"posting:{document.reference}", after={"state": "ready", "total": str(document.total)})
    )
    return Posting(
        tenant=batch.desk.tenant,
        source=row,
        kind=document.kind,
        reference=document.reference,
        order_key=order_key(batch.desk, row, invoice),
        created_at=batch.now,
        **_frozen(batch, invoice, document, stored),
    )


def _rebuild(
    batch: Batch,
    row: SourceDocument,
    posting: Posting,
    invoice: Invoice,
    document: CustomerInvoice,
    stored: dict[str, Any],
) -> None:
    """A posting that QAD does not have gets the new body under its old reference."""
    if posting.state not in REBUILDABLE:
        return
    values = {
        **_frozen(batch, invoice, document, stored),
        "state": PostingState.READY,
        "must_look_up": posting.attempts > 0,
        "not_before": None,
        "problems": [],
    }
    before = {"state": posting.state, "document": posting.document_hash}
    after = {"state": "ready", "document": values["document_hash"]}
    line = audit.Line("rebuilt", f"posting:{posting.reference}", before=before, after=after)
    batch.moves.append(Move(posting, posting.state, values, line))


def _frozen(batch: Batch, invoice: Invoice, document: CustomerInvoice, stored: dict[str, Any]) -> dict[str, Any]:
    return {
        "document": stored,
        "document_hash": content_hash(stored),
        "projection": projection(invoice),
        "customer_code": document.customer,
        "currency": document.currency,
        "total_minor": document.total.minor,
        "posting_date": document.posting_date,
        "changed_at": batch.now,
    }


def order_key(desk: Desk, row: SourceDocument, invoice: Invoice) -> str:
    """Documents that share a key are sent one after another: a customer's; each on its own if it is collective."""
    link = desk.table.customer(invoice.customer_id)
    if link is not None and link.kind == "collective":
        return f"document:{row.kind}:{row.source_id}"[:100]
    return invoice.customer_id[:100]


def _mark(batch: Batch, row: SourceDocument, state: SourceState) -> None:
    batch.by_state.setdefault(state, []).append(row.pk)


def _tell(batch: Batch, row: SourceDocument, state: SourceState, found: list[Problem]) -> None:
    batch.told.append((row, state, found))
    after = {"state": state.value, "codes": [problem.code for problem in found]}
    batch.lines.append(audit.Line(state.value, f"{row.kind}:{row.source_id}", after=after))


def _keep(batch: Batch, row: SourceDocument) -> ItemPrice | None:
    record = _record(batch, row)
    if isinstance(record, list):
        _tell(batch, row, SourceState.UNREADABLE, record)
        return None
    _mark(batch, row, SourceState.KEPT)
    return record if isinstance(record, ItemPrice) else None


def _upsert_prices(tenant: Tenant, prices: list[ItemPrice]) -> None:
    rows = [
        CatalogPrice(
            tenant=tenant,
            item_price=price.id,
            item=price.item_id,
            family=price.item_family_id,
            name=price.name[:250],
            currency=price.currency,
            status=price.status[:20],
            accounting_code=price.accounting_code[:100],
            sku=price.sku[:100],
        )
        for price in prices
    ]
    CatalogPrice.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["tenant", "item_price"],
        update_fields=["item", "family", "name", "currency", "status", "accounting_code", "sku"],
    )
    if rows:
        revision.bump(tenant.pk)


def _write(batch: Batch) -> None:
    for state, keys in batch.by_state.items():
        SourceDocument.objects.filter(pk__in=keys).update(state=state, codes="", problems=[], changed_at=batch.now)
    for row, state, found in batch.told:
        SourceDocument.objects.filter(pk=row.pk).update(
            state=state, codes=codes(found), problems=[as_json(problem) for problem in found], changed_at=batch.now
        )
    Posting.objects.bulk_create(batch.fresh)
    batch.lines += [move.line for move in batch.moves if _moved(move)]
    audit.record(batch.desk.tenant.pk, batch.lines, actor=batch.actor, now=batch.now)


def _moved(move: Move) -> bool:
    """Whether the posting was still where it was read; a drain that claimed it meanwhile wins, and its source waits."""
    if Posting.objects.filter(pk=move.posting.pk, state=move.old).update(**move.values):
        return True
    SourceDocument.objects.filter(pk=move.posting.source_id).update(state=SourceState.NEW)
    return False


def codes(found: Sequence[Problem]) -> str:
    """Problem codes as the searchable text '|code|code|'."""
    text = "|".join(dict.fromkeys(problem.code for problem in found))
    return f"|{text}|"[:400]


def as_json(problem: Problem) -> dict[str, str]:
    return {
        "code": problem.code,
        "subject": problem.subject,
        "message": problem.message,
        "fix": problem.fix,
        "link": problem.link,
    }
