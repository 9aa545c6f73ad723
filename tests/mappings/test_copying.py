"""Mappings of a test tenant for a live one."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from mappings import copying
from mappings.models import CustomerMapping, ItemMapping
from tests.builders import a_tenant, a_user
from tests.mappings.build import a_chart, a_link, an_item, qad_customers

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair():
    source, target = a_tenant("acme-test"), a_tenant("acme", mode="live")
    for tenant in (source, target):
        a_chart(tenant, "4000", "4100")
        qad_customers(tenant, "C0000001")
    an_item(source, "pro-EUR", "4000")
    an_item(source, "basic-EUR", "4100")
    an_item(target, "pro-EUR", "4100")
    an_item(target, "old-EUR", "4000")
    a_link(source)
    return source, target


def command(*args):
    out = io.StringIO()
    call_command("copy_mappings", *args, stdout=out, stderr=out)
    return out.getvalue()


def rows(tenant):
    return dict(ItemMapping.objects.filter(tenant=tenant).values_list("key", "gl_account"))


def test_the_difference_is_told_without_saving(pair):
    source, target = pair
    seen = copying.compare(source, target)
    assert [one.change.values["key"] for one in seen.fresh] == ["basic-EUR"]
    assert [one.change.values["key"] for one in seen.different] == ["pro-EUR"]
    assert seen.only_here == {"items": 1}
    assert rows(target) == {"pro-EUR": "4100", "old-EUR": "4000"}


def test_the_command_shows_and_copies(pair):
    _, target = pair
    told = command("acme-test", "acme", "--dry-run")
    assert "changed  Item mapping 'item_price pro-EUR' from 2026-01-01: gl_account 4100 -> 4000" in told
    assert "1 of acme's items are not in the other and stay as they are." in told
    assert rows(target) == {"pro-EUR": "4100", "old-EUR": "4000"}
    assert "Saved: 1 new, 1 changed." in command("acme-test", "acme")
    assert rows(target) == {"pro-EUR": "4000", "basic-EUR": "4100", "old-EUR": "4000"}
    assert "0 new, 0 changed, 2 the same." in command("acme-test", "acme")


def test_customers_are_copied_only_when_asked_for(pair):
    _, target = pair
    command("acme-test", "acme")
    assert not CustomerMapping.objects.filter(tenant=target).exists()
    command("acme-test", "acme", "--kind", "customers")
    assert CustomerMapping.objects.get(tenant=target).qad_code == "C0000001"


def test_an_account_that_the_other_does_not_have_stops_everything(pair):
    _, target = pair
    target.qad_accounts.filter(code="4100").delete()
    with pytest.raises(CommandError, match="1 rows are refused: nothing was saved"):
        command("acme-test", "acme")
    assert rows(target) == {"pro-EUR": "4100", "old-EUR": "4000"}


def test_a_tenant_is_not_copied_to_itself(pair):
    with pytest.raises(CommandError, match="Name two"):
        command("acme", "acme")


# The page

COPY = "admin:mappings_copy"


@pytest.fixture
def both(client, pair):
    source, target = pair
    user = a_user({source: "auditor", target: "integration_admin"})
    client.force_login(user)
    client.post(reverse("admin:switch_tenant"), {"tenant": target.pk})
    return client


def asked(**more):
    return {"source": "acme-test", "kinds": ["items", "taxes"], **more}


def test_the_page_shows_the_difference_and_saves_it(both, pair):
    _, target = pair
    reply = both.post(reverse(COPY), asked())
    shown, mark = reply.content.decode(), reply.context["seen"].mark
    assert "1 new, 1 changed, 0 the same" in shown
    assert "gl_account 4100 -&gt; 4000" in shown
    assert rows(target) == {"pro-EUR": "4100", "old-EUR": "4000"}
    reply = both.post(reverse(COPY), asked(save="yes", mark=mark), follow=True)
    assert "Copied from Acme-Test: 1 new, 1 changed." in reply.content.decode()
    assert rows(target) == {"pro-EUR": "4000", "basic-EUR": "4100", "old-EUR": "4000"}


@pytest.mark.parametrize("place", [0, 1])
def test_the_page_saves_no_difference_but_the_one_it_showed(both, pair, place):
    mark = both.post(reverse(COPY), asked()).context["seen"].mark
    a_chart(pair[1], "4200")
    ItemMapping.objects.filter(tenant=pair[place], key="pro-EUR").update(gl_account="4200")
    before = rows(pair[1])
    reply = both.post(reverse(COPY), asked(save="yes", mark=mark))
    assert "The difference is another one by now" in reply.content.decode()
    assert rows(pair[1]) == before


def test_the_page_refuses_what_the_other_chart_does_not_have(both, pair):
    _, target = pair
    target.qad_accounts.filter(code="4100").delete()
    reply = both.post(reverse(COPY), asked(save="yes")).content.decode()
    assert "QAD does not have GL account 4100." in reply
    assert rows(target) == {"pro-EUR": "4100", "old-EUR": "4000"}


@pytest.mark.parametrize("wrong", [{"source": "elsewhere"}, {"kinds": []}, {"kinds": ["suppliers"]}, {"source": ""}])
def test_the_page_answers_wrong_input_with_a_sentence(both, wrong):
    reply = both.post(reverse(COPY), {**asked(), **wrong})
    assert reply.status_code == 200
    assert "errorlist" in reply.content.decode()


def test_a_tenant_of_others_is_no_source(client, pair):
    _, target = pair
    client.force_login(a_user({target: "integration_admin"}))
    assert "You belong to no other tenant" in client.get(reverse(COPY)).content.decode()
    client.post(reverse(COPY), asked(save="yes"))
    assert "basic-EUR" not in rows(target)


@pytest.mark.parametrize("role", ["finance_user", "accountant", "auditor"])
def test_only_the_integration_admin_copies(client, pair, role):
    _, target = pair
    client.force_login(a_user({target: role}))
    assert client.get(reverse(COPY)).status_code == 403
    assert client.post(reverse(COPY), asked(save="yes")).status_code == 403
