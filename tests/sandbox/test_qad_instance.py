from __future__ import annotations

import json
import time

from connector.sandbox.population import customers as population
from connector.sandbox.qad.masters import rate
from connector.sandbox.wire import Request
from tests.sandbox.qad_desk import COLLECTIONS, NOW, Desk, an_invoice


def test_it_knows_the_population_that_qad_has_already_and_a_few_of_its_own():
    desk = Desk(customers=30)
    ours = {person.qad_code for person in population(1, 30) if person.qad_code}
    known = set(desk.qad.ledger()["customers"])
    assert ours < known
    assert known - ours == {"C1", "Q0000001", "Q0000002", "Q0000003"}
    assert all(row["is_complete"] for row in desk.qad.ledger()["customers"].values())


def test_it_is_the_same_for_the_same_seed():
    assert Desk(customers=20).qad.ledger() == Desk(customers=20).qad.ledger()


def test_it_goes_back_to_its_first_day():
    desk = Desk(customers=9)
    desk.posted("invoice", an_invoice())
    desk.qad.lock_period(2026, 11)
    desk.qad.set_duplicate_mode("reject")
    desk.qad.reset()
    desk.token = ""
    ledger = desk.qad.ledger()
    assert (ledger["documents"], ledger["trial_balance"]) == ([], {})
    assert "C1" not in ledger["customers"]
    desk.qad.add_customer("C1", "Acme")
    desk.posted("invoice", an_invoice())
    desk.posted("invoice", an_invoice())


def test_it_has_a_new_rate_each_month():
    november, december = NOW.date(), NOW.date().replace(month=12)
    assert rate("EUR", november) != rate("EUR", december)
    assert rate("USD", november) == 1


def test_it_answers_an_invoice_in_well_under_half_a_millisecond():
    desk = Desk(customers=300)
    shape, headers = COLLECTIONS["customerInvoices"], desk.headers()
    bodies = [json.dumps({shape.collection: [an_invoice(f"R-{number}")]}).encode() for number in range(300)]
    query, path = (("viewUri", shape.view_uri),), f"/clouderp{shape.path}"
    best = 1.0
    for start in range(0, 300, 100):
        begin = time.process_time()
        for body in bodies[start : start + 100]:
            desk.qad.handle(Request("POST", path, query, headers, body))
        best = min(best, (time.process_time() - begin) / 100)
    assert len(desk.qad.ledger()["documents"]) == 300
    assert best < 0.0005
