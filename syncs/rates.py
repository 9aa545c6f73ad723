"""One named exchange rate for each document in a foreign currency: whose, since when, and what it makes of the total.

The connector converts nothing that is posted: QAD does, and QAD alone posts exchange gain and loss.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from connector.errors import Problem
from connector.ledger.currency_rates import NamedRate, converted
from connector.ledger.dating import name_of
from connector.ledger.documents import Adjustment, JournalEntry, LedgerDocument, Reversal
from connector.ledger.qad_problems import base_currency_wrong, rate_unknown
from mappings import reference
from mappings.listed import RATES_KEPT
from syncs.desk import Desk

CHARGEBEE = "Chargebee's rate of the document"


def named_rate(desk: Desk, document: LedgerDocument) -> NamedRate | None:
    """The document's own rate, else QAD's of its posting date; None if nobody told, or none is needed."""
    base = desk.tenant.base_currency
    if document.currency == base or isinstance(document, Adjustment):
        return None
    plain = document.original if isinstance(document, Reversal) else document
    if plain.exchange_rate is not None:
        return NamedRate(plain.exchange_rate, CHARGEBEE, plain.document_date)
    asked = (document.currency, document.posting_date)
    if asked not in desk.rates:
        desk.rates[asked] = reference.rate_on(desk.tenant.pk, document.currency, base, document.posting_date)
    return desk.rates[asked]


def problem(desk: Desk, document: LedgerDocument) -> Problem | None:
    """Another base currency in QAD, or no rate: QAD's list was read since that day and has none for it."""
    base, theirs = desk.tenant.base_currency, desk.table.known.base_currency
    if theirs and theirs != base:
        return base_currency_wrong(str(desk.tenant), base, theirs)
    if document.currency == base or isinstance(document, Adjustment) or named_rate(desk, document) is not None:
        return None
    if not _is_covered(desk, document.posting_date):
        return None
    return rate_unknown(name_of(document), document.currency, base, document.posting_date)


def _is_covered(desk: Desk, day: dt.date) -> bool:
    """Whether the list, as it was read, would show a rate of that day."""
    read = desk.rates_read_on
    return read is not None and read - RATES_KEPT < day <= read


def evidence(desk: Desk, document: LedgerDocument) -> dict[str, Any]:
    """What is kept beside the posting; {} for a document in base currency."""
    base = desk.tenant.base_currency
    if document.currency == base or isinstance(document, Adjustment):
        return {}
    rate = named_rate(desk, document)
    if rate is None:
        return {"fx": {"source": "QAD's own by posting date; its list of rates was not read", "base": base}}
    plain = document.original if isinstance(document, Reversal) else document
    told = {"source": rate.source, "rate": f"{rate.rate:f}", "on": rate.on.isoformat(), "base": base}
    if not isinstance(plain, JournalEntry):
        told["total"] = str(converted(plain.total, rate.rate, base).amount)
    return {"fx": told}
