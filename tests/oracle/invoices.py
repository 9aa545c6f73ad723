"""What becomes of an invoice."""

from datetime import date

from . import lookup
from .billed import invoice_lines
from .books import Entry, Move, line, without_zeros
from .chain import changes, ended, is_gone, posted_versions, replaced
from .checks import check_invoice
from .currencies import money
from .days import document_day, local_day, open_day
from .model import Document, Mapping
from .outcome import Outcome, skipped
from .world import World

VOID_REASON = "Invoice Void"


def read_invoice(invoice: Document, world: World) -> Outcome:
    mapping, earlier = world.mapping, world.earlier("invoice", invoice["id"])
    if invoice["status"] == "pending":
        raise skipped("pending")
    if is_gone(invoice):
        return read_gone(invoice, world)
    if not earlier and invoice["total"] == 0 and mapping.policies.zero_invoices == "skip":
        raise skipped("zero total")
    return read_standing(invoice, world)


def read_standing(invoice: Document, world: World) -> Outcome:
    mapping = world.mapping
    entries = chain_of(invoice, world)
    check_invoice(invoice, mapping)
    journal = invoice_entry(invoice, mapping, None)
    if changes(entries, journal) and mapping.policies.edited_after_posting == "hold":
        return Outcome("held", "amounts changed after posting", tuple(entries), is_open=True)
    entries = replaced(entries, journal, last_reversal(invoice, world), mapping)
    return Outcome("posted", "", (*entries, *withheld(invoice, mapping, entries[-1].date)), is_open=True)


def read_gone(invoice: Document, world: World) -> Outcome:
    mapping, entries = world.mapping, chain_of(invoice, world)
    if not entries and mapping.policies.voided_before_posting == "skip":
        raise skipped("voided or deleted before posting")
    if not entries:
        check_invoice(invoice, mapping)
        entries = [invoice_entry(invoice, mapping, None)]
    if has_void_note(invoice, world):
        return Outcome("posted", "ended by its Invoice Void note", tuple(entries), is_open=True)
    return Outcome("posted", "reversed", tuple(ended(entries, invoice, mapping)))


def chain_of(invoice: Document, world: World) -> list[Entry]:
    def build(document: Document, posted_on: date | None) -> Entry:
        return invoice_entry(document, world.mapping, posted_on or document_day(document, world.mapping))

    return posted_versions(world.earlier("invoice", invoice["id"]), build, world.mapping)


def last_reversal(invoice: Document, world: World) -> date | None:
    earlier = world.earlier("invoice", invoice["id"])
    return earlier[-1].reversed_on if earlier else None


def has_void_note(invoice: Document, world: World) -> bool:
    notes = world.notes_of_invoice.get(invoice["id"], [])
    return any(is_void_note(note) and not is_gone(note) for note in notes)


def is_void_note(note: Document) -> bool:
    return note.get("create_reason_code") == VOID_REASON


def invoice_entry(invoice: Document, mapping: Mapping, posted_on: date | None) -> Entry:
    owner, currency = lookup.customer(mapping, invoice), invoice["currency_code"]
    own_day = document_day(invoice, mapping)
    lines = invoice_lines(invoice, mapping, own_day)
    day = posted_on or open_day(own_day, mapping)
    move = Move(owner, "invoice", invoice["id"], money(invoice["total"], currency))
    return Entry("invoice", invoice["id"], "document", day, currency, lines, (move,), own_day)


def withheld(invoice: Document, mapping: Mapping, invoice_day: date) -> list[Entry]:
    """Tax that the customer keeps back for the state: it owes us less, the state owes us a credit."""
    entries = []
    for row in invoice.get("linked_taxes_withheld") or []:
        own = local_day(row["date"], mapping.zone) if row.get("date") else invoice_day
        day, amount = open_day(max(own, invoice_day), mapping), money(row["amount"], invoice["currency_code"])
        lines = [line(lookup.role(mapping, "withheld_tax", day), amount, "withheld_tax"),
                 line(lookup.role(mapping, "accounts_receivable", day), -amount, "receivable")]  # fmt: skip
        move = Move(lookup.customer(mapping, invoice), "invoice", invoice["id"], -amount)
        entries.append(Entry("invoice", invoice["id"], "withheld_tax", day, invoice["currency_code"],
                             without_zeros(lines), (move,)))  # fmt: skip
    return entries
