"""The limit of a Chargebee site: shared by processes, obeyed by all of them, and never felt by another site."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client

from connector.errors import Authentication, Transient
from connector.processes import this_process
from tenants import callbudget, connections
from tenants.callbudget import PLACE_SECONDS, SharedPace, SharedPlace
from tenants.models import CallBudget, CallPlace, ChargebeeConnection, Circuit, Side
from tests.builders import a_tenant, a_user, connected

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> dt.datetime:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_what_chargebee_says_to_one_process_holds_for_all_of_the_site_and_no_other(clock: Clock):
    one, other, elsewhere = (SharedPace(host, 600, clock=clock) for host in ("acme", "acme", "bravo"))

    one.hold(30)

    assert (one(), other(), elsewhere()) == (pytest.approx(30), pytest.approx(30), 0.0)
    clock.wait(29)
    assert (one(), other()) == (pytest.approx(1), pytest.approx(1))
    clock.wait(2)
    assert one() == 0.0
    clock.wait(2)
    assert other() == 0.0


def test_a_shorter_pause_does_not_end_a_longer_one_and_none_is_endless(clock: Clock):
    pace = SharedPace("acme", 600, clock=clock)
    pace.hold(50)
    pace.hold(5)
    assert pace() == pytest.approx(50)
    pace.hold(1e12)
    assert pace() == pytest.approx(3600)


def test_leave_that_was_not_used_is_given_back(clock: Clock):
    first = SharedPace("acme", 80, clock=clock)
    assert first() == 0.0
    assert CallBudget.objects.get().tokens == pytest.approx(0)

    first.close()
    first.close()

    assert CallBudget.objects.get().tokens == pytest.approx(19)


def test_the_calls_of_the_last_hour_are_known(clock: Clock):
    pace = SharedPace("acme", 6000, clock=clock, burst=20)
    for _ in range(20):
        pace()
    clock.wait(120)
    for _ in range(40):
        pace()
    assert callbudget.used("acme", clock()) == (20, 40)
    clock.wait(59 * 60)
    assert callbudget.used("acme", clock()) == (0, 20)
    clock.wait(3600)
    assert callbudget.used("acme", clock()) == (0, 0)
    assert callbudget.used("nobody", clock()) == (0, 0)


def test_no_more_than_so_many_call_at_the_same_time(clock: Clock):
    first, second, third = (SharedPlace("acme", 2, clock=clock) for _ in range(3))
    assert (first(), second(), SharedPlace("bravo", 2, clock=clock)()) == (0.0, 0.0, 0.0)
    assert third() > 0

    second.close()

    assert third() == 0.0
    assert second() > 0
    assert first() == 0.0


def test_the_place_of_a_dead_process_is_free_after_its_lease_and_a_live_one_renews_it(clock: Clock):
    dead, live, waiting = (SharedPlace("acme", 2, clock=clock) for _ in range(3))
    dead(), live()
    for _ in range(3):
        clock.wait(PLACE_SECONDS / 2 + 1)
        assert live() == 0.0

    assert waiting() == 0.0
    assert dead() > 0
    assert live() == 0.0


GONE = this_process().rpartition("/")[0] + "/1"  # the number of this process, but of one that began earlier


@pytest.mark.parametrize("process", [GONE, "another-machine/pid:[1]/7/1", ""], ids=["here", "elsewhere", "unknown"])
def test_the_place_of_a_process_of_this_machine_that_is_gone_is_free_at_once(process: str, clock: Clock):
    dead, waiting = (SharedPlace("acme", 1, clock=clock) for _ in range(2))
    dead()
    assert waiting() > 0
    CallPlace.objects.update(process=process)

    assert (waiting() == 0.0) == (process == GONE)

    clock.wait(PLACE_SECONDS + 1)
    assert waiting() == 0.0


def test_one_place_of_a_dead_process_goes_to_one_of_those_who_wait(clock: Clock):
    dead, first, second = (SharedPlace("acme", 1, clock=clock) for _ in range(3))
    dead()
    CallPlace.objects.update(process=GONE)

    assert (first() == 0.0, second() == 0.0) == (True, False)
    clock.wait(PLACE_SECONDS / 2 + 1)
    assert dead() > 0
    assert first() == 0.0
    first.close()
    assert CallPlace.objects.get().process == ""


def test_a_place_costs_nothing_while_calls_go_on(clock: Clock, django_assert_num_queries):
    place = SharedPlace("acme", 3, clock=clock)
    place()
    with django_assert_num_queries(0):
        assert [place() for _ in range(50)] == [0.0] * 50


@pytest.mark.parametrize(
    ("plan", "site", "limit"), [("starter", "acme", 75), ("enterprise", "acme", 1750), ("enterprise", "acme-test", 75)]
)
def test_the_lowest_limit_of_the_tenants_on_a_site_counts(plan: str, site: str, limit: float):
    mine = ChargebeeConnection.objects.create(tenant=a_tenant(), site=site, plan=plan)
    ChargebeeConnection.objects.create(tenant=a_tenant("other"), site="elsewhere", calls_per_minute=1)
    assert connections.site_limit(mine) == limit

    ChargebeeConnection.objects.create(tenant=a_tenant("third"), site=site, calls_per_minute=20)

    assert connections.site_limit(mine) == 20


def test_the_connection_opens_on_a_failure_heals_by_itself_and_closes_on_a_good_answer():
    tenant, other = a_tenant(), a_tenant("other")
    pulse = connections._Pulse(tenant)

    pulse(Transient("Chargebee is away.", retry_after=120.0))

    row = Circuit.objects.get()
    assert (row.tenant, row.side) == (tenant, Side.CHARGEBEE)
    assert row.try_again_at - row.opened_at >= dt.timedelta(seconds=119)
    assert not connections.is_stopped(other, Side.CHARGEBEE)
    pulse(None)
    assert not Circuit.objects.exists()
    pulse(Authentication("The key is refused."))
    assert Circuit.objects.get().try_again_at is None
    pulse(None)
    assert not Circuit.objects.exists()


def test_the_connection_page_shows_plan_share_and_the_calls_that_were_used():
    tenant = connected(a_tenant(), "http://127.0.0.1:1")
    row = ChargebeeConnection.objects.get(tenant=tenant)
    pace = SharedPace(connections.call_host(row), 6000, burst=20)
    pace()
    client = Client()
    client.force_login(a_user({tenant: "integration_admin"}))

    page = client.get(f"/admin/tenants/chargebeeconnection/{row.pk}/change/").content.decode()

    assert "20 in this minute, 20 in the last hour; 60,000 a minute are allowed" in page
    assert 'name="plan"' in page and 'name="share_percent"' in page and 'name="concurrency"' in page


def test_a_clock_that_was_set_back_does_not_hold_the_site_until_it_has_caught_up(clock: Clock):
    pace = SharedPace("acme", 60, clock=clock, burst=1)
    clock.wait(3600)
    assert pace() == 0.0
    clock.wait(-3600)

    assert pace() == pytest.approx(1.0)
    clock.wait(1.5)

    assert pace() == 0.0
