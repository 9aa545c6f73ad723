"""What becomes of a credit note: adjustment, refundable, store, write-off, Invoice Void."""

from datetime import date

from . import lookup
from .billed import note_lines, taxes
from .books import Entry, Line, Move, line, without_zeros
from .chain import changes, ended, is_gone, posted_versions, replaced
from .checks import check_note, total_of
from .currencies import money
from .days import document_day, local_day, open_day
from .invoices import is_void_note
from .model import Document
from .outcome import Outcome, Stop, held, skipped, waiting
from .world import World

WRITE_OFF = "Write Off"


def read_note(note: Document, world: World) -> Outcome:
    earlier = world.earlier("credit_note", note["id"])
    if not earlier:
        require_parent(note, world)
    entries = posted_versions(earlier, lambda each, day: note_entry(each, world, day or own_day(each, world)),
                              world.mapping)  # fmt: skip
    if is_gone(note):
        return read_gone(note, world, entries)
    return read_standing(note, world, entries)


def read_standing(note: Document, world: World, entries: list[Entry]) -> Outcome:
    check_note(note, world.mapping)
    journal = note_entry(note, world, None)
    if changes(entries, journal) and world.mapping.policies.edited_after_posting == "hold":
        return Outcome("held", "amounts changed after posting", tuple(entries), is_open=True)
    earlier = world.earlier("credit_note", note["id"])
    entries = replaced(entries, journal, earlier[-1].reversed_on if earlier else None, world.mapping)
    extra = [*withheld_returned(note, world, entries[-1].date), *allocations(note, world, entries[-1].date)]
    return Outcome("posted", "", (*entries, *extra), is_open=True)


def read_gone(note: Document, world: World, entries: list[Entry]) -> Outcome:
    if not entries and world.mapping.policies.voided_before_posting == "skip":
        raise skipped("voided or deleted before posting")
    entries = entries or [note_entry(note, world, None)]
    return Outcome("posted", "reversed", tuple(ended(entries, note, world.mapping)))


def require_parent(note: Document, world: World) -> None:
    """An Invoice Void note goes where its invoice goes; an adjustment waits for it; other notes stand alone."""
    parent = note.get("reference_invoice_id")
    if not parent or world.posted("invoice", parent):
        return
    outcome = world.outcomes.get(("invoice", parent))
    if outcome is None:
        raise held(f"invoice {parent} is from before the cut-off")
    if is_void_note(note):
        raise Stop(outcome.state, f"its invoice {parent}: {outcome.reason}")
    if note["type"] == "adjustment":
        raise waiting(f"invoice {parent} is {outcome.state}")


def own_day(note: Document, world: World) -> date:
    """The note's date, but never before the posting date of the invoice that it corrects."""
    parent = world.posted("invoice", note.get("reference_invoice_id") or "")
    return max(document_day(note, world.mapping), (parent and parent.day) or date.min)


def note_entry(note: Document, world: World, posted_on: date | None) -> Entry:
    mapping, currency = world.mapping, note["currency_code"]
    owner, dated = lookup.customer(mapping, note), document_day(note, mapping)
    lines = write_off_lines(note, world, dated) if is_write_off(note) else note_lines(note, mapping, dated)
    day = posted_on or open_day(own_day(note, world), mapping)
    move = Move(owner, "credit_note", note["id"], -money(note["total"], currency))
    return Entry("credit_note", note["id"], "document", day, currency, lines, (move,), dated)


def is_write_off(note: Document) -> bool:
    reason = note.get("create_reason_code")
    is_reason = reason == WRITE_OFF if reason else note.get("reason_code") == "write_off"
    return note["type"] == "adjustment" and is_reason


def write_off_lines(note: Document, world: World, day: date) -> tuple[Line, ...]:
    """The gross against bad debt; its taxes come back from the state only where the policy says so."""
    mapping, currency = world.mapping, note["currency_code"]
    relief = list(taxes(note, mapping, day)) if mapping.policies.write_off_tax == "relief" else []
    loss = note["total"] - sum(part.amount for part in relief)
    lines = [line(lookup.role(mapping, "accounts_receivable", day), -money(note["total"], currency), "receivable"),
             line(lookup.role(mapping, "write_off", day), money(loss, currency), "write_off")]  # fmt: skip
    lines += [line(part.coding, money(part.amount, currency), "tax") for part in relief]
    return without_zeros(lines)


def allocations(note: Document, world: World, note_day: date) -> list[Entry]:
    """Edges to invoices in the books: both open items shrink, no account moves."""
    entries = []
    for row in note.get("allocations") or []:
        invoice = world.standing("invoice", row["invoice_id"])
        if invoice is None:
            continue
        entries.append(Entry("credit_note", note["id"], "application", max(note_day, invoice.day or date.min),
                             note["currency_code"], (), edge(note, row, world)))  # fmt: skip
    return entries


def edge(note: Document, row: Document, world: World) -> tuple[Move, Move]:
    amount = money(row["allocated_amount"], note["currency_code"])
    payer = world.owner("invoice", row["invoice_id"])
    own = lookup.customer(world.mapping, note)
    return Move(payer, "invoice", row["invoice_id"], -amount), Move(own, "credit_note", note["id"], amount)


def withheld_returned(note: Document, world: World, note_day: date) -> list[Entry]:
    """Withheld tax that goes back with the note: the state no longer owes it, and the note is used up by it."""
    amount = money(total_of(note.get("linked_tax_withheld_refunds"), "amount"), note["currency_code"])
    if not amount:
        return []
    dates = [row["date"] for row in note["linked_tax_withheld_refunds"] if row.get("date")]
    day = max([note_day, *(local_day(moment, world.mapping.zone) for moment in dates)])
    lines = (line(lookup.role(world.mapping, "accounts_receivable", day), amount, "receivable"),
             line(lookup.role(world.mapping, "withheld_tax", day), -amount, "withheld_tax"))  # fmt: skip
    move = Move(lookup.customer(world.mapping, note), "credit_note", note["id"], amount)
    return [Entry("credit_note", note["id"], "withheld_tax", day, note["currency_code"], lines, (move,))]
