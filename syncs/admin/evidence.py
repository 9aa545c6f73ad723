"""What the page of a document tells about its day and its exchange rate: both clocks, the rule, the reason."""

from __future__ import annotations

from connector.ledger.cut_off import Reading
from syncs import cut_off
from syncs.models import Posting, SourceDocument
from syncs.previewing import rate_words
from tenants.models import Tenant


def facts(tenant: Tenant, row: SourceDocument, posting: Posting | None) -> list[tuple[str, str]]:
    """Label and text; a row of the catalogue or a customer has none."""
    reading = cut_off.reading(tenant, row, cut_off.calendar_of(tenant)) if row.dated_at is not None else None
    told = clock(tenant, reading) if reading is not None else []
    if posting is None:
        return told
    evidence = posting.evidence or {}
    reason = evidence.get("date", {}).get("reason") or "It is the document's own date in the accounting zone."
    return [
        *told,
        ("Why this posting date", reason),
        ("Exchange rate", rate_words(posting.currency, evidence.get("fx", {}))),
    ]


def clock(tenant: Tenant, reading: Reading) -> list[tuple[str, str]]:
    """The cut-off clock; the site's own is only told where it reads differently or the end of a period is near."""
    near = f", less than an hour from the period that begins on {reading.edge}" if reading.edge else ""
    told = [("By the books' clock", f"{reading.in_books:%Y-%m-%d %H:%M:%S} {tenant.time_zone}{near}")]
    if reading.differs or reading.edge:
        told.append(("By the site's clock", f"{reading.at_site:%Y-%m-%d %H:%M:%S} {reading.at_site.tzinfo}"))
    return told
