"""What the overview says of reading Chargebee: clocks, late changes, and what the last sweep proved."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from connector.chargebee.cursor import LARGEST_SKEW
from syncs import proving, quota
from syncs.admin import links, words
from syncs.models import Cursor, Notice, RunState
from tenants.models import Tenant

SHOWN = 5
UNPROVED_AFTER = dt.timedelta(days=2)


def skewed_clock(tenant: Tenant) -> str:
    """A sentence when this machine's clock and Chargebee's differ too much, '' otherwise."""
    worst = max((cursor.skew_seconds for cursor in Cursor.objects.filter(tenant=tenant)), key=abs, default=0)
    if abs(worst) <= LARGEST_SKEW.total_seconds():
        return ""
    side = "ahead of" if worst < 0 else "behind"
    return (
        f"The clock of this machine is {abs(worst) // 60:,} minutes {side} Chargebee's. Reading goes by Chargebee's "
        "time, so nothing is lost; set this machine's clock by a time server."
    )


def last_sweep(tenant: Tenant) -> tuple[str, str, str]:
    """(tone, sentence, address) of what the last sweep proved; an empty sentence before there is anything to prove."""
    run = proving.last_proof(tenant)
    if run is None:
        return "calm", "", ""
    found = proving.counts(run)
    when = words.minute(run.started_at, tenant.time_zone)
    parts = [f"{found[name]:,} {name}" for name in ("missing", "extra", "stale")]
    sentence = f"The sweep of {when} compared {words.counted(found['listed'], 'document')}: {', '.join(parts)}."
    if timezone.now() - run.started_at > UNPROVED_AFTER:
        sentence += " It is older than two days: look whether the task queue runs."
        return "wait", sentence, links.url("admin:syncs_run_change", run.pk)
    tone = "calm" if run.state == RunState.COMPLETE else "bad"
    return tone, sentence, links.url("admin:syncs_run_change", run.pk)


def backlog(tenant: Tenant) -> str:
    """When what is still to be read will be done, '' if nothing is."""
    left = quota.forecast(tenant)
    if left is None:
        return ""
    return (
        f"{words.counted(left.calls, 'call')} to Chargebee are still needed; at {left.a_minute:,.0f} a minute they are "
        f"done in about {words.counted(left.minutes, 'minute')}."
    )


def open_notices(tenant: Tenant) -> list[str]:
    """The sentences of what was noticed and nobody has cleared, newest first."""
    rows = Notice.objects.filter(tenant=tenant, cleared_at=None)[: SHOWN + 1]
    said = [f"{row.sentence} {row.fix}".strip() for row in rows[:SHOWN]]
    more = Notice.objects.filter(tenant=tenant, cleared_at=None).count() - len(said)
    return [*said, f"And {words.counted(more, 'more notice')} of reading."] if more > 0 else said
