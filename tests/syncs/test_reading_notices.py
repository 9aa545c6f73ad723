"""What the overview says of clocks, late changes and sweeps, and to whom."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.utils import timezone

from syncs.admin import reading_notices
from syncs.models import Cursor, Notice, Run, SweepWindow
from syncs.notices import clear_before, notice
from tenants.models import AuditEntry
from tests.builders import a_tenant, a_user

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)


def overview(user) -> str:
    client = Client()
    client.force_login(user)
    return client.get("/admin/", follow=True).content.decode()


def a_sweep(tenant, *, missing: int = 0, ago: dt.timedelta = dt.timedelta(hours=3)) -> Run:
    run = Run.objects.create(
        tenant=tenant, purpose="sweep", state="red" if missing else "complete", key="0" * 32,
        lease_until=timezone.now(), started_at=timezone.now() - ago,
    )  # fmt: skip
    SweepWindow.objects.create(
        tenant=tenant, run=run, kind="invoice", listed=1200, missing=missing, done_at=timezone.now(),
        named=[["missing", "INV-9"]] if missing else [],
    )  # fmt: skip
    return run


def test_a_clock_that_differs_is_said_with_the_way_out():
    tenant = a_tenant()
    Cursor.objects.create(tenant=tenant, kind="invoice", skew_seconds=-3600)

    page = overview(a_user({tenant: "auditor"}))

    assert "The clock of this machine is 60 minutes ahead of Chargebee" in page


def test_a_clock_that_agrees_is_not_spoken_of():
    tenant = a_tenant()
    Cursor.objects.create(tenant=tenant, kind="invoice", skew_seconds=299)

    assert reading_notices.skewed_clock(tenant) == ""


@pytest.mark.slow
def test_the_last_sweep_stands_there_with_its_numbers():
    tenant = a_tenant()
    a_sweep(tenant)
    assert reading_notices.last_sweep(tenant)[:1] == ("calm",)
    run = a_sweep(tenant, missing=1)

    page = overview(a_user({tenant: "auditor"}))

    assert "compared 1,200 documents: 1 missing, 0 extra, 0 stale." in page
    client = Client()
    client.force_login(a_user({tenant: "auditor"}))
    shown = client.get(f"/admin/syncs/run/{run.pk}/change/").content.decode()
    assert f"Sweep {run.pk}" in shown and "missing INV-9" in shown
    client.force_login(a_user({a_tenant("other"): "auditor"}))
    assert "INV-9" not in client.get(f"/admin/syncs/run/{run.pk}/change/", follow=True).content.decode()


def test_an_old_sweep_says_that_it_is_old():
    tenant = a_tenant()
    a_sweep(tenant, ago=dt.timedelta(days=3))

    tone, sentence, _ = reading_notices.last_sweep(tenant)

    assert tone == "wait" and "older than two days" in sentence


def test_a_notice_is_opened_once_counted_and_cleared_by_what_proves_it_settled():
    tenant, other = a_tenant(), a_tenant("other")
    for minute in range(3):
        moment = NOW + dt.timedelta(minutes=minute)
        notice(tenant, "late-change", "Reading invoice", f"Late {minute}.", "Look.", now=moment)
    notice(other, "late-change", "Reading invoice", "Other.", "Look.", now=NOW)

    (row,) = Notice.objects.filter(tenant=tenant)
    assert (row.times, row.sentence, row.first_at) == (3, "Late 2.", NOW)
    assert reading_notices.open_notices(tenant) == ["Late 2. Look."]
    assert "Late 2. Look." in overview(a_user({tenant: "finance_user"}))
    assert "Late 2. Look." not in overview(a_user({other: "finance_user"}))
    assert clear_before(tenant, NOW, now=NOW, reason="Proved.") == 0
    assert clear_before(tenant, NOW + dt.timedelta(hours=1), now=NOW, reason="Proved.") == 1
    assert reading_notices.open_notices(tenant) == []
    assert AuditEntry.objects.get(action="notice-cleared").tenant == tenant
