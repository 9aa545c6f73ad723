"""Which mapping wins, and why."""

import pytest
from django.urls import reverse

from mappings.models import AccountRole, BankMapping, CatalogPrice, TaxMapping
from tests.builders import a_tenant, a_user
from tests.mappings.build import SINCE, a_chart, an_item

pytestmark = pytest.mark.django_db
PAGE = "admin:mappings_explain"


@pytest.fixture
def mine(client):
    tenant = a_tenant("mine")
    a_chart(tenant, "4000", "4100")
    client.force_login(a_user({tenant: "auditor"}))
    return tenant


def ask(client, **query):
    return client.get(reverse(PAGE), {"on": "2026-11-30", **query})


def looks(reply):
    return [(look.place, look.outcome) for look in reply.context["answer"].looks]


def test_an_item_price_is_looked_up_through_its_item_and_family(client, mine):
    CatalogPrice.objects.create(tenant=mine, item_price="pro-EUR", item="pro", family="cloud", item_type="plan")
    an_item(mine, "pro", "4100", level="item")
    row = an_item(mine, "", "4000", level="fallback")
    reply = ask(client, kind="item", item_price="pro-EUR")
    assert reply.context["answer"].account == "4100"
    assert looks(reply) == [
        ("Item price pro-EUR", "no row"),
        ("Item pro", "wins"),
        ("Item family cloud", "no row"),
        ("Kind of line plan_item_price", "no row"),
        ("Everything else", "a more specific row won"),
    ]
    assert reverse("admin:mappings_itemmapping_change", args=[row.pk]) in reply.content.decode()


def test_a_line_without_an_item_goes_by_its_kind(client, mine):
    an_item(mine, "adhoc", "4000", level="charge")
    assert ask(client, kind="item", charge="adhoc").context["answer"].account == "4000"


def test_a_tax_a_payment_and_a_role_are_explained_too(client, mine):
    TaxMapping.objects.create(tenant=mine, name="VAT", rate="19", valid_from=SINCE, qad_tax_code="V19")
    BankMapping.objects.create(tenant=mine, gateway="stripe", valid_from=SINCE, gl_account="1050")
    AccountRole.objects.create(tenant=mine, role="discount", valid_from=SINCE, gl_account="4800")
    assert ask(client, kind="tax", name="VAT", rate="19.0 %").context["answer"].account == "V19"
    assert ask(client, kind="bank", gateway="stripe", currency="eur").context["answer"].account == "1050"
    assert ask(client, kind="role", role="discount").context["answer"].account == "4800"


def test_what_is_not_mapped_says_so(client, mine):
    reply = ask(client, kind="role", role="write_off")
    assert "has no mapping on 2026-11-30: documents with it are held." in reply.content.decode()


def test_the_date_counts(client, mine):
    an_item(mine, "", "4000", level="fallback")
    reply = client.get(reverse(PAGE), {"kind": "item", "on": "2025-12-31"})
    assert looks(reply) == [("Everything else", "starts on 2026-01-01")]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"kind": "item", "on": "soon"}, "Write a date such as 2026-01-31."),
        ({"kind": "tax", "name": "VAT", "rate": "much"}, "is no rate. Write a number such as 8.875."),
        ({"kind": "tax", "name": "VAT", "rate": "NaN"}, "is no rate."),
        ({"kind": "tax", "name": ""}, "This field is required."),
        ({"kind": "role", "role": "supplier"}, "Select a valid choice."),
        ({"kind": "item", "charge": "purchase"}, "Select a valid choice."),
    ],
)
def test_wrong_input_is_answered_with_a_sentence(client, mine, query, sentence):
    reply = ask(client, **query)
    assert reply.status_code == 200
    assert sentence in reply.content.decode()
    assert reply.context["answer"] is None


def test_an_unknown_kind_shows_the_first_form(client, mine):
    assert ask(client, kind="supplier").context["kind"] == "item"


def test_the_page_shows_the_form_before_anything_is_asked(client, mine):
    assert client.get(reverse(PAGE)).context["answer"] is None


def test_another_tenant_s_rows_answer_nothing(client, mine):
    an_item(a_tenant("theirs"), "", "4000", level="fallback")
    assert ask(client, kind="item").context["answer"].account == ""
