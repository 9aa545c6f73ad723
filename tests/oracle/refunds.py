"""What becomes of a refund: the cash side once, against the credit note or the payment's unapplied part."""

from datetime import date

from . import lookup
from .books import Entry, Line, Move, line, mirrored, without_zeros
from .checks import total_of
from .currencies import money
from .days import document_day, end_day, open_day
from .model import Document
from .origin import refund_account, require_ours
from .outcome import Outcome, Stop, held, skipped, waiting
from .world import World


def read_refund(refund: Document, world: World) -> Outcome:
    earlier = world.earlier("refund", refund["id"])
    stands = refund["status"] == "success" and not refund.get("deleted")
    if not stands and not earlier:
        raise skipped(f"{refund['status']} before posting")
    version = refund if stands else earlier[-1].document
    if not earlier:
        require_parents(version, world)
    entry = refund_entry(version, world, earlier[-1].posted_on if earlier else None)
    if stands:
        return Outcome("posted", "", (entry,), is_open=True)
    return Outcome("posted", "reversed", (entry, mirrored(entry, open_day(end_day(refund, world.mapping),
                                                                         world.mapping))))  # fmt: skip


def payment_id(refund: Document) -> str:
    return refund.get("refunded_txn_id") or refund.get("reference_transaction_id") or ""


def require_parents(refund: Document, world: World) -> None:
    """It follows its payment; the notes that it pays out come first."""
    payment = world.outcomes.get(("payment", payment_id(refund)))
    if payment is None:
        require_ours(refund, world)
    elif not payment.is_posted:
        raise Stop(payment.state, f"payment {payment_id(refund)}: {payment.reason}")
    for row in notes_of(refund):
        note = world.outcomes.get(("credit_note", row["cn_id"]))
        if note is None:
            raise held(f"credit note {row['cn_id']} is from before the cut-off")
        if not note.is_posted:
            raise waiting(f"credit note {row['cn_id']} is {note.state}")
    if payment is None and from_payment(refund) and ("payment", payment_id(refund)) not in world.mapping.opening:
        raise held(f"payment {payment_id(refund)} is from before the cut-off")


def notes_of(refund: Document) -> list[Document]:
    return refund.get("linked_credit_notes") or []


def from_payment(refund: Document) -> int:
    """The part, in minor units, that no credit note covers."""
    rest: int = refund["amount"] - total_of(notes_of(refund), "applied_amount")
    if rest < 0:
        raise held(f"refund {refund['id']}: its credit notes take {-rest} more than its amount")
    return rest


def refund_entry(refund: Document, world: World, posted_on: date | None) -> Entry:
    day = posted_on or open_day(own_day(refund, world), world.mapping)
    is_journal = world.mapping.policies.payment_mode == "journal_to_clearing"
    lines = clearing_lines(refund, world, day) if is_journal else settling_lines(refund, world, day)
    moves = () if is_journal else tuple(settled_items(refund, world))
    return Entry("refund", refund["id"], "document", day, refund["currency_code"], without_zeros(lines), moves)


def own_day(refund: Document, world: World) -> date:
    """Its date, but never before the posting date of the notes and the payment that it returns."""
    keys = [("credit_note", row["cn_id"]) for row in notes_of(refund)] + [("payment", payment_id(refund))]
    parents = [world.outcomes[key].day for key in keys if key in world.outcomes]
    return max([document_day(refund, world.mapping), *(day for day in parents if day)])


def cash(refund: Document, world: World, day: date) -> Line:
    payment = world.documents.get(("payment", payment_id(refund)))
    return line(refund_account(refund, payment, world, day), -money(refund["amount"], refund["currency_code"]), "cash")


def settling_lines(refund: Document, world: World, day: date) -> list[Line]:
    rest, currency = from_payment(refund), refund["currency_code"]
    lines = [cash(refund, world, day)]
    if refund["amount"] - rest:
        receivable = lookup.role(world.mapping, "accounts_receivable", day)
        lines.append(line(receivable, money(refund["amount"] - rest, currency), "receivable"))
    if rest:
        lines.append(line(lookup.role(world.mapping, "on_account", day), money(rest, currency), "on_account"))
    return lines


def clearing_lines(refund: Document, world: World, day: date) -> list[Line]:
    """The mirror of the payment's journal to clearing: the receivable is not touched."""
    other = lookup.role(world.mapping, "on_account", day)
    return [cash(refund, world, day), line(other, money(refund["amount"], refund["currency_code"]), "on_account")]


def settled_items(refund: Document, world: World) -> list[Move]:
    """The notes and the payment that the refund uses up."""
    currency, rest = refund["currency_code"], from_payment(refund)
    moves = [Move(world.owner("credit_note", row["cn_id"]), "credit_note", row["cn_id"],
                  money(row["applied_amount"], currency)) for row in notes_of(refund)]  # fmt: skip
    if rest:
        paid = payment_id(refund)
        moves.append(Move(world.owner("payment", paid), "payment", paid, money(rest, currency)))
    return moves
