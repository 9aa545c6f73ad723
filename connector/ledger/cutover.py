"""Going live in books that were kept by hand until now: what is dated before the cut-off is not posted from here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from connector.chargebee.records import CreditNote, Invoice, Transaction
from connector.errors import Problem
from connector.ledger.skipping import Skipped
from connector.periods import business_date

RULE = "before-cut-off"
KINDS = ("invoice", "credit_note", "transaction")
Record = Invoice | CreditNote | Transaction


@dataclass(frozen=True, slots=True)
class Reopened:
    """Older documents of a kind that are posted after all, from the first to the last day."""

    kind: str
    first: dt.date
    last: dt.date


@dataclass(frozen=True, slots=True)
class CutOver:
    """`first_days`: for a kind, the first document date that is posted from here; a kind that is not there has none."""

    zone: str = "UTC"
    first_days: Mapping[str, dt.date] = field(default_factory=dict)
    reopened: tuple[Reopened, ...] = ()

    def keeps_out(self, kind: str, day: dt.date) -> bool:
        """Whether a document of this date belongs to the books as they were kept before."""
        first = self.first_days.get(kind)
        if first is None or day >= first:
            return False
        return not any(one.kind == kind and one.first <= day <= one.last for one in self.reopened)

    def skipped(self, record: Record) -> Skipped | None:
        """The rule that keeps an older document out, None for one that is posted from here."""
        kind = kind_of(record)
        day = business_date(record.date, self.zone) if record.date is not None else None
        if day is None or not self.keeps_out(kind, day):
            return None
        return Skipped(RULE, f"It is dated {day}, before the cut-off of {self.first_days[kind]}.")


def kind_of(record: Record) -> str:
    if isinstance(record, Invoice):
        return "invoice"
    return "credit_note" if isinstance(record, CreditNote) else "transaction"


def ended_since(name: str, how: str, ended: dt.date, first: dt.date) -> Problem:
    """An older document that was undone after the cut-off: the old books must be told."""
    return Problem(
        "ended-after-cut-off",
        name,
        f"{name} is older than the cut-off of {first} and was {how} on {ended}, after it.",
        "If QAD has it from before, reverse it there by hand; then ignore it here with that reason.",
        "opening_items",
    )


def older_parents(name: str, parents: tuple[str, ...], *, may_stay_on_account: bool) -> Problem:
    """A document that leans on older ones which nobody has listed as open."""
    named = ", ".join(parents[:5]) + (f" and {len(parents) - 5} more" if len(parents) > 5 else "")
    account = ", or leave that part on account" if may_stay_on_account else ""
    return Problem(
        "parent-before-cut-off",
        name,
        f"{name} leans on {named}, older than the cut-off and not among the opening items.",
        f"List it as an opening item with its QAD number{account}, or ignore this document.",
        "opening_items",
    )
