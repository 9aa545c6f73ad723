"""A parallel run: prepared documents of a period beside what QAD holds without our prefix. Nothing is sent."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from connector.ledger.compare import Copy, Period, Sent, amount_text
from connector.ledger.parallel import Comparison, Pair, matched
from connector.qad.client import QadClient
from syncs import reading_back
from syncs.entities import entity_of
from syncs.models import ParallelComparison, Posting
from syncs.reading_back import Shown
from syncs.sending import assert_no_transaction
from syncs.states import PostingState
from tenants import audit
from tenants.models import Tenant

SHOWN = 200  # rows of each group that are kept


def compare(
    tenant: Tenant, client: QadClient, period: Period, *, clock: Callable[[], dt.datetime], actor: str
) -> ParallelComparison:
    """Read QAD's lists of the period and match them with what is ready here. Raises ConnectorError."""
    assert_no_transaction()
    ours = _ours(tenant, client, period)
    whole = Comparison()
    prefix = tenant.qad.reference_prefix
    for name, entity in reading_back.lists(client.profile).items():
        pages = reading_back.strangers(client, name, prefix, period.first, period.last)
        _add(whole, matched(ours.pop(entity, ()), [copy for page in pages for copy in page]))
    for rest in ours.values():
        _add(whole, matched(rest, ()))
    now = clock()
    row = ParallelComparison.objects.create(
        tenant=tenant,
        period=period.name,
        agreed=len(whole.agreed),
        differing=len(whole.differing),
        only_here=len(whole.only_ours),
        only_in_qad=len(whole.only_theirs),
        found={
            "differing": [_pair(pair) for pair in whole.differing[:SHOWN]],
            "only_here": [_sent(one) for one in whole.only_ours[:SHOWN]],
            "only_in_qad": [_copy(one) for one in whole.only_theirs[:SHOWN]],
        },
        actor=actor,
        compared_at=now,
    )
    after = {"agreed": row.agreed, "differing": row.differing, "here": row.only_here, "qad": row.only_in_qad}
    audit.record(tenant.pk, [audit.Line("parallel-run", f"parallel:{period.name}", after=after)], actor=actor, now=now)
    return row


def _ours(tenant: Tenant, client: QadClient, period: Period) -> dict[str, list[Sent]]:
    """Documents that would be sent, by the list of QAD that would show them."""
    shown, found = Shown(client.profile), defaultdict[str, list[Sent]](list)
    entities = {
        entity: first for name, first in reading_back.lists(client.profile).items() for entity in _same(client, name)
    }
    ready = Posting.objects.filter(
        tenant=tenant, state=PostingState.READY, posting_date__gte=period.first, posting_date__lte=period.last
    )
    for posting in ready.order_by("pk").iterator(chunk_size=500):
        entity = entity_of(posting)
        if posting.kind not in ("application", "unapplication"):
            found[entities.get(entity, entity)].append(shown.sent(posting))
    return dict(found)


def _same(client: QadClient, name: str) -> Iterable[str]:
    """Every entity that is looked up in this list."""
    return [entity for entity, write in client.profile.writes.items() if write.lookup.list == name]


def _add(whole: Comparison, part: Comparison) -> None:
    whole.agreed += part.agreed
    whole.differing += part.differing
    whole.only_ours += part.only_ours
    whole.only_theirs += part.only_theirs


def _pair(pair: Pair) -> dict[str, Any]:
    return {**_sent(pair.ours), "number": pair.theirs.number, "reasons": list(pair.reasons)}


def _sent(one: Sent) -> dict[str, Any]:
    total = amount_text(one.total, one.currency) if one.total is not None else ""
    return {"reference": one.reference, "customer": one.customer, "total": total, "date": one.posting_date.isoformat()}


def _copy(one: Copy) -> dict[str, Any]:
    total = amount_text(one.total, one.currency) if one.total is not None else ""
    day = one.posting_date.isoformat() if one.posting_date else ""
    return {"number": one.number, "customer": one.customer, "total": total, "date": day, "reference": one.reference}
