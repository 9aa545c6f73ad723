"""Entries get their place in the chain once, in order, whoever seals and whenever they come."""

import datetime as dt
import hashlib
import json
import os
import sqlite3
import subprocess
import sys

import pytest
from django.db import connection

from tenants import sealing, verifying
from tenants.chain import FIRST, Head, canonical, personal_digest
from tenants.models import AuditEntry, AuditSeal
from tests.builders import a_tenant
from tests.tenants.trail import NOW, about, entries

pytestmark = pytest.mark.django_db


def places(tenant):
    seals = AuditSeal.objects.filter(sealing.of_chain(tenant and tenant.pk)).order_by("position")
    return list(seals.values_list("position", "entry_id"))


def test_the_chain_can_be_recomputed_by_anyone_from_its_description():
    tenant = a_tenant()
    first = about(tenant, "tariff:é", before={"b": 1.50, "a": None}, reason="because")
    second = about(tenant, "x:1")
    assert sealing.seal(tenant.pk) == 2
    shared = {"actor": "mira", "action": "changed", "at": "2026-11-23T09:30:00.000000Z", "tenant": tenant.pk}
    shared |= {"after": None, "personal_digest": ""}
    texts = [
        {**shared, "id": first, "subject": "tariff:é", "before": {"a": None, "b": 1.5}, "reason": "because"},
        {**shared, "id": second, "subject": "x:1", "before": None, "reason": ""},
    ]
    digest = "0" * 64
    for position, facts in enumerate(texts, 1):
        text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256((digest + text).encode()).hexdigest()
        assert AuditSeal.objects.get(position=position).digest == digest


def test_each_tenant_and_what_belongs_to_none_has_a_chain_of_its_own():
    mine, theirs = a_tenant(), a_tenant("other")
    sealing.seal_all(NOW)
    already = len(places(None))
    for tenant in (mine, theirs, None, mine, None):
        entries(tenant, 2)
    assert sealing.seal_all(NOW) == {"sealed": 10, "late": 0}
    assert [len(places(tenant)) for tenant in (mine, theirs, None)] == [4, 2, already + 4]
    assert [position for position, _ in places(None)] == list(range(1, already + 5))


def test_sealing_twice_changes_nothing():
    tenant = a_tenant()
    entries(tenant, 3)
    sealing.seal_all(NOW)
    before = list(AuditSeal.objects.values())
    assert sealing.seal_all(NOW) == {"sealed": 0, "late": 0}
    assert list(AuditSeal.objects.values()) == before


def test_a_call_is_bounded_and_the_next_goes_on(monkeypatch):
    tenant = a_tenant()
    ids = entries(tenant, 25)
    monkeypatch.setattr(sealing, "PAGE", 4)
    assert sealing.seal(tenant.pk, 10) == 10
    assert sealing.seal(tenant.pk, 100) == 15
    assert places(tenant) == list(enumerate(ids, 1))


def late_entry(tenant, pk):
    return AuditEntry.objects.create(pk=pk, tenant=tenant, at=NOW, actor="slow", action="late", subject="posting:late")


def test_an_entry_that_is_committed_late_gets_the_next_place():
    tenant = a_tenant()
    ids = entries(tenant, 2)
    pk = ids[-1] + 1
    above = AuditEntry.objects.create(pk=pk + 1, tenant=tenant, at=NOW, actor="x", action="x", subject="x")
    sealing.seal_all(NOW)
    late_entry(tenant, pk)
    assert sealing.seal_all(NOW)["sealed"] == 1
    assert [entry for _, entry in places(tenant)] == [*ids, above.pk, pk]
    assert verifying.verify(tenant.pk, NOW).broken == 0


def test_an_entry_that_comes_very_late_is_found_within_a_turn_through_the_history(monkeypatch):
    monkeypatch.setattr(sealing, "LOOK_BACK", 0)
    monkeypatch.setattr(sealing, "STRETCH", 10)
    tenant = a_tenant()
    last = entries(tenant, 1)[0]
    late, far = last + 5, last + 35
    AuditEntry.objects.create(pk=far, tenant=tenant, at=NOW, actor="x", action="x", subject="x")
    sealing.seal_all(NOW)
    late_entry(tenant, late)
    minutes = [NOW + dt.timedelta(minutes=minute) for minute in range(far // 10 + 1)]
    assert sum(sealing.seal_all(now)["late"] for now in minutes) == 1
    assert places(tenant)[-1] == (3, late)


def test_of_two_sealers_only_one_gets_a_place():
    tenant = a_tenant()
    entries(tenant, 2)
    rows = list(sealing.hashed_columns(AuditEntry.objects.filter(tenant=tenant)))
    links = list(sealing.next_links(Head(), rows))
    assert sealing.append(tenant.pk, links)
    assert not sealing.append(tenant.pk, links)
    third = Head(2, "f" * 64, entries(tenant, 1)[0])
    assert not sealing.append(tenant.pk, [third])  # its place is taken
    assert len(places(tenant)) == 2


def test_a_place_without_tenant_is_unique_too():
    ids = entries(None, 2)
    assert sealing.append(None, [Head(1, "f" * 64, ids[0])])
    assert not sealing.append(None, [Head(1, "f" * 64, ids[1])])


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [('{"b": 1, "a": 2}', '{"a":2,"b":1}'), ("1e16", "10000000000000000"), ("1.50", "1.5"), ("-0.0", "0")],
)
def test_json_is_the_same_however_the_database_writes_it(ours, theirs):
    assert canonical(ours) == canonical(theirs)
    assert json.dumps(canonical(ours), sort_keys=True) == json.dumps(canonical(theirs), sort_keys=True)


def test_what_is_no_json_stays_visible():
    assert canonical("{oops") == {"unreadable": "{oops"}


def test_personal_values_cannot_be_guessed_from_the_digest_alone():
    tenant = a_tenant()
    for _ in range(2):
        about(tenant, "customer:1", personal_after={"name": "Ada"})
    first, second = AuditEntry.objects.filter(tenant=tenant).values_list("personal_digest", flat=True)
    assert first != second
    assert first != personal_digest("", None, {"name": "Ada"})


_SEAL = "import django; django.setup(); from tenants import sealing; print(sealing.seal({tenant}))"


def database_for_processes(tmp_path):
    """The test's database as other processes can reach it: SQLite's lives in memory, so it is copied to a file."""
    if connection.vendor == "sqlite":
        path = tmp_path / "copy.sqlite3"
        with sqlite3.connect(path) as copy:
            connection.connection.backup(copy)
        return f"sqlite:///{path}"
    given = connection.settings_dict
    login = f"{given['USER']}:{given['PASSWORD']}".rstrip(":")
    return f"postgresql://{login}@{given['HOST']}:{given['PORT'] or 5432}/{given['NAME']}"


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_two_processes_that_seal_at_once_make_one_chain(tmp_path):
    tenant = a_tenant()
    for _ in range(20):
        entries(tenant, 1000)
    environment = {**os.environ, "DATABASE_URL": database_for_processes(tmp_path)}
    environment["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    command = [sys.executable, "-c", _SEAL.format(tenant=tenant.pk)]
    running = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    sealed = [int(process.communicate(timeout=120)[0]) for process in running]
    assert sum(sealed) == 20_000
    check = (
        "import django, datetime as dt; django.setup(); from tenants import verifying;"
        f"found = verifying.verify({tenant.pk}, dt.datetime.now(dt.UTC));"
        "print(found.checked, found.broken, found.overdue)"
    )
    answer = subprocess.run([sys.executable, "-c", check], env=environment, capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["20000", "0", "0"]


def test_an_empty_chain_has_a_head_of_zeros():
    assert str(sealing.head_of(a_tenant().pk)) == f"0:{FIRST}"
