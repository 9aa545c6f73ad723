"""What becomes of an invoice: a posting, a rule that skips it, or what a person must mend."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models.functions import Upper

from connector.chargebee.records import Invoice
from connector.errors import Problem
from connector.ledger import problems as say
from connector.ledger.documents import CustomerInvoice
from connector.ledger.invoices import Skipped, projection, skip_rule, translate
from connector.ledger.reference import hashed_reference, reference
from syncs.batch import Batch, add_posting, fits, mark, read, rebuild, record, tell, withdraw
from syncs.desk import Desk
from syncs.models import Kind, Posting, SourceDocument
from syncs.states import DONE, IN_FLIGHT, PostingState, SourceState
from syncs.taking_back import take_back


def decide(batch: Batch, rows: Sequence[SourceDocument]) -> None:
    """Decide these invoices; nothing is written yet."""
    desk = batch.desk
    postings = {
        posting.source_id: posting
        for posting in Posting.objects.filter(tenant=desk.tenant, source__in=rows, kind="invoice", place=0)
    }
    references = _references(desk, [row.source_id for row in rows if row.pk not in postings])
    for row in rows:
        _decide_one(batch, row, postings.get(row.pk), references)


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


def _decide_one(batch: Batch, row: SourceDocument, posting: Posting | None, references: dict[str, str]) -> None:
    if posting is not None and posting.state in IN_FLIGHT:
        return  # its outcome comes first; the row stays new and is prepared after it
    found = record(batch, row)
    if isinstance(found, list):
        tell(batch, row, SourceState.UNREADABLE, found)
        withdraw(batch, posting)
    elif posting is not None and posting.state in DONE:
        _decide_posted(batch, row, found, posting)
    elif (rule := skip_rule(found, batch.desk.rules)) is not None:
        tell(batch, row, SourceState.SKIPPED, [Problem(rule.rule, f"Invoice {row.source_id}", rule.sentence, "")])
        withdraw(batch, posting)
    else:
        _translate(batch, row, found, posting, references.get(row.source_id, ""))


def _decide_posted(batch: Batch, row: SourceDocument, invoice: Invoice, posting: Posting) -> None:
    """A posted invoice: a payment leaves it alone, an end takes it back, any other change holds it."""
    if posting.state == PostingState.REVERSED:
        mark(batch, row, SourceState.CODED)
    elif invoice.status == "voided" or invoice.deleted:
        take_back(batch, row, invoice, posting)
    elif projection(invoice) != posting.projection:
        name = f"Invoice {invoice.id}"
        tell(batch, row, SourceState.HELD, [say.changed_after_posting(name, posting.total, invoice.total)])
    else:
        mark(batch, row, SourceState.CODED)


def _translate(batch: Batch, row: SourceDocument, invoice: Invoice, posting: Posting | None, name: str) -> None:
    table, rules = batch.desk.table, batch.desk.rules
    document = fits(batch, translate(invoice, table, rules, posting.reference if posting else name))
    if isinstance(document, list):
        tell(batch, row, SourceState.HELD, document)
        withdraw(batch, posting)
        return
    if posting is None:
        add_posting(batch, row, document, order_key(batch.desk, row, invoice.customer_id), projection(invoice))
    else:
        rebuild(batch, posting, document, projection(invoice))
    mark(batch, row, SourceState.CODED)


def order_key(desk: Desk, row: SourceDocument, customer_id: str) -> str:
    """Documents that share a key are sent one after another: a customer's; each on its own if it is collective."""
    link = desk.table.customer(customer_id)
    if not customer_id or (link is not None and link.kind == "collective"):
        return f"document:{row.kind}:{row.source_id}"[:100]
    return customer_id[:100]
