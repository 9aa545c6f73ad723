from __future__ import annotations

import json

import pytest

from tests.sandbox.site_desk import T0, a_site, body, get, ids, refusal, rows


@pytest.fixture(scope="module")
def billed():
    """A site after one cycle of everything. Tests read it only."""
    site = a_site()
    site.bill_cycle(kinds="all")
    return site


def walk(site, plural, query, limit=7):
    """Every page of a list, by its offsets: (ids, number of pages)."""
    found, pages, offset = [], 0, None
    while offset is not None or not pages:
        page = body(get(site, plural, {"limit": limit, **query, **({"offset": offset} if offset else {})}))
        found += [next(iter(row.values()))["id"] for row in page["list"]]
        pages, offset = pages + 1, page.get("next_offset")
    return found, pages


def test_it_gives_ten_rows_when_no_limit_is_told():
    assert len(body(get(a_site(), "customers"))["list"]) == 10


@pytest.mark.parametrize("limit", ["0", "101", "-1", "many"])
def test_it_refuses_a_limit_outside_one_to_a_hundred(limit):
    assert refusal(get(a_site(), "customers", {"limit": limit})) == (400, "param_wrong_value", "limit")


def test_it_wraps_each_row_by_its_resource_and_shows_the_card_beside_the_customer():
    page = body(get(a_site(), "customers", {"limit": 100}))["list"]
    assert {tuple(row) for row in page} == {("customer",), ("customer", "card")}


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"sort_by[asc]": "updated_at"},
        {"sort_by[desc]": "date"},
        {"sort_by[asc]": "date", "status[in]": '["paid","posted"]'},
    ],
)
def test_pages_hold_every_row_once(billed, query):
    site = billed
    found, pages = walk(site, "invoices", query)
    wanted = {
        row["id"] for row in site.all("invoice") if "status[in]" not in query or row["status"] in ("paid", "posted")
    }
    assert sorted(found) == sorted(wanted)
    assert pages == -(-len(wanted) // 7)


def test_the_last_page_has_no_next_offset():
    assert "next_offset" not in body(get(a_site(customers=10), "customers", {"limit": 10}))


def test_an_offset_is_a_json_array_inside_a_string():
    offset = body(get(a_site(), "customers", {"sort_by[asc]": "created_at"}))["next_offset"]
    first, second = json.loads(offset)
    assert first.isdigit() and second.isdigit()
    assert " " not in offset


def test_an_offset_of_another_query_is_refused():
    site = a_site()
    offset = body(get(site, "customers", {"sort_by[asc]": "created_at"}))["next_offset"]
    other = {"sort_by[asc]": "updated_at", "offset": offset}
    assert refusal(get(site, "customers", other)) == (400, "param_wrong_value", "offset")


@pytest.mark.parametrize("offset", ["garbage", "[]", '["a","b"]', "12", "null", '["1"]'])
def test_an_offset_that_was_never_handed_out_is_refused(offset):
    assert refusal(get(a_site(), "customers", {"offset": offset})) == (400, "param_wrong_value", "offset")


def test_an_expired_offset_is_refused():
    site = a_site()
    offset = body(get(site, "customers"))["next_offset"]
    site.expire_offsets()
    assert refusal(get(site, "customers", {"offset": offset})) == (400, "param_wrong_value", "offset")


def test_an_offset_still_serves_after_rows_were_added():
    site = a_site()
    query = {"sort_by[asc]": "created_at", "limit": 15}
    offset = body(get(site, "customers", query))["next_offset"]
    site.add_customer(id="late")
    rest = body(get(site, "customers", {**query, "offset": offset}))["list"]
    assert [row["customer"]["id"] for row in rest][-1] == "late"
    assert len(rest) == 6


def test_a_row_that_changes_between_pages_moves_to_the_end_of_an_updated_at_list():
    site = a_site()
    site.bill_cycle()
    query = {"sort_by[asc]": "updated_at", "limit": 10}
    page = body(get(site, "invoices", query))
    first = page["list"][0]["invoice"]["id"]
    site.clock.advance(60)
    site.edit("invoice", first, po_number="PO-1")
    rest, _ = walk(site, "invoices", {**query, "offset": page["next_offset"]}, limit=100)
    assert rest[-1] == first


LEGAL = [
    ("customers", ("created_at", "updated_at")),
    ("invoices", ("date", "updated_at")),
    ("credit_notes", ("date",)),
    ("transactions", ("date", "updated_at")),
    ("items", ("name", "id", "updated_at")),
    ("item_prices", ("name", "id", "updated_at")),
    ("events", ("occurred_at",)),
]


@pytest.mark.parametrize(("plural", "field"), [(plural, field) for plural, fields in LEGAL for field in fields])
def test_it_sorts_by_every_legal_field_both_ways(billed, plural, field):
    for direction in ("asc", "desc"):
        values = [row[field] for row in rows(billed, plural, **{f"sort_by__{direction}": field}) if field in row]
        assert len(values) > 1
        assert values == sorted(values, reverse=direction == "desc")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sort_by", "date[asc]"),
        ("sort_by[asc]", "total"),
        ("sort_by[up]", "date"),
        ("sort", "date"),
        ("sort_by[asc]", ""),
    ],
)
def test_a_sort_it_does_not_understand_is_ignored_without_a_word(billed, name, value):
    newest_first = ids(billed, "invoices")
    reply = get(billed, "invoices", {"limit": 100, name: value})
    assert reply.status == 200
    assert [row["invoice"]["id"] for row in body(reply)["list"]] == newest_first


def test_without_a_sort_the_newest_come_first(billed):
    moments = [row["occurred_at"] for row in rows(billed, "events")]
    assert moments == sorted(moments, reverse=True)
    assert moments[0] > moments[-1]


def test_credit_notes_cannot_be_sorted_by_updated_at(billed):
    assert ids(billed, "credit_notes", sort_by__asc="updated_at") == ids(billed, "credit_notes")


def test_deleted_documents_show_only_when_asked_for():
    site = a_site()
    gone = site.add_invoice()["id"]
    site.delete("invoice", gone)
    assert gone not in ids(site, "invoices")
    assert [row["deleted"] for row in rows(site, "invoices", include_deleted="true", id__is=gone)] == [True]
    assert refusal(get(site, f"invoices/{gone}"))[:2] == (404, "resource_not_found")


def test_deleted_catalog_rows_show_with_their_status_and_without_asking():
    found = {row["id"]: row["status"] for row in rows(a_site(), "items")}
    assert (found["legacy"], found["starter"], found["pro"]) == ("deleted", "archived", "active")
    prices = {row["id"]: row["status"] for row in rows(a_site(), "item_prices")}
    assert prices["legacy-USD-Monthly"] == "deleted"


def test_a_catalog_row_that_is_deleted_later_stays_in_the_list():
    site = a_site()
    site.delete("item_price", "pro-USD-Monthly")
    assert rows(site, "item_prices", id__is="pro-USD-Monthly")[0]["status"] == "deleted"


def test_a_change_shows_in_lists_only_after_the_lag_but_at_once_by_id():
    site = a_site()
    old = site.add_invoice()["id"]
    site.clock.advance(600)
    site.lag(300)
    site.edit("invoice", old, po_number="PO-9")
    new = site.add_invoice()["id"]
    assert body(get(site, f"invoices/{old}"))["invoice"]["po_number"] == "PO-9"
    assert get(site, f"invoices/{new}").status == 200
    assert [row.get("po_number") for row in rows(site, "invoices")] == [None]
    site.clock.advance(301)
    assert {row["id"]: row.get("po_number") for row in rows(site, "invoices")} == {old: "PO-9", new: None}


def test_with_lag_a_list_shows_the_older_version_by_the_older_fields():
    site = a_site()
    invoice = site.add_invoice()["id"]
    site.clock.advance(1000)
    site.lag(300)
    site.edit("invoice", invoice, po_number="new")
    assert ids(site, "invoices", updated_at__after=T0 + 500) == []
    assert ids(site, "invoices", updated_at__before=T0 + 500) == [invoice]


def test_a_list_is_fresh_after_each_write():
    site = a_site()
    assert ids(site, "invoices") == []
    site.add_invoice(id="A")
    assert ids(site, "invoices") == ["A"]
    site.edit("invoice", "A", po_number="7")
    assert rows(site, "invoices")[0]["po_number"] == "7"
