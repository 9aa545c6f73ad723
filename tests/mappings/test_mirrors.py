"""Every list of QAD in its mirror: both dialects alike, moments of loss, what leans on it, and what is left out."""

from __future__ import annotations

import datetime as dt

import pytest

from connector.errors import Transient
from connector.sandbox.qad.masters import rate
from connector.sandbox.server import serve
from connector.sandbox.world import World
from mappings import usage
from mappings.catalog import refresh_configured
from mappings.listed import LISTS
from mappings.models import BankMapping, ItemMapping, MirrorState, QadAccount, QadCode
from mappings.reference import rate_on
from mappings.table import load
from syncs import refreshing, tasks
from tenants.connections import qad_client, stop
from tenants.models import Side
from tests.builders import a_tenant, connected
from tests.mappings.build import NOW, SINCE

pytestmark = pytest.mark.django_db
LATER = NOW + dt.timedelta(hours=30)
DIALECTS = ("adaptive", "offset-rest")


@pytest.fixture(scope="module")
def sandbox():
    world = World(seed=1, customers=5)
    with serve(world) as server:
        yield server.url, world


@pytest.fixture
def masters(sandbox):
    """The sandbox's own tables, put back afterwards."""
    company = sandbox[1].qad.company
    before = {kind: {code: dict(row) for code, row in rows.items()} for kind, rows in company.masters.items()}
    yield company.masters
    company.masters.clear()
    company.masters.update(before)


def read(tenant, *names, now=NOW):
    with qad_client(tenant) as client:
        return list(refresh_configured(tenant, client, names or LISTS, now))


def codes(tenant, name):
    return set(QadCode.objects.filter(tenant=tenant, list_name=name).values_list("code", "is_active"))


def an_item(tenant, **fields):
    given = {"level": "item", "key": "pro", "gl_account": "4000", "valid_from": SINCE, **fields}
    return ItemMapping.objects.create(tenant=tenant, **given)


@pytest.mark.slow
def test_both_dialects_fill_every_mirror_alike(sandbox):
    first, second = (connected(a_tenant(preset), sandbox[0], preset=preset) for preset in DIALECTS)
    for tenant in (first, second):
        assert {state.answer for state in read(tenant)} == {"ok"}
    for name in set(LISTS) - {"gl_accounts", "customers", "exchange_rates"}:
        assert codes(first, name) == codes(second, name) != set(), name
    one, other = load(first.pk).known, load(second.pk).known
    assert one == other
    assert one.base_currency == "USD"
    assert one.daybooks["customerinvoice"] == ("CINV",)


def test_a_period_and_its_locked_daybooks_are_known(sandbox):
    tenant = connected(a_tenant(), sandbox[0])
    calendar = sandbox[1].qad.company.calendar
    calendar.lock(2026, 9)
    calendar.lock_daybook("CINV", 2026, 10)
    try:
        read(tenant, "periods")
    finally:
        calendar.unlock(2026, 9)
        calendar.unlock_daybook("CINV", 2026, 10)
    found = load(tenant.pk).known.calendar
    assert found.refusal(dt.date(2026, 9, 30), "CPAY") == "period 2026/09 is closed in QAD"
    assert found.refusal(dt.date(2026, 10, 1), "CINV") == "daybook CINV is locked in period 2026/10"
    assert found.refusal(dt.date(2026, 10, 1), "CPAY") == ""
    assert found.next_open(dt.date(2026, 9, 30), "CINV") == dt.date(2026, 11, 1)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_rate_of_a_day_is_named(sandbox, dialect):
    tenant = connected(a_tenant(), sandbox[0], preset=dialect)
    read(tenant, "exchange_rates", now=dt.datetime(2026, 11, 26, tzinfo=dt.UTC))
    found = rate_on(tenant.pk, "EUR", "USD", dt.date(2026, 10, 17))
    assert (found.on, found.source) == (dt.date(2026, 10, 1), "QAD's list of exchange rates")
    assert found.rate == rate("EUR", dt.date(2026, 10, 17))
    assert rate_on(tenant.pk, "XPF", "USD", dt.date(2026, 10, 17)) is None


@pytest.mark.slow
def test_what_vanished_or_was_closed_keeps_its_moment_and_names_the_mappings_that_lean_on_it(sandbox, masters):
    tenant = connected(a_tenant(), sandbox[0])
    read(tenant)
    an_item(tenant, cost_centre="CC10", project="PRJ1")
    BankMapping.objects.create(tenant=tenant, gl_account="1090", daybook="CPAY", valid_from=SINCE)
    assert usage.of_lost_codes(tenant) == []
    masters["cost_centre"].pop("CC10")
    masters["project"]["PRJ1"]["is_active"] = False
    masters["gl_account"]["4000"]["is_active"] = False

    read(tenant, "cost_centres", "projects", "gl_accounts", now=LATER)

    lost = QadCode.objects.filter(tenant=tenant, code__in=("CC10", "PRJ1")).values_list("code", "is_gone", "lost_at")
    assert set(lost) == {("CC10", True, LATER), ("PRJ1", False, LATER)}
    assert QadAccount.objects.get(tenant=tenant, code="4000").lost_at == LATER
    assert [use.sentence.split(",")[0] for use in usage.of_lost_codes(tenant)] == [
        "Item mapping 'item pro' from 2026-01-01 names GL account 4000",
        "Item mapping 'item pro' from 2026-01-01 names cost centre CC10",
        "Item mapping 'item pro' from 2026-01-01 names project PRJ1",
    ]
    an_item(tenant, valid_from=dt.date(2026, 6, 1), gl_account="4100")
    assert usage.of_lost_codes(tenant) == []  # a newer row has taken its place


def test_what_comes_back_forgets_the_moment(sandbox, masters):
    tenant = connected(a_tenant(), sandbox[0])
    read(tenant, "projects")
    masters["project"]["PRJ1"]["is_active"] = False
    read(tenant, "projects", now=LATER)
    masters["project"]["PRJ1"]["is_active"] = True
    read(tenant, "projects", now=LATER + dt.timedelta(hours=1))
    assert QadCode.objects.get(tenant=tenant, code="PRJ1").lost_at is None


def test_an_empty_answer_is_not_believed(sandbox, masters):
    tenant = connected(a_tenant(), sandbox[0])
    read(tenant, "projects")
    masters["project"].clear()
    (state,) = read(tenant, "projects", now=LATER)
    assert (state.answer, state.refreshed_at) == ("empty", NOW)
    assert state.sentence.startswith("Empty, not confirmed: QAD listed no projects. The 2 known ones are kept.")
    assert not QadCode.objects.filter(tenant=tenant, is_gone=True).exists()


def test_a_list_that_the_profile_does_not_have_is_said_to_be_left_out_and_stops_no_other(sandbox):
    tenant = connected(a_tenant(), sandbox[0])
    tenant.qad.profile_override = {
        **tenant.qad.profile_override,
        "lists": {"projects": "-", "items": {"browse_id": "urn:x"}},
    }
    tenant.qad.save()
    answers = {state.list_name: state for state in read(tenant)}
    assert answers["projects"].answer == "not_configured"
    assert "nothing is checked against QAD's projects" in answers["projects"].sentence
    assert answers["items"].answer == "failed"
    assert answers["domains"].answer == "ok"
    known = load(tenant.pk).known
    assert known.left_out == {"projects"}
    assert known.state("projects", "PRJ9") == known.state("items", "SUBS") == "unchecked"


def test_the_schedule_reads_what_is_late_and_leaves_an_unreachable_qad_alone_for_an_hour(sandbox):
    tenant = connected(a_tenant(), sandbox[0])
    assert refreshing.due(tenant, NOW) == list(LISTS)
    read(tenant)
    assert refreshing.due(tenant, NOW + dt.timedelta(hours=23)) == []
    assert refreshing.due(tenant, NOW + dt.timedelta(hours=24)) == list(LISTS)
    faults = sandbox[1].faults("qad")
    faults.add("drop", path="browses", times=None)
    try:
        with qad_client(tenant) as client, pytest.raises(Transient):
            refreshing.refresh_due(tenant, client, LATER)
    finally:
        faults.clear()
    assert refreshing.due(tenant, LATER + dt.timedelta(minutes=59)) == []
    assert refreshing.due(tenant, LATER + dt.timedelta(minutes=60)) == list(LISTS)
    assert MirrorState.objects.filter(tenant=tenant, refreshed_at=NOW).count() == len(LISTS)


def test_a_tenant_without_a_connection_or_with_a_stopped_one_is_left_alone(sandbox):
    bare, tenant = a_tenant("bare"), connected(a_tenant(), sandbox[0])
    has_work = tasks.WORK["refresh"]
    assert (has_work(bare), has_work(tenant)) == (False, True)
    stop(tenant, Side.QAD, "QAD does not accept the credentials.", now=NOW)
    assert not has_work(tenant)
