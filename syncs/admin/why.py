"""Why each amount of a document lands where it does: every mapping it asks for, and every place that was looked at."""

from __future__ import annotations

from typing import Any

from connector.chargebee.records import CreditNote, Invoice, Transaction
from connector.ledger import credit_notes, invoices, payments, refunds
from connector.ledger.coding import MappingTable
from connector.ledger.explaining import Question, recording
from mappings.explained import Answer, answer
from syncs.batch import read
from syncs.desk import Desk
from syncs.models import Posting, SourceDocument
from syncs.preparing import POSTED_KINDS
from syncs.states import DONE

_ORDER = ("item", "tax", "role", "bank")


def questions(desk: Desk, row: SourceDocument) -> list[Question]:
    """What a document asks the mappings, by translating it with a table that remembers."""
    record = read(desk, row.kind, row.content) if row.kind in POSTED_KINDS else None
    table = recording(desk.table)
    _translate(desk, record, table)
    return sorted(table.asked, key=lambda one: _ORDER.index(one.kind))


def _translate(desk: Desk, record: Any, table: MappingTable) -> None:
    """Only the questions matter; what comes out is thrown away."""
    if isinstance(record, Invoice):
        invoices.translate(record, table, desk.rules, "preview")
    elif isinstance(record, CreditNote):
        credit_notes.translate(record, table, desk.note_rules, "preview", {})
    elif isinstance(record, Transaction) and record.type == "refund":
        refunds.translate(record, table, desk.cash_rules, "preview", refunds.RefundParents(None, None, {}))
    elif isinstance(record, Transaction) and record.type == "payment":
        payments.translate(record, table, desk.cash_rules, "preview", {})


def values(desk: Desk, row: SourceDocument) -> dict[str, Any]:
    """What the page shows."""
    found: list[Answer] = [answer(desk.table, one) for one in questions(desk, row)]
    is_posted = Posting.objects.filter(source=row, state__in=DONE).exists()
    return {"answers": found, "is_posted": is_posted, "missing": sum(not one.account for one in found)}
