"""What the billing calendar says is due is run: once, never two at a time, and made up for after any trouble."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.utils import timezone
from django_q.models import OrmQ

from connector.errors import Configuration, ConnectorError
from syncs import calendar_runs, health, intake, running, tasks
from syncs.models import Heartbeat, ReadBack, Run, RunState, WebhookEvent
from tenants import calendar
from tenants.models import Blackout, CalendarRule, Tenant
from tests.builders import a_tenant
from tests.flows.scene import a_scene
from tests.syncs.webhook_desk import Sender, an_event

pytestmark = pytest.mark.django_db(transaction=True)
START = dt.datetime(2026, 11, 26, 12, tzinfo=dt.UTC)


class Clock:
    def __init__(self, now: dt.datetime = START) -> None:
        self.now = now

    def __call__(self) -> dt.datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += dt.timedelta(**span)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def scene():
    with a_scene() as found:
        yield found


@pytest.fixture
def tenant(scene):
    return scene.tenant


def a_rule(tenant, clock, name="Nightly", at="13:00", **fields) -> CalendarRule:
    given = {"pattern": "daily", "at": dt.time.fromisoformat(at), "time_zone": "UTC", **fields}
    rule = CalendarRule(tenant=tenant, name=name, **given)
    calendar.schedule(rule, clock()).save()
    return rule


def tick(tenant, clock) -> int:
    """A minute of the dispatcher."""
    if not calendar_runs.is_due(tenant, clock()):
        return 0
    return calendar_runs.run_due(tenant, clock=clock, actor="calendar")


def runs() -> list[str]:
    return list(Run.objects.order_by("id").values_list("state", flat=True))


def test_a_rule_runs_at_its_time_and_not_again(tenant, clock):
    rule = a_rule(tenant, clock)
    assert tick(tenant, clock) == 0
    clock.forward(hours=1)
    assert tick(tenant, clock) == 1
    assert tick(tenant, clock) == 0
    rule.refresh_from_db()
    assert runs() == ["complete"]
    assert (rule.next_at, rule.last_at, rule.attempts) == (START + dt.timedelta(hours=25), clock(), 0)
    assert Run.objects.get().trigger == "calendar"


@pytest.mark.slow
def test_slots_missed_while_the_scheduler_was_down_run_once(tenant, clock):
    rule = CalendarRule(tenant=tenant, name="Often", pattern="cron", cron="*/10 * * * *", time_zone="UTC")
    calendar.schedule(rule, clock()).save()
    clock.forward(days=1, minutes=5)
    assert tick(tenant, clock) == 1
    assert tick(tenant, clock) == 0
    rule.refresh_from_db()
    assert rule.next_at == clock() + dt.timedelta(minutes=5)


def test_rules_that_are_due_together_are_one_run_of_all_their_kinds(tenant, clock):
    a_rule(tenant, clock, "Invoices", kinds=["transaction", "invoice"])
    a_rule(tenant, clock, "Customers", kinds=["customer"])
    clock.forward(hours=2)
    assert tick(tenant, clock) == 2
    assert Run.objects.get().kinds == ["customer", "invoice", "transaction"]


@pytest.mark.slow
def test_while_a_sync_runs_a_due_rule_waits_for_its_end(tenant, clock):
    a_rule(tenant, clock)
    clock.forward(hours=1)
    run = running.start(tenant, intake.PULL_ORDER, trigger="browser", now=clock())
    assert tick(tenant, clock) == 0
    running.finish(run, RunState.COMPLETE, "", now=clock())
    assert tick(tenant, clock) == 1


def test_two_workers_at_once_start_one_run(tenant, clock):
    """Both have seen the rule as due; the second finds it claimed."""
    a_rule(tenant, clock)
    clock.forward(hours=1)
    (seen,) = calendar_runs.due(tenant, clock())
    assert calendar_runs._claim(seen, clock())
    assert not calendar_runs._claim(seen, clock())
    assert calendar_runs.run_due(tenant, clock=clock, actor="calendar") == 0


@pytest.mark.slow
def test_a_killed_run_is_made_up_for(tenant, clock):
    rule = a_rule(tenant, clock)
    clock.forward(hours=1)
    (seen,) = calendar_runs.due(tenant, clock())
    assert calendar_runs._claim(seen, clock())
    running.start(tenant, intake.PULL_ORDER, trigger="calendar", now=clock())  # and then it is killed
    assert tick(tenant, clock) == 0
    clock.forward(minutes=6)
    assert tick(tenant, clock) == 1
    rule.refresh_from_db()
    assert runs() == ["interrupted", "complete"]
    assert rule.next_at == START + dt.timedelta(hours=25)


@pytest.mark.slow
def test_a_failed_run_is_tried_again_after_pauses_that_grow(scene, tenant, clock):
    rule = a_rule(tenant, clock)
    clock.forward(hours=1)
    keys, scene.world.chargebee.api.keys = scene.world.chargebee.api.keys, {}
    for minutes in (5, 10, 20, 40, 60, 60):
        with pytest.raises(ConnectorError):
            tick(tenant, clock)
        clock.forward(minutes=minutes - 1)
        assert tick(tenant, clock) == 0
        clock.forward(minutes=1)
    rule.refresh_from_db()
    assert "key" in rule.last_sentence
    scene.world.chargebee.api.keys = keys
    assert tick(tenant, clock) == 1
    assert runs() == ["stopped"] * 6 + ["complete"]


@pytest.mark.slow
def test_a_slot_inside_a_blackout_runs_right_after_it_and_once(tenant, clock):
    a_rule(tenant, clock)
    end = START + dt.timedelta(days=2, hours=3)
    Blackout.objects.create(tenant=tenant, reason="Close", begins_at=START, ends_at=end)
    for _ in range(2):
        clock.forward(hours=25)
        assert tick(tenant, clock) == 0
    clock.now = end
    assert tick(tenant, clock) == 1
    assert tick(tenant, clock) == 0
    assert CalendarRule.objects.get().next_at == START + dt.timedelta(days=3, hours=1)


def test_nothing_starts_in_a_blackout_whoever_asks(tenant, clock):
    Blackout.objects.create(
        tenant=tenant, reason="Close", begins_at=timezone.now(), ends_at=timezone.now() + dt.timedelta(days=1)
    )
    Sender(tenant).send(an_event())
    assert not tasks.WORK["webhooks"](tenant)
    assert "the blackout 'Close' holds it" in str(tasks.sync(tenant.pk, "mira")["stopped"])
    with pytest.raises(Configuration, match="holds it"):
        running.start(tenant, intake.PULL_ORDER, trigger="command", now=timezone.now())
    assert not Run.objects.exists()
    Blackout.objects.all().delete()
    assert tasks.WORK["webhooks"](tenant)
    assert WebhookEvent.objects.get().state == "received"


@pytest.mark.slow
def test_another_tenants_blackout_holds_nothing_here(tenant, clock):
    a_rule(tenant, clock)
    other = a_tenant("other")
    Blackout.objects.create(tenant=other, reason="Close", begins_at=START, ends_at=START + dt.timedelta(days=9))
    clock.forward(hours=1)
    assert tick(tenant, clock) == 1


def test_a_paused_rule_does_not_run(tenant, clock):
    rule = a_rule(tenant, clock)
    rule.is_paused = True
    calendar.schedule(rule, clock()).save()
    clock.forward(days=2)
    assert tick(tenant, clock) == 0


def test_a_rule_that_is_edited_while_its_run_works_keeps_its_new_time(tenant, clock):
    rule = a_rule(tenant, clock)
    clock.forward(hours=1)
    (seen,) = calendar_runs.due(tenant, clock())
    run = running.start(tenant, intake.PULL_ORDER, trigger="calendar", now=clock())
    rule.at = dt.time(18)
    calendar.schedule(rule, clock()).save()
    calendar_runs._done(seen, run, clock())
    rule.refresh_from_db()
    assert rule.next_at == START + dt.timedelta(hours=6)


@pytest.mark.slow
def test_a_clock_that_jumps_back_repeats_no_slot(tenant, clock):
    a_rule(tenant, clock)
    clock.forward(hours=1)
    assert tick(tenant, clock) == 1
    clock.forward(minutes=-30)
    for _ in range(60):
        calendar_runs.heal(tenant, clock())
        assert tick(tenant, clock) == 0
        clock.forward(minutes=1)


@pytest.mark.slow
def test_a_clock_that_was_a_year_ahead_does_not_silence_a_rule_for_a_year(tenant, clock):
    rule = a_rule(tenant, clock)
    clock.forward(days=365)
    assert tick(tenant, clock) == 1
    clock.forward(days=-365)
    assert calendar_runs.heal(tenant, clock()) == 1
    rule.refresh_from_db()
    assert rule.next_at == START + dt.timedelta(hours=1)


def test_the_dispatcher_leaves_a_sign_of_life_and_starts_what_is_due(tenant, clock):
    with time_machine.travel(START, tick=False):
        a_rule(tenant, clock)
        tasks.dispatch()
    with time_machine.travel(START + dt.timedelta(hours=1), tick=False):
        tasks.dispatch()
        assert health.silent_since(timezone.now()) is None
    assert [one.args() for one in OrmQ.objects.all() if "calendar" in one.args()] == [(tenant.pk, "calendar")]
    assert Heartbeat.objects.get().beat_at == START + dt.timedelta(hours=1)


def test_what_is_broken_at_one_tenant_keeps_no_other_waiting(tenant, clock, caplog):
    broken = a_tenant("aaa")
    ReadBack.objects.create(tenant=broken, restoring_since=START)  # in restore mode, and its QAD connection is gone
    with time_machine.travel(START, tick=False):
        a_rule(tenant, clock)
        a_rule(broken, clock)
    with time_machine.travel(START + dt.timedelta(hours=1), tick=False):
        tasks.dispatch()
    assert (tenant.pk, "calendar") in [one.args() for one in OrmQ.objects.all()]
    assert "The turns of tenant 'aaa' could not be given." in caplog.text


def test_every_tenant_runs_by_its_own_rules(tenant, clock):
    other: Tenant = a_tenant("other")
    a_rule(other, clock)
    clock.forward(hours=1)
    assert tick(tenant, clock) == 0
    assert calendar_runs.is_due(other, clock())
