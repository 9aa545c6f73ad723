"""How long a tenant's audit trail is kept, and what is older. Nothing here deletes: the database forbids it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Max, Min

from tenants import policies
from tenants.models import AuditEntry, Tenant


@dataclass(frozen=True, slots=True)
class Older:
    """Entries of before `cutoff`; the moments are None if there are none."""

    years: int
    cutoff: dt.datetime
    entries: int
    first_at: dt.datetime | None
    last_at: dt.datetime | None
    last_position: int | None


def older(tenant: Tenant, now: dt.datetime) -> Older:
    """What the policy `audit_retention_years` no longer asks to keep."""
    years = int(policies.read(tenant)["audit_retention_years"])
    cutoff = years_before(now, years)
    found = AuditEntry.objects.filter(tenant=tenant, at__lt=cutoff).aggregate(
        entries=Count("pk"), first_at=Min("at"), last_at=Max("at"), last_position=Max("seal__position")
    )
    return Older(years=years, cutoff=cutoff, **found)


def years_before(moment: dt.datetime, years: int) -> dt.datetime:
    """The same day so many years ago; 29 February becomes 28 February."""
    year = max(moment.year - years, 1)
    try:
        return moment.replace(year=year)
    except ValueError:
        return moment.replace(year=year, day=28)
