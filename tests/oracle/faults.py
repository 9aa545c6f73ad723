"""Ways to get a ledger wrong. Each takes true books and returns false ones; a fault that finds nothing to spoil
raises, so that no test passes because a fault did nothing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from .books import Books, Entry, Line

Change = Callable[[Entry], Entry]


def spoiled(books: Books, change: Change, fits: Callable[[Entry], bool]) -> Books:
    place = next((place for place, entry in enumerate(books.entries) if fits(entry)), None)
    if place is None:
        raise ValueError("there is nothing that this fault could spoil")
    entries = list(books.entries)
    entries[place] = change(entries[place])
    return replace(books, entries=tuple(entries))


def has(cause: str) -> Callable[[Entry], bool]:
    return lambda entry: any(each.cause == cause for each in entry.lines)


def of_kind(kind: str) -> Callable[[Entry], bool]:
    return lambda entry: entry.kind == kind and bool(entry.lines)


def with_lines(change: Callable[[Line], Line]) -> Change:
    return lambda entry: replace(entry, lines=tuple(map(change, entry.lines)))


def scaled(entry: Entry, factor: Decimal) -> Entry:
    return with_lines(lambda each: replace(each, debit=each.debit * factor, credit=each.credit * factor))(entry)


def repeated(cause: str) -> Change:
    """The lines of a cause once more, and the receivable moved so that the journal still balances."""

    def change(entry: Entry) -> Entry:
        again = tuple(each for each in entry.lines if each.cause == cause)
        net = sum(each.debit - each.credit for each in again)
        account = next(each.account for each in entry.lines if each.cause == "receivable")
        other = Line(account, Decimal(max(-net, 0)), Decimal(max(net, 0)), cause="receivable")
        return replace(entry, lines=(*entry.lines, *again, other))

    return change


def recoded(cause: str, account: str) -> Change:
    return with_lines(lambda each: replace(each, account=account) if each.cause == cause else each)


def swapped_sides(books: Books) -> Books:
    swap = with_lines(lambda each: replace(each, debit=each.credit, credit=each.debit))
    return spoiled(books, swap, of_kind("invoice"))


def tax_twice(books: Books) -> Books:
    return spoiled(books, repeated("tax"), has("tax"))


def document_discount_twice(books: Books) -> Books:
    return spoiled(books, repeated("discount"), has("discount"))


def yen_in_hundredths(books: Books) -> Books:
    return spoiled(books, lambda entry: scaled(entry, Decimal("0.01")),
                   lambda entry: entry.currency == "JPY" and bool(entry.lines))  # fmt: skip


def dinar_in_thousandths(books: Books) -> Books:
    return spoiled(books, lambda entry: scaled(entry, Decimal("0.1")),
                   lambda entry: entry.currency == "KWD" and bool(entry.lines))  # fmt: skip


def write_off_to_revenue(books: Books) -> Books:
    return spoiled(books, recoded("write_off", revenue_account(books)), has("write_off"))


def payment_applied_twice(books: Books) -> Books:
    """Only the sub-ledger sees it: the invoice and the payment shrink once more, no account is wrong."""
    payment = next(entry for entry in books.entries if entry.kind == "payment" and len(entry.moves) > 1)
    items = dict(books.open_items or {})
    for move in payment.moves[1:]:
        key = (move.customer, move.kind, move.id, payment.currency)
        items[key] = items.get(key, Decimal(0)) + move.amount
    return replace(books, open_items=items)


def refund_as_revenue(books: Books) -> Books:
    """The credit note took the revenue back, and the refund takes it back again."""
    return spoiled(books, recoded("receivable", revenue_account(books)), of_kind("refund"))


def reversal_missing(books: Books) -> Books:
    return spoiled(books, lambda entry: replace(entry, lines=(), moves=()),
                   lambda entry: entry.part == "reversal" and bool(entry.lines))  # fmt: skip


def wrong_period(books: Books) -> Books:
    """A zone west of the accounting zone: the first of a month becomes the last day of the month before."""
    return spoiled(books, lambda entry: replace(entry, date=entry.date - timedelta(days=1)),
                   lambda entry: entry.date.day == 1 and bool(entry.lines))  # fmt: skip


def correction_posted_twice(books: Books) -> Books:
    """The new version of an edited document once more."""
    again = next(entry for entry in books.entries if entry.part == "correction")
    return replace(books, entries=(*books.entries, again))


def correction_missing(books: Books) -> Books:
    """The old version was taken back, and the new one never came."""
    return spoiled(books, lambda entry: replace(entry, lines=(), moves=()),
                   lambda entry: entry.part == "correction" and bool(entry.lines))  # fmt: skip


def withheld_tax_to_revenue(books: Books) -> Books:
    return spoiled(books, recoded("withheld_tax", revenue_account(books)), has("withheld_tax"))


def left_off_after_a_correction(books: Books) -> Books:
    """Only the sub-ledger sees it: what settled the old version was taken off and not applied to the new one."""
    note = next(entry for entry in books.entries if entry.kind == "credit_note" and entry.part == "application")
    items = dict(books.open_items or {})
    for move in note.moves:
        key = (move.customer, move.kind, move.id, note.currency)
        items[key] = items.get(key, Decimal(0)) - move.amount
    return replace(books, open_items=items)


def revenue_account(books: Books) -> str:
    return next(each.account for entry in books.entries for each in entry.lines if each.cause == "revenue")


FAULTS: tuple[Callable[[Books], Books], ...] = (
    swapped_sides,
    tax_twice,
    document_discount_twice,
    yen_in_hundredths,
    dinar_in_thousandths,
    write_off_to_revenue,
    payment_applied_twice,
    refund_as_revenue,
    reversal_missing,
    wrong_period,
    correction_posted_twice,
    correction_missing,
    withheld_tax_to_revenue,
    left_off_after_a_correction,
)
