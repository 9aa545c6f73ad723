"""The list of documents and the page of one."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from mappings.models import ItemMapping, QadAccount
from syncs.admin import figures
from syncs.completeness import standings
from syncs.models import SourceDocument
from syncs.states import Disposition, PostingState, SourceState, disposition
from tenants import audit
from tenants.models import Role
from tests.builders import a_tenant, a_user
from tests.syncs.rows import NOW, UNMAPPED, a_document, a_posting, an_attempt

pytestmark = pytest.mark.django_db
LIST = "admin:syncs_sourcedocument_changelist"


@pytest.fixture
def tenant():
    return a_tenant("acme", time_zone="America/Denver")


@pytest.fixture
def look(client, tenant):
    client.force_login(a_user({tenant: Role.ACCOUNTANT}))

    def get(name, *args, **query):
        return client.get(reverse(name, args=args), query).content.decode()

    return get


def found(client, **query):
    shown = client.get(reverse(LIST), query)
    return [row.source_id for row in shown.context["cl"].result_list]


def a_document_in_every_state(tenant):
    for state in SourceState:
        if state != SourceState.CODED:
            a_document(tenant, f"source-{state}", state=state)
    for state in PostingState:
        a_posting(a_document(tenant, f"posting-{state}"), state=state)


def test_a_row_says_what_it_is_and_what_became_of_it(look, tenant):
    a_posting(a_document(tenant, "INV-7", total_minor=123450), qad_number="2026-77")
    text = look(LIST)
    assert "1,234.50 EUR" in text
    assert '<span class="badge badge-good">Posted</span>' in text
    assert "2026-77" in text


def test_a_held_row_shows_its_first_problem_and_how_many_more(look, tenant):
    a_document(tenant, state="held", problems=[UNMAPPED, UNMAPPED])
    assert "has no GL account on 2026-11-23. (and 1 more)" in look(LIST)


def test_the_date_is_that_of_the_accounting_zone(look, tenant):
    a_document(tenant, dated_at=dt.datetime(2026, 11, 24, 3, tzinfo=dt.UTC))
    assert "2026-11-23" in look(LIST)


@pytest.mark.parametrize("name", list(Disposition))
def test_the_filter_by_disposition_agrees_with_the_equation(client, look, tenant, name):
    a_document_in_every_state(tenant)
    expected = {source_id for source_id, one in standings(tenant, "invoice") if one.disposition == name}
    assert set(found(client, disposition=name)) == expected


def test_figures_count_every_document_once_and_agree_with_the_equation(tenant):
    a_document_in_every_state(tenant)
    a_posting(a_document(tenant, "usd", currency="USD", total_minor=5), state="rejected")
    counted = figures.breakdown(SourceDocument.objects.filter(tenant=tenant))
    expected = [one for _, one in standings(tenant, "invoice")]
    assert sum(figure.count for figure in counted) == len(expected)
    for figure in counted:
        same = [one for one in expected if (one.disposition, one.currency) == (figure.disposition, figure.currency)]
        assert (figure.count, figure.minor) == (len(same), sum(one.total for one in same))


def test_a_prepared_document_without_a_posting_is_not_hidden(client, look, tenant):
    a_document(tenant, "lost", state="coded")
    assert disposition("coded", None) is None
    assert "Not accounted for" in look(LIST)
    assert [figure.disposition for figure in figures.breakdown(SourceDocument.objects.all())] == ["unknown"]


def test_the_last_of_a_chain_of_postings_counts(client, look, tenant):
    source = a_document(tenant, "chain")
    a_posting(source, state="reversed")
    again = a_posting(a_document(tenant, "other"), state="rejected")
    again.source, again.place = source, 1
    again.save()
    SourceDocument.objects.filter(source_id="other").update(state="skipped")
    assert found(client, disposition="rejected") == ["chain"]
    assert found(client, disposition="posted") == []


def test_documents_are_filtered_by_problem_currency_and_kind(client, look, tenant):
    a_document(tenant, "a", state="held", problems=[UNMAPPED])
    a_document(tenant, "b", state="held", problems=[{**UNMAPPED, "code": "tax-not-mapped"}], currency="USD")
    a_document(tenant, "c", kind="customer", state="linked", currency="", total_minor=None)
    assert found(client, code="item-not-mapped") == ["a"]
    assert found(client, currency="USD") == ["b"]
    assert found(client, kind__exact="customer") == ["c"]


def test_an_invented_filter_finds_nothing_or_is_refused(client, look, tenant):
    a_document(tenant, "a")
    assert found(client, disposition="x' OR 1=1") == []
    assert client.get(reverse(LIST), {"tenant__slug": "theirs"}).status_code == 400


@pytest.mark.parametrize("text", ["INV-7", "INV", "cust-1", "CB-INV-INV-7", "cb-inv-inv-7", "2026-77", "2026-7"])
def test_a_document_is_found_by_what_people_hold_in_their_hands(client, look, tenant, text):
    a_posting(a_document(tenant, "INV-7"), qad_number="2026-77")
    a_document(tenant, "X-8", customer_id="cust-2")
    assert found(client, q=text) == ["INV-7"]


def test_an_exact_find_is_not_lost_among_those_that_begin_alike(client, look, tenant):
    for number in ("1", "10", "100"):
        a_document(tenant, f"INV-{number}")
    assert found(client, q="INV-10") == ["INV-10"]
    assert len(found(client, q="INV-")) == 3


def test_the_list_asks_the_database_a_fixed_number_of_times(client, look, tenant):
    for number in range(100):
        a_posting(a_document(tenant, f"INV-{number}"), state="rejected", problems=[UNMAPPED])
    look(LIST)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        look(LIST)
    assert len(asked) <= 12, [query["sql"][:120] for query in asked]


def test_the_page_shows_the_posted_journal_balanced_with_names_and_mappings(look, tenant):
    QadAccount.objects.create(tenant=tenant, code="4000", description="Subscriptions", seen_at=NOW)
    row = ItemMapping.objects.create(
        tenant=tenant, level="item", key="pro", gl_account="4000", valid_from=NOW.date(), version=2
    )
    source = a_document(tenant, total_minor=120000)
    a_posting(source, source_of_coding=f"item:{row.pk}@1", qad_number="2026-77")
    text = look("admin:syncs_sourcedocument_change", source.pk)
    assert "Posted journal" in text
    assert "As 2026-77 in QAD" in text
    assert "Subscriptions" in text
    assert text.count("1,200.00") >= 4
    assert "does not balance" not in text
    assert reverse("admin:mappings_itemmapping_change", args=[row.pk]) in text
    assert "used as version 1, now version 2" in text


def test_a_mapping_that_is_gone_is_said_to_be_gone(look, tenant):
    source = a_document(tenant)
    a_posting(source, source_of_coding="item:999@1")
    assert "deleted since" in look("admin:syncs_sourcedocument_change", source.pk)


def test_the_page_tells_the_story_of_document_and_posting_in_order(look, tenant):
    source = a_document(tenant)
    posting = a_posting(source)
    lines = [
        ("listed", "invoice:INV-1"),
        ("prepared", f"posting:{posting.reference}"),
        ("posted", f"posting:{posting.reference}"),
    ]
    for action, subject in [*lines, ("listed", "invoice:INV-10")]:
        audit.record(tenant.pk, [audit.Line(action, subject, reason=f"because {action}")], actor="me", now=NOW)
    text = look("admin:syncs_sourcedocument_change", source.pk)
    assert text.index("because listed") < text.index("because prepared") < text.index("because posted")
    assert text.count("because listed") == 1


def test_the_story_says_why_a_document_was_held_also_when_it_is_held_no_more(look, tenant):
    source = a_document(tenant, "INV-7")
    why = {"state": "held", "codes": ["item-not-mapped", "identity-i2"]}
    audit.record(tenant.pk, [audit.Line("held", "invoice:INV-7", after=why)], actor="sync", now=NOW)
    assert "why: Lines without a GL account, identity i2" in look("admin:syncs_sourcedocument_change", source.pk)


def test_a_problem_has_a_button_that_opens_the_form_of_what_is_missing(client, tenant):
    source = a_document(tenant, state="held", problems=[UNMAPPED])
    address = reverse("admin:syncs_sourcedocument_change", args=[source.pk])
    client.force_login(a_user({tenant: Role.FINANCE_USER}))
    wanted = reverse("admin:mappings_itemmapping_add") + "?level=item_price&amp;key=pro-EUR"
    assert wanted in client.get(address).content.decode()
    client.force_login(a_user({tenant: Role.AUDITOR}))
    text = client.get(address).content.decode()
    assert wanted not in text
    assert f'href="{reverse("admin:mappings_itemmapping_changelist")}">Item mappings</a>' in text


def test_an_attempt_without_an_answer_says_so(look, tenant):
    source = a_document(tenant)
    an_attempt(a_posting(source, state="uncertain"), outcome="open")
    text = look("admin:syncs_sourcedocument_change", source.pk)
    assert "No request is recorded" in text
    assert "Look it up in QAD" in text
    assert "Rebuild and post" not in text


def test_a_tenant_without_connections_still_shows_its_documents(look, tenant):
    source = a_document(tenant, state="held", problems=[UNMAPPED])
    assert "has no QAD connection yet" in look("admin:syncs_sourcedocument_change", source.pk)
