"""A document that cannot be believed stops itself, with a sentence, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from syncs.models import Edge, SourceDocument
from tests.flows.ledgers import assert_books_agree
from tests.flows.scene import Scene, a_scene

pytestmark = pytest.mark.django_db(transaction=True)

Raw = dict[str, Any]


def _with(**changes: Any) -> Callable[[Raw], None]:
    def spoil(row: Raw) -> None:
        row.update(changes)

    return spoil


def _without(name: str) -> Callable[[Raw], None]:
    def spoil(row: Raw) -> None:
        del row[name]

    return spoil


def _line(**changes: Any) -> Callable[[Raw], None]:
    def spoil(row: Raw) -> None:
        row["line_items"] = [{**row["line_items"][0], **changes}]

    return spoil


# what is wrong -> how, the state that it leads to, words that its sentence must have
BAD: dict[str, tuple[Callable[[Raw], None], str, tuple[str, ...]]] = {
    "status": (_with(status="frobnicated"), "unreadable", ("frobnicated",)),
    "price-type": (_with(price_type="gross"), "unreadable", ("gross",)),
    "total-text": (_with(total="10000"), "unreadable", ("total", "10000")),
    "total-fraction": (_with(total=10000.5), "unreadable", ("total", "10000.5")),
    "total-huge": (_with(total=2**53 + 1), "unreadable", ("total", str(2**53 + 1))),
    "total-missing": (_without("total"), "unreadable", ("total",)),
    "total-true": (_with(total=True), "unreadable", ("total",)),
    "currency-unknown": (_with(currency_code="XQX"), "unreadable", ("XQX",)),
    "currency-unconfirmed": (_with(currency_code="CLP"), "unreadable", ("CLP", "minor_units")),
    "customer-missing": (_without("customer_id"), "unreadable", ("customer_id",)),
    "date-text": (_with(date="yesterday"), "unreadable", ("date", "yesterday")),
    "lines-object": (_with(line_items={"a": 1}), "unreadable", ("line_items",)),
    "line-kind": (_line(entity_type="mystery"), "unreadable", ("mystery",)),
    "line-amount": (_line(amount=None), "unreadable", ("amount",)),
    "identity-total": (
        _with(total=10001, amount_due=10001, amount_to_collect=10001),
        "held",
        ("100.01", "100.00", "0.01"),
    ),
    "identity-lines": (_line(amount=9999), "held", ("100.00", "99.99", "0.01")),
    "identity-due": (_with(amount_due=9000, amount_to_collect=9000), "held", ("90.00", "100.00")),
    "customer-strange": (_with(customer_id="nobody"), "held", ("nobody", "Customer mappings")),
    "lines-in-a-circle": (_with(line_items_next_offset='["0"]'), "held", ("some of its lines", "Sync it again")),
    "item-strange": (_line(entity_id="ghost-USD"), "held", ("ghost-USD", "Item mappings")),
}


def _spoiled(scene: Scene) -> list[str]:
    """One invoice of a customer of its own for each thing that may be wrong."""
    for name, (spoil, _, _) in BAD.items():
        scene.invoice(id=name)
        row = scene.world.chargebee.core.draft("invoice", name)
        spoil(row)
        scene.world.chargebee.put_raw("invoice", row)
    return list(BAD)


@pytest.mark.slow
def test_it_stops_each_bad_document_alone_and_says_why():
    with a_scene() as scene:
        good, bad = scene.invoice(), _spoiled(scene)

        story = scene.sync()

        assert story.run.state == "complete"
        assert {name: scene.source(name).state for name in bad} == {name: state for name, (_, state, _) in BAD.items()}
        assert [scene.posting(good).state, scene.dispositions()["posted"]] == ["posted", 1]
        assert len(scene.in_qad()) == 1


@pytest.mark.slow
def test_it_names_the_thing_its_value_and_the_next_step():
    with a_scene() as scene:
        _spoiled(scene)

        scene.sync()

        for name, (_, _, words) in BAD.items():
            said = scene.sentences(name)
            assert [word for word in words if word not in said] == [], f"{name}: {said}"
            assert all(one["fix"] for one in scene.source(name).problems), f"{name}: {said}"


@pytest.mark.slow
def test_it_posts_a_bad_document_once_it_was_mended_in_chargebee():
    with a_scene() as scene:
        source_id = scene.invoice()
        whole = scene.world.chargebee.core.draft("invoice", source_id)
        scene.world.chargebee.put_raw("invoice", {**whole, "total": "much"})
        scene.sync()
        assert scene.dispositions() == {"unreadable": 1}

        scene.clock.forward(60)
        scene.world.chargebee.edit("invoice", source_id, total=None, po_number="PO-1")
        scene.sync()

        assert scene.dispositions() == {"posted": 1}
        assert_books_agree(scene)


@pytest.mark.slow
def test_it_reads_an_unconfirmed_currency_once_a_person_said_how_it_is_counted():
    with a_scene(policies={"minor_units": {"VND": 0}}) as scene:
        source_id = scene.invoice(currency="USD")
        row = scene.world.chargebee.core.draft("invoice", source_id)
        scene.world.chargebee.put_raw("invoice", {**row, "currency_code": "VND"})

        scene.prepare()

        assert scene.posting().document["total"] == "10000"


@pytest.mark.parametrize("identity", [7, ["INV"], "", "x" * 300])
@pytest.mark.slow
def test_it_counts_a_document_without_a_usable_id_as_unreadable(identity):
    with a_scene() as scene:
        good = scene.invoice()
        row = {**scene.world.chargebee.get("invoice", good), "customer_id": "c", "total": 5}
        scene.world.chargebee.core.store.put({**row, "id": identity})

        story = scene.sync()

        assert (story.run.state, scene.dispositions()) == ("complete", {"posted": 1, "unreadable": 1})
        odd = SourceDocument.objects.get(kind="invoice", state="unreadable")
        assert odd.source_id.startswith("(no id) ")
        assert odd.problems[0]["message"]


@pytest.mark.slow
def test_it_keeps_one_bad_customer_from_stopping_the_others():
    with a_scene() as scene:
        good, bad = scene.invoice(), scene.customer()
        row = scene.world.chargebee.core.draft("customer", bad)
        scene.world.chargebee.put_raw("customer", {**row, "taxability": "sometimes"})

        story = scene.sync()

        assert story.run.state == "complete"
        assert scene.source(bad, "customer").state == "unreadable"
        assert "sometimes" in scene.sentences(bad, "customer")
        assert scene.posting(good).state == "posted"


@pytest.mark.slow
def test_it_holds_a_document_that_quotes_a_code_that_qad_lacks():
    with a_scene(mapped=False) as scene:
        scene.tenant.item_mappings.create(level="fallback", gl_account="9999", valid_from="2020-01-01")
        source_id = scene.invoice()

        scene.sync()

        assert scene.source(source_id).state == "held"
        assert "GL account 9999, which QAD does not have" in scene.sentences(source_id)


@pytest.mark.slow
def test_it_holds_a_line_of_an_account_that_was_switched_off_in_qad():
    with a_scene() as scene:
        source_id = scene.invoice()
        scene.world.qad.deactivate_account("4000")

        scene.sync()

        assert scene.sent() == 0
        assert "4000, which is inactive in QAD" in scene.sentences(source_id)


@pytest.mark.slow
def test_what_nobody_foresaw_stops_one_document_and_no_other_of_its_batch():
    with a_scene() as scene:
        first, second = scene.invoice(total=100_00), scene.invoice(total=100_00)
        strange = scene.world.chargebee.pay({first: 60_00})
        scene.sync()
        Edge.objects.filter(owner__source_id=strange["id"]).update(currency="EUR")  # two currencies in one sum
        links = scene.world.chargebee.get("transaction", strange["id"])["linked_invoices"]
        scene.clock.forward(60)
        scene.world.chargebee.edit(
            "transaction", strange["id"], linked_invoices=[links[0] | {"applied_amount": 50_00}], amount_unused=10_00
        )
        scene.world.chargebee.pay({second: 100_00})

        story = scene.sync()

        assert story.run.state == "complete"
        assert scene.dispositions("transaction") == {"posted": 1, "held": 1}
        told = scene.sentences(strange["id"], "transaction")
        assert f"Transaction {strange['id']} could not be decided (ValueError: " in told
        assert "report this sentence" in told
