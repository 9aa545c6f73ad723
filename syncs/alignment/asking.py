"""Two customers that may be one are put before a person, once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from syncs.models import MatchReview, ReviewState
from tenants.models import Tenant


def ask(tenant: Tenant, pairs: Iterable[tuple[str, str, str]], *, found_from: str, now: dt.datetime) -> None:
    """Put (Chargebee id, QAD code, why) before a person. A pair that somebody kept apart is not asked about again; one
    whose question was settled by a link that is no more is."""
    rows = [
        MatchReview(tenant=tenant, chargebee_id=key, qad_code=code, why=why[:200], found_from=found_from, since=now)
        for key, code, why in pairs
    ]
    MatchReview.objects.bulk_create(rows, ignore_conflicts=True)
    settled = MatchReview.objects.filter(tenant=tenant, state__in=(ReviewState.OVER, ReviewState.LINKED))
    for row in rows:
        again = settled.filter(chargebee_id=row.chargebee_id, qad_code=row.qad_code)
        again.update(state=ReviewState.OPEN, why=row.why, found_from=found_from, since=now)
