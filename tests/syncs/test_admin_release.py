"""A mapping saved in the browser releases what waited for it, and says how much."""

from __future__ import annotations

import pytest
from django.db import connection
from django.urls import reverse
from django_q.models import OrmQ

from mappings.models import ItemMapping, MirrorState, QadAccount
from syncs import tasks
from syncs.admin import mapping_release
from syncs.models import Posting, SourceDocument
from syncs.releasing import Released
from tenants import connections, guards
from tenants.models import ProbeResult, Role, Side
from tests.builders import a_tenant, a_user
from tests.flows.scene import a_scene
from tests.syncs.rows import NOW

pytestmark = pytest.mark.django_db(transaction=True)
FALLBACK = {
    "level": "fallback", "key": "", "gl_account": "4400", "valid_from": "2020-01-01",
    "sub_account": "", "cost_centre": "", "project": "", "qad_item": "", "tax_code": "",
}  # fmt: skip


@pytest.fixture
def scene():
    """Invoices whose lines have no account."""
    with a_scene(customers=4, cycle=True) as made:
        ItemMapping.objects.all().delete()
        made.sync()
        yield made


def save(client, scene):
    client.force_login(a_user({scene.tenant: Role.FINANCE_USER}))
    posted = {**FALLBACK, "_impact_seen": "yes"}
    return client.post(reverse("admin:mappings_itemmapping_add"), posted, follow=True).content.decode()


def held():
    return SourceDocument.objects.filter(kind="invoice", state="held")


def test_saving_a_mapping_releases_and_posts_exactly_what_waited(client, scene):
    waiting = held().count()
    assert waiting
    text = save(client, scene)
    freed = waiting - held().count()
    assert freed
    assert f"{waiting} documents waited for mappings of this kind; {freed} released:" in text
    assert not held().filter(codes__contains="item-not-mapped").exists()
    tasks.work(scene.tenant.pk, "post")
    assert len(scene.in_qad()) == Posting.objects.filter(state="posted", kind="invoice").count() == freed
    assert OrmQ.objects.count() == 1


def _switched_off(scene):
    type(scene.tenant).objects.update(is_posting_on=False)


def _circuit_open(scene):
    connections.stop(scene.tenant, Side.QAD, "QAD refuses the password.", now=NOW)


def _untested(scene):
    ProbeResult.objects.all().delete()


def _unguarded(scene):
    guards.remove(connection)


STOPPED = {
    _switched_off: "Posting is switched off for Acme.",
    _circuit_open: "The connection to QAD is stopped: QAD refuses the password.",
    _untested: "has been tested",
    _unguarded: "The database lacks its guards",
}


@pytest.mark.parametrize("stop", STOPPED, ids=lambda stop: stop.__name__)
@pytest.mark.slow
def test_saving_a_mapping_says_that_nothing_goes_out_and_why(client, scene, stop):
    stop(scene)
    text = save(client, scene)
    assert "Nothing goes out to QAD now: " in text
    assert STOPPED[stop] in text
    tasks.work(scene.tenant.pk, "post")
    assert scene.in_qad() == {} or not scene.in_qad()


@pytest.mark.slow
def test_what_has_other_problems_still_waits(client, scene):
    (one,) = held()[:1]
    scene.tenant.customer_mappings.filter(chargebee_id=one.customer_id).delete()
    text = save(client, scene)
    assert "still wait." in text
    assert held().filter(customer_id=one.customer_id).exists()


def test_many_documents_are_released_in_the_background(client, scene, monkeypatch):
    monkeypatch.setattr(mapping_release, "AT_ONCE", 0)
    waiting = held().count()
    assert "prepared in the background" in save(client, scene)
    assert held().count() == waiting
    done = mapping_release.in_background(scene.tenant.pk, ["items"], "me")
    assert done == {"waited": waiting, "released": waiting - held().count()}
    assert done["released"]


@pytest.mark.slow
def test_a_mapping_that_is_refused_releases_nothing(client, scene):
    waiting = held().count()
    client.force_login(a_user({scene.tenant: Role.FINANCE_USER}))
    client.post(reverse("admin:mappings_itemmapping_add"), {**FALLBACK, "gl_account": "9999"}, follow=True)
    assert held().count() == waiting


def test_a_tenant_without_a_qad_connection_may_still_save_mappings(client):
    tenant = a_tenant("bare")
    QadAccount.objects.create(tenant=tenant, code="4400", seen_at=NOW)
    MirrorState.objects.create(tenant=tenant, list_name="gl_accounts", refreshed_at=NOW)
    client.force_login(a_user({tenant: Role.FINANCE_USER}))
    answer = client.post(reverse("admin:mappings_itemmapping_add"), FALLBACK, follow=True)
    assert "has no QAD connection yet" in answer.content.decode(), answer.context["adminform"].form.errors
    assert ItemMapping.objects.filter(tenant=tenant).count() == 1


def test_the_sentence_counts_documents_and_money():
    released = Released(waited=3, released=2)
    released.money.update({"EUR": 125000, "JPY": 900})
    said = "3 documents waited for mappings of this kind; 2 released: 1,250.00 EUR, 900 JPY. 1 still wait."
    assert mapping_release.sentence(released) == said
