"""Documents may arrive in any order: no child is posted before its parent, and in the end everything is posted."""

from __future__ import annotations

import itertools
import re

import pytest

from syncs import intake, running
from tests.flows.ledgers import assert_books_agree
from tests.flows.scene import Scene, a_scene

pytestmark = pytest.mark.django_db(transaction=True)

FIRST = ("customer", "item_family", "item", "item_price")
LATER = ("invoice", "credit_note", "transaction")
ORDERS = list(itertools.permutations(LATER))
QUICK = [("transaction", "credit_note", "invoice")]


def a_family(scene: Scene) -> None:
    """An invoice paid with an excess that is refunded in part; two more with notes, one of them given back in cash."""
    site, who = scene.world.chargebee, scene.customer()
    paid, credited, free = (scene.invoice(who, total=total) for total in (10_000, 6_000, 3_000))
    payment = site.pay({paid: 10_000}, unused=2_500)
    site.refund_payment(payment["id"], 1_000)
    site.credit(credited, 2_000)
    other = site.pay({free: 3_000})
    note = site.credit(free, 1_500, "refundable")
    site.refund_note(note["id"], 1_500, other["id"])


def arrive(scene: Scene, kinds: tuple[str, ...]) -> None:
    running.sync(scene.tenant, kinds, trigger="test", clock=scene.clock, tell=lambda step: None, actor="test")


def too_early(scene: Scene) -> list[tuple[str, str]]:
    """(child, parent) of every document that named one which QAD had not been sent yet."""
    sent: set[str] = set()
    found = []
    for one in scene.world.asked:
        names = re.findall(r'"(CB-[A-Z]+-[^"]+)"', one.request.body.decode("utf-8", "replace"))
        if one.request.method != "POST" or not names:
            continue
        found += [(names[0], name) for name in names[1:] if name not in sent]
        sent.add(names[0])
    return found


@pytest.mark.parametrize(
    "order", [pytest.param(order, marks=() if order in QUICK else (pytest.mark.slow,)) for order in ORDERS]
)
@pytest.mark.slow
def test_whatever_arrives_first_parents_are_posted_first_and_all_of_it_in_the_end(order):
    with a_scene() as scene:
        a_family(scene)
        arrive(scene, FIRST)

        for kind in order:
            arrive(scene, (kind,))

        assert too_early(scene) == []
        assert scene.dispositions("invoice") == {"posted": 3}
        assert scene.dispositions("credit_note") == {"posted": 2}
        assert scene.dispositions("transaction") == {"posted": 4}
        assert_books_agree(scene)


@pytest.mark.slow
def test_what_is_sent_is_what_the_check_of_the_order_reads():
    with a_scene() as scene:
        a_family(scene)
        arrive(scene, intake.PULL_ORDER)

        bodies = [one.request.body.decode() for one in scene.world.asked if one.request.method == "POST"]

        assert len([body for body in bodies if re.search(r'"CB-PAY-.*"CB-INV-', body)]) == 2
