"""Invoices as Chargebee's product catalog 2.0 really shapes them, each posted to the last unit of its currency."""

from __future__ import annotations

from typing import Any

import pytest

from connector.sandbox.chargebee.documents import Charge
from tests.flows.ledgers import assert_books_agree
from tests.flows.scene import a_scene

pytestmark = pytest.mark.django_db(transaction=True)

PLAN = "pro-USD-Monthly"
STATE, COUNTY, CITY = ("Colorado Tax", "2.9", "state"), ("Denver Tax", "4.81", "county"), ("RTD Tax", "1.1", "city")
VAT = ("UK VAT", "20", "country")
TIERS = (
    {"starting_unit": 1, "ending_unit": 100, "quantity_used": 100, "unit_amount": 0, "starting_unit_in_decimal": "1"},
    {"starting_unit": 101, "quantity_used": 37, "unit_amount": 3, "unit_amount_in_decimal": "0.0333"},
)
DECIMALS = {"quantity_in_decimal": "137.25", "unit_amount_in_decimal": "0.0125", "amount_in_decimal": "1.715625"}

SHAPES: dict[str, dict[str, Any]] = {
    "a plain line without taxes or arrays": {"total": 19_900},
    "a discount of a line and one of the document": {
        "charges": (Charge(19_900, PLAN, discount=1_990), Charge(4_500, "extra-seats-USD-Monthly", "addon_item_price")),
        "bill": {"document_discount": 1_001},
    },
    "promotional credits": {"charges": (Charge(19_900, PLAN),), "bill": {"promotional_credits": 5_000}},
    "three taxes on a line, added to prices": {"charges": (Charge(19_933, PLAN, taxes=(STATE, COUNTY, CITY)),)},
    "three taxes on each of two discounted lines": {
        "charges": (Charge(9_999, PLAN, discount=333, taxes=(STATE, COUNTY, CITY)), Charge(1, PLAN, taxes=(STATE,))),
        "bill": {"document_discount": 777},
    },
    "a tax inside prices": {
        "currency": "GBP",
        "charges": (Charge(9_999, "pro-GBP-Monthly", taxes=(VAT,)), Charge(101, "pro-GBP-Monthly", taxes=(VAT,))),
        "bill": {"price_type": "tax_inclusive", "document_discount": 100},
    },
    "yen, which have no hundredths": {
        "currency": "JPY",
        "charges": (Charge(29_850, "pro-JPY-Monthly", taxes=(("JP Tax", "10", "country"),)),),
    },
    "dinars, which Chargebee counts in hundredths": {"currency": "KWD", "charges": (Charge(61_25, "pro-KWD-Monthly"),)},
    "an ad-hoc line": {"charges": (Charge(12_345, description="Data migration"), Charge(19_900, PLAN))},
    "a line without a description": {"charges": (Charge(19_900, PLAN, description=""),)},
    "several subscriptions, so none on the document": {
        "charges": (Charge(19_900, PLAN, subscription_id="s1"), Charge(4_900, PLAN, subscription_id="s2")),
        "bill": {"subscription_id": ""},
    },
    "tiers with decimal quantities": {
        "charges": (
            Charge(172, "storage-USD-Monthly", "addon_item_price", pricing_model="tiered", tiers=TIERS, extra=DECIMALS),
        )
    },
    "keys that nobody has told us of": {
        "total": 19_900,
        "cf_region": {"a": [1]},
        "is_digital": True,
        "brand_new": None,
    },
    "rounded off": {"charges": (Charge(19_949, PLAN),), "bill": {"round_off": -49}},
    "nothing to pay": {"charges": (Charge(19_900, PLAN, discount=19_900),), "status": "paid"},
    "an empty array of everything": {
        "total": 19_900,
        **dict.fromkeys(("line_item_taxes", "taxes", "line_item_discounts", "discounts", "linked_payments"), ()),
    },
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.slow
def test_it_posts(shape):
    with a_scene() as scene:
        source_id = scene.invoice(**SHAPES[shape])

        scene.sync()

        assert scene.dispositions() == {"posted": 1}, scene.sentences(source_id)
        assert_books_agree(scene)


@pytest.mark.slow
def test_tax_that_the_customer_withheld_is_a_document_of_its_own_on_its_invoice():
    with a_scene() as scene:
        source_id = scene.invoice(total=100_00)
        withheld = {"id": "tw-1", "amount": 10_00, "reference_number": "W1", "date": scene.world.clock.seconds()}
        scene.world.chargebee.edit("invoice", source_id, linked_taxes_withheld=[withheld])

        scene.sync()

        ledger = scene.world.ledger()
        assert ledger["trial_balance"]["1250"] == {"USD": "10.00"}
        assert scene.in_qad()[0]["total"] == "100.00"
        assert [[row["open"] for row in rows] for rows in ledger["open_items"].values()] == [["90.00"]]
        assert_books_agree(scene)


@pytest.mark.slow
def test_it_fetches_the_lines_that_did_not_fit_the_list():
    with a_scene() as scene:
        charges = tuple(Charge(1_000 + number, PLAN, taxes=(STATE, COUNTY)) for number in range(7))
        source_id = scene.invoice(charges=charges)
        scene.world.chargebee.switches.lines_per_page = 2

        scene.sync()

        assert len(scene.posting(source_id).document["lines"]) == 7
        assert_books_agree(scene)


@pytest.mark.slow
def test_it_dates_an_invoice_by_the_day_of_the_books_and_not_of_utc():
    with a_scene() as scene:
        now = scene.world.clock.now().replace(day=2, hour=3, minute=0)  # evening of the first in Denver
        source_id = scene.invoice(date=int(now.timestamp()))

        scene.sync()

        assert scene.posting(source_id).posting_date.day == 1
        assert scene.in_qad()[0]["posting_date"] == now.date().replace(day=1).isoformat()


@pytest.mark.parametrize("lines", [1, 40])
@pytest.mark.slow
def test_it_posts_a_name_of_any_script_and_length(lines):
    with a_scene() as scene:
        nasty = '=cmd|"/c calc"!A1 <script>alert(1)</script> \u202e مرحبا 😀 \'; DROP TABLE x; -- ' + "é" * 300
        scene.invoice(charges=tuple(Charge(100, PLAN, description=nasty) for _ in range(lines)), po_number="PO-7")

        scene.sync()

        assert scene.dispositions() == {"posted": 1}
        assert_books_agree(scene)
