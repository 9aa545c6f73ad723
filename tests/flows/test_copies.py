"""What an invoice says of its payments and credit notes is compared with what those say, and a difference is told."""

from __future__ import annotations

import datetime as dt

import pytest

from syncs import proving, proving_copies
from syncs.models import Notice
from tests.flows.scene import Scene, a_scene

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = 3600


def later(scene: Scene) -> None:
    """An hour on, with everything read: what changed before is known on both sides."""
    scene.world.clock.advance(HOUR)
    scene.clock.forward(HOUR)
    scene.sync()


def sweep(scene: Scene, since: dt.date | None = None) -> proving.Proof:
    return proving.sweep(scene.tenant, since=since, trigger="test", clock=scene.clock, tell=lambda step: None)


def said(scene: Scene) -> dict[str, str]:
    rows = Notice.objects.filter(tenant=scene.tenant, code=proving_copies.CODE, cleared_at=None)
    return dict(rows.values_list("subject", "sentence"))


def a_payment_that_says_less(scene: Scene) -> tuple[str, str]:
    """An invoice over 100.00 that says that the payment paid all of it; the payment says 60.00 and a rest."""
    number = scene.invoice(total=10_000)
    payment = scene.world.chargebee.pay({number: 10_000})
    row = {**payment["linked_invoices"][0], "applied_amount": 6_000}
    scene.world.chargebee.edit("transaction", payment["id"], linked_invoices=[row], amount_unused=4_000)
    return number, payment["id"]


@pytest.mark.slow
def test_a_cycle_of_all_kinds_and_what_is_changed_afterwards_tells_of_no_difference(monkeypatch):
    compared = 0
    look = proving_copies.copy_problems

    def counted(invoice, owners):
        nonlocal compared
        compared += len(owners)
        return look(invoice, owners)

    monkeypatch.setattr(proving_copies, "copy_problems", counted)
    with a_scene(customers=30) as scene:
        scene.world.bill_cycle(kinds="all")
        scene.sync()
        sweep(scene)
        assert (said(scene), compared) == ({}, 0)  # nothing is old enough to be judged
        scene.world.chargebee.change_afterwards()
        later(scene)

        sweep(scene)

        assert said(scene) == {}
        assert compared > 30


@pytest.mark.slow
def test_a_difference_is_said_and_neither_document_is_held_for_it():
    with a_scene() as scene:
        number, payment = a_payment_that_says_less(scene)
        scene.sync()
        later(scene)

        assert sweep(scene).is_clean

        (sentence,) = said(scene).values()
        assert f"Payment {payment}" in sentence and "60.00 USD" in sentence and "100.00 USD" in sentence
        assert said(scene).keys() == {f"Invoice {number}"}
        assert [scene.posting(one).state for one in (number, payment)] == ["posted", "posted"]


@pytest.mark.slow
def test_an_invoice_that_names_a_payment_which_does_not_name_it_is_said_too():
    with a_scene() as scene:
        number = scene.invoice(total=10_000)
        payment = scene.world.chargebee.pay({number: 10_000})
        scene.world.chargebee.edit("transaction", payment["id"], linked_invoices=[], amount_unused=10_000)
        scene.sync()
        later(scene)

        sweep(scene)

        assert "its part for invoice" in said(scene)[f"Invoice {number}"]


@pytest.mark.slow
def test_what_is_not_read_yet_on_both_sides_is_no_difference():
    with a_scene() as scene:
        a_payment_that_says_less(scene)
        scene.sync()

        sweep(scene)

        assert said(scene) == {}


@pytest.mark.slow
def test_a_payment_that_nobody_has_read_is_no_difference():
    with a_scene() as scene:
        number = scene.invoice(total=10_000)
        payment = scene.world.chargebee.pay({number: 10_000})
        scene.world.chargebee.core.store.forget("transaction", payment["id"])
        scene.sync()
        later(scene)

        sweep(scene)

        assert said(scene) == {}


@pytest.mark.slow
def test_it_stays_said_until_a_sweep_finds_it_mended():
    with a_scene() as scene:
        number, payment = a_payment_that_says_less(scene)
        scene.sync()
        later(scene)
        sweep(scene)
        later(scene)
        sweep(scene, since=scene.clock().date() + dt.timedelta(days=1))  # no window reaches back to it
        assert said(scene).keys() == {f"Invoice {number}"}

        row = {**scene.source(payment, "transaction").content["linked_invoices"][0], "applied_amount": 10_000}
        scene.world.chargebee.edit("transaction", payment, linked_invoices=[row], amount_unused=0)
        later(scene)
        later(scene)
        sweep(scene)

        assert said(scene) == {}
