"""What a change of mappings would do to the documents that are not posted yet, before anybody saves it."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Q, QuerySet

from connector.ledger.journals import journal
from connector.ledger.stored import content_hash, to_json
from mappings.impact import Case, Impact, Outcome, weigh
from mappings.overlay import overlaid
from mappings.planning import Change, plan
from mappings.table import with_reference
from syncs.books import receivable_account
from syncs.desk import Desk, open_desk
from syncs.following import unsent
from syncs.foresight import Rehearsed, rehearse
from syncs.models import SourceDocument
from syncs.preparing import BATCH, POSTED_KINDS
from syncs.states import SourceState
from tenants.models import Tenant


@dataclass(frozen=True, slots=True)
class Weighed:
    """`open_documents` is how many there are, of which the newest `looked_at` were weighed."""

    impact: Impact
    open_documents: int
    looked_at: int


def open_documents(tenant: Tenant) -> QuerySet[SourceDocument]:
    """Held documents, and prepared ones that are not sent yet."""
    is_open = Q(state=SourceState.HELD) | Q(pk__in=unsent(tenant).values("pk"))
    return SourceDocument.objects.filter(is_open, tenant=tenant, kind__in=POSTED_KINDS)


def weighed(
    tenant: Tenant, changes: Sequence[Change], *, deleted: Iterable[Any] = (), now: dt.datetime, most: int, until: float
) -> Weighed:
    """Prepare the open documents twice without saving: with the mappings as they are, and as they would be.

    At most `most` of them, and no further batch after `until` (monotonic).
    """
    before = open_desk(tenant.pk)
    table = overlaid(before.table, plan(tenant.pk, changes), tuple(deleted))
    after = replace(before, table=with_reference(tenant.pk, table))
    rows = open_documents(tenant)
    keys = list(rows.order_by("-pk").values_list("pk", flat=True)[:most])
    receivable = receivable_account(tenant)
    cases: list[Case] = []
    looked_at = 0
    while looked_at < len(keys) and time.monotonic() < until:
        some = keys[looked_at : looked_at + BATCH]
        cases += _cases(before, after, list(SourceDocument.objects.filter(pk__in=some)), receivable, now)
        looked_at += len(some)
    total = len(keys) if len(keys) < most else rows.count()
    return Weighed(weigh(cases), total, looked_at)


def _cases(before: Desk, after: Desk, rows: Sequence[SourceDocument], receivable: str, now: dt.datetime) -> list[Case]:
    old, new = rehearse(before, rows, now=now), rehearse(after, rows, now=now)
    return [
        Case(_outcome(one, receivable), _outcome(other, receivable), one.row.currency, one.row.total_minor or 0)
        for one, other in zip(old, new, strict=True)
    ]


def _outcome(one: Rehearsed, receivable: str) -> Outcome:
    amounts: Counter[tuple[str, str]] = Counter()
    for document in one.documents:
        for line in journal(document, receivable):
            amounts[line.account, line.debit.currency] += line.debit.minor - line.credit.minor
    marks = tuple(content_hash(_unsourced(to_json(document))) for document in one.documents)
    return Outcome(one.is_held, {key: minor for key, minor in amounts.items() if minor}, marks)


def _unsourced(stored: Any) -> Any:
    """A stored document without the names of the rows that coded it: it may land the same by another row."""
    if isinstance(stored, dict):
        return {name: _unsourced(value) for name, value in stored.items() if name != "source"}
    return [_unsourced(one) for one in stored] if isinstance(stored, list | tuple) else stored
