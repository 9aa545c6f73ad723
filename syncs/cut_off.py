"""The cut-off clock: on which day a document falls by the site's clock and by the books', and which are close calls."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Q

from connector.ledger.calendar import Calendar
from connector.ledger.cut_off import Reading, first_days, read, windows
from mappings import reference
from syncs.models import SourceDocument
from syncs.preparing import POSTED_KINDS
from tenants import policies
from tenants.models import Tenant

LOOKS_BACK = dt.timedelta(days=400)
RULE = "The document's moment in Chargebee becomes a date once, in the accounting zone; that is its posting date."


def reading(tenant: Tenant, row: SourceDocument, calendar: Calendar | None) -> Reading | None:
    """Both clocks at a document's moment, None if Chargebee gives it none."""
    if row.dated_at is None:
        return None
    zone = policies.read(tenant)["site_time_zone"]
    return read(row.dated_at, site_zone=zone, books_zone=tenant.time_zone, calendar=calendar)


def close_calls(tenant: Tenant, now: dt.datetime) -> Any:
    """Documents within an hour of the midnight between two periods, on either clock, newest first."""
    today = now.date()
    days = first_days(calendar_of(tenant), today - LOOKS_BACK, today + dt.timedelta(days=1))
    site_zone, near = policies.read(tenant)["site_time_zone"], Q(pk__in=())
    for since, until in windows(days, site_zone=site_zone, books_zone=tenant.time_zone):
        near |= Q(dated_at__gte=since, dated_at__lt=until)
    rows = SourceDocument.objects.filter(near, tenant=tenant, kind__in=POSTED_KINDS)
    return rows.defer("raw", "problems").order_by("-dated_at", "-pk")


def calendar_of(tenant: Tenant) -> Calendar | None:
    return reference.load(tenant.pk, {}).calendar
