"""The billing calendar in the browser, in the tenant's file and on the command line."""

from __future__ import annotations

import datetime as dt
import io

import pytest
import time_machine
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import IntegrityError, transaction
from django.urls import reverse

from tenants import applying, calendar, exporting, setup_file
from tenants.models import AuditEntry, Blackout, CalendarRule, Role, Tenant
from tests.builders import a_tenant, a_user

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 26, 12, tzinfo=dt.UTC)


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def a_rule(tenant, name="Nightly", **fields) -> CalendarRule:
    given = {"pattern": "daily", "at": dt.time(2, 30), **fields}
    rule = CalendarRule(tenant=tenant, name=name, **given)
    calendar.schedule(rule, NOW).save()
    return rule


@pytest.fixture(autouse=True)
def noon():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def acme():
    return a_tenant("acme", time_zone="America/Denver")


@pytest.fixture
def admin_of(client, acme):
    client.force_login(a_user({acme: Role.INTEGRATION_ADMIN}))
    return client


RULE = {
    "name": "Month end",
    "pattern": "month_end",
    "at": "23:30",
    "day": "",
    "weekday": "",
    "cron": "",
    "time_zone": "",
}


def save(client, model="calendarrule", pk=None, **given):
    name = f"admin:tenants_{model}_{'change' if pk else 'add'}"
    return client.post(reverse(name, args=[pk] if pk else []), given)


def said(answer) -> str:
    return answer.content.decode()


def test_a_rule_is_saved_with_its_next_slot_in_utc(admin_of, acme):
    assert save(admin_of, **RULE, kinds=["invoice", "transaction"]).status_code == 302
    rule = CalendarRule.objects.get()
    assert (rule.tenant, rule.kinds) == (acme, ["invoice", "transaction"])
    assert rule.next_at == utc("2026-12-01 06:30")
    assert AuditEntry.objects.get().action == "calendarrule.added"


def test_the_list_shows_the_next_ten_runs_in_the_zone_and_in_utc(admin_of, acme):
    a_rule(acme)
    text = said(admin_of.get(reverse("admin:tenants_calendarrule_changelist")))
    assert text.count("<time ") == 10
    assert "Fri 2026-11-27 02:30 MST" in text
    assert "2026-11-27 09:30 UTC" in text
    assert "Daily at 02:30, America/Denver" in text


NONSENSE = {
    "a cron expression with six fields": ({"pattern": "cron", "cron": "0 0 2 * * *"}, "has 6 fields"),
    "day 0": ({"pattern": "monthly", "day": "0"}, "Day 0 does not exist"),
    "day 32": ({"pattern": "monthly", "day": "32"}, "Day 32 does not exist"),
    "no day": ({"pattern": "monthly"}, "needs a day of the month"),
    "an unknown zone": ({"time_zone": "Europe/Berlln"}, "no time zone &#x27;Europe/Berlln&#x27;"),
    "no time": ({"at": ""}, "needs a time of day"),
    "an unknown kind": ({"kinds": ["supplier"]}, "supplier is not one of the available choices"),
    "a pattern of one's own": ({"pattern": "yearly"}, "yearly is not one of the available choices"),
}


@pytest.mark.parametrize("case", NONSENSE.values(), ids=list(NONSENSE))
def test_nonsense_is_answered_at_its_field(admin_of, case):
    given, words = case
    answer = save(admin_of, **{**RULE, **given})
    assert answer.status_code == 200
    assert words in said(answer)
    assert not CalendarRule.objects.exists()


def test_what_the_chosen_kind_of_rule_has_no_use_for_is_forgotten(admin_of):
    save(admin_of, **{**RULE, "pattern": "weekly", "weekday": "4", "day": "7", "cron": "1 2 3 4 5"})
    rule = CalendarRule.objects.get()
    assert (rule.day, rule.weekday, rule.cron) == (None, 4, "")


def test_two_rules_of_one_name_are_refused_in_a_sentence(admin_of, acme):
    a_rule(acme, "Month end")
    assert "already exists" in said(save(admin_of, **RULE))


def test_a_new_time_makes_a_new_slot_and_a_new_name_does_not(admin_of, acme):
    rule = a_rule(acme)
    CalendarRule.objects.update(next_at=utc("2026-11-26 11:00"))  # due, and not run yet
    given = {**RULE, "pattern": "daily", "at": "02:30"}
    save(admin_of, pk=rule.pk, **{**given, "name": "Every night"})
    rule.refresh_from_db()
    assert (rule.name, rule.next_at) == ("Every night", utc("2026-11-26 11:00"))
    save(admin_of, pk=rule.pk, **{**given, "at": "03:30"})
    rule.refresh_from_db()
    assert rule.next_at == utc("2026-11-27 10:30")


def switch(client, action, *rules):
    given = {"action": action, "_selected_action": [rule.pk for rule in rules]}
    return client.post(reverse("admin:tenants_calendarrule_changelist"), given, follow=True)


def test_a_paused_rule_has_no_slot_and_goes_on_with_the_next_one(admin_of, acme):
    rule = a_rule(acme)
    switch(admin_of, "pause", rule)
    rule.refresh_from_db()
    assert (rule.is_paused, rule.next_at) == (True, None)
    with time_machine.travel(NOW + dt.timedelta(days=3), tick=False):
        admin_of.force_login(a_user({acme: Role.ACCOUNTANT}))
        switch(admin_of, "go_on", rule)
    rule.refresh_from_db()
    assert rule.next_at == utc("2026-11-30 09:30")


@pytest.mark.parametrize("role", [Role.FINANCE_USER, Role.AUDITOR])
def test_who_may_not_start_a_sync_may_only_look(client, acme, role):
    rule = a_rule(acme)
    client.force_login(a_user({acme: role}))
    assert client.get(reverse("admin:tenants_calendarrule_changelist")).status_code == 200
    assert save(client, **RULE).status_code == 403
    assert save(client, "blackout", reason="x").status_code == 403
    switch(client, "pause", rule)
    rule.refresh_from_db()
    assert not rule.is_paused


@pytest.mark.slow
def test_another_tenants_rules_and_blackouts_do_not_exist(client, acme):
    theirs = a_rule(a_tenant("theirs"), "Foreign rule")
    window = Blackout.objects.create(
        tenant=theirs.tenant, reason="Foreign close", begins_at=NOW, ends_at=utc("2027-01-01")
    )
    client.force_login(a_user({acme: [Role.ACCOUNTANT, Role.INTEGRATION_ADMIN]}))
    for model, row in (("calendarrule", theirs), ("blackout", window)):
        for door, args in (("changelist", []), ("change", [row.pk]), ("delete", [row.pk]), ("history", [row.pk])):
            text = said(client.get(reverse(f"admin:tenants_{model}_{door}", args=args), follow=True))
            assert "Foreign" not in text
    switch(client, "pause", theirs)
    save(client, pk=theirs.pk, **RULE)
    theirs.refresh_from_db()
    assert (theirs.name, theirs.is_paused) == ("Foreign rule", False)


def window(begins_at: str, ends_at: str) -> dict[str, str]:
    given = {"reason": "Close of November"}
    for name, text in (("begins_at", begins_at), ("ends_at", ends_at)):
        given |= dict(zip((f"{name}_0", f"{name}_1"), text.split(), strict=True))
    return given


def test_a_blackout_is_entered_by_the_clock_of_the_tenant(admin_of, acme):
    assert save(admin_of, "blackout", **window("2026-11-30 18:00", "2026-12-02 08:00")).status_code == 302
    row = Blackout.objects.get()
    assert (row.begins_at, row.ends_at) == (utc("2026-12-01 01:00"), utc("2026-12-02 15:00"))
    text = said(admin_of.get(reverse("admin:tenants_blackout_change", args=[row.pk])))
    assert 'value="18:00:00"' in text
    assert "In America/Denver" in text


@pytest.mark.parametrize(
    ("begins", "ends", "words"),
    [
        ("2026-12-02 08:00", "2026-12-01 08:00", "ends before it begins"),
        ("2026-12-02 08:00", "2026-12-02 08:00", "ends before it begins"),
        ("2027-03-14 02:30", "2027-03-15 08:00", "may not exist"),
    ],
)
def test_a_blackout_that_cannot_be_is_refused(admin_of, begins, ends, words):
    answer = save(admin_of, "blackout", **window(begins, ends))
    assert words in said(answer)
    assert not Blackout.objects.exists()


def test_the_list_says_what_a_blackout_holds(admin_of, acme):
    a_rule(acme)
    CalendarRule.objects.update(next_at=utc("2026-11-26 11:00"))
    Blackout.objects.create(tenant=acme, reason="Close", begins_at=NOW, ends_at=utc("2026-11-28 15:00"))
    text = said(admin_of.get(reverse("admin:tenants_calendarrule_changelist")))
    assert "Due, held by a blackout" in text
    assert text.index("2026-11-28 08:00 MST") < text.index("2026-11-29 02:30 MST")


def test_the_database_refuses_a_rule_without_its_parts(acme):
    for wrong in ({"pattern": "monthly", "day": None}, {"pattern": "cron"}, {"day": 3}, {"pattern": "yearly"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            CalendarRule.objects.create(tenant=acme, name="x", **{"pattern": "daily", "at": dt.time(2), **wrong})


def test_rules_without_a_zone_follow_the_tenants(admin_of, acme):
    follows, keeps = a_rule(acme), a_rule(acme, "Berlin", time_zone="Europe/Berlin")
    given = {"name": "Acme", "time_zone": "Asia/Tokyo", "base_currency": "USD", "business_entities": ""}
    assert save(admin_of, "tenant", acme.pk, **given).status_code == 302
    follows.refresh_from_db()
    before = keeps.next_at
    keeps.refresh_from_db()
    assert (follows.next_at, keeps.next_at) == (utc("2026-11-26 17:30"), before)


FILE = """
[tenant]
slug = "acme"

[[calendar]]
name = "Month end"
comes = "month_end"
at = "23:30"
kinds = ["invoice", "credit_note"]

[[calendar]]
name = "Fridays"
comes = "weekly"
weekday = "friday"
at = 18:00:00
time_zone = "Europe/Berlin"
paused = true

[[calendar]]
name = "Often"
comes = "cron"
cron = "*/15 6-20 * * 1-5"
"""


def applied(text: str):
    setup = setup_file.read(text, {})
    return setup if isinstance(setup, list) else applying.apply(setup, actor="test", now=NOW)


def test_a_tenant_file_holds_rules_and_exports_them_again(acme):
    assert applied(FILE).changed == ("calendarrule",)
    rules = {rule.name: rule for rule in CalendarRule.objects.all()}
    assert rules["Month end"].next_at == utc("2026-12-01 06:30")
    assert (rules["Fridays"].weekday, rules["Fridays"].is_paused, rules["Fridays"].next_at) == (4, True, None)
    exported = exporting.export(Tenant.objects.get())
    assert applied(exported).changed == ()
    assert CalendarRule.objects.count() == 3


def test_a_changed_rule_in_the_file_gets_a_new_slot(acme):
    applied(FILE)
    applied(FILE.replace("23:30", "22:00"))
    assert CalendarRule.objects.get(name="Month end").next_at == utc("2026-12-01 05:00")


def test_every_mistake_of_the_rules_in_a_file_is_told_at_once(acme):
    wrong = FILE.replace('"month_end"', '"monthly"').replace('"friday"', '"fryday"').replace("*/15 6-20", "*/15")
    told = " ".join(str(problem) for problem in applied(wrong + '[[calendar]]\nname = "Often"\ndya = 3\n'))
    for words in ("needs a day", "'fryday'", "4 fields", "Did you mean 'day'?", "stands in it twice", "has no comes"):
        assert words in told
    assert not CalendarRule.objects.exists()


@pytest.mark.parametrize(
    "text",
    [
        'calendar = 3\n[tenant]\nslug = "acme"',
        'calendar = ["x"]\n[tenant]\nslug = "acme"',
        '[tenant]\nslug = "acme"\n[calendar]\nname = "x"',
    ],
)
def test_a_calendar_that_is_no_list_of_tables_is_refused(text):
    assert "Write each rule as a table [[calendar]]" in str(applied(text))


CLOSED = """
[[blackouts]]
reason = "Close of November"
begins = "2026-12-01 18:00"
ends = 2026-12-03T08:00:00

[[blackouts]]
reason = "Clocks"
begins = "2026-11-01 01:30-06:00"
ends = "2026-11-01 01:30-07:00"
"""


def test_a_tenant_file_holds_blackouts_by_the_tenants_clock_and_exports_them_again(acme):
    assert applied(FILE + CLOSED).changed == ("calendarrule", "blackout")
    rows = {row.reason: (row.begins_at, row.ends_at) for row in Blackout.objects.filter(tenant=acme)}
    assert rows["Close of November"] == (utc("2026-12-02 01:00"), utc("2026-12-03 15:00"))
    assert rows["Clocks"] == (utc("2026-11-01 07:30"), utc("2026-11-01 08:30"))
    assert AuditEntry.objects.filter(tenant=acme, action="blackout.added").count() == 2

    assert applied(exporting.export(Tenant.objects.get())).changed == ()
    assert applied(FILE + CLOSED.replace("12-03T08", "12-04T08")).changed == ("blackout",)
    assert Blackout.objects.get(reason="Close of November").ends_at == utc("2026-12-04 15:00")
    assert Blackout.objects.count() == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("reason =", "reasn ="), "Did you mean 'reason'?"),
        (('"2026-12-01 18:00"', '"soon"'), "Use a moment such as"),
        (('"2026-12-01 18:00"', "3"), "Use a moment such as"),
        (('"2026-12-01 18:00"', '"2026-12-05 18:00"'), "ends before it begins"),
        (('"2026-11-01 01:30-06:00"', '"2026-11-01 01:30"'), "or show it twice"),
        (('"2026-12-01 18:00"', '"2026-03-08 02:30"'), "the clocks of America/Denver skip"),
        (('"Clocks"', '""'), "Use a text of 1 to 100 characters"),
        (("[[blackouts]]", "[[blackouts.x]]"), "Write each blackout as a table [[blackouts]]"),
    ],
)
def test_a_blackout_in_a_file_that_cannot_be_is_refused_in_a_sentence(acme, change, words):
    told = " ".join(str(problem) for problem in applied(FILE + CLOSED.replace(*change)))
    assert words in told
    assert not Blackout.objects.exists() and not CalendarRule.objects.exists()


def ran(*arguments: str) -> str:
    out = io.StringIO()
    call_command("calendar", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_prints_the_next_runs(acme):
    a_rule(acme)
    assert "Fri 2026-11-27 02:30 MST   2026-11-27 09:30 UTC" in ran("acme", "--count", "2")
    assert ran("acme").count("UTC") == 10
    assert '"2026-11-27T09:30:00Z"' in ran("acme", "--json")
    assert "no rules yet" in ran(a_tenant("empty").slug)


def test_the_command_answers_a_wrong_name_in_a_sentence():
    with pytest.raises(CommandError, match="no tenant 'acmee'"):
        ran("acmee")
    for wrong in ("0", "101", "ten", "-1"):
        with pytest.raises(CommandError, match=f"'{wrong}' is not a number from 1 to 100"):
            ran("acme", "--count", wrong)
