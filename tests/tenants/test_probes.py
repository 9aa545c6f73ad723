"""Test connection, against a sandbox over loopback."""

import datetime as dt

import pytest

from connector.chargebee.resources import BY_KIND
from connector.qad.closed import ENTITIES, LISTS
from connector.sandbox.server import serve
from connector.sandbox.world import World
from syncs.models import Kind
from tenants import connections, probes
from tenants.models import (
    AuditEntry,
    ChargebeeConnection,
    ChargebeeCredential,
    Circuit,
    ProbeResult,
    QadConnection,
    QadCredential,
    Side,
)
from tests.builders import a_tenant, connected, moved

NOW = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def world():
    return World(seed=1, customers=3)


@pytest.fixture(scope="module")
def server(world):
    with serve(world) as running:
        yield running


def answers(rows, side):
    return {row.subject: row.answer for row in rows if row.side == side}


@pytest.mark.parametrize("preset", ["adaptive", "offset-rest"])
def test_each_step_is_answered_and_stored(server, preset):
    tenant = connected(a_tenant(), server.url, preset=preset)
    told = []
    rows = probes.test_connection(tenant, NOW, tell=told.append)
    chargebee, qad = answers(rows, Side.CHARGEBEE), answers(rows, Side.QAD)
    assert {chargebee[name] for name in ("host", "key", "site", "list customers")} == {"ok"}
    assert chargebee["list invoices"] in ("ok", "empty")
    assert {qad[name] for name in ("sign-in", "workspace", "invoice", "customer", "list gl_accounts")} == {"ok"}
    assert len(told) == len(rows) == ProbeResult.objects.count()
    assert all(row.sentence and row.probed_at == NOW for row in rows)


def test_every_list_that_is_read_is_asked_for_and_so_is_every_entity_of_qad(server):
    rows = probes.test_connection(connected(a_tenant(), server.url), NOW)
    asked = {row.subject.removeprefix("list ") for row in rows if row.side == "chargebee"}
    assert {BY_KIND[kind].name for kind in (*Kind.values, "event")} <= asked
    assert {*ENTITIES, *(f"list {name}" for name in LISTS)} <= {row.subject for row in rows if row.side == "qad"}


@pytest.mark.parametrize(
    ("status", "answer"), [(403, "forbidden"), (500, "unreachable"), (404, "wrong_path"), (200, "empty")]
)
@pytest.mark.parametrize("name", ["credit_notes", "transactions"])
def test_a_list_that_does_not_answer_says_how(server, world, name, status, answer):
    tenant = connected(a_tenant(), server.url)
    if status != 200:
        world.faults("chargebee").add("status", path=f"{name}$", status=status)
    told = answers(probes.test_connection(tenant, NOW), Side.CHARGEBEE)
    world.faults("chargebee").clear()
    assert (told[f"list {name}"], told["list customers"]) == (answer, "ok")


def test_a_site_on_the_old_product_catalog_is_refused_and_not_pinned(server, world, monkeypatch):
    tenant = pinnable(server, monkeypatch, "acme-test.eu.chargebee.com")
    world.chargebee.switches.product_catalog = "v1"
    rows = probes.test_connection(tenant, NOW)
    world.chargebee.switches.product_catalog = "v2"
    told = {row.subject: row for row in rows if row.side == Side.CHARGEBEE}
    assert (told["host"].answer, told["site"].answer) == ("ok", "wrong_path")
    assert "Product Catalog 1.0" in told["site"].sentence
    assert not [subject for subject in told if subject.startswith("list")]
    assert ChargebeeConnection.objects.get().pinned_host == ""


def test_it_never_posts_but_to_sign_in(server, world):
    world.asked.clear()
    probes.test_connection(connected(a_tenant(), server.url), NOW)
    posts = {asked.request.path for asked in world.asked if asked.request.method not in ("GET", "OPTIONS", "HEAD")}
    assert posts <= {"/clouderp/oauth/token"}


def test_a_second_test_replaces_the_answers(server):
    tenant = connected(a_tenant(), server.url)
    probes.test_connection(tenant, NOW)
    QadConnection.objects.update(profile_override={"writes": {"invoice": {"path": "/api/nowhere"}}})
    later = NOW + dt.timedelta(hours=1)
    rows = probes.test_connection(tenant, later)
    row = next(row for row in rows if row.subject == "invoice")
    assert (row.answer, row.probed_at) == ("wrong_path", later)
    assert ProbeResult.objects.filter(subject="invoice").count() == 1


def test_a_refused_password_stops_the_questions_and_keeps_the_circuit(server):
    tenant = connected(a_tenant(), server.url)
    connections.stop(tenant, Side.QAD, "x", now=NOW)
    row = QadCredential.objects.get()
    row.password = "wrong"
    row.save()
    rows = probes.test_connection(tenant, NOW)
    assert answers(rows, Side.QAD) == {"sign-in": "refused_credentials"}
    assert Circuit.objects.count() == 1


def test_a_successful_test_closes_the_circuits(server):
    tenant = connected(a_tenant(), server.url)
    for side in Side:
        connections.stop(tenant, side, "x", now=NOW)
    probes.test_connection(tenant, NOW)
    assert Circuit.objects.count() == 0


def test_a_wrong_chargebee_key_is_said(server):
    tenant = connected(a_tenant(), server.url)
    row = ChargebeeCredential.objects.get()
    row.api_key = "test_wrong"
    row.save()
    rows = probes.test_connection(tenant, NOW)
    assert answers(rows, Side.CHARGEBEE) == {"host": "refused_credentials"}


def test_nothing_set_up_is_two_sentences():
    rows = probes.test_connection(a_tenant(), NOW)
    assert [(row.side, row.answer) for row in rows] == [("chargebee", "not_configured"), ("qad", "not_configured")]


def test_a_dead_side_does_not_hide_the_other(server):
    tenant = connected(a_tenant(), server.url)
    moved(tenant, chargebee="http://127.0.0.1:9")
    rows = probes.test_connection(tenant, NOW)
    assert answers(rows, Side.CHARGEBEE) == {"host": "unreachable"}
    assert answers(rows, Side.QAD)["sign-in"] == "ok"


def pinnable(server, monkeypatch, knows):
    """A site without a sandbox address, whose hosts all lead to the sandbox; only `knows` knows the site."""
    tenant = connected(a_tenant(), server.url)
    ChargebeeConnection.objects.update(base_url="", region="EU")
    enter_key_again()
    real = connections.ChargebeeClient

    def lead(http, url, key, **given):
        return real(http, server.url if url == f"https://{knows}" else "http://127.0.0.1:9", key, **given)

    monkeypatch.setattr(connections, "ChargebeeClient", lead)
    return tenant


def enter_key_again():
    """For the address that the connection has now."""
    row = ChargebeeCredential.objects.get()
    row.api_key = "test_sandbox_key"
    row.save()


def test_the_first_host_that_knows_the_site_is_pinned(server, monkeypatch):
    tenant = pinnable(server, monkeypatch, "acme-test.eu.chargebee.com")
    probes.test_connection(tenant, NOW, actor="ada")
    assert ChargebeeConnection.objects.get().pinned_host == "acme-test.eu.chargebee.com"
    line = AuditEntry.objects.get()
    assert (line.actor, line.action) == ("ada", "chargebeeconnection.pinned")


def test_a_host_that_cannot_be_reached_is_no_reason_to_try_the_next(server, monkeypatch):
    tenant = pinnable(server, monkeypatch, "acme-test.chargebee.com")
    rows = probes.test_connection(tenant, NOW)
    assert answers(rows, Side.CHARGEBEE) == {"host": "unreachable"}
    assert ChargebeeConnection.objects.get().pinned_host == ""


def test_a_pinned_host_is_not_replaced(server, monkeypatch):
    tenant = pinnable(server, monkeypatch, "acme-test.eu.chargebee.com")
    ChargebeeConnection.objects.update(pinned_host="acme-test.chargebee.com")
    rows = probes.test_connection(tenant, NOW)
    assert answers(rows, Side.CHARGEBEE) == {"host": "unreachable"}
    assert ChargebeeConnection.objects.get().pinned_host == "acme-test.chargebee.com"
