"""What becomes of a payment: cash to clearing, invoices settled, the rest on account; reversed at most once."""

from datetime import date

from . import lookup
from .books import Entry, Move, line, mirrored, without_zeros
from .checks import check_payment
from .currencies import money
from .days import document_day, end_day, open_day
from .model import Document
from .origin import payment_account, require_ours
from .outcome import Outcome, held, skipped, waiting
from .world import World


def read_payment(payment: Document, world: World) -> Outcome:
    """Posted in the version that was a success: the current one, or the earlier one of a payment that failed since."""
    earlier = world.earlier("payment", payment["id"])
    stands = payment["status"] == "success" and not payment.get("deleted")
    if not stands and not earlier:
        raise skipped(f"{payment['status']} before posting")
    if not earlier:
        require_ours(payment, world)
    version = payment if stands else earlier[-1].document
    check_payment(version)
    day = (earlier and earlier[-1].posted_on) or open_day(document_day(version, world.mapping), world.mapping)
    ends = reversal_days(payment, world, stands)
    entries = payment_entries(version, world, day, is_ended=bool(ends))
    if not ends:
        return Outcome("posted", "", tuple(entries), is_open=True)
    end = open_day(min(ends), world.mapping)
    return Outcome("posted", "reversed", (*entries, *(mirrored(entry, end) for entry in entries)))


def reversal_days(payment: Document, world: World, stands: bool) -> list[date]:
    """The days of all signals that the money went back; the first one counts."""
    mapping = world.mapping
    reversals = world.reversals_of_payment.get(payment["id"], [])
    days = [document_day(each, mapping) for each in reversals if each["status"] == "success"]
    if stands or (days and not payment.get("voided_at")):
        return days
    return [*days, end_day(payment, mapping)]


def payment_entries(payment: Document, world: World, day: date, is_ended: bool) -> list[Entry]:
    if world.mapping.policies.payment_mode == "journal_to_clearing":
        return [payment_entry(payment, world, day, [])]
    edges = applied(payment, world, is_ended)
    riding = [row for row in edges if settled_on(row, world, day) == day]
    later = [row for row in edges if settled_on(row, world, day) != day]
    entries = [application(payment, row, world, settled_on(row, world, day)) for row in later]
    return [payment_entry(payment, world, day, riding), *entries]


def applied(payment: Document, world: World, is_ended: bool) -> list[Document]:
    """Edges to invoices in the books. Money for an invoice that is not there stays on account."""
    rows = payment.get("linked_invoices") or []
    for row in rows:
        key = ("invoice", row["invoice_id"])
        if key not in world.outcomes and world.mapping.policies.before_cut_off == "hold":
            raise held(f"invoice {row['invoice_id']} is from before the cut-off")
    find = world.posted if is_ended else world.standing
    return [row for row in rows if find("invoice", row["invoice_id"])]


def settled_on(row: Document, world: World, day: date) -> date:
    """An application takes the later date of payment and invoice."""
    return max(day, world.outcomes["invoice", row["invoice_id"]].day or date.min)


def payment_entry(payment: Document, world: World, day: date, riding: list[Document]) -> Entry:
    mapping, currency = world.mapping, payment["currency_code"]
    total, used = payment["amount"], sum(row["applied_amount"] for row in riding)
    lines = [line(payment_account(payment, world, day), money(total, currency), "clearing"),
             line(lookup.role(mapping, "on_account", day), -money(total - used, currency), "on_account")]  # fmt: skip
    if used:
        lines.append(line(lookup.role(mapping, "accounts_receivable", day), -money(used, currency), "receivable"))
    moves = [] if mapping.policies.payment_mode == "journal_to_clearing" else [
        Move(lookup.customer(mapping, payment), "payment", payment["id"], -money(total, currency)),
        *(move for row in riding for move in edge(payment, row, world))]  # fmt: skip
    return Entry("payment", payment["id"], "document", day, currency, without_zeros(lines), tuple(moves))


def application(payment: Document, row: Document, world: World, day: date) -> Entry:
    amount = money(row["applied_amount"], payment["currency_code"])
    lines = [line(lookup.role(world.mapping, "on_account", day), amount, "on_account"),
             line(lookup.role(world.mapping, "accounts_receivable", day), -amount, "receivable")]  # fmt: skip
    return Entry("payment", payment["id"], "application", day, payment["currency_code"], without_zeros(lines),
                 edge(payment, row, world))  # fmt: skip


def edge(payment: Document, row: Document, world: World) -> tuple[Move, Move]:
    amount, own = money(row["applied_amount"], payment["currency_code"]), lookup.customer(world.mapping, payment)
    payer = world.owner("invoice", row["invoice_id"])
    return Move(payer, "invoice", row["invoice_id"], -amount), Move(own, "payment", payment["id"], amount)


def read_reversal(reversal: Document, world: World) -> Outcome:
    """It has no journal of its own: it is one of the signals that reverse its payment."""
    if reversal["status"] != "success":
        raise skipped(reversal["status"])
    payment = world.reversed_payment(reversal)
    outcome = world.outcomes.get(("payment", payment or ""))
    if outcome is None:
        raise held(f"payment {payment} is from before the cut-off")
    if outcome.state == "skipped":
        raise skipped(f"payment {payment} was never posted")
    if not outcome.is_posted:
        raise waiting(f"payment {payment} is {outcome.state}")
    return Outcome("posted", f"reversal of payment {payment}")
