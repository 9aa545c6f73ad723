"""The catalogue and the desk that maps what is missing from it."""

import datetime as dt

import pytest
from django.urls import reverse

from mappings import coverage, unmapped
from mappings.catalogue_admin import CatalogPriceAdmin
from mappings.models import CatalogPrice, ItemMapping
from mappings.saving import delete_rows
from mappings.suggest import Target
from tests.builders import a_tenant, a_user
from tests.mappings.build import NOW, SINCE, a_chart, an_item

pytestmark = pytest.mark.django_db
TODAY = dt.date(2026, 11, 23)
DESK = "admin:mappings_catalogprice_desk"


def a_price(tenant, item_price="pro-EUR", **fields):
    given = {"item": "pro", "family": "cloud", "item_type": "plan", "status": "active", "first_seen_at": NOW}
    return CatalogPrice.objects.create(tenant=tenant, item_price=item_price, **{**given, **fields})


@pytest.fixture
def mine():
    tenant = a_tenant("mine")
    a_chart(tenant, "4000", "4100")
    return tenant


@pytest.fixture
def desk(client, mine):
    client.force_login(a_user({mine: "finance_user"}))
    return client


def level_of(tenant, on=TODAY):
    return coverage.on_sale(tenant.pk, on).get(item_price="pro-EUR").mapped_level


@pytest.mark.parametrize(
    ("level", "key"),
    [
        ("item_price", "pro-EUR"),
        ("item", "pro"),
        ("item_family", "cloud"),
        ("charge", "plan_item_price"),
        ("fallback", ""),
    ],
)
def test_each_level_covers_a_price(mine, level, key):
    a_price(mine)
    an_item(mine, key, level=level)
    assert level_of(mine) == level


def test_the_most_specific_level_counts_and_only_from_its_day_on(mine):
    a_price(mine)
    an_item(mine, "", level="fallback")
    an_item(mine, "pro", level="item", valid_from=TODAY)
    assert (level_of(mine, TODAY - dt.timedelta(days=1)), level_of(mine)) == ("fallback", "item")


def test_another_key_or_tenant_covers_nothing(mine):
    a_price(mine)
    an_item(mine, "pro-USD")
    an_item(a_tenant("theirs"), "pro-EUR")
    assert level_of(mine) == ""
    assert coverage.unmapped(mine.pk, TODAY).count() == 1


def test_only_what_is_on_sale_is_missed(mine):
    a_price(mine, status="archived")
    assert not coverage.unmapped(mine.pk, TODAY)


def test_an_item_is_one_decision_with_all_its_prices(mine):
    a_price(mine, accounting_code="4000")
    a_price(mine, "pro-USD", accounting_code="4000")
    (row,) = unmapped.rows(mine.pk, TODAY)
    assert (row.level, row.key, row.prices) == ("item", "pro", ("pro-EUR", "pro-USD"))
    assert row.suggestions[0].target == Target("4000")


def test_a_price_whose_siblings_are_mapped_one_by_one_is_a_decision_of_its_own(mine):
    a_price(mine)
    a_price(mine, "pro-USD")
    an_item(mine, "pro-USD", "4100")
    (row,) = unmapped.rows(mine.pk, TODAY)
    assert (row.level, row.key) == ("item_price", "pro-EUR")
    assert [one.target.gl_account for one in row.suggestions] == ["4100"]


def test_a_deleted_mapping_is_remembered(mine):
    a_price(mine)
    delete_rows(mine.pk, [an_item(mine, "pro", "4100", level="item")], actor="mira", now=NOW)
    (row,) = unmapped.rows(mine.pk, TODAY)
    assert row.suggestions[0].reasons == ("'pro' was mapped there before",)


def test_the_desk_saves_what_is_ticked_and_tells_who_waits(desk, mine, monkeypatch):
    a_price(mine, accounting_code="4000")
    a_price(mine, "basic-EUR", item="basic")
    told = []
    monkeypatch.setattr(CatalogPriceAdmin, "after_save", lambda request, tenant, saved: told.append(saved.keys))
    page = desk.get(reverse(DESK))
    assert [one["field"] for one in page.context["rows"]] == ["item:pro", "item:basic"]
    choice = page.context["rows"][0]["offers"][0]["value"]
    reply = desk.post(
        reverse(DESK), {"accept": ["item:pro"], "choice:item:pro": choice, "valid_from": "2026-01-01"}, follow=True
    )
    row = ItemMapping.objects.get()
    assert (row.tenant, row.level, row.key, row.gl_account, row.valid_from) == (mine, "item", "pro", "4000", SINCE)
    assert told == [frozenset({("items", "item", "pro")})]
    assert "1 mapping saved, valid from 2026-01-01." in [str(one) for one in reply.context["messages"]]
    assert [one["field"] for one in reply.context["rows"]] == ["item:basic"]


def test_the_desk_does_not_overwrite_what_somebody_mapped_meanwhile(desk, mine):
    a_price(mine, accounting_code="4000")
    an_item(mine, "pro", "4100", level="item")
    posted = {"accept": ["item:pro"], "choice:item:pro": "4000|||||", "valid_from": str(SINCE)}
    reply = desk.post(reverse(DESK), posted)
    assert "was added by somebody else meanwhile. Change that row instead." in reply.content.decode()
    assert ItemMapping.objects.get().gl_account == "4100"


@pytest.mark.parametrize(
    ("posted", "sentence"),
    [
        ({}, "Nothing was ticked."),
        ({"accept": ["item:pro"], "choice:item:pro": "9999|||||"}, "QAD does not have GL account 9999."),
        ({"accept": ["item:pro"], "choice:item:pro": "4000"}, "Nothing was ticked."),
        ({"accept": ["fallback:"], "choice:fallback:": "4000|||||"}, "Nothing was ticked."),
        ({"accept": ["item:pro"], "choice:item:pro": "4000|||||", "valid_from": "soon"}, "Write a date such as"),
    ],
)
def test_the_desk_answers_wrong_input_with_a_sentence(desk, mine, posted, sentence):
    a_price(mine)
    reply = desk.post(reverse(DESK), {"valid_from": "2026-01-01", **posted})
    assert reply.status_code == 200
    assert sentence in reply.content.decode()
    assert not ItemMapping.objects.exists()


@pytest.mark.parametrize(
    ("role", "status"), [("finance_user", 200), ("integration_admin", 200), ("accountant", 403), ("auditor", 403)]
)
def test_who_may_use_the_desk(client, mine, role, status):
    client.force_login(a_user({mine: role}))
    assert client.get(reverse(DESK)).status_code == status
    assert client.get(reverse("admin:mappings_catalogprice_changelist")).status_code == 200


@pytest.mark.slow
def test_nobody_sees_the_catalogue_of_another_tenant(desk, mine):
    theirs = a_tenant("theirs")
    other = a_price(theirs, "secret-EUR", item="secret")
    assert "secret" not in desk.get(reverse(DESK)).content.decode()
    assert "secret" not in desk.get(reverse("admin:mappings_catalogprice_changelist")).content.decode()
    assert desk.get(reverse("admin:mappings_catalogprice_change", args=[other.pk])).status_code == 302


def test_the_list_filters_by_level(desk, mine):
    a_price(mine)
    a_price(mine, "basic-EUR", item="basic")
    an_item(mine, "basic", level="item")
    address = reverse("admin:mappings_catalogprice_changelist")
    assert desk.get(address + "?mapped_by=none").context["cl"].result_count == 1
    assert desk.get(address + "?mapped_by=item").context["cl"].result_count == 1
    assert "1 item price on sale has no mapping" in desk.get(address).content.decode()
