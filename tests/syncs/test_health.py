"""A queue that does not run is seen: on the overview, and by whoever asks without signing in."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django_q.models import OrmQ

from syncs import health
from syncs.models import Heartbeat
from tenants import calendar
from tenants.models import Blackout, CalendarRule, Role
from tests.builders import a_tenant, a_user

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 26, 12, tzinfo=dt.UTC)


@pytest.fixture
def tenant():
    return a_tenant("acme")


@pytest.fixture(autouse=True)
def noon():
    with time_machine.travel(NOW, tick=False):
        yield


def asked(path: str) -> tuple[int, str]:
    answer = Client().get(path)
    return answer.status_code, answer.content.decode().strip()


@pytest.mark.parametrize(
    ("ago", "expected"),
    [(0, (200, "ok")), (179, (200, "ok")), (181, (503, "late")), (-3600, (503, "late"))],
)
def test_the_queue_is_late_after_three_minutes(ago, expected):
    health.beat(NOW - dt.timedelta(seconds=ago))
    assert asked("/healthz") == expected
    assert asked("/healthz/pages") == (200, "ok")


def test_a_queue_that_never_ran_is_late():
    assert asked("/healthz") == (503, "late")


def test_the_answer_names_nothing_and_sets_no_cookie(tenant):
    answer = Client().get("/healthz")
    assert "acme" not in answer.content.decode()
    assert "Set-Cookie" not in answer.headers
    assert Client().post("/healthz").status_code == 405


def test_the_progress_of_a_long_run_is_a_sign_of_life_too():
    tell = health.pulse(lambda: NOW)
    tell("Reading invoices")
    assert asked("/healthz") == (200, "ok")
    Heartbeat.objects.all().delete()
    tell("Reading invoices")  # not with every page
    assert not Heartbeat.objects.exists()


def test_there_is_one_heartbeat():
    health.beat(NOW)
    health.beat(NOW)
    assert Heartbeat.objects.count() == 1


def overview(client, tenant) -> str:
    client.force_login(a_user({tenant: Role.FINANCE_USER}))
    return client.get(reverse("admin:index")).content.decode()


@pytest.mark.slow
def test_the_overview_says_that_the_queue_does_not_run_and_what_to_do(client, tenant):
    assert "The task queue has never run" in overview(client, tenant)
    health.beat(NOW - dt.timedelta(minutes=4))
    text = overview(client, tenant)
    assert "The task queue has not run since 2026-11-26 11:56 UTC" in text
    assert "restart manage.py qcluster" in text
    health.beat(NOW)
    assert "The task queue" not in overview(client, tenant)


@pytest.mark.slow
def test_the_overview_says_what_the_calendar_starts_next(client, tenant):
    assert "Nothing starts by itself" in overview(client, tenant)
    rule = CalendarRule(tenant=tenant, name="Nightly", pattern="daily", at=dt.time(13), time_zone="UTC")
    calendar.schedule(rule, NOW).save()
    assert "Next by the calendar: Nightly, 2026-11-26 13:00." in overview(client, tenant)
    CalendarRule.objects.update(next_at=NOW)
    assert "Due by the calendar: Nightly." in overview(client, tenant)
    Blackout.objects.create(tenant=tenant, reason="Close", begins_at=NOW, ends_at=NOW + dt.timedelta(hours=5))
    assert "A blackout holds every run until 2026-11-26 17:00." in overview(client, tenant)


def test_sync_now_in_a_blackout_is_refused_in_a_sentence(client, tenant):
    Blackout.objects.create(tenant=tenant, reason="Close", begins_at=NOW, ends_at=NOW + dt.timedelta(hours=5))
    client.force_login(a_user({tenant: Role.ACCOUNTANT}))
    text = client.post(reverse("admin:syncs_run_sync_now"), follow=True).content.decode()
    assert "No run of Acme starts before 2026-11-26 17:00 UTC: the blackout" in text
    assert not OrmQ.objects.exists()


@pytest.mark.parametrize(
    ("given", "queued", "words"),
    [
        ({}, ("", ""), "(everything) was asked for"),
        ({"kind": "invoice"}, ("invoice", ""), "(invoice) was asked for"),
        ({"kind": "invoice", "id": " INV-1 "}, ("invoice", "INV-1"), "(invoice INV-1) was asked for"),
        ({"kind": "supplier"}, None, "no kind &#x27;supplier&#x27;"),
        ({"id": "INV-1"}, None, "Choose the kind of the document"),
        ({"kind": "invoice", "id": "x" * 101}, None, "at most 100 characters"),
        ({"kind": "invoice", "id": "INV\x1f1"}, None, "all of them visible"),
    ],
)
def test_sync_now_takes_everything_a_kind_or_one_document(client, tenant, given, queued, words):
    client.force_login(a_user({tenant: Role.ACCOUNTANT}))
    text = client.post(reverse("admin:syncs_run_sync_now"), given, follow=True).content.decode()
    assert words in text
    assert [one.args()[2:] for one in OrmQ.objects.all()] == ([queued] if queued else [])
