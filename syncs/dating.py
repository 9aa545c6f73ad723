"""The posting date of a document that is prepared: QAD's calendar, what it leans on, the policy, and approvals."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import F, Max
from django.db.models.functions import Coalesce

from connector.ledger.dating import Dated, on_day, posting_day
from connector.ledger.documents import Adjustment, LedgerDocument, Reversal
from connector.qad.daybooks import daybook_of
from syncs.desk import Desk
from syncs.models import DateApproval, Kind, Posting
from syncs.states import DONE

__all__ = ["approvals_of", "dated", "on_day", "wanted_date", "why"]

_KINDS = {  # kind of document -> kinds of source that it may come from
    "invoice": (Kind.INVOICE,),
    "credit_note": (Kind.CREDIT_NOTE,),
    "payment": (Kind.TRANSACTION,),
    "refund": (Kind.TRANSACTION,),
    "journal": (Kind.CREDIT_NOTE, Kind.TRANSACTION),
}


def dated(desk: Desk, document: LedgerDocument) -> Dated:
    """When it is posted, or why it waits. Reads the database only where something lies behind it."""
    known = desk.table.known
    return posting_day(
        document,
        daybook_of(document, desk.profile, known),
        known.calendar,
        policy=desk.policies["closed_periods"],
        not_before=_last_of_chain(desk, document) if isinstance(document, Reversal) else None,
        is_approved=lambda day: approvals_of(desk, document).filter(wanted_date=day).exists(),
    )


def wanted_date(found: Dated) -> dt.date | None:
    """The column of a posting that tells that its date was moved."""
    return found.own if found.is_shifted else None


def why(found: Dated) -> dict[str, Any]:
    """The evidence of a posting about its date, {} where it is the document's own and nothing had to be decided."""
    return {"date": {"own": found.own.isoformat(), "reason": found.reason}} if found.reason else {}


def approvals_of(desk: Desk, document: LedgerDocument) -> Any:
    """Approvals that still hold for the document's source."""
    kinds = _KINDS[_root(document)]
    return DateApproval.objects.filter(
        tenant=desk.tenant, source__source_id=document.source_id, source__kind__in=kinds, spent_at=None
    )


def _root(document: LedgerDocument) -> str:
    if isinstance(document, Reversal):
        return document.original.kind
    return document.credit.kind if isinstance(document, Adjustment) else document.kind


def _last_of_chain(desk: Desk, reversal: Reversal) -> dt.date | None:
    """The last day on which QAD has anything of the document that is taken back, what it settles included."""
    chain = Posting.objects.filter(
        tenant=desk.tenant, source__postings__reference=reversal.original.reference, state__in=DONE
    )
    found: dt.date | None = chain.aggregate(last=Max(Coalesce(F("qad_posting_date"), F("posting_date"))))["last"]
    return found
