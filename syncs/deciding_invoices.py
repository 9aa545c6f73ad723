"""What becomes of an invoice: its posting, its correction or end, a rule that skips it, or what a person must mend."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models.functions import Upper

from connector.chargebee.records import Invoice
from connector.errors import Problem
from connector.ledger import problems as say
from connector.ledger.by_hand import changed
from connector.ledger.documents import CustomerInvoice
from connector.ledger.invoices import is_gone, projection, skip_rule, translate
from connector.ledger.reference import hashed_reference, reference
from connector.ledger.reversals import ended_on
from connector.ledger.skipping import Skipped
from syncs import older, settlements, sides
from syncs.batch import Batch, add_posting, come_back, fits, mark, name_for, read, rebuild, record, tell, withdraw
from syncs.chains import Chain, as_posted, chains_of, is_edited, is_in_flight, is_known_by_hand, last_main, leave, mains
from syncs.desk import Desk
from syncs.models import Kind, Posting, SourceDocument
from syncs.states import STANDING, SourceState
from syncs.taking_back import are_notes_read, has_void_note, hold_on, take_back


@dataclass(frozen=True, slots=True)
class Case:
    """One invoice with all that was posted of it."""

    row: SourceDocument
    invoice: Invoice
    chain: Chain
    first_name: str  # the reference of its first posting, where it has none yet

    @property
    def main(self) -> Posting | None:
        return last_main(self.row, self.chain)

    @property
    def place(self) -> int:
        """How many versions of it QAD had."""
        return len(mains(self.row, self.chain))


def decide(batch: Batch, rows: Sequence[SourceDocument]) -> None:
    """Decide these invoices; nothing is written yet."""
    chains = chains_of(rows)
    references = _references(batch.desk, [row.source_id for row in rows if not chains[row.pk]])
    for row in rows:
        chain = chains[row.pk]
        if is_in_flight(chain):
            continue  # its outcome comes first; the row stays new and is prepared after it
        found = record(batch, row)
        if isinstance(found, list) and is_known_by_hand(row, chain):
            mark(batch, row, SourceState.CODED)
        elif isinstance(found, list):
            tell(batch, row, SourceState.UNREADABLE, found)
            for posting in chain:
                withdraw(batch, posting)
        else:
            _decide_one(batch, Case(row, found, chain, references.get(row.source_id, "")))


def preview(desk: Desk, content: dict[str, Any], name: str) -> CustomerInvoice | Skipped | list[Problem]:
    """What preparing would make of a raw invoice, without saving anything: the journal preview."""
    record = read(desk, Kind.INVOICE, content)
    if isinstance(record, list):
        return record
    return skip_rule(record, desk.rules) or translate(record, desk.table, desk.rules, name)


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


def _decide_one(batch: Batch, case: Case) -> None:
    main = case.main
    if main is not None and main.state in STANDING:
        _decide_standing(batch, case, main)
    elif case.place and main is None and is_gone(case.invoice):
        mark(batch, case.row, SourceState.CODED)  # posted and taken back
    elif case.place > 1 and is_gone(case.invoice):
        withdraw(batch, main)  # the version before it is taken back, and no other is wanted
        mark(batch, case.row, SourceState.CODED)
    elif main is None and older.decide(batch, case.row, case.invoice, _ended(batch, case.invoice)):
        return
    elif (rule := skip_rule(case.invoice, batch.desk.rules)) is not None:
        name = f"Invoice {case.row.source_id}"
        tell(batch, case.row, SourceState.SKIPPED, [Problem(rule.rule, name, rule.sentence, "")])
        withdraw(batch, main)
    else:
        _post(batch, case, main)


def _ended(batch: Batch, invoice: Invoice) -> dt.date | None:
    return ended_on(invoice, batch.desk.rules.zone) if is_gone(invoice) else None


def _decide_standing(batch: Batch, case: Case, main: Posting) -> None:
    """QAD has it: a payment leaves it alone, an end takes it back, any other change corrects or holds it."""
    row, invoice = case.row, case.invoice
    if invoice.status == "pending":
        tell(batch, row, SourceState.HELD, [say.reopened(f"Invoice {row.source_id}")])
    elif is_gone(invoice) and not has_void_note(batch, row):
        ended = "been deleted" if invoice.deleted else "been voided"
        if not are_notes_read(batch, invoice):
            hold_on(batch, row, ended, "the credit notes to be read up to its void", f"{Kind.CREDIT_NOTE}:*")
        else:
            take_back(batch, row, case.chain, main, on=ended_on(invoice, batch.desk.rules.zone), why=ended)
    elif is_edited(row, main, projection(invoice)):
        _correct(batch, case, main)
    else:
        _stay(batch, case, main)


def _stay(batch: Batch, case: Case, main: Posting) -> None:
    if main.is_ending:
        batch.renewed |= settlements.wanted_by(case.row)
    leave(batch, case.chain, main)
    problems = sides.beside_invoice(batch, case.row, case.invoice, main, case.chain)
    if problems:
        tell(batch, case.row, SourceState.HELD, problems)
    else:
        mark(batch, case.row, SourceState.CODED)


def _correct(batch: Batch, case: Case, main: Posting) -> None:
    """The old version goes only when the new one is known to fit; a correction that has begun is finished."""
    row, desk = case.row, batch.desk
    if main.is_by_hand:
        tell(batch, row, SourceState.HELD, [changed(str(row), main.qad_number, main.total, case.invoice.total)])
        return
    if desk.policies["edited_after_posting"] == "hold" and not main.is_ending:
        edited = say.changed_after_posting(f"Invoice {row.source_id}", main.total, case.invoice.total)
        tell(batch, row, SourceState.HELD, [edited])
        return
    document = fits(batch, translate(case.invoice, desk.table, desk.rules, main.reference))
    if isinstance(document, list):
        tell(batch, row, SourceState.HELD, document)
    else:
        take_back(batch, row, case.chain, main, on=as_posted(main).posting_date, why="been edited")


def _post(batch: Batch, case: Case, main: Posting | None) -> None:
    """The next version of it, or the first."""
    row, invoice, desk = case.row, case.invoice, batch.desk
    name = main.reference if main else case.first_name or name_for(batch, "invoice", row.source_id, case.place)
    document = fits(batch, translate(invoice, desk.table, desk.rules, name))
    if isinstance(document, list):
        tell(batch, row, SourceState.HELD, document)
        withdraw(batch, main)
        return
    if main is None:
        key = order_key(desk, row, invoice.customer_id)
        add_posting(batch, row, document, key, projection(invoice), place=case.place)
    else:
        rebuild(batch, main, document, projection(invoice))
    mark(batch, row, SourceState.CODED)
    if is_gone(invoice) or invoice.withheld_taxes:
        come_back(batch, row)


def order_key(desk: Desk, row: SourceDocument, customer_id: str) -> str:
    """Documents that share a key are sent one after another: a customer's; each on its own if it is collective."""
    link = desk.table.customer(customer_id)
    if not customer_id or (link is not None and link.kind == "collective"):
        return f"document:{row.kind}:{row.source_id}"[:100]
    return customer_id[:100]
