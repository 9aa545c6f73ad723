"""The mirrors against both dialects of the sandbox, over loopback."""

import pytest
from django.urls import reverse

from connector.sandbox.server import serve
from connector.sandbox.world import World
from mappings.catalog import refresh_mirror
from mappings.models import MirrorState, QadAccount, QadCustomer
from mappings.rules import is_control
from mappings.table import accounts
from tenants.connections import qad_client
from tenants.models import QadConnection, QadCredential
from tests.builders import a_tenant, a_user
from tests.mappings.build import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def sandbox():
    with serve(World(seed=1, customers=30)) as server:
        yield server.url


def a_connected_tenant(base_url, preset):
    tenant = a_tenant()
    QadConnection.objects.create(
        tenant=tenant, base_url=base_url, preset=preset, domain="10USA", entity="10USACO",
        workspace="10USA_10USACO" if preset == "adaptive" else "10USACO", shared_set="SS1",
    )  # fmt: skip
    QadCredential.objects.create(
        tenant=tenant, client_id="sandbox-client", username="connector", password="sandbox-password"
    )
    return tenant


@pytest.mark.parametrize(("path", "preset"), [("/clouderp", "adaptive"), ("/finrest", "offset-rest")])
def test_both_dialects_fill_the_mirrors_alike(sandbox, path, preset):
    tenant = a_connected_tenant(sandbox + path, preset)
    with qad_client(tenant) as client:
        for name in ("gl_accounts", "customers"):
            refresh_mirror(tenant, client, name, NOW)
    known = accounts(tenant.pk)
    assert QadAccount.objects.get(code="4000").description == "Subscription revenue"
    assert is_control(known["1200"])
    assert not known["4990"].is_active
    assert known["4610"].needs_cost_centre
    assert known["4630"].currency == "EUR"
    assert (
        QadCustomer.objects.filter(is_active=True).exclude(search_key="").count()
        == MirrorState.objects.get(list_name="customers").rows
    )


def test_the_button_reads_the_list_now(sandbox, client):
    tenant = a_connected_tenant(sandbox + "/clouderp", "adaptive")
    client.force_login(a_user({tenant: "finance_user"}))
    reply = client.post(reverse("admin:mappings_qadaccount_refresh"), follow=True)
    assert "QAD lists 27 GL accounts." in [str(message) for message in reply.context["messages"]]
