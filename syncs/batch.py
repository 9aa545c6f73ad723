"""What a batch of documents decided, and how it is written: all together, each posting only from where it was read."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from connector.chargebee import parse
from connector.errors import Problem
from connector.ledger.dating import Dated
from connector.ledger.documents import Adjustment, JournalEntry, LedgerDocument, Reversal, applied_total
from connector.ledger.reference import hashed_reference, reference
from connector.ledger.stored import content_hash, to_json
from connector.ledger.validate_documents import document_problems
from connector.money import Money, total
from connector.qad.payloads import render
from syncs import dating, rates
from syncs.desk import Desk
from syncs.models import Edge, Kind, Posting, SourceDocument
from syncs.renewing import renew
from syncs.states import PostingState, SourceState
from tenants import audit

PARSERS: dict[str, Callable[..., Any]] = {
    Kind.ITEM_FAMILY: parse.item_family,
    Kind.ITEM: parse.item,
    Kind.ITEM_PRICE: parse.item_price,
    Kind.INVOICE: parse.invoice,
    Kind.CREDIT_NOTE: parse.credit_note,
    Kind.TRANSACTION: parse.transaction,
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
    by_state: dict[str, list[SourceDocument]] = field(default_factory=dict)
    told: list[tuple[SourceDocument, str, list[Problem]]] = field(default_factory=list)
    fresh: list[Posting] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    lines: list[audit.Line] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    waits: dict[int, str] = field(default_factory=dict)  # source -> what it waits for, as 'kind:id'
    dated: dict[str, Dated] = field(default_factory=dict)  # reference -> when it is posted, and why then
    awaited: list[Dated] = field(default_factory=list)  # days that no period takes
    names: set[str] = field(default_factory=set)  # references given in this batch, in capitals
    renewed: set[int] = field(default_factory=set)  # other sources that this changes something for
    freed: set[str] = field(default_factory=set)  # what somebody may wait for, and need not any more


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


def record(batch: Batch, row: SourceDocument) -> Any:
    record = read(batch.desk, row.kind, row.content)
    return record if isinstance(record, list) else identity_problem(row, record.id) or record


def withdraw(batch: Batch, posting: Posting | None) -> None:
    """A posting that QAD does not have may not go out as it stands any more."""
    if posting is None or posting.state not in REBUILDABLE or posting.state == PostingState.HELD:
        return
    line = audit.Line(
        "withdrawn", f"posting:{posting.reference}", before={"state": posting.state}, after={"state": "held"}
    )
    batch.moves.append(Move(posting, posting.state, {"state": PostingState.HELD, "changed_at": batch.now}, line))


def keep(batch: Batch, posting: Posting) -> None:
    """What QAD has is wanted there after all."""
    if posting.is_ending:
        line = audit.Line("kept", f"posting:{posting.reference}", after={"is_ending": False})
        batch.moves.append(Move(posting, posting.state, {"is_ending": False, "changed_at": batch.now}, line))


def end(batch: Batch, posting: Posting) -> None:
    """What QAD has is to be taken back: from now on nothing is applied to it, and what is comes off."""
    if not posting.is_ending:
        line = audit.Line("ending", f"posting:{posting.reference}", after={"is_ending": True})
        batch.moves.append(Move(posting, posting.state, {"is_ending": True, "changed_at": batch.now}, line))


def mark(batch: Batch, row: SourceDocument, state: SourceState) -> None:
    batch.by_state.setdefault(state, []).append(row)


def tell(batch: Batch, row: SourceDocument, state: SourceState, found: list[Problem]) -> None:
    """A document ends in `state` for these reasons; decided again with the same result it leaves no new line."""
    batch.told.append((row, state, found))
    if is_told_already(row, found, (state, SourceState.NEW)):
        return
    after = {"state": state.value, "codes": [problem.code for problem in found]}
    batch.lines.append(audit.Line(state.value, f"{row.kind}:{row.source_id}", before={"state": row.state}, after=after))


def is_told_already(row: SourceDocument, found: list[Problem], states: Collection[str]) -> bool:
    """Whether the row says the same; one that is looked at again is NEW and still has its problems."""
    return bool(found) and row.state in states and row.problems == [as_json(problem) for problem in found]


def write(batch: Batch) -> None:
    for state, rows in batch.by_state.items():
        keys = [row.pk for row in rows]
        SourceDocument.objects.filter(pk__in=keys).update(state=state, codes="", problems=[], changed_at=batch.now)
        batch.lines += [_line(row, state) for row in rows if row.state != state]
    for row, state, found in batch.told:
        if is_told_already(row, found, (state,)):
            continue
        SourceDocument.objects.filter(pk=row.pk).update(
            state=state, codes=codes(found), problems=[as_json(problem) for problem in found], changed_at=batch.now
        )
    for pk, waits_for in batch.waits.items():
        SourceDocument.objects.filter(pk=pk).update(waits_for=waits_for)
    Posting.objects.bulk_create(batch.fresh)
    Edge.objects.bulk_create(
        batch.edges,
        update_conflicts=True,
        unique_fields=["owner", "invoice_id"],
        update_fields=["currency", "wanted_minor"],
    )
    audit.record(batch.desk.tenant.pk, batch.lines, actor=batch.actor, now=batch.now)
    moved = [move.line for move in batch.moves if _moved(batch, move)]
    audit.record(batch.desk.tenant.pk, moved, actor=batch.actor, now=batch.now)
    _look_again(batch)


def _look_again(batch: Batch) -> None:
    """Other sources are decided anew; a person's decision about one stands."""
    mine = SourceDocument.objects.filter(tenant=batch.desk.tenant)
    others = mine.filter(pk__in=batch.renewed, state__in=(SourceState.CODED, SourceState.HELD, SourceState.WAITING))
    waiting = mine.filter(waits_for__in=batch.freed, state=SourceState.WAITING)
    why = "A document that it leans on, or that leans on it, is corrected or taken back."
    for found in (others, waiting):
        renew(batch.desk.tenant.pk, found, why, now=batch.now, actor=batch.actor)


def _line(row: SourceDocument, state: str) -> audit.Line:
    return audit.Line(state, f"{row.kind}:{row.source_id}", before={"state": row.state}, after={"state": str(state)})


def _moved(batch: Batch, move: Move) -> bool:
    """Whether the posting was still where it was read; a drain that claimed it meanwhile wins, and its source waits."""
    if Posting.objects.filter(pk=move.posting.pk, state=move.old).update(**move.values):
        return True
    source = SourceDocument.objects.filter(pk=move.posting.source_id)
    renew(batch.desk.tenant.pk, source, "Its posting went its way meanwhile.", now=batch.now, actor=batch.actor)
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


def outcome(batch: Batch) -> Counter[str]:
    """How many ended in which source state."""
    marked = Counter({state: len(rows) for state, rows in batch.by_state.items()})
    return marked + Counter(state for _, state, _ in batch.told)


def wait(batch: Batch, row: SourceDocument, problem: Problem, waits_for: str) -> None:
    """The document follows by itself when `waits_for` ('invoice:ID') has been posted."""
    tell(batch, row, SourceState.WAITING, [problem])
    batch.waits[row.pk] = waits_for[:130]


def come_back(batch: Batch, row: SourceDocument) -> None:
    """A document that has been prepared is looked at again when QAD has it: something leans on it."""
    batch.waits[row.pk] = f"{row.kind}:{row.source_id}"[:130]


def name_for(batch: Batch, kind: str, source_id: str, place: int = 0) -> str:
    """A new reference; two ids that differ only in case do not share one."""
    name = reference(batch.desk.prefix, kind, source_id, place)
    taken = Posting.objects.filter(tenant=batch.desk.tenant, reference__iexact=name).exists()
    if taken or name.upper() in batch.names:
        name = hashed_reference(batch.desk.prefix, kind, source_id, place)
    batch.names.add(name.upper())
    return name


def fits(batch: Batch, document: LedgerDocument | list[Problem]) -> LedgerDocument | list[Problem]:
    """The translated document on its posting date, proved to fit this instance's fields."""
    if isinstance(document, list):
        return document
    unsound = document_problems(document)
    if unsound:
        return unsound
    found = dating.dated(batch.desk, document)
    if found.problem is not None:
        batch.awaited.append(found)
        return [found.problem]
    batch.dated[document.reference] = found
    document = dating.on_day(document, found.day)
    missing = rates.problem(batch.desk, document)
    if missing is not None:
        return [missing]
    rendered = render(document, batch.desk.profile)
    return rendered if isinstance(rendered, list) else document


def add_posting(
    batch: Batch, row: SourceDocument, document: LedgerDocument, order_key: str, projection: str, **fields: Any
) -> Posting:
    """A new posting of a document, ready to be sent."""
    posting = Posting(
        tenant=batch.desk.tenant,
        source=row,
        kind=document.kind,
        reference=document.reference,
        order_key=order_key,
        created_at=batch.now,
        **frozen(batch, document, projection),
        **fields,
    )
    batch.fresh.append(posting)
    after = {"state": "ready", "total": str(total_of(document))}
    batch.lines.append(audit.Line("prepared", f"posting:{document.reference}", after=after))
    return posting


def rebuild(batch: Batch, posting: Posting, document: LedgerDocument, projection: str) -> None:
    """A posting that QAD does not have gets the new body under its old reference."""
    if posting.state not in REBUILDABLE:
        return
    values = {
        **frozen(batch, document, projection),
        "kind": document.kind,
        "state": PostingState.READY,
        "must_look_up": posting.must_look_up or posting.attempts > 0,
        "not_before": None,
        "problems": [],
    }
    before = {"state": posting.state, "document": posting.document_hash}
    after = {"state": "ready", "document": values["document_hash"]}
    line = audit.Line("rebuilt", f"posting:{posting.reference}", before=before, after=after)
    batch.moves.append(Move(posting, posting.state, values, line))


def frozen(batch: Batch, document: LedgerDocument, projection: str) -> dict[str, Any]:
    """The columns of a posting that come from its document."""
    stored = to_json(document)
    return {
        "document": stored,
        "document_hash": content_hash(stored),
        "projection": projection,
        "customer_code": document.customer[:20],
        "currency": document.currency,
        "total_minor": total_of(document).minor,
        "posting_date": document.posting_date,
        **_evidence(batch, document),
        "changed_at": batch.now,
    }


def _evidence(batch: Batch, document: LedgerDocument) -> dict[str, Any]:
    """Why this day, and at which rate; only of documents that came through `fits`."""
    found = batch.dated.get(document.reference)
    if found is None:
        return {}
    evidence = {**dating.why(found), **rates.evidence(batch.desk, document)}
    return {"wanted_date": dating.wanted_date(found), "evidence": evidence or None}


def total_of(document: LedgerDocument) -> Money:
    """What a document is worth: its total, what it applies, or the debit of a journal."""
    if isinstance(document, Reversal):
        return total_of(document.original)
    if isinstance(document, Adjustment):
        return applied_total(document)
    if isinstance(document, JournalEntry):
        return total((line.amount for line in document.lines if line.amount.amount > 0), document.currency)
    return document.total
