"""Lists are read to their end, and an end is believed only when the instance says so."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from connector.errors import Configuration, Transient, Uncertain
from connector.qad.browse import Filter
from connector.qad.profile import load
from connector.sandbox.wire import Response, reply_html, reply_json
from tests.kernel.qad.cases import mapping, tenant_profile
from tests.kernel.qad.scripted import scripted


def _rows(*codes):
    return [{"glAccount.glAccountCode": code, "glAccount.isActive": "true"} for code in codes]


def _page(*codes, more="false"):
    return {"data": _rows(*codes), "auxillaryData": {"HasMoreParams": more}}


def _offset(total, *codes):
    return {"total": total, "rows": [{"code": code} for code in codes]}


def _codes(client, name="gl_accounts", filters=()):
    return [row["code"] for page in client.browse(name, filters) for row in page]


@pytest.mark.parametrize(
    ("more", "end"), [("true", "false"), (True, False), ("TRUE", "False"), ("yes", "no"), (1, 0)], ids=str
)
def test_it_goes_on_while_the_flag_says_so_however_short_a_page_is(more, end):
    with scripted(tenant_profile(), _page("1", more=more), _page("2", "3", more=more), _page("4", more=end)) as (
        client,
        script,
    ):
        assert _codes(client) == ["1", "2", "3", "4"]
    asked = [
        (request.first("page"), request.first("pageAction"), request.first("pageSize")) for request in script.asked
    ]
    assert asked == [("1", "first", "100"), ("2", "next", "100"), ("3", "next", "100")]


def test_it_calls_all_pages_of_one_reading_by_one_id():
    with scripted(tenant_profile(), _page("1", more="true"), _page("2")) as (client, script):
        _codes(client)
        _codes(client)
    ids = [request.first("callId") for request in script.asked]
    assert ids[0] == ids[1] != ids[2]


def test_it_ends_by_the_total_and_steps_by_what_came():
    profile = tenant_profile("offset-rest")
    with scripted(profile, _offset(5, "1", "2"), _offset(5, "3"), _offset(5, "4", "5")) as (client, script):
        assert _codes(client) == ["1", "2", "3", "4", "5"]
    assert [(request.first("offset"), request.first("limit")) for request in script.asked] == [
        ("0", "100"),
        ("2", "100"),
        ("3", "100"),
    ]


def test_it_asks_until_an_empty_page_where_nothing_else_tells_the_end():
    profile = load(mapping("offset-rest", browse={"paging": {"more": "full_page"}}))
    with scripted(profile, _offset(0, "1"), _offset(0, "2"), _offset(0)) as (client, _):
        assert _codes(client) == ["1", "2"]


def test_it_takes_no_rows_for_an_empty_list():
    with scripted(tenant_profile(), _page()) as (client, script):
        assert list(client.browse("gl_accounts")) == []
    assert len(script.asked) == 1


@pytest.mark.parametrize(
    ("answers", "broken", "words"),
    [
        ([_page("1", more="true"), _page("1", more="true")], Configuration, "the same page twice"),
        ([_page("1", more="true"), _page("2", more="true"), _page("1", more="true")], Configuration, "page twice"),
        ([_page("1", more="true"), _page(more="true")], Transient, "promises more rows and gives none"),
        ([_page("1", more=None)], Configuration, "does not say at '/auxillaryData/HasMoreParams'"),
        ([_page("1", more="maybe")], Configuration, "whether more rows follow"),
        ([{"data": []}], Configuration, "whether more rows follow"),
        ([{"items": []}], Configuration, "has no rows at '/data'"),
        ([{"data": {"1": 2}}], Configuration, "has no rows at '/data'"),
        ([[1, 2]], Configuration, "has no rows at '/data'"),
        ([{**_page(), "data": [{"account.code": "1"}]}], Configuration, "it has: account.code"),
        ([{**_page(), "data": ["1"]}], Configuration, "has no 'glAccount.glAccountCode'"),
        ([reply_json(400, {"errors": [{"message": "Invalid URI: glAccount.x"}]})], Configuration, "Invalid URI"),
        ([reply_json(404, {"errors": [{"message": "Browse not found"}]})], Configuration, "lists.gl_accounts"),
        ([reply_html(404, "<title>Nothing here</title>")], Configuration, "HTTP 404: Nothing here"),
        ([reply_html(200, "<title>Sign in</title>")], Transient, "Sign in"),
        ([reply_html(403, "<title>Just a moment</title>")], Transient, "Just a moment"),
        ([reply_json(503, {})], Transient, "HTTP 503"),
        ([Response(200, b'{"data": [')], Transient, "Something other than QAD's answer"),
        ([Response(200, b"")], Transient, "Something other than QAD's answer"),
        ([Response(302, b"", (("Location", "https://sso.example/"),))], Transient, "HTTP 302"),
        ([Response(200, b"{}", fault="drop")], Transient, ""),
    ],
)
def test_it_tells_a_broken_list_from_a_short_one(answers, broken, words):
    with scripted(tenant_profile(), *answers) as (client, _), pytest.raises(broken) as said:
        _codes(client)
    assert type(said.value) is broken
    assert words in said.value.message


def test_it_waits_as_long_as_the_instance_wishes():
    busy = reply_json(429, {}, ("Retry-After", "12"))
    with scripted(tenant_profile(), busy) as (client, _), pytest.raises(Transient) as said:
        _codes(client)
    assert said.value.retry_after == 12


def test_it_reads_values_in_our_words_and_keeps_the_instances_row():
    row = {
        "glCalendarPeriod.postingYear": 2026,
        "glCalendarPeriod.postingPeriod": 11,
        "glCalendarPeriod.startDate": "2026-11-01T00:00:00.000Z",
        "glCalendarPeriod.endDate": "soon",
        "glCalendarPeriod.isOpen": "true",
        "glCalendarPeriod.lockedDaybooks": None,
    }
    with scripted(tenant_profile(), {**_page(), "data": [row]}) as (client, _):
        ((read,),) = client.browse("periods")
    assert read == {
        "year": "2026",
        "period": "11",
        "starts_on": dt.date(2026, 11, 1),
        "ends_on": None,
        "is_open": True,
        "entity": "",
        "locked_daybooks": "",
        "raw": row,
    }


def test_it_repeats_the_filter_for_each_condition():
    conditions = (
        Filter("posting_date", "at_least", dt.date(2026, 11, 1)),
        Filter("reference", "starts_with", "CB-INV-"),
        Filter("total", "equals", Decimal("120.00")),
    )
    with scripted(tenant_profile(), _page()) as (client, script):
        assert _codes(client, "invoices", conditions) == []
    assert script.asked[0].all("filter") == [
        "customerInvoice.postingDate,ge,2026-11-01T00:00:00.000Z,literal",
        "customerInvoice.externalReference,sw,CB-INV-,literal",
        "customerInvoice.invoiceTCAmount,eq,120.00,literal",
    ]


def test_it_joins_filters_or_names_the_parameter_after_the_field():
    joined = load(mapping(browse={"filters": {"join": ";", "template": "{field} {operator} '{value}'", "unsafe": "'"}}))
    pair = (Filter("code", "equals", "1"), Filter("description", "equals", "x"))
    with scripted(joined, _page()) as (client, script):
        _codes(client, filters=pair)
    assert script.asked[0].all("filter") == ["glAccount.glAccountCode eq '1';glAccount.description eq 'x'"]
    with scripted(tenant_profile("offset-rest"), _offset(0)) as (client, script):
        _codes(client, filters=pair)
    assert script.asked[0].query[2:] == (("filter[code]", "1"), ("filter[text]", "x"))


def test_it_refuses_a_value_that_the_filter_cannot_carry():
    with scripted(tenant_profile(), _page()) as (client, script), pytest.raises(Uncertain, match="holds ','"):
        client.look_up("invoice", "CB-INV-a,b")
    assert script.asked == []


def test_it_says_which_filter_the_profile_cannot_make():
    with scripted(tenant_profile("offset-rest"), _offset(0)) as (client, _):
        with pytest.raises(Configuration, match=r"Complete browse\.filters\.operators"):
            _codes(client, filters=(Filter("code", "at_least", "1"),))
        with pytest.raises(Configuration, match=r"Complete lists\.gl_accounts\.fields\.rate"):
            _codes(client, filters=(Filter("rate", "equals", "1"),))


def test_it_never_asks_for_more_than_a_hundred_rows():
    with scripted(tenant_profile(), _page()) as (client, script):
        list(client.browser.pages("gl_accounts", size=5000))
    assert script.asked[0].first("pageSize") == "100"


def test_it_compares_with_the_instances_own_count():
    with scripted(tenant_profile(), _page("1", "2"), {"data": {"totalCount": 2}}) as (client, _):
        assert sum(len(page) for page in client.browser.counted_pages("gl_accounts")) == 2
    with (
        scripted(tenant_profile(), _page("1", "2"), {"data": {"totalCount": "3"}}) as (client, _),
        pytest.raises(Transient, match="counts 3 rows but gave 2"),
    ):
        list(client.browser.counted_pages("gl_accounts"))


def test_it_does_not_take_a_look_up_without_references_for_an_absence():
    row = {"customerInvoice.documentNumber": "1"}
    with (
        scripted(tenant_profile(), {**_page(), "data": [row]}) as (client, _),
        pytest.raises(Configuration, match=r"lists\.invoices\.fields\.reference"),
    ):
        client.look_up("invoice", "CB-INV-1")


def test_it_compares_references_byte_for_byte():
    rows = [
        {"customerInvoice.documentNumber": str(number), "customerInvoice.externalReference": reference}
        for number, reference in enumerate(["CB-INV-1", "cb-inv-1", "CB-INV-10", "CB-INV-1 ", "CB-INV-1"])
    ]
    with scripted(tenant_profile(), {**_page(), "data": rows}) as (client, _):
        assert [found.number for found in client.look_up("invoice", "CB-INV-1")] == ["0", "4"]


def test_it_says_that_nothing_can_be_looked_up_without_a_rule():
    profile = load(mapping(writes={"invoice": {"lookup": {"how": "none"}}}))
    with scripted(profile, _page()) as (client, _), pytest.raises(Configuration, match=r"writes\.invoice\.lookup"):
        client.look_up("invoice", "CB-INV-1")


def test_it_looks_up_by_a_keyed_read_where_the_profile_says_so():
    by_read = {"lookup": {"how": "read"}, "keys": {"reference": "externalReference"}}
    profile = load(mapping(writes={"invoice": by_read}))
    record = {"documentNumber": "7", "externalReference": "CB-INV-1", "invoiceTCAmount": 120, "currencyCode": "USD"}
    with scripted(profile, {"data": {"customerInvoices": [record]}}) as (client, script):
        (found,) = client.look_up("invoice", "CB-INV-1")
    assert (found.number, found.total, found.currency) == ("7", Decimal(120), "USD")
    assert script.asked[0].first("externalReference") == "CB-INV-1"
    with scripted(profile, {"data": {"customerInvoices": []}}) as (client, _):
        assert client.look_up("invoice", "CB-INV-1") == ()
    for wrong in ({"data": {}}, {"data": {"customerInvoices": {}}}, {"rows": []}):
        with scripted(profile, wrong) as (client, _), pytest.raises(Configuration, match=r"writes\.invoice\.record"):
            client.look_up("invoice", "CB-INV-1")


def test_it_refuses_a_record_that_was_not_asked_for():
    with (
        scripted(tenant_profile(), {"data": {"customerV2s": [{"customerCode": "OTHER"}]}}) as (client, _),
        pytest.raises(Configuration, match="asked for 'customer' with code 'CB000001' and answered with 'OTHER'"),
    ):
        client.read("customer", {"code": "CB000001"})
