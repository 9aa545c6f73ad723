"""Guessing a password is slow, and a session ends by itself."""

import datetime as dt

import pytest
import time_machine
from axes.models import AccessAttempt
from django.urls import reverse

from tenants.models import Role
from tests.builders import a_tenant, a_user

pytestmark = pytest.mark.django_db
MORNING = dt.datetime(2026, 11, 23, 8, tzinfo=dt.UTC)
LOCKED = "Too many wrong passwords for this name from your address. Wait 15 minutes, then try again."
PASSWORD = "correct horse battery"


@pytest.fixture
def mira():
    user = a_user({a_tenant(): Role.AUDITOR}, name="mira")
    user.set_password(PASSWORD)
    user.save()
    return user


def log_in(client, password, name="mira", **extra):
    return client.post(reverse("admin:login"), {"username": name, "password": password}, **extra)


def fail(client, times=5, **extra):
    return [log_in(client, "wrong", **extra) for _ in range(times)][-1]


def is_in(client):
    return client.get(reverse("admin:index")).status_code == 200


def test_after_five_wrong_passwords_also_the_right_one_waits(client, mira):
    answer = fail(client)
    assert (answer.status_code, LOCKED in answer.content.decode()) == (429, True)
    answer = log_in(client, PASSWORD)
    assert (answer.status_code, LOCKED in answer.content.decode()) == (429, True)
    assert not is_in(client)


@pytest.mark.slow
def test_after_the_wait_the_right_one_is_taken(client, mira):
    with time_machine.travel(MORNING, tick=False) as clock:
        fail(client)
        clock.shift(dt.timedelta(minutes=16))
        assert log_in(client, PASSWORD).status_code == 302
        assert is_in(client)


def test_four_wrong_ones_are_forgotten_after_a_right_one(client, mira):
    fail(client, 4)
    log_in(client, PASSWORD)
    client.post(reverse("admin:logout"))
    assert LOCKED not in fail(client, 4).content.decode()


def test_another_person_and_another_address_are_not_locked_out(client, mira):
    fail(client)
    assert LOCKED not in fail(client, 1, name="otto").content.decode()
    assert log_in(client, PASSWORD, REMOTE_ADDR="192.0.2.7").status_code == 302


def test_a_name_that_nobody_has_is_answered_alike(client, mira):
    assert fail(client, 4, name="nobody").content.count(b"errornote") == fail(client, 4).content.count(b"errornote")
    assert LOCKED in fail(client, 1, name="nobody").content.decode()


def test_no_password_is_kept(client, mira):
    fail(client, 2)
    log_in(client, "canary-7f3a91")
    assert "canary" not in repr(list(AccessAttempt.objects.values()))
    assert AccessAttempt.objects.get().failures_since_start == 3


@pytest.mark.parametrize(
    ("minutes", "stays"),
    [((29, 29, 29), True), ((31,), False), ((29, 31), False), ((25,) * 28, True), ((25,) * 29, False)],
)
@pytest.mark.slow
def test_a_session_ends_after_half_an_hour_of_silence_or_half_a_day(client, mira, minutes, stays):
    with time_machine.travel(MORNING, tick=False) as clock:
        log_in(client, PASSWORD)
        is_in(client)
        for pause in minutes:
            clock.shift(dt.timedelta(minutes=pause))
            answer = client.get(reverse("admin:password_change"), follow=True)
        assert ("You were logged out" not in answer.content.decode()) is stays
        assert is_in(client) is stays
