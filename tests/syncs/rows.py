"""Rows of documents as the syncs leave them, for tests of screens: no sandbox, no network."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

from connector.ledger.documents import Coding, CustomerInvoice, DocumentLine
from connector.ledger.stored import content_hash, to_json
from connector.money import Money
from syncs.models import Attempt, Posting, Run, SourceDocument
from syncs.models.source import pack

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>"
UNMAPPED = {
    "code": "item-not-mapped",
    "subject": "Item price 'pro-EUR'",
    "message": "Item price 'pro-EUR' has no GL account on 2026-11-23.",
    "fix": "Map it under Mappings > Item mappings.",
    "link": "item_mappings",
}


def a_document(
    tenant, source_id="INV-1", *, kind="invoice", state="coded", problems=(), **fields: Any
) -> SourceDocument:
    """Of 12.50 EUR unless told otherwise."""
    given = {
        "currency": "EUR",
        "total_minor": 1250,
        "customer_id": "cust-1",
        "dated_at": NOW,
        "status": "paid",
        **fields,
    }
    raw = given.pop("content", {"id": source_id, "customer_id": given["customer_id"]})
    codes = "|".join(["", *(problem["code"] for problem in problems), ""]) if problems else ""
    return SourceDocument.objects.create(
        tenant=tenant,
        kind=kind,
        source_id=source_id,
        state=state,
        raw=pack(json.dumps(raw).encode()),
        content_hash="x",
        codes=codes,
        problems=list(problems),
        first_seen_at=NOW,
        changed_at=NOW,
        **given,
    )


def a_posting(
    source: SourceDocument, *, state="posted", source_of_coding="", text="Pro plan", **fields: Any
) -> Posting:
    """One line to account 4000, for the whole amount of its source."""
    total = Money.of_minor(source.total_minor or 0, source.currency)
    line = DocumentLine("sale", text, total, Coding("4000", source=source_of_coding))
    document = to_json(
        CustomerInvoice(
            reference=f"CB-INV-{source.source_id}"[:40],
            source_id=source.source_id,
            customer="C1",
            description="Invoice",
            currency=source.currency,
            document_date=NOW.date(),
            posting_date=NOW.date(),
            due_date=None,
            lines=(line,),
            taxes=(),
            total=Money(Decimal(total.amount), source.currency),
        )
    )
    number = f"Q{source.pk}" if state in ("posted", "verified") else ""
    given = {"qad_number": number, "qad_year": "2026", "qad_daybook": "CINV", **fields}
    return Posting.objects.create(
        tenant=source.tenant,
        source=source,
        kind="invoice",
        reference=document["reference"],
        order_key=f"{source.pk}",
        state=state,
        document=document,
        document_hash=content_hash(document),
        projection="x",
        customer_code="C1",
        currency=source.currency,
        total_minor=source.total_minor,
        posting_date=NOW.date(),
        created_at=NOW,
        changed_at=NOW,
        **given,
    )


def an_attempt(posting: Posting, **fields: Any) -> Attempt:
    given = {"number": 1, "outcome": "posted", "claimed_at": NOW, "deadline_at": NOW, **fields}
    return Attempt.objects.create(
        tenant=posting.tenant, posting=posting, key="00000000-0000-0000-0000-000000000001", document_hash="x", **given
    )


def a_run(tenant, *, state="complete", equation=(), **fields: Any) -> Run:
    given = {"lease_until": NOW, "started_at": NOW, "finished_at": NOW + dt.timedelta(seconds=8), **fields}
    key = "00000000-0000-0000-0000-000000000001"
    return Run.objects.create(tenant=tenant, trigger="schedule", key=key, state=state, equation=list(equation), **given)


def a_balance(*, kind="invoice", currency="EUR", listed=2, posted=2, missing=(), differing=()) -> dict[str, Any]:
    """One line of a run's equation."""
    return {
        "kind": kind,
        "currency": currency,
        "listed": listed,
        "dispositions": {"posted": posted},
        "money_minor": {"posted": 2500},
        "missing": list(missing),
        "differing": list(differing),
        "holds": listed == posted and not missing and not differing,
    }
