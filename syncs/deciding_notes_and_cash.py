"""What becomes of a credit note, payment or refund: its posting, its later edges, its reversal, or why it waits.

The wanted state is Chargebee's record; the reached state is the chain of postings and the edges that QAD has. Each
decision adds what leads from one to the other and is missing; deciding again adds nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from connector.chargebee.records import CreditNote, Transaction
from connector.errors import Problem
from connector.ledger import by_hand, credit_notes, payments, refunds
from connector.ledger import problems as say
from connector.ledger.documents import LedgerDocument
from connector.ledger.reversals import ended_on, payment_ended_on
from connector.ledger.skipping import Skipped
from connector.ledger.validate_transactions import it_goes_back_whole, payment_id, refunds_are_within_the_payment
from syncs import edges, older, settlements, sides
from syncs import parents as parents_of
from syncs.batch import (
    REBUILDABLE,
    Batch,
    add_posting,
    come_back,
    end,
    fits,
    mark,
    name_for,
    rebuild,
    record,
    tell,
    wait,
    withdraw,
)
from syncs.cases import Case, Record
from syncs.chains import as_posted, chains_of, is_edited, is_in_flight, is_known_by_hand, leave, reverse
from syncs.deciding_invoices import order_key
from syncs.models import Edge, Kind, Posting, SourceDocument
from syncs.states import STANDING, SourceState


def decide(batch: Batch, rows: Sequence[SourceDocument]) -> None:
    """Decide these credit notes or transactions; nothing is written yet."""
    records = {row.pk: record(batch, row) for row in rows}
    read = [one for one in records.values() if not isinstance(one, list)]
    known: dict[int, dict[str, Edge]] = {}
    for edge in Edge.objects.filter(owner__in=rows):
        known.setdefault(edge.owner_id, {})[edge.invoice_id] = edge
    settled = {invoice_id for mine in known.values() for invoice_id in mine}
    is_note = rows[0].kind == Kind.CREDIT_NOTE
    parents = (parents_of.of_notes if is_note else parents_of.of_transactions)(batch, read, settled)
    chains = chains_of(rows)
    parents.on_account = older.on_account(rows) if parents.older else set()
    for row in rows:
        found, chain = records[row.pk], chains[row.pk]
        if isinstance(found, list) and is_known_by_hand(row, chain):
            mark(batch, row, SourceState.CODED)
        elif isinstance(found, list):
            tell(batch, row, SourceState.UNREADABLE, found)
            for posting in chain:
                withdraw(batch, posting)
        elif not is_in_flight(chain):  # else its outcome comes first; the source stays new
            case = Case(row, found, chain, known.get(row.pk, {}), parents)
            _decide_one(batch, case)
            edges.free(batch, case)


def _decide_one(batch: Batch, case: Case) -> None:
    main = case.main
    if main is not None and main.state in STANDING:
        _decide_standing(batch, case, main)
    elif main is not None and main.state not in REBUILDABLE:
        mark(batch, case.row, SourceState.CODED)  # a conflict or a person's decision stands
    elif case.place > (main is not None) and _ended(batch, case) is not None:
        withdraw(batch, main)
        mark(batch, case.row, SourceState.CODED)  # posted and taken back
    else:
        _decide_fresh(batch, case, main)


def _decide_fresh(batch: Batch, case: Case, main: Posting | None) -> None:
    """Not in QAD, or not any more: its first version, or the next one of an edited document."""
    if main is None and older.decide(batch, case.row, case.record, _ended(batch, case)):
        return
    if _leans_on_older(batch, case):
        return
    partly = _partly_reversed(case)
    if partly is not None:
        tell(batch, case.row, SourceState.HELD, [partly])
        withdraw(batch, main)
        return
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
    name = main.reference if main else name_for(batch, _kind(case.record), case.row.source_id, case.place)
    document = fits(batch, edges.within_room(case, _translate(batch, case, name)))
    if isinstance(document, list):
        tell(batch, case.row, SourceState.HELD, document)
        withdraw(batch, main)
        return
    if main is None:
        key = order_key(batch.desk, case.row, case.record.customer_id)
        add_posting(batch, case.row, document, key, case.projection, place=case.place)
    else:
        rebuild(batch, main, document, case.projection)
    edges.note(batch, case)
    mark(batch, case.row, SourceState.CODED)
    if _goes_on(batch, case):
        come_back(batch, case.row)


def _leans_on_older(batch: Batch, case: Case) -> bool:
    """Held for a person's choice, unless they have chosen already; what never posts is not asked about."""
    found, parents = case.record, case.parents
    if not parents.older or case.row.pk in parents.on_account:
        return False
    is_void = isinstance(found, CreditNote) and credit_notes.is_invoice_void(found)
    is_reversal = isinstance(found, Transaction) and found.type == "payment_reversal"
    if _skip_rule(batch, case) is not None and not is_void and not is_reversal:
        return False
    known: dict[str, set[str]] = {
        Kind.INVOICE: set(parents.standing),
        Kind.CREDIT_NOTE: set(parents.notes),
        Kind.TRANSACTION: set(parents.payments),
    }
    return older.hold_child(batch, case.row, found, parents.older, known)


def _goes_on(batch: Batch, case: Case) -> bool:
    """Whether something follows as soon as QAD has it: its reversal, or withheld tax that it gives back."""
    found = case.record
    return isinstance(found, CreditNote) and (credit_notes.is_gone(found) or bool(found.withheld_refunds))


def _skip_rule(batch: Batch, case: Case) -> Skipped | None:
    found, parents = case.record, case.parents
    if isinstance(found, CreditNote):
        invoice = found.reference_invoice_id
        if credit_notes.is_invoice_void(found) and parents.states.get(invoice) == SourceState.SKIPPED:
            return Skipped("voided-before-posting", "Its invoice was voided before it was posted, and so is this note.")
        if credit_notes.is_invoice_void(found) and invoice in parents.gone:
            return Skipped("invoice-taken-back", "Its invoice was voided, and is taken back in QAD already.")
        return credit_notes.skip_rule(found, batch.desk.note_rules)
    if found.type == "payment_reversal":
        return Skipped("reversal-of-payment", f"It takes back payment {payment_id(found)}, which is reversed itself.")
    if found.type == "payment" and found.id in parents.reversals and _ended(batch, case) is not None:
        return Skipped("reversed-before-posting", "It was taken back in Chargebee before it was posted.")
    return payments.skip_rule(found, batch.desk.cash_rules)


def _missing_parent(case: Case) -> tuple[Problem, str] | None:
    """The first document that must be in QAD before this one, as a sentence and as what to wait for."""
    found, parents = case.record, case.parents
    if isinstance(found, CreditNote):
        invoice = credit_notes.parent(found)
        is_let_go = case.row.pk in parents.on_account and invoice in parents.older.get(Kind.INVOICE, ())
        if invoice and invoice not in parents.invoices and not is_let_go:
            return say.waits_for(case.name, f"invoice {invoice}"), f"{Kind.INVOICE}:{invoice}"
        return None
    if found.type != "refund":
        return None
    for row in found.linked_notes:
        note = row.credit_note_id
        if row.applied and (note not in parents.notes or note in parents.ending[Kind.CREDIT_NOTE]):
            return say.waits_for(case.name, f"credit note {note}"), f"{Kind.CREDIT_NOTE}:{note}"
    payment = payment_id(found)
    is_there = payment in parents.payments and payment not in parents.ending[Kind.TRANSACTION]
    if payment and not is_there and payment in parents.known_payments:
        return say.waits_for(case.name, f"payment {payment}"), f"{Kind.TRANSACTION}:{payment}"
    return None


def _translate(batch: Batch, case: Case, name: str) -> LedgerDocument | list[Problem]:
    desk, found, parents = batch.desk, case.record, case.parents
    if isinstance(found, CreditNote):
        return credit_notes.translate(found, desk.table, desk.note_rules, name, parents.invoices)
    if found.type == "refund":
        payment = payment_id(found)
        paid = parents.payment_records.get(payment)
        if paid and (beyond := refunds_are_within_the_payment(paid, parents.refunds.get(payment, {}))):
            return [beyond]
        leans_on = refunds.RefundParents(
            payment=paid,
            payment_posted=parents.payments.get(payment),
            notes=parents.notes,
        )
        return refunds.translate(found, desk.table, desk.cash_rules, name, leans_on)
    return payments.translate(found, desk.table, desk.cash_rules, name, parents.invoices)


def _decide_standing(batch: Batch, case: Case, main: Posting) -> None:
    """In QAD: taken back if it ended, corrected or held if it was edited, else its edges are brought up to date."""
    day, partly = _ended(batch, case), _partly_reversed(case)
    if partly is not None:
        edges.let_go(batch, case, main)
        tell(batch, case.row, SourceState.HELD, [partly])
    elif day is not None:
        _take_back(batch, case, main, day)
    elif is_edited(case.row, main, case.projection):
        _correct(batch, case, main)
    elif main.kind == "refund" and _leans_on_ending(case):
        _take_back(batch, case, main, as_posted(main).posting_date)  # its note or payment is being corrected
    else:
        _stay(batch, case, main)


def _stay(batch: Batch, case: Case, main: Posting) -> None:
    if main.is_ending:
        batch.renewed |= settlements.of_credit(case.row, _told_refunds(case.record))
    leave(batch, case.chain, main)
    problems: list[Problem] = []
    if main.kind in ("credit_note", "payment"):
        edges.note(batch, case)
        problems = edges.move(batch, case, main)
    if isinstance(case.record, CreditNote):
        problems += sides.beside_note(batch, case.row, case.record, main, case.chain)
    if len(problems) == len(case.crowded) > 0:
        wait(batch, case.row, problems[0], f"edges:{case.crowded[0]}")
    elif problems:
        tell(batch, case.row, SourceState.HELD, problems)
    else:
        mark(batch, case.row, SourceState.CODED)


def _correct(batch: Batch, case: Case, main: Posting) -> None:
    """The old version goes only when the new one is known to fit; a correction that has begun is finished."""
    now = case.record.total if isinstance(case.record, CreditNote) else case.record.amount
    edited: Problem | None = None
    if main.is_by_hand:
        edited = by_hand.changed(case.name, main.qad_number, main.total, now)
    elif batch.desk.policies["edited_after_posting"] == "hold" and not main.is_ending:
        edited = say.changed_after_posting(case.name, main.total, now)
    if edited is not None:
        edges.let_go(batch, case, main)
        tell(batch, case.row, SourceState.HELD, [edited])
        return
    missing = _missing_parent(case)
    document = fits(batch, _translate(batch, case, main.reference))
    if missing is not None:
        edges.let_go(batch, case, main)
        wait(batch, case.row, *missing)
    elif isinstance(document, list):
        edges.let_go(batch, case, main)
        tell(batch, case.row, SourceState.HELD, document)
    else:
        _take_back(batch, case, main, as_posted(main).posting_date)


def _take_back(batch: Batch, case: Case, main: Posting, day: dt.date) -> None:
    """Reverse it, once no refund uses it up any more; what it settles comes off with it."""
    row = case.row
    end(batch, main)
    edges.note(batch, case)
    edges.drop_all(batch, case)
    is_alone, problems = sides.take_off(batch, row, case.chain)
    refunds_of_it = _refunds_to_move(batch, case)
    if refunds_of_it:
        edges.let_go(batch, case, main)
    if not problems and is_alone and not refunds_of_it:
        problems = reverse(batch, row, case.chain, main, on=day, applications=edges.applied(case, main))
    if problems:
        tell(batch, row, SourceState.HELD, problems)
    elif refunds_of_it:
        batch.renewed |= refunds_of_it
        wait(batch, row, say.waits_for_refunds(case.name), f"refunds:{row.source_id}")
    else:
        mark(batch, row, SourceState.CODED)


def _refunds_to_move(batch: Batch, case: Case) -> set[int]:
    """Refunds that must come off first: of an edited document all; money that went back stays so when it ended."""
    if _ended(batch, case) is not None:
        return set()
    return settlements.of_credit(case.row, _told_refunds(case.record))


def _told_refunds(found: Record) -> set[str]:
    return {row.transaction_id for row in found.linked_refunds}


def _leans_on_ending(case: Case) -> bool:
    """Whether the credit note or the payment that a refund uses up is about to be taken back and posted anew."""
    found, ending = case.record, case.parents.ending
    if not isinstance(found, Transaction):
        return False
    notes = {row.credit_note_id for row in found.linked_notes}
    return bool(notes & ending[Kind.CREDIT_NOTE]) or payment_id(found) in ending[Kind.TRANSACTION]


def _ended(batch: Batch, case: Case) -> dt.date | None:
    """The day on which the record ceased to stand, None while it does."""
    found, zone = case.record, batch.desk.rules.zone
    if isinstance(found, CreditNote):
        return ended_on(found, zone) if credit_notes.is_gone(found) else None
    if found.type == "payment":
        return payment_ended_on(found, case.parents.reversals.get(found.id, ()), zone)
    return ended_on(found, zone) if found.status != "success" or found.deleted else None


def _partly_reversed(case: Case) -> Problem | None:
    found = case.record
    if not isinstance(found, Transaction) or found.type != "payment":
        return None
    return it_goes_back_whole(found, case.parents.reversals.get(found.id, ()))


def _kind(found: Record) -> str:
    if isinstance(found, CreditNote):
        return "write_off" if credit_notes.is_write_off(found) else "credit_note"
    return "refund" if found.type == "refund" else "payment"
