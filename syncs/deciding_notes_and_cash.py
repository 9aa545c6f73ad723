"""What becomes of a credit note, payment or refund: its posting, its later edges, its reversal, or why it waits.

The wanted state is Chargebee's record; the reached state is the chain of postings and the edges that QAD has. Each
decision adds what leads from one to the other and is missing; deciding again adds nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from connector.chargebee.records import CreditNote, Transaction
from connector.errors import Problem
from connector.ledger import credit_notes, payments, refunds
from connector.ledger import problems as say
from connector.ledger.applications import adjustment, application, edge_changes, edge_id
from connector.ledger.documents import Adjustment, Application, LedgerDocument, Posted, Reversal
from connector.ledger.invoices import Skipped
from connector.ledger.reversals import ended_on, payment_ended_on, reversal
from connector.ledger.stored import restore
from connector.ledger.validate_transactions import name_of, payment_id
from connector.money import Money
from syncs import parents as parents_of
from syncs.batch import REBUILDABLE, Batch, add_posting, fits, mark, name_for, rebuild, record, tell, wait, withdraw
from syncs.deciding_invoices import order_key
from syncs.models import Edge, Kind, Posting, SourceDocument
from syncs.parents import Parents, as_posted
from syncs.states import DONE, IN_FLIGHT, PostingState, SourceState

MAIN = ("credit_note", "payment", "refund", "journal")
Record = CreditNote | Transaction


@dataclass(slots=True)
class Case:
    """One source with everything its decision rests on."""

    row: SourceDocument
    record: Record
    chain: list[Posting]
    edges: dict[str, Edge]
    parents: Parents

    @property
    def main(self) -> Posting | None:
        """The posting of the document itself that stands or may still stand."""
        mains = [one for one in self.chain if one.kind in MAIN and one.state != PostingState.REVERSED]
        return mains[-1] if mains else None

    @property
    def name(self) -> str:
        return name_of(self.record)


def decide(batch: Batch, rows: Sequence[SourceDocument]) -> None:
    """Decide these credit notes or transactions; nothing is written yet."""
    records = {row.pk: record(batch, row) for row in rows}
    read = [one for one in records.values() if not isinstance(one, list)]
    edges: dict[int, dict[str, Edge]] = {}
    for edge in Edge.objects.filter(owner__in=rows):
        edges.setdefault(edge.owner_id, {})[edge.invoice_id] = edge
    settled = {invoice_id for mine in edges.values() for invoice_id in mine}
    is_note = rows[0].kind == Kind.CREDIT_NOTE
    parents = (parents_of.of_notes if is_note else parents_of.of_transactions)(batch, read, settled)
    chains: dict[int, list[Posting]] = {}
    for posting in Posting.objects.filter(source__in=rows).order_by("pk"):
        chains.setdefault(posting.source_id, []).append(posting)
    for row in rows:
        found = records[row.pk]
        if isinstance(found, list):
            tell(batch, row, SourceState.UNREADABLE, found)
            for posting in chains.get(row.pk, []):
                withdraw(batch, posting)
        else:
            _decide_one(batch, Case(row, found, chains.get(row.pk, []), edges.get(row.pk, {}), parents))


def _decide_one(batch: Batch, case: Case) -> None:
    if any(posting.state in IN_FLIGHT for posting in case.chain):
        return  # its outcome comes first; the source stays new
    main = case.main
    if main is not None and main.state in DONE:
        _decide_posted(batch, case, main)
    elif main is None and case.chain:
        mark(batch, case.row, SourceState.CODED)  # posted and taken back
    elif main is None or main.state in REBUILDABLE:
        _decide_fresh(batch, case, main)
    else:
        mark(batch, case.row, SourceState.CODED)  # a conflict or a person's decision stands


def _decide_fresh(batch: Batch, case: Case, main: Posting | None) -> None:
    """Not in QAD yet."""
    rule = _skip_rule(batch, case)
    if rule is not None:
        tell(batch, case.row, SourceState.SKIPPED, [Problem(rule.rule, case.name, rule.sentence, "")])
        withdraw(batch, main)
        return
    missing = _missing_parent(case)
    if missing is not None:
        wait(batch, case.row, *missing)
        withdraw(batch, main)
        return
    name = main.reference if main else name_for(batch, _kind(case.record), case.row.source_id)
    document = fits(batch, _translate(batch, case, name))
    if isinstance(document, list):
        tell(batch, case.row, SourceState.HELD, document)
        withdraw(batch, main)
        return
    if main is None:
        key = order_key(batch.desk, case.row, case.record.customer_id)
        add_posting(batch, case.row, document, key, _projection(case.record))
    else:
        rebuild(batch, main, document, _projection(case.record))
    _note_edges(batch, case)
    mark(batch, case.row, SourceState.CODED)


def _skip_rule(batch: Batch, case: Case) -> Skipped | None:
    found = case.record
    if isinstance(found, CreditNote):
        if credit_notes.is_invoice_void(found) and case.parents.states.get(found.reference_invoice_id) == "skipped":
            return Skipped("voided-before-posting", "Its invoice was voided before it was posted, and so is this note.")
        return credit_notes.skip_rule(found, batch.desk.note_rules)
    if found.type == "payment_reversal":
        return Skipped("reversal-of-payment", f"It takes back payment {payment_id(found)}, which is reversed itself.")
    if found.type == "payment" and found.id in case.parents.reversals and _ended(batch, case) is not None:
        return Skipped("reversed-before-posting", "It was taken back in Chargebee before it was posted.")
    return payments.skip_rule(found, batch.desk.cash_rules)


def _missing_parent(case: Case) -> tuple[Problem, str] | None:
    """The first document that must be in QAD before this one, as a sentence and as what to wait for."""
    found = case.record
    if isinstance(found, CreditNote):
        invoice = credit_notes.parent(found)
        if invoice and invoice not in case.parents.invoices:
            return say.waits_for(case.name, f"invoice {invoice}"), f"{Kind.INVOICE}:{invoice}"
        return None
    if found.type != "refund":
        return None
    for row in found.linked_notes:
        if row.applied and row.credit_note_id not in case.parents.notes:
            note = row.credit_note_id
            return say.waits_for(case.name, f"credit note {note}"), f"{Kind.CREDIT_NOTE}:{note}"
    payment = payment_id(found)
    if payment and payment not in case.parents.payments and payment in case.parents.known_payments:
        return say.waits_for(case.name, f"payment {payment}"), f"{Kind.TRANSACTION}:{payment}"
    return None


def _translate(batch: Batch, case: Case, name: str) -> LedgerDocument | list[Problem]:
    desk, found, parents = batch.desk, case.record, case.parents
    if isinstance(found, CreditNote):
        return credit_notes.translate(found, desk.table, desk.note_rules, name, parents.invoices)
    if found.type == "refund":
        payment = payment_id(found)
        leans_on = refunds.RefundParents(
            payment=parents.payment_records.get(payment),
            payment_posted=parents.payments.get(payment),
            notes=parents.notes,
        )
        return refunds.translate(found, desk.table, desk.cash_rules, name, leans_on)
    return payments.translate(found, desk.table, desk.cash_rules, name, parents.invoices)


def _decide_posted(batch: Batch, case: Case, main: Posting) -> None:
    """In QAD: taken back if it ended, held if what was posted has changed, else its edges are brought up to date."""
    day = _ended(batch, case)
    if day is not None:
        _reverse(batch, case, main, day)
    elif _projection(case.record) != main.projection:
        now = case.record.total if isinstance(case.record, CreditNote) else case.record.amount
        tell(batch, case.row, SourceState.HELD, [say.changed_after_posting(case.name, main.total, now)])
        return
    elif main.kind in ("credit_note", "payment"):
        _note_edges(batch, case)
        problems = _move_edges(batch, case, main)
        if problems:
            tell(batch, case.row, SourceState.HELD, problems)
            return
    mark(batch, case.row, SourceState.CODED)


def _ended(batch: Batch, case: Case) -> dt.date | None:
    """The day on which the record ceased to stand, None while it does."""
    found, zone = case.record, batch.desk.rules.zone
    if isinstance(found, CreditNote):
        return ended_on(found, zone) if found.status == "voided" or found.deleted else None
    if found.type == "payment":
        return payment_ended_on(found, case.parents.reversals.get(found.id, ()), zone)
    return ended_on(found, zone) if found.status != "success" or found.deleted else None


def _reverse(batch: Batch, case: Case, main: Posting, day: dt.date) -> None:
    """One reversal of a posting, whichever signal comes first; what it settled comes off with it."""
    reversals = [one for one in case.chain if one.reverses_id == main.pk]
    if any(one.state not in REBUILDABLE for one in reversals):
        return
    original = restore(main.document)
    if isinstance(original, Adjustment | Reversal):
        return  # never a main posting
    name = reversals[-1].reference if reversals else name_for(batch, "reversal", case.row.source_id, main.place)
    applied = tuple(_applied(case, main))
    document = fits(batch, reversal(original, name, on=day, number=main.qad_number, applications=applied))
    if isinstance(document, list):
        tell(batch, case.row, SourceState.HELD, document)
    elif reversals:
        rebuild(batch, reversals[-1], document, main.projection)
    else:
        add_posting(batch, case.row, document, main.order_key, main.projection, reverses=main, place=main.place)


def _applied(case: Case, main: Posting) -> list[Application]:
    """What the document settles now: its edges, and for a refund what it was applied to when it was posted."""
    if main.kind not in ("credit_note", "payment"):
        return list(getattr(restore(main.document), "applications", ()))
    return [
        application(edge.invoice_id, case.parents.invoices[edge.invoice_id], _money(edge.applied_minor, edge))
        for edge in case.edges.values()
        if edge.applied_minor and edge.invoice_id in case.parents.invoices
    ]


def _move_edges(batch: Batch, case: Case, main: Posting) -> list[Problem]:
    """A posting for each edge to an invoice in QAD that differs; those to other invoices wait for them."""
    wanted = {one: amount for one, amount in _wanted(case.record).items() if one in case.parents.invoices}
    applied = {one: _money(edge.applied_minor, edge) for one, edge in case.edges.items() if edge.applied_minor}
    credit = as_posted(main)
    for invoice_id, change in edge_changes(applied, wanted).items():
        moves = [one for one in case.chain if one.invoice_id == invoice_id]
        if any(one.state not in DONE for one in moves):
            continue  # one on its way already, or stopped for a reason that stands on it
        document = _edge(batch, case, credit, invoice_id, change, len(moves))
        if isinstance(document, list):
            return document
        place = sum(one.kind == document.kind for one in (*case.chain, *_fresh_of(batch, case.row)))
        add_posting(batch, case.row, document, main.order_key, main.projection, invoice_id=invoice_id, place=place)
    return []


def _edge(
    batch: Batch, case: Case, credit: Posted, invoice_id: str, change: Money, number: int
) -> LedgerDocument | list[Problem]:
    name = name_for(batch, "application", edge_id(case.row.source_id, invoice_id), number)
    invoice = case.parents.invoices.get(invoice_id)
    if invoice is None:
        return [say.parent_not_posted(case.name, f"invoice {invoice_id}")]
    return fits(
        batch,
        adjustment(
            change,
            credit,
            invoice,
            name,
            owner_id=case.row.source_id,
            invoice_id=invoice_id,
            table=batch.desk.table,
        ),
    )


def _fresh_of(batch: Batch, row: SourceDocument) -> list[Posting]:
    return [posting for posting in batch.fresh if posting.source is row]


def _note_edges(batch: Batch, case: Case) -> None:
    """Write down what Chargebee wants, so that an invoice finds its owners when it is posted."""
    wanted = _wanted(case.record)
    for invoice_id in {*wanted, *case.edges}:
        amount = wanted.get(invoice_id)
        batch.edges.append(
            Edge(
                tenant=batch.desk.tenant,
                owner=case.row,
                invoice_id=invoice_id,
                currency=case.record.currency,
                wanted_minor=amount.minor if amount else 0,
            )
        )


def _wanted(found: Record) -> dict[str, Money]:
    return credit_notes.edges(found) if isinstance(found, CreditNote) else payments.edges(found)


def _money(minor: int, edge: Edge) -> Money:
    return Money.of_minor(minor, edge.currency)


def _projection(found: Record) -> str:
    return credit_notes.projection(found) if isinstance(found, CreditNote) else payments.projection(found)


def _kind(found: Record) -> str:
    if isinstance(found, CreditNote):
        return "write_off" if credit_notes.is_write_off(found) else "credit_note"
    return "refund" if found.type == "refund" else "payment"
