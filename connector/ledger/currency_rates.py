"""One exchange rate for a document, by name: whose it is and from which day; and what the document makes of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from connector.chargebee.records import CreditNote, Invoice, Transaction
from connector.errors import Problem
from connector.ledger import qad_problems as problems
from connector.ledger.documents import JournalLine
from connector.money import Money, minor_digits, rounded, total


@dataclass(frozen=True, slots=True)
class NamedRate:
    """Units of the base currency for one of the document's. `source` says whose rate it is, `on` since when."""

    rate: Decimal
    source: str
    on: dt.date


@dataclass(frozen=True, slots=True)
class BaseLine:
    """A journal line in base currency; debit above zero."""

    account: str
    label: str
    amount: Money


@dataclass(frozen=True, slots=True)
class RatePolicy:
    """`source` is qad (its own rate by posting date) or document (Chargebee's); `base` is QAD's base currency."""

    source: str = "qad"
    base: str = ""


def own_rate(
    record: Invoice | CreditNote | Transaction, name: str, policy: RatePolicy, found: list[Problem]
) -> Decimal | None:
    """The rate that a document carries to QAD, None for QAD's own by posting date; problems go to `found`."""
    if policy.source != "document" or record.currency == policy.base:
        return None
    if record.base_currency and record.base_currency != policy.base:
        found.append(problems.base_currency_differs(name, record.base_currency, policy.base))
    elif not record.exchange_rate:
        found.append(problems.rate_missing(name, record.currency))
    return record.exchange_rate


def in_base(lines: Sequence[JournalLine], rate: Decimal, base: str, rounding_account: str) -> list[BaseLine] | Problem:
    """The same journal in base currency, each line rounded once; the penny that is left goes to a named account.

    It cannot be more than one unit for each line: anything else is no rounding, and is told.
    """
    made = [BaseLine(line.account, line.label, converted(line.debit - line.credit, rate, base)) for line in lines]
    rest = -total((line.amount for line in made), base)
    if not rest:
        return made
    if abs(rest.minor) > len(lines):
        return problems.base_does_not_balance(rest, len(lines))
    return [*made, BaseLine(rounding_account, "Rounding of the base currency", rest)]


def converted(amount: Money, rate: Decimal, base: str) -> Money:
    """An amount in base currency, rounded once."""
    return rounded(Money(amount.amount * rate, base), minor_digits(base))
