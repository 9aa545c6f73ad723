"""What moves to another currency or customer after it was posted: reversed where it was, posted where it is."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from syncs.models import Edge, Posting
from tests.flows.ledgers import ours, qads
from tests.flows.scene import Scene, a_scene
from tests.flows.test_corrected import again, assert_settled, chain

pytestmark = pytest.mark.django_db(transaction=True)
both = pytest.mark.parametrize("dialect", ["adaptive", pytest.param("offset-rest", marks=pytest.mark.slow)])
MOVED = ["invoice 0 reversed", "reversal 0 posted", "invoice 1 posted"]


def raw(scene: Scene, kind: str, key: str) -> dict[str, Any]:
    return dict(scene.world.chargebee.get(kind, key))


def edit(scene: Scene, kind: str, key: str, **changes: Any) -> dict[str, Any]:
    """Chargebee's document as it was before."""
    before = raw(scene, kind, key)
    scene.world.chargebee.edit(kind, key, **changes)
    again(scene)
    return before


def of_customers(scene: Scene, source_id: str) -> list[tuple[str, str, str]]:
    rows = Posting.objects.filter(tenant=scene.tenant, source__source_id=source_id).order_by("pk")
    return [(one.kind, one.customer_code, one.currency) for one in rows]


@both
@pytest.mark.slow
def test_an_invoice_that_moves_to_another_currency_is_reversed_in_the_old_and_posted_in_the_new(dialect):
    with a_scene(dialect=dialect) as scene:
        number = scene.invoice(total=100_00)
        scene.sync()

        edit(scene, "invoice", number, currency_code="EUR", exchange_rate=1.08)

        assert chain(scene, number) == MOVED
        assert [currency for *_, currency in of_customers(scene, number)] == ["USD", "USD", "EUR"]
        assert scene.world.ledger()["trial_balance"]["4000"] == {"EUR": "-100.00"}
        assert_settled(scene)


@both
@pytest.mark.parametrize("currency", ["JPY", pytest.param("KWD", marks=pytest.mark.slow)])
@pytest.mark.slow
def test_minor_units_are_those_of_the_currency_that_it_moves_to(dialect, currency):
    with a_scene(dialect=dialect) as scene:
        number = scene.invoice(total=100_00)
        scene.sync()

        edit(scene, "invoice", number, currency_code=currency)

        amount = {"JPY": "10000", "KWD": "100.00"}[currency]
        assert chain(scene, number) == MOVED
        assert Decimal(scene.world.ledger()["trial_balance"]["4000"][currency]) == -Decimal(amount)
        assert_settled(scene)


@both
@pytest.mark.slow
def test_a_payment_in_the_old_currency_comes_off_and_says_why_it_settles_nothing(dialect):
    with a_scene(dialect=dialect) as scene:
        number = scene.invoice(total=100_00)
        paid = scene.world.chargebee.pay({number: 60_00})["id"]
        scene.sync()

        edit(scene, "invoice", number, currency_code="EUR")
        again(scene)

        assert chain(scene, number) == MOVED
        assert chain(scene, paid) == ["payment 0 posted", "unapplication 0 posted"]
        assert f"in USD settles invoice {number} in EUR" in scene.sentences(paid, "transaction")
        assert ours(scene) == qads(scene.world.ledger())
        assert scene.world.ledger()["trial_balance"]["4000"] == {"EUR": "-100.00"}


@both
@pytest.mark.slow
def test_an_invoice_and_its_payment_that_move_together_settle_each_other_again(dialect):
    with a_scene(dialect=dialect) as scene:
        number = scene.invoice(total=100_00)
        paid = scene.world.chargebee.pay({number: 60_00})["id"]
        scene.sync()

        scene.world.chargebee.edit("invoice", number, currency_code="EUR")
        edit(scene, "transaction", paid, currency_code="EUR")
        again(scene)

        assert chain(scene, number) == MOVED
        assert_settled(scene)
        assert set(Edge.objects.values_list("currency", flat=True)) == {"EUR"}


@pytest.mark.parametrize("end", ["late_failure", "applied_to_less", "invoice_edited"])
@both
@pytest.mark.slow
def test_what_settles_an_invoice_goes_on_in_the_currency_that_both_moved_to(dialect, end):
    with a_scene(dialect=dialect) as scene:
        number = scene.invoice(total=100_00)
        site, paid = scene.world.chargebee, scene.world.chargebee.pay({number: 60_00})["id"]
        scene.sync()
        site.edit("invoice", number, currency_code="JPY")
        edit(scene, "transaction", paid, currency_code="JPY")
        again(scene)
        posted = [raw(scene, "transaction", paid)] if end == "late_failure" else []

        if end == "late_failure":
            site.change_payment(paid, "late_failure")
        elif end == "invoice_edited":
            site.change_line(number, 0, 120_00)
        else:
            less = {"applied_amount": 40_00}
            invoice, payment = raw(scene, "invoice", number), raw(scene, "transaction", paid)
            site.edit("invoice", number, linked_payments=[{**invoice["linked_payments"][0], **less}])
            rows = [{**payment["linked_invoices"][0], **less}]
            site.edit("transaction", paid, linked_invoices=rows, amount_unused=20_00)
        again(scene)
        again(scene)

        assert_settled(scene, before=posted)


@both
@pytest.mark.slow
def test_a_credit_note_that_moves_to_another_currency_goes_there_with_its_invoice(dialect):
    with a_scene(dialect=dialect) as scene:
        number = scene.invoice(total=100_00)
        note = scene.world.chargebee.credit(number, 15_00, kind="adjustment")["id"]
        scene.sync()

        scene.world.chargebee.edit("invoice", number, currency_code="EUR")
        edit(scene, "credit_note", note, currency_code="EUR")
        again(scene)
        again(scene)

        assert scene.world.ledger()["trial_balance"]["4000"] == {"EUR": "-85.00"}
        assert_settled(scene)


@both
@pytest.mark.slow
def test_an_invoice_that_moves_to_another_customer_is_reversed_at_the_one_and_posted_at_the_other(dialect):
    with a_scene(dialect=dialect) as scene:
        old, new = scene.customer(), scene.customer()
        number = scene.invoice(old, total=100_00)
        scene.sync()
        codes = [scene.tenant.customer_mappings.get(chargebee_id=one).qad_code for one in (old, new)]

        edit(scene, "invoice", number, customer_id=new)

        assert chain(scene, number) == MOVED
        assert [code for _, code, _ in of_customers(scene, number)] == [codes[0], codes[0], codes[1]]
        items = scene.world.ledger()["open_items"]
        assert (items.get(codes[0], []), [row["open"] for row in items[codes[1]]]) == ([], ["100.00"])
        assert_settled(scene)


@both
@pytest.mark.slow
def test_a_payment_of_the_old_customer_comes_off_and_names_both(dialect):
    with a_scene(dialect=dialect) as scene:
        old, new = scene.customer(), scene.customer()
        number = scene.invoice(old, total=100_00)
        paid = scene.world.chargebee.pay({number: 60_00})["id"]
        scene.sync()
        codes = [scene.tenant.customer_mappings.get(chargebee_id=one).qad_code for one in (old, new)]

        edit(scene, "invoice", number, customer_id=new)
        again(scene)

        assert chain(scene, number) == MOVED
        assert chain(scene, paid) == ["payment 0 posted", "unapplication 0 posted"]
        said = scene.sentences(paid, "transaction")
        assert codes[0] in said and codes[1] in said
        assert ours(scene) == qads(scene.world.ledger())

        edit(scene, "transaction", paid, customer_id=new)
        again(scene)
        assert_settled(scene)


@pytest.mark.slow
def test_a_currency_that_the_tenant_does_not_know_holds_it_and_takes_nothing_back():
    with a_scene() as scene:
        number = scene.invoice(total=100_00)
        scene.sync()

        edit(scene, "invoice", number, currency_code="CLP")

        assert chain(scene, number) == ["invoice 0 posted"]
        assert "CLP" in scene.sentences(number)
        assert scene.world.ledger()["trial_balance"]["4000"] == {"USD": "-100.00"}


@both
@pytest.mark.slow
def test_a_whole_family_that_moves_to_another_currency_is_there_in_the_end(dialect):
    with a_scene(dialect=dialect) as scene:
        number, site = scene.invoice(total=100_00), scene.world.chargebee
        paid = site.pay({number: 100_00})["id"]
        note = site.credit(number, 40_00, "refundable")["id"]
        refund = site.refund_note(note, 25_00, paid)["id"]
        scene.sync()
        family = (("invoice", number), ("transaction", paid), ("credit_note", note), ("transaction", refund))

        for kind, key in family:
            edit(scene, kind, key, currency_code="JPY")
        for _ in range(3):
            again(scene)

        assert_settled(scene)


@both
@pytest.mark.slow
def test_tax_that_was_withheld_moves_with_its_invoice(dialect):
    with a_scene(dialect=dialect) as scene:
        number, site = scene.invoice(total=100_00), scene.world.chargebee
        site.edit("invoice", number, linked_taxes_withheld=[{"id": "tw-1", "amount": 10_00, "date": site.core.now()}])
        scene.sync()

        edit(scene, "invoice", number, currency_code="JPY")
        for _ in range(3):
            again(scene)

        assert_settled(scene)
