"""Documents that stand beside a posted one and lean on it: tax withheld from an invoice, or given back with a note."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from connector.chargebee.records import CreditNote, Invoice
from connector.errors import Problem
from connector.ledger.applications import edge_id
from connector.ledger.currency_rates import own_rate
from connector.ledger.documents import CustomerPayment
from connector.ledger.stored import restore, to_json
from connector.ledger.withheld import withheld, withheld_returned
from connector.money import total
from syncs.batch import REBUILDABLE, Batch, add_posting, fits, name_for, rebuild, withdraw
from syncs.chains import Chain, as_posted, leave, next_place, reverse, sides
from syncs.models import Edge, Posting, SourceDocument
from syncs.states import DONE, STANDING, PostingState

KINDS = ("payment", "refund")  # as which they are posted
SAME = ("kind", "total", "account", "applications")  # what makes two of them the same document
Build = Callable[[str], CustomerPayment | list[Problem]]  # from its reference


def beside_invoice(batch: Batch, row: SourceDocument, invoice: Invoice, main: Posting, chain: Chain) -> list[Problem]:
    """Bring what was withheld from a standing invoice up to date; returns what keeps it from being written."""
    desk, posted = batch.desk, as_posted(main)
    rate = own_rate(invoice, str(row), desk.rules.fx, [])
    wanted: dict[str, Build] = {
        tax.id: partial(withheld, invoice, tax, desk.table, desk.rules.zone, posted=posted, rate=rate)
        for tax in invoice.withheld_taxes
        if tax.amount
    }
    if wanted or sides(row, chain):
        amount = total((tax.amount for tax in invoice.withheld_taxes), invoice.currency)
        edge = Edge(tenant=desk.tenant, owner=row, invoice_id=row.source_id, currency=invoice.currency)
        edge.wanted_minor = amount.minor
        batch.edges.append(edge)
    return _bring_up_to_date(batch, row, main, chain, wanted)


def beside_note(batch: Batch, row: SourceDocument, note: CreditNote, main: Posting, chain: Chain) -> list[Problem]:
    """The same for withheld tax that a standing credit note gives back."""
    desk, posted = batch.desk, as_posted(main)
    rate = own_rate(note, str(row), desk.note_rules.fx, [])

    def build(name: str) -> CustomerPayment | list[Problem]:
        return withheld_returned(note, desk.table, desk.rules.zone, name, posted, rate) or []

    wanted: dict[str, Build] = {"returned": build} if any(one.amount for one in note.withheld_refunds) else {}
    return _bring_up_to_date(batch, row, main, chain, wanted)


def take_off(batch: Batch, row: SourceDocument, chain: Chain) -> tuple[bool, list[Problem]]:
    """Take back all that stands beside a document; whether none does any more, and what is in the way."""
    found: list[Problem] = []
    for key in _keys(row, chain):
        found += _remove(batch, row, chain, key)
    return all(one.state not in STANDING for one in sides(row, chain)), found


def _bring_up_to_date(
    batch: Batch, row: SourceDocument, main: Posting, chain: Chain, wanted: dict[str, Build]
) -> list[Problem]:
    found: list[Problem] = []
    for key, build in wanted.items():
        found += _place(batch, row, main, chain, key, build)
    for key in _keys(row, chain):
        if key not in wanted:
            found += _remove(batch, row, chain, key)
    return found


def _keys(row: SourceDocument, chain: Chain) -> list[str]:
    return list(dict.fromkeys(one.invoice_id for one in sides(row, chain)))


def _place(batch: Batch, row: SourceDocument, main: Posting, chain: Chain, key: str, build: Build) -> list[Problem]:
    mine = [one for one in sides(row, chain) if one.invoice_id == key and one.state != PostingState.REVERSED]
    last = mine[-1] if mine else None
    if last is not None and last.state not in (*REBUILDABLE, *DONE):
        return []  # a person decides about it
    place = next_place(batch, row, chain, KINDS)
    number = sum(one.invoice_id == key for one in sides(row, chain))
    name = last.reference if last else name_for(batch, "withheld_tax", edge_id(row.source_id, key), number)
    document = fits(batch, build(name))
    if isinstance(document, list):
        return document
    if last is None:
        add_posting(batch, row, document, main.order_key, main.projection, invoice_id=key, place=place)
    elif last.state in REBUILDABLE:
        rebuild(batch, last, document, main.projection)
    elif any(to_json(document)[name] != last.document[name] for name in SAME):
        return _take_back(batch, row, chain, last)  # posted anew when that is done
    else:
        leave(batch, chain, last)
    return []


def _remove(batch: Batch, row: SourceDocument, chain: Chain, key: str) -> list[Problem]:
    found: list[Problem] = []
    for one in sides(row, chain):
        if one.invoice_id == key and one.state in STANDING:
            found += _take_back(batch, row, chain, one)
        elif one.invoice_id == key:
            withdraw(batch, one)
    return found


def _take_back(batch: Batch, row: SourceDocument, chain: Chain, side: Posting) -> list[Problem]:
    document = restore(side.document)
    applications = document.applications if isinstance(document, CustomerPayment) else ()
    return reverse(batch, row, chain, side, on=side.posting_date, applications=applications)
