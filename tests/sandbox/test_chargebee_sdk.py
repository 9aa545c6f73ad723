"""The public SDK, unchanged, lists, pages, reads and writes over loopback."""

from __future__ import annotations

import pytest
from chargebee import Chargebee, Filters
from chargebee.api_error import InvalidRequestError, OperationFailedError

from connector.sandbox.clock import Clock
from connector.sandbox.server import serve
from connector.sandbox.world import World
from tests.sandbox.site_desk import FULL_KEY, NOON, T0


class NoQad:
    """Stands in for the QAD half, which the SDK never meets."""


@pytest.fixture(scope="module")
def world():
    world = World(seed=3, customers=40, clock=Clock(NOON), qad=NoQad())
    world.bill_cycle(kinds="all")
    return world


@pytest.fixture(scope="module")
def port(world):
    world.release = world.chargebee.faults.release
    with serve(world) as server:
        yield server.port


@pytest.fixture
def sdk(port, monkeypatch):
    return a_client(port, monkeypatch)


def a_client(port, monkeypatch, key=FULL_KEY):
    monkeypatch.setattr(Chargebee, "verify_ca_certs", False)
    return Chargebee(api_key=key, site="127", chargebee_domain=f"0.0.1:{port}", protocol="http")


def every(operation, name, **params):
    """All rows of a list by the SDK's own paging."""
    rows, offset = [], None
    while True:
        page = operation.list(operation.ListParams(limit=50, **params, **({"offset": offset} if offset else {})))
        rows += [getattr(entry, name) for entry in page.list]
        offset = page.next_offset
        if not offset:
            return rows


@pytest.mark.parametrize(
    ("operation", "kind", "params"),
    [
        ("Customer", "customer", {"sort_by": Filters.SortFilter(ASC="created_at")}),
        ("Item", "item", {}),
        ("ItemPrice", "item_price", {"sort_by": Filters.SortFilter(DESC="name")}),
        ("ItemFamily", "item_family", {}),
        ("Invoice", "invoice", {"sort_by": Filters.SortFilter(ASC="updated_at"), "include_deleted": True}),
        ("CreditNote", "credit_note", {"sort_by": Filters.SortFilter(ASC="date")}),
        ("Transaction", "transaction", {"sort_by": Filters.SortFilter(DESC="date")}),
        ("Event", "event", {"sort_by": Filters.SortFilter(ASC="occurred_at")}),
    ],
)
@pytest.mark.slow
def test_it_lists_every_resource_page_by_page(sdk, world, operation, kind, params):
    rows = every(getattr(sdk, operation), kind, **params)
    assert sorted(row.id for row in rows) == sorted(row["id"] for row in world.chargebee.all(kind))


def test_amounts_and_nested_rows_arrive_as_they_are(sdk, world):
    rows = {row.id: row for row in every(sdk.Invoice, "invoice")}
    for invoice in world.chargebee.all("invoice"):
        row = rows[invoice["id"]]
        assert (row.total, row.tax, row.status) == (invoice["total"], invoice["tax"], invoice["status"])
        assert [line.amount for line in row.line_items] == [line["amount"] for line in invoice["line_items"]]


def test_it_filters_in_the_forms_the_sdk_writes(sdk, world):
    found = every(
        sdk.Invoice,
        "invoice",
        status=Filters.EnumFilter(IN=["paid", "voided"]),
        updated_at=Filters.TimestampFilter(BETWEEN=[T0 - 1, T0 + 3]),
        total=Filters.NumberFilter(GT=100),
    )
    wanted = {
        row["id"]
        for row in world.chargebee.all("invoice")
        if row["status"] in ("paid", "voided") and row["updated_at"] <= T0 + 3 and row["total"] > 100
    }
    assert {row.id for row in found} == wanted
    assert wanted


def test_it_retrieves_by_id_and_knows_what_is_missing(sdk, world):
    one = world.chargebee.all("invoice")[0]
    assert sdk.Invoice.retrieve(one["id"]).invoice.amount_due == one["amount_due"]
    with pytest.raises(InvalidRequestError) as missing:
        sdk.Invoice.retrieve("none")
    assert (missing.value.http_status_code, missing.value.api_error_code) == (404, "resource_not_found")


def test_it_creates_and_changes_a_customer(sdk, world):
    made = sdk.Customer.create(
        {"id": "sdk-1", "company": "SDK Ltd", "billing_address": {"city": "Leeds", "country": "GB"}}
    )
    assert (made.customer.id, made.customer.billing_address.city) == ("sdk-1", "Leeds")
    sdk.Customer.update("sdk-1", {"company": "SDK plc", "meta_data": '{"qad_customer":"C1"}'})
    sdk.Customer.update_billing_info("sdk-1", {"vat_number": "123456789", "billing_address": {"city": "York"}})
    stored = world.chargebee.get("customer", "sdk-1")
    assert (stored["company"], stored["vat_number"], stored["billing_address"]["city"]) == (
        "SDK plc",
        "123456789",
        "York",
    )
    assert stored["meta_data"] == {"qad_customer": "C1"}


def test_it_is_told_of_limits_and_wrong_keys_in_its_own_errors(sdk, world, port, monkeypatch):
    world.chargebee.faults.add("api_request_limit_exceeded", retry_after=3)
    with pytest.raises(OperationFailedError) as busy:
        sdk.Customer.list()
    assert busy.value.http_status_code == 429
    with pytest.raises(Exception, match="authentication failed") as refused:
        a_client(port, monkeypatch, "wrong").Customer.list()
    assert refused.value.http_status_code == 401
