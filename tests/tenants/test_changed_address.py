"""A stored secret is sent to no other address than the one that it was entered for."""

import datetime as dt
import importlib

import pytest
from django.apps import apps
from django.urls import reverse

from connector.errors import Configuration
from connector.sandbox.server import serve
from connector.sandbox.world import World
from tenants import connections, probes, rotation
from tenants.fields import CredentialUnreadable, Secret
from tenants.models import (
    ChargebeeConnection,
    ChargebeeCredential,
    ProbeResult,
    QadConnection,
    QadCredential,
    Role,
)
from tenants.origins import web_origin
from tests.builders import a_tenant, a_user, connected
from tests.tenants.test_commands import fails, run
from tests.tenants.test_screens import errors, filled
from tests.tenants.test_setup_file import FILE

NOW = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
pytestmark = pytest.mark.django_db
PLACES = {"chargebee": (ChargebeeConnection, ChargebeeCredential), "qad": (QadConnection, QadCredential)}


@pytest.fixture(scope="module")
def server():
    with serve(World(seed=1, customers=3)) as running:
        yield running


@pytest.fixture(scope="module")
def elsewhere():
    world = World(seed=1, customers=3)
    with serve(world) as running:
        running.world = world
        yield running


@pytest.fixture
def tenant(server):
    return connected(a_tenant(), server.url)


@pytest.fixture
def page(client, tenant):
    client.force_login(a_user({tenant: Role.INTEGRATION_ADMIN}))

    def post(side, **changed):
        row = PLACES[side][0].objects.get()
        return filled(client, reverse(f"admin:tenants_{side}connection_change", args=[row.pk]), **changed)

    return post


@pytest.mark.parametrize(
    ("side", "change", "field"),
    [
        ("qad", {"base_url": "http://127.0.0.1:9/clouderp"}, "password"),
        ("qad", {"base_url": "https://erp.example.com/clouderp"}, "password"),
        ("chargebee", {"base_url": "http://127.0.0.1:9"}, "api_key"),
        ("chargebee", {"base_url": ""}, "api_key"),
    ],
)
def test_another_address_asks_for_the_secret_again_and_saves_nothing(page, side, change, field):
    before = PLACES[side][0].objects.values().get()
    told = page(side, **change).context["adminform"].form.errors
    assert [name for name, said in told.items() if "Enter it again, for" in said[0]] == [field]
    assert PLACES[side][0].objects.values().get() == before


@pytest.mark.parametrize("change", [{"site": "other-test"}, {"region": "EU"}])
def test_another_site_or_region_asks_for_the_key_again(client, change):
    tenant = a_tenant()
    ChargebeeConnection.objects.create(tenant=tenant, site="acme-test", region="US")
    ChargebeeCredential.objects.create(tenant=tenant, api_key="test_key")
    client.force_login(a_user({tenant: Role.INTEGRATION_ADMIN}))
    address = reverse("admin:tenants_chargebeeconnection_change", args=[ChargebeeConnection.objects.get().pk])
    assert "Enter it again, for Chargebee site" in errors(filled(client, address, **change))
    assert filled(client, address, api_key="test_new", **change).status_code == 200
    assert ChargebeeCredential.objects.get().api_key.reveal(
        f"Chargebee site {change.get('site', 'acme-test')} ({change.get('region', 'US')})"
    )


def test_with_the_secret_given_anew_the_address_changes_and_is_used(page, tenant, elsewhere):
    page("qad", base_url=f"{elsewhere.url}/clouderp", password="sandbox-password")
    page("chargebee", base_url=elsewhere.url, api_key="test_sandbox_key")
    with connections.qad_client(tenant) as qad, connections.chargebee_client(tenant) as chargebee:
        qad.sign_in()
        assert chargebee.list("customers", {"limit": 1}).rows


@pytest.mark.parametrize("path", ["/finrest", "/clouderp/", "/other"])
def test_another_path_on_the_same_host_keeps_the_secret(page, server, path):
    page("qad", base_url=server.url + path)
    assert QadConnection.objects.get().base_url.startswith(server.url + path.rstrip("/"))
    assert QadCredential.objects.get().password.reveal(web_origin(server.url)) == "sandbox-password"


def test_a_row_changed_by_hand_does_not_send_the_secret_elsewhere(tenant, elsewhere):
    elsewhere.world.requests.clear()
    QadConnection.objects.update(base_url=f"{elsewhere.url}/clouderp")
    ChargebeeConnection.objects.update(base_url=elsewhere.url)
    with pytest.raises(CredentialUnreadable, match="was entered for"), connections.qad_client(tenant):
        pass
    with pytest.raises(CredentialUnreadable, match="was entered for"), connections.chargebee_client(tenant):
        pass
    told = {row.subject: row for row in probes.test_connection(tenant, NOW)}
    assert (told["host"].answer, told["sign-in"].answer) == ("not_configured", "not_configured")
    assert "Enter it again" in told["sign-in"].sentence
    assert not elsewhere.world.requests


def test_a_host_pinned_by_hand_is_never_called():
    tenant = a_tenant()
    ChargebeeConnection.objects.create(tenant=tenant, site="acme-test", pinned_host="evil.example")
    ChargebeeCredential.objects.create(tenant=tenant, api_key="test_key")
    with (
        pytest.raises(Configuration, match="not an address of Chargebee site"),
        connections.chargebee_client(tenant),
    ):
        pass


def test_a_secret_moved_to_a_row_with_another_address_is_not_used(server):
    """Same tenant, same field, an older ciphertext put back by hand after the address changed."""
    tenant = connected(a_tenant(), server.url)
    old = QadCredential.objects.get().password
    QadConnection.objects.update(base_url="https://erp.example.com/clouderp")
    row = QadCredential.objects.get()
    row.password = "for the new one"
    row.save()
    assert QadCredential.objects.get().password.reveal("https://erp.example.com:443") == "for the new one"
    row.password = old
    row.save()
    with pytest.raises(CredentialUnreadable), connections.qad_client(tenant):
        pass


def test_a_secret_stays_bound_when_its_key_is_rotated(tenant, settings):
    settings.FERNET_KEYS = ["new-" + "n" * 40, *settings.FERNET_KEYS]
    assert rotation.rotate().older == 2
    with connections.qad_client(tenant) as qad:
        qad.sign_in()
    QadConnection.objects.update(base_url="http://127.0.0.1:9/clouderp")
    with pytest.raises(CredentialUnreadable), connections.qad_client(tenant):
        pass


def test_a_file_with_another_address_is_refused_unless_it_gives_the_secret(tmp_path, monkeypatch):
    monkeypatch.setenv("ACME_KEY", "test_key")
    file = tmp_path / "acme.toml"
    file.write_text(FILE)
    run("apply_tenant", file)
    moved = FILE.replace("erp.example.com", "erp2.example.com").replace('region = "EU"', 'region = "US"')
    bare = moved.replace('password = "canary-7f3a91"', "").replace('api_key = { env = "ACME_KEY" }', "")
    file.write_text(bare)
    text, code = fails("apply_tenant", file)
    assert (text.count("\n- "), code) == (2, 1)
    assert "Give the password for https://erp2.example.com:443 in the file." in text
    assert QadConnection.objects.get().base_url == "https://erp.example.com/clouderp"
    file.write_text(moved)
    assert "is updated" in run("apply_tenant", file)
    assert QadCredential.objects.get().password.reveal("https://erp2.example.com:443")


def test_the_answers_of_the_old_address_are_forgotten(page, tenant):
    ProbeResult.objects.create(
        tenant=tenant, side="qad", subject="invoice", answer="ok", sentence="", seconds=0, probed_at=NOW
    )
    page("qad", base_url="https://erp.example.com/clouderp", password="new")
    assert not ProbeResult.objects.exists()


def test_what_was_stored_before_secrets_were_bound_is_bound_to_the_address_of_today(tenant, server):
    row = QadCredential.objects.get()
    QadConnection.objects.all().delete()
    row.password = "from before"
    row.save()
    assert QadCredential.objects.get().password.reveal() == "from before"
    QadConnection.objects.create(tenant=tenant, base_url=f"{server.url}/clouderp", domain="D", entity="E")
    importlib.import_module("tenants.migrations.0003_bind_secrets").bind(apps, None)
    assert QadCredential.objects.get().password.reveal(web_origin(server.url)) == "from before"


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://ERP.acme.example/clouderp", "https://erp.acme.example:443"),
        ("https://erp.acme.example:443", "https://erp.acme.example:443"),
        ("https://erp.acme.example.:8443/x", "https://erp.acme.example:8443"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("https://[::1]/x", "https://::1:443"),
        ("https://x:y", ""),
        ("erp.acme.example", ""),
    ],
)
def test_an_address_is_written_one_way(url, origin):
    assert web_origin(url) == origin


def test_a_secret_without_its_address_is_not_revealed():
    with pytest.raises(CredentialUnreadable):
        Secret("x", origin="https://a:443", owner=(1, "qadcredential.password")).reveal()
