"""The real clients, built from rows."""

import datetime as dt

import pytest

from connector.errors import Configuration
from connector.sandbox.server import serve
from connector.sandbox.world import World
from tenants import connections
from tenants.callbudget import SharedPace
from tenants.fields import CredentialUnreadable
from tenants.models import CallBudget, ChargebeeConnection, ChargebeeCredential, Circuit, QadCredential, Side
from tests.builders import a_tenant, connected

NOW = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def server():
    with serve(World(seed=1, customers=3)) as running:
        yield running


def use_chargebee(tenant):
    with connections.chargebee_client(tenant) as client:
        return client.list("customers", {"limit": 2}).rows


def use_qad(tenant):
    with connections.qad_client(tenant) as client:
        client.sign_in()
        return client


def test_it_reads_chargebee_with_the_stored_key(server):
    assert len(use_chargebee(connected(a_tenant(), server.url))) == 2


@pytest.mark.parametrize("preset", ["adaptive", "offset-rest"])
def test_it_reads_qad_with_the_stored_credentials(server, preset):
    tenant = connected(a_tenant(), server.url, preset=preset)
    with connections.qad_client(tenant) as client:
        pages = list(client.browse("gl_accounts"))
    assert pages[0]


def test_a_profile_knows_the_company_of_its_connection(server):
    context = connections.qad_profile(connected(a_tenant(), server.url)).context
    assert (context.domain, context.entity, context.shared_set) == ("10USA", "10USACO", "SS1")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"base_url": "", "pinned_host": ""}, "not pinned yet"),
        ({"site": "acme"}, "live site"),
        ({"base_url": "https://evil.example"}, "OUTBOUND_ALLOW"),
        ({"base_url": "https://8.8.8.8"}, "OUTBOUND_ALLOW"),
    ],
)
def test_a_chargebee_connection_that_does_not_fit_is_a_sentence(server, change, sentence):
    tenant = connected(a_tenant(), server.url)
    ChargebeeConnection.objects.update(**change)
    with pytest.raises(Configuration, match=sentence):
        use_chargebee(tenant)


def test_plain_http_to_a_public_address_is_never_called(server):
    tenant = connected(a_tenant(), server.url)
    ChargebeeConnection.objects.update(base_url="http://8.8.8.8:1")
    with pytest.raises(Configuration):
        use_chargebee(tenant)


def test_a_live_tenant_takes_no_test_site_and_no_sandbox(server):
    tenant = connected(a_tenant(mode="live"), server.url)
    with pytest.raises(Configuration, match="test site"):
        use_chargebee(tenant)
    ChargebeeConnection.objects.update(site="acme")
    with pytest.raises(Configuration, match="sandbox"):
        use_chargebee(tenant)


@pytest.mark.parametrize("use", [use_chargebee, use_qad])
def test_a_tenant_without_connections_is_a_sentence(use):
    with pytest.raises(Configuration, match=r"has no .* connection"):
        use(a_tenant())


def test_a_missing_key_is_a_sentence(server):
    tenant = connected(a_tenant(), server.url)
    ChargebeeCredential.objects.update(api_key=None)
    with pytest.raises(Configuration, match="no Chargebee API key"):
        use_chargebee(tenant)


@pytest.mark.parametrize("use", [use_chargebee, use_qad])
def test_a_lost_key_is_credentials_unreadable_and_not_empty(server, settings, use):
    tenant = connected(a_tenant(), server.url)
    settings.FERNET_KEYS = ["another-" + "a" * 40]
    with pytest.raises(CredentialUnreadable):
        use(tenant)


def test_another_tenants_credentials_are_never_used(server):
    connected(a_tenant(), server.url)
    other = a_tenant("other")
    ChargebeeConnection.objects.create(tenant=other, site="acme-test", base_url=server.url)
    with pytest.raises(Configuration, match="no Chargebee API key"):
        use_chargebee(other)


def test_a_session_outlives_a_client_but_not_its_credentials(server):
    tenant = connected(a_tenant(), server.url)
    first = use_qad(tenant).session.authorization()
    assert use_qad(tenant).session.authorization() == first
    row = QadCredential.objects.get()
    row.password = "sandbox-password"
    row.save()
    assert use_qad(tenant).session.authorization() != first


def test_a_circuit_opens_and_closes():
    tenant = a_tenant()
    connections.stop(tenant, Side.QAD, "QAD refuses the password.", now=NOW)
    connections.stop(tenant, Side.QAD, "Again.", now=NOW)
    assert Circuit.objects.get().reason == "Again."
    assert connections.is_stopped(tenant, Side.QAD)
    assert connections.resume(tenant, Side.QAD)
    assert not connections.is_stopped(tenant, Side.QAD)


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


@pytest.mark.slow
def test_several_processes_share_one_limit():
    clock = Clock()
    paces = [SharedPace("acme", 60, clock=clock, burst=20) for _ in range(3)]
    granted = 0
    for second in range(60):
        clock.now = NOW + dt.timedelta(seconds=second)
        granted += sum(1 for pace in paces for _ in range(30) if pace() == 0.0)
    assert 60 <= granted <= 20 + 60


def test_twenty_calls_cost_one_update(django_assert_num_queries):
    pace = SharedPace("acme", 6000, clock=Clock(), burst=40)
    pace()
    for _ in range(19):
        pace()
    with django_assert_num_queries(2):
        assert [pace() for _ in range(20)] == [0.0] * 20


def test_an_empty_budget_says_how_long_to_wait():
    pace = SharedPace("acme", 30, clock=Clock(), burst=1)
    assert pace() == 0.0
    assert pace() == pytest.approx(2.0)
    assert CallBudget.objects.get().tokens == pytest.approx(0.0)


def test_fetched_leave_lapses():
    clock = Clock()
    pace = SharedPace("acme", 60, clock=clock, burst=20)
    pace()
    clock.now += dt.timedelta(minutes=5)
    assert sum(1 for _ in range(100) if pace() == 0.0) == 20
