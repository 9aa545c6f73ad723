from __future__ import annotations

import pytest

from tests.sandbox.chargebee_fields import TABLES, faults_of
from tests.sandbox.site_desk import a_site, body, get

PLURALS = {kind: f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s" for kind in TABLES}


@pytest.fixture(scope="module")
def site():
    site = a_site(customers=100)
    site.bill_cycle(kinds="all")
    return site


def pages(site, plural):
    query = {"limit": 100, "include_deleted": "true"}
    while True:
        page = body(get(site, plural, query))
        yield page
        if "next_offset" not in page:
            return
        query["offset"] = page["next_offset"]


@pytest.mark.parametrize("kind", TABLES)
def test_every_answer_has_the_fields_types_and_words_of_the_real_one(site, kind):
    rows = [row[kind] for page in pages(site, PLURALS[kind]) for row in page["list"]]
    assert len(rows) == len(site.all(kind)) > 0
    assert sorted({fault for row in rows for fault in faults_of(kind, row)}) == []
    assert {row["object"] for row in rows} == {kind}


@pytest.mark.parametrize("kind", TABLES)
def test_one_by_id_is_the_same_as_in_the_list(site, kind):
    for row in site.all(kind)[:20]:
        assert body(get(site, f"{PLURALS[kind]}/{row['id']}"))[kind] == row


def test_what_was_created_over_the_api_has_the_same_shape():
    site = a_site()
    for document in (site.add_customer(), site.add_item_price(), site.add_invoice(status="paid")):
        assert faults_of(document["object"], document) == []


def test_an_invoice_leaves_empty_arrays_out_and_a_credit_note_shows_them(site):
    arrays = [name for name, kind in TABLES["invoice"].items() if isinstance(kind, list)]
    assert [] not in [row.get(name) for row in site.all("invoice") for name in arrays]
    assert all({"taxes", "discounts", "line_item_taxes"} <= set(row) for row in site.all("credit_note"))
    assert any(row["taxes"] == [] for row in site.all("credit_note"))


def test_events_carry_whole_resources(site):
    for event in site.all("event"):
        for kind, content in event["content"].items():
            assert faults_of(kind, content) == []


def test_the_table_itself_finds_faults(site):
    invoice = {**site.all("invoice")[0], "total": "1", "status": "open", "surprise": 1}
    del invoice["currency_code"]
    assert faults_of("invoice", invoice) == [
        "invoice lacks currency_code",
        "invoice.status is 'open'",
        "invoice.total is '1'",
        "invoice.surprise is not in the table",
    ]
