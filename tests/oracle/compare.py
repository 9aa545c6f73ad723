"""Oracle against a ledger: trial balance, open items, each document, and whether every journal balances."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TypeVar

from .books import ZERO, Books, Entry

Key = TypeVar("Key", bound=tuple[object, ...])
NetKey = tuple[object, ...]


def differences(oracle: Books, ledger: Books) -> list[str]:
    """Empty if both say the same, to the last cent. Sides are netted, so the order in which applications were posted
    does not matter. Documents are compared if the ledger's entries name them, open items if it keeps them."""
    found = [*unbalanced(ledger), *listed("trial balance", net_balance(oracle), net_balance(ledger))]
    if ledger.open_items is not None:
        found += listed("open item", oracle.open_items or {}, ledger.open_items)
    if all(entry.kind for entry in ledger.entries):
        found += listed("document", net_documents(oracle.entries), net_documents(ledger.entries))
    return found


def gross_differences(oracle: Books, ledger: Books) -> list[str]:
    """Debits and credits apart: also sees a document that was posted and reversed where it should not have been."""
    ours, theirs = oracle.trial_balance, ledger.trial_balance
    found: list[str] = []
    for place, side in enumerate(("debit", "credit")):
        found += listed(f"{side} of", {key: both[place] for key, both in ours.items()},
                        {key: both[place] for key, both in theirs.items()})  # fmt: skip
    return found


def unbalanced(ledger: Books) -> Iterator[str]:
    for entry in ledger.entries:
        residual = sum((each.debit - each.credit for each in entry.lines), ZERO)
        if residual:
            yield f"unbalanced {entry.kind} {entry.id} {entry.part}: debit exceeds credit by {residual}"


def listed(what: str, ours: Mapping[Key, Decimal], theirs: Mapping[Key, Decimal]) -> Iterator[str]:
    for key in sorted({*ours, *theirs}, key=str):
        oracle, ledger = ours.get(key, ZERO), theirs.get(key, ZERO)
        if oracle != ledger:
            yield f"{what} {' '.join(map(str, key))}: oracle {oracle}, ledger {ledger}, residual {ledger - oracle}"


def net_balance(books: Books) -> dict[NetKey, Decimal]:
    return {key: debit - credit for key, (debit, credit) in books.trial_balance.items()}


def net_documents(entries: Iterable[Entry]) -> dict[NetKey, Decimal]:
    """Debit less credit for each document, account with its dimensions, currency and period."""
    sums: dict[NetKey, Decimal] = defaultdict(Decimal)
    for entry in entries:
        for each in entry.lines:
            key = (entry.kind, entry.id, each.account, each.dims, entry.currency, entry.period)
            sums[key] += each.debit - each.credit
    return sums
