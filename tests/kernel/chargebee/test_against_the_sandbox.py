"""The reader and a site that enforces Chargebee's rules agree on every document."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connector.chargebee import parse
from connector.chargebee.client import ChargebeeClient, try_host
from connector.chargebee.paging import pages
from connector.chargebee.site import Outcome
from connector.errors import Authentication
from connector.http.session import Call, Http
from connector.sandbox.server import Server, serve
from connector.sandbox.world import World
from tests.kernel.http.wire import ALLOW

READERS = {
    "customers": parse.customer,
    "item_families": parse.item_family,
    "items": parse.item,
    "item_prices": parse.item_price,
    "invoices": parse.invoice,
    "credit_notes": parse.credit_note,
    "transactions": parse.transaction,
}


@pytest.fixture(scope="module")
def site() -> Iterator[tuple[Server, Http]]:
    with serve(World(seed=3, customers=40)) as server, Http(allow=ALLOW) as door:
        door.call(
            Call(
                "POST",
                f"{server.url}/_sandbox/bill-cycle",
                {"Content-Type": "application/json"},
                body=b'{"kinds": "all"}',
            )
        )
        yield server, door


@pytest.mark.parametrize("resource", READERS)
def test_it_reads_every_document_of_a_site(site: tuple[Server, Http], resource: str):
    server, door = site
    client = ChargebeeClient(door, server.url, "test_sandbox_key")
    rows = [row for page in pages(client, resource, {"limit": 25}) for row in page.rows]
    records = [READERS[resource](row, minor_units={}) for row in rows]
    refused = [str(problem) for record in records if isinstance(record, list) for problem in record]
    assert not refused and len({row["id"] for row in rows}) == len(rows) > 0


def test_it_pins_the_site_and_knows_a_wrong_key(site: tuple[Server, Http]):
    server, door = site
    assert try_host(ChargebeeClient(door, server.url, "test_sandbox_key"), "h").outcome is Outcome.ANSWERED
    assert try_host(ChargebeeClient(door, server.url, "test_other_key"), "h").outcome is Outcome.STOP
    with pytest.raises(Authentication):
        ChargebeeClient(door, server.url, "test_other_key").configurations()


def test_it_finds_nothing_under_an_id_that_does_not_exist(site: tuple[Server, Http]):
    server, door = site
    assert ChargebeeClient(door, server.url, "test_sandbox_key").retrieve("invoices", "nothing") is None
