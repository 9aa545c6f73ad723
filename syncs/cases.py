"""One credit note or transaction with everything that the decision about it rests on."""

from __future__ import annotations

from dataclasses import dataclass, field

from connector.chargebee.records import CreditNote, Invoice, Transaction
from connector.ledger import credit_notes, invoices, payments
from connector.ledger.validate_transactions import name_of
from syncs.chains import last_main, mains
from syncs.models import Edge, Posting, SourceDocument
from syncs.parents import Parents

Record = CreditNote | Transaction


@dataclass(slots=True)
class Case:
    """`chain` is oldest first; `edges` are by invoice."""

    row: SourceDocument
    record: Record
    chain: list[Posting]
    edges: dict[str, Edge]
    parents: Parents
    crowded: list[str] = field(default_factory=list)  # invoices that something else must come off first

    @property
    def main(self) -> Posting | None:
        """The posting of the document itself that stands or may still stand."""
        return last_main(self.row, self.chain)

    @property
    def place(self) -> int:
        """How many versions of it QAD had, or is to have."""
        return len(mains(self.row, self.chain))

    @property
    def name(self) -> str:
        return name_of(self.record)

    @property
    def projection(self) -> str:
        """Hash of just what is posted of it."""
        return projection_of(self.record)


def projection_of(found: Invoice | Record) -> str:
    if isinstance(found, Invoice):
        return invoices.projection(found)
    return credit_notes.projection(found) if isinstance(found, CreditNote) else payments.projection(found)
