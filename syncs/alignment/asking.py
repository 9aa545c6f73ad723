"""Two customers that may be one are put before a person, once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from syncs.models import MatchReview
from tenants.models import Tenant


def ask(tenant: Tenant, pairs: Iterable[tuple[str, str, str]], *, found_from: str, now: dt.datetime) -> None:
    """Put (Chargebee id, QAD code, why) before a person; a pair that was asked before is not asked again."""
    rows = [
        MatchReview(tenant=tenant, chargebee_id=key, qad_code=code, why=why[:200], found_from=found_from, since=now)
        for key, code, why in pairs
    ]
    MatchReview.objects.bulk_create(rows, ignore_conflicts=True)
