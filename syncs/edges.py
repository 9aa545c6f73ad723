"""Which invoices a credit note or payment settles: QAD is brought to what Chargebee says, edge by edge."""

from __future__ import annotations

from dataclasses import replace

from connector.chargebee.records import CreditNote
from connector.errors import Problem
from connector.ledger import credit_notes, payments
from connector.ledger import problems as say
from connector.ledger.applications import adjustment, application, edge_changes, edge_id
from connector.ledger.documents import (
    Application,
    CustomerCreditNote,
    CustomerPayment,
    CustomerRefund,
    LedgerDocument,
)
from connector.ledger.stored import restore, to_json
from connector.money import Money
from syncs.batch import REBUILDABLE, Batch, add_posting, fits, name_for, rebuild, withdraw
from syncs.cases import Case, Record
from syncs.chains import EDGES, as_posted, next_place
from syncs.models import Edge, Kind, Posting
from syncs.settlements import CARRIERS
from syncs.states import DONE, PostingState

UNSENT = (PostingState.READY, PostingState.REJECTED, PostingState.PARKED)
SETTLED = {"invoice": Kind.INVOICE, "credit_note": Kind.CREDIT_NOTE, "payment": Kind.TRANSACTION}
SAME = ("kind", "credit", "applications")  # what makes two of them the same, on whatever day


def wanted(found: Record) -> dict[str, Money]:
    """What Chargebee says that it settles, by invoice."""
    return credit_notes.edges(found) if isinstance(found, CreditNote) else payments.edges(found)


def applied(case: Case, main: Posting) -> tuple[Application, ...]:
    """What the document settles in QAD now: its edges; for a refund what it was applied to when it was posted."""
    if main.kind not in ("credit_note", "payment"):
        return tuple(getattr(restore(main.document), "applications", ()))
    standing = case.parents.standing
    return tuple(
        application(edge.invoice_id, standing[edge.invoice_id], _money(edge.applied_minor, edge))
        for edge in case.edges.values()
        if edge.applied_minor and edge.invoice_id in standing
    )


def note(batch: Batch, case: Case) -> None:
    """Write down what Chargebee wants, so that an invoice finds its owners when it is posted.

    What QAD still has of an earlier version in another currency comes off first; until then nothing is wanted of it.
    """
    amounts = wanted(case.record)
    for invoice_id in {*amounts, *case.edges}:
        amount, have = amounts.get(invoice_id), case.edges.get(invoice_id)
        is_left = have is not None and have.applied_minor != 0 and have.currency != case.record.currency
        batch.edges.append(
            Edge(
                tenant=batch.desk.tenant,
                owner=case.row,
                invoice_id=invoice_id,
                currency=have.currency if have is not None and is_left else case.record.currency,
                wanted_minor=amount.minor if amount and not is_left else 0,
            )
        )


def move(batch: Batch, case: Case, main: Posting) -> list[Problem]:
    """A posting for each edge to an invoice in QAD that differs; an invoice that is to be taken back keeps none.

    Edges to other invoices wait for them. Every edge is tried: one that cannot be written keeps no other back.
    """
    standing = case.parents.standing
    amounts = {key: amount for key, amount in wanted(case.record).items() if key in case.parents.invoices}
    have = {key: _money(edge.applied_minor, edge) for key, edge in case.edges.items() if edge.applied_minor}
    changes = edge_changes(have, amounts)
    for invoice_id in _pending(case) - changes.keys():
        _drop(batch, case, invoice_id)
    found: list[Problem] = []
    for invoice_id, change in changes.items():
        if change.minor > 0 and not case.parents.is_of_its_currency(invoice_id, change):
            other = case.parents.currencies[invoice_id]
            found.append(say.edge_in_another_currency(case.name, f"invoice {invoice_id}", change.currency, other))
        elif change.minor > 0 and invoice_id in standing and not case.parents.has_room(invoice_id, change):
            left = Money.of_minor(case.parents.room[invoice_id], change.currency)
            found.append(say.over_applied(case.name, f"invoice {invoice_id}", change, left))
            case.crowded += [invoice_id] if change.minor <= case.parents.totals[invoice_id] else []
        elif invoice_id in standing:
            case.parents.take(invoice_id, max(change.minor, 0))
            found += _move_one(batch, case, main, invoice_id, change)
        else:
            found.append(say.parent_not_posted(case.name, f"invoice {invoice_id}"))
    return found


def within_room(case: Case, document: LedgerDocument | list[Problem]) -> LedgerDocument | list[Problem]:
    """A new document without the applications that its invoices have no room for: they follow when there is."""
    if not isinstance(document, CustomerCreditNote | CustomerPayment) or isinstance(document, CustomerRefund):
        return document
    riding = []
    for row in document.applications:
        if case.parents.has_room(row.source_id, row.amount):
            case.parents.take(row.source_id, row.amount.minor)
            riding.append(row)
    return replace(document, applications=tuple(riding))


def drop_all(batch: Batch, case: Case) -> None:
    """No edge of a document goes out any more: it is taken back itself."""
    for invoice_id in _pending(case):
        _drop(batch, case, invoice_id)


def let_go(batch: Batch, case: Case, main: Posting) -> None:
    """An owner that cannot be brought up to date now still comes off the invoices that are to be taken back."""
    for invoice_id, edge in case.edges.items():
        if edge.applied_minor and invoice_id in case.parents.ending[Kind.INVOICE]:
            _move_one(batch, case, main, invoice_id, -_money(edge.applied_minor, edge))


def free(batch: Batch, case: Case) -> None:
    """What is to be taken back may have waited for a posting of this chain that names it: it is rebuilt by now."""
    ending = case.parents.ending
    for posting in case.chain:
        if posting.kind not in (*CARRIERS, "application") or posting.state not in UNSENT:
            continue
        for row in posting.document["applications"]:
            if row["source_id"] in ending.get(SETTLED[row["kind"]], ()):
                what = "edges" if row["kind"] == "invoice" else "refunds"
                batch.freed.add(f"{what}:{row['source_id']}"[:130])


def _pending(case: Case) -> set[str]:
    return {one.invoice_id for one in case.chain if one.kind in EDGES and one.state in REBUILDABLE}


def _drop(batch: Batch, case: Case, invoice_id: str) -> None:
    for one in case.chain:
        if one.kind in EDGES and one.invoice_id == invoice_id:
            withdraw(batch, one)


def _move_one(batch: Batch, case: Case, main: Posting, invoice_id: str, change: Money) -> list[Problem]:
    moves = [one for one in case.chain if one.kind in EDGES and one.invoice_id == invoice_id]
    last = moves[-1] if moves and moves[-1].state not in DONE else None
    if last is not None and last.state not in REBUILDABLE:
        return []  # a person decides about it
    name = last.reference if last else _name(batch, case, invoice_id, len(moves))
    document = _document(batch, case, main, invoice_id, change, name)
    if isinstance(document, list):
        return document
    if last is None:
        place = next_place(batch, case.row, case.chain, EDGES)
        add_posting(batch, case.row, document, main.order_key, main.projection, invoice_id=invoice_id, place=place)
    elif last.state == PostingState.HELD or _differs(document, last):
        rebuild(batch, last, document, main.projection)
    return []


def _name(batch: Batch, case: Case, invoice_id: str, number: int) -> str:
    return name_for(batch, "application", edge_id(case.row.source_id, invoice_id), number)


def _differs(document: LedgerDocument, posting: Posting) -> bool:
    stored = to_json(document)
    return any(stored[name] != posting.document[name] for name in SAME)


def _document(
    batch: Batch, case: Case, main: Posting, invoice_id: str, change: Money, name: str
) -> LedgerDocument | list[Problem]:
    invoice = case.parents.standing[invoice_id]
    owner = case.row.source_id
    table = batch.desk.table
    return fits(
        batch, adjustment(change, as_posted(main), invoice, name, owner_id=owner, invoice_id=invoice_id, table=table)
    )


def _money(minor: int, edge: Edge) -> Money:
    return Money.of_minor(minor, edge.currency)
