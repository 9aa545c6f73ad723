from __future__ import annotations

import pytest

from connector.sandbox.chargebee.documents import Charge
from connector.sandbox.chargebee.failures import Refused
from tests.sandbox.chargebee_sums import broken, broken_invoice
from tests.sandbox.site_desk import NOON, T0, a_site, body, get, ids, rows

VAT = (("Germany VAT", "19", "country"),)


def test_an_invoice_of_a_plain_total():
    site = a_site()
    invoice = site.add_invoice(total=120_00, po_number="PO-1")
    assert (invoice["total"], invoice["amount_due"], invoice["status"], invoice["po_number"]) == (
        120_00,
        120_00,
        "posted",
        "PO-1",
    )
    assert broken(site) == []


@pytest.mark.parametrize(
    ("price_type", "sub_total", "tax", "total"),
    [("tax_exclusive", 190_00, 36_10, 226_10), ("tax_inclusive", 190_00, 30_34, 190_00)],
)
def test_taxes_and_discounts_of_given_lines(price_type, sub_total, tax, total):
    site = a_site()
    charges = (
        Charge(100_00, "pro-EUR-Monthly", taxes=VAT, discount=5_00),
        Charge(100_00, description="Work", taxes=VAT),
    )
    bill = {"price_type": price_type, "document_discount": 3_00, "promotional_credits": 2_00}
    invoice = site.add_invoice(charges=charges, currency="EUR", bill=bill)
    assert (invoice["sub_total"], invoice["tax"], invoice["total"]) == (sub_total, tax, total)
    assert invoice["line_items"][1]["entity_type"] == "adhoc"
    assert broken(site) == []


def test_a_paid_invoice_comes_with_its_payment():
    site = a_site()
    invoice = site.add_invoice(total=500, status="paid")
    assert (invoice["status"], invoice["amount_paid"], invoice["amount_due"]) == ("paid", 500, 0)
    assert site.get("transaction", invoice["linked_payments"][0]["txn_id"])["amount"] == 500
    assert broken(site) == []


def test_a_zero_invoice_is_paid_without_a_payment():
    site = a_site()
    assert site.add_invoice(total=0, status="paid")["status"] == "paid"
    assert site.all("transaction") == []


def test_a_sum_that_is_told_is_believed_even_if_it_is_false():
    site = a_site()
    site.add_invoice(id="A", total=500, amount_due=5)
    assert broken_invoice(site.get("invoice", "A")) == ["I3 amount_due", "I7 amount_to_collect"]


def test_an_edit_moves_updated_at_and_resource_version_and_tells_an_event():
    site = a_site()
    site.add_invoice(id="A")
    before = site.get("invoice", "A")
    site.clock.advance(90)
    after = site.edit("invoice", "A", po_number="X", due_date=None)
    assert (after["po_number"], "due_date" in after, after["updated_at"]) == ("X", False, T0 + 90)
    assert after["resource_version"] > before["resource_version"]
    assert "po_number" not in before
    event = rows(site, "events")[0]
    assert (event["event_type"], event["content"]["invoice"]) == ("invoice_updated", after)


def test_a_changed_line_changes_taxes_and_totals():
    site = a_site()
    site.add_invoice(id="A", charges=(Charge(100_00, "pro-USD-Monthly", taxes=VAT), Charge(50_00, "x")))
    after = site.change_line("A", 0, 200_00)
    assert (after["sub_total"], after["tax"], after["total"]) == (250_00, 38_00, 288_00)
    assert broken(site) == []


def test_an_event_is_a_snapshot():
    site = a_site()
    site.add_invoice(id="A", po_number="first")
    site.edit("invoice", "A", po_number="second")
    events = [row["content"]["invoice"]["po_number"] for row in rows(site, "events")]
    assert sorted(events) == ["first", "second"]
    told = rows(site, "events", event_type__is="invoice_generated")[0]
    assert body(get(site, f"events/{told['id']}"))["event"] == told


def test_an_invoice_with_a_payment_on_its_way_cannot_be_voided():
    site = a_site()
    site.add_invoice(id="A", total=780)
    site.pay({"A": 780}, status="in_progress")
    with pytest.raises(Refused):
        site.void_invoice("A", with_credit_note=True)


def test_what_people_change_afterwards_leaves_nothing_below_zero_to_collect():
    site = a_site(customers=120)
    site.bill_cycle(kinds="all")
    site.change_afterwards()
    assert [row["id"] for row in site.all("invoice") if row["amount_to_collect"] < 0] == []


def test_a_voided_invoice_keeps_its_amounts():
    site = a_site()
    site.add_invoice(id="A", total=780)
    after = site.void_invoice("A")
    assert (after["status"], after["total"], after["amount_due"], after["voided_at"]) == ("voided", 780, 780, T0)
    assert site.all("credit_note") == []


def test_voiding_with_a_credit_note_says_it_twice():
    site = a_site()
    site.add_invoice(id="A", total=780)
    site.void_invoice("A", with_credit_note=True)
    [note] = site.all("credit_note")
    assert (note["type"], note["create_reason_code"], note["total"]) == ("adjustment", "Invoice Void", 780)
    assert site.get("invoice", "A")["status"] == "voided"


@pytest.mark.parametrize("status", ["paid", "voided"])
def test_a_paid_or_voided_invoice_cannot_be_voided(status):
    site = a_site()
    site.add_invoice(id="A", status=status)
    with pytest.raises(Refused):
        site.void_invoice("A")


def test_a_pending_invoice_gets_its_number_when_it_is_closed_and_the_draft_is_gone():
    site = a_site()
    draft = site.add_invoice(status="pending")
    assert draft["id"].startswith("draft_inv_")
    closed = site.close_invoice(draft["id"])
    assert (closed["id"], closed["status"], closed["generated_at"]) == ("INV-000001", "posted", T0)
    assert get(site, f"invoices/{draft['id']}").status == 404
    assert ids(site, "invoices", include_deleted="true") == ["INV-000001"]


def test_one_payment_for_two_invoices_with_an_unused_rest():
    site = a_site()
    customer = site.add_customer()["id"]
    for key in ("A", "B"):
        site.add_invoice(id=key, total=100, customer=customer)
    payment = site.pay({"A": 100, "B": 40}, unused=10, payment_method="check")
    assert (payment["amount"], payment["amount_unused"], payment["gateway"]) == (150, 10, "not_applicable")
    assert (site.get("invoice", "A")["status"], site.get("invoice", "B")["amount_due"]) == ("paid", 60)
    assert broken(site) == []


def test_a_late_failure_reopens_its_invoice():
    site = a_site()
    paid = site.add_invoice(id="A", total=100, status="paid")
    site.change_payment(paid["linked_payments"][0]["txn_id"], "late_failure")
    after = site.get("invoice", "A")
    assert (after["status"], after["amount_due"], "paid_at" in after) == ("not_paid", 100, False)
    assert broken(site) == []


def test_a_payment_in_progress_is_not_collected_twice_and_may_succeed():
    site = a_site()
    site.add_invoice(id="A", total=100)
    payment = site.pay({"A": 100}, status="in_progress", payment_method="direct_debit")
    assert (site.get("invoice", "A")["amount_due"], site.get("invoice", "A")["amount_to_collect"]) == (100, 0)
    site.change_payment(payment["id"], "success")
    assert site.get("invoice", "A")["status"] == "paid"
    assert broken(site) == []


def test_a_write_off_pays_an_invoice_without_money_and_its_void_reopens_it():
    site = a_site()
    site.add_invoice(id="A", total=100)
    note = site.write_off("A")
    after = site.get("invoice", "A")
    assert (after["status"], after["write_off_amount"], after["amount_paid"]) == ("paid", 100, 0)
    site.void_note(note["id"])
    again = site.get("invoice", "A")
    assert (again["status"], again["amount_due"], again["write_off_amount"]) == ("not_paid", 100, 0)
    assert broken(site) == []


def test_a_refundable_note_pays_another_invoice_and_its_void_takes_that_back():
    site = a_site()
    customer = site.add_customer()["id"]
    site.add_invoice(id="A", total=100, customer=customer, status="paid")
    site.add_invoice(id="B", total=60, customer=customer)
    note = site.credit("A", 60, "refundable")
    used = site.apply_note(note["id"], "B", 60)
    assert (used["status"], used["amount_available"], site.get("invoice", "B")["status"]) == ("refunded", 0, "paid")
    assert broken(site) == []
    site.void_note(note["id"])
    assert (site.get("invoice", "B")["amount_due"], site.get("credit_note", note["id"])["amount_available"]) == (60, 60)
    assert broken(site) == []


def test_a_chargeback_leaves_the_invoice_paid():
    site = a_site()
    paid = site.add_invoice(id="A", total=100, status="paid")
    note = site.credit("A", 100, "refundable", "Chargeback")
    refund = site.refund_note(note["id"], 100, paid["linked_payments"][0]["txn_id"], payment_method="chargeback")
    assert (refund["type"], refund["payment_method"]) == ("refund", "chargeback")
    assert site.get("invoice", "A")["status"] == "paid"
    assert broken(site) == []


def test_a_credit_note_takes_back_tax_in_proportion():
    site = a_site()
    site.add_invoice(id="A", charges=(Charge(100_00, "pro-USD-Monthly", taxes=VAT),), status="paid")
    note = site.credit("A", 11_90, "refundable")
    assert (note["sub_total"], note["taxes"][0]["amount"], note["total"]) == (10_00, 1_90, 11_90)
    assert note["line_items"][0]["reference_line_item_id"] == "li_A_1"
    assert broken(site) == []


def test_a_broken_document_is_served_as_it_was_put():
    site = a_site()
    site.put_raw("invoice", {"id": "odd", "total": "a lot"})
    assert body(get(site, "invoices/odd"))["invoice"] == {"object": "invoice", "id": "odd", "total": "a lot"}
    assert "odd" in ids(site, "invoices")


def test_a_reset_site_is_as_new():
    site = a_site()
    fresh = site.all("customer")
    site.bill_cycle()
    site.lag(300)
    site.limit(1)
    site.faults.add("drop")
    site.clock.set(NOON)
    site.reset()
    assert site.all("customer") == fresh
    assert site.all("invoice") == []
    assert [get(site, "customers").status for _ in range(3)] == [200, 200, 200]


def test_a_long_invoice_comes_in_pages_of_lines():
    site = a_site()
    site.switches.lines_per_page = 100
    many = tuple(Charge(1_00, "pro-USD-Monthly", taxes=VAT) for _ in range(250))
    site.add_invoice(id="A", charges=many)
    listed = rows(site, "invoices")[0]
    assert (len(listed["line_items"]), len(listed["line_item_taxes"]), "line_items_next_offset" in listed) == (
        100,
        100,
        True,
    )
    found, offset = [], ""
    while offset is not None:
        part = body(get(site, "invoices/A", {"line_items_offset": offset} if offset else {}))["invoice"]
        found += [line["id"] for line in part["line_items"]]
        offset = part.get("line_items_next_offset")
    assert found == [line["id"] for line in site.get("invoice", "A")["line_items"]]
    assert len(body(get(site, "invoices/A", {"line_items_limit": "300"}))["invoice"]["line_items"]) == 250
    assert get(site, "invoices/A", {"line_items_limit": "301"}).status == 400


def test_the_last_page_of_lines_has_no_next_offset_even_when_it_is_full():
    site = a_site()
    site.switches.lines_per_page = 2
    site.add_invoice(id="A", charges=tuple(Charge(1_00, "pro-USD-Monthly") for _ in range(4)))
    offset = body(get(site, "invoices/A"))["invoice"]["line_items_next_offset"]
    last = body(get(site, "invoices/A", {"line_items_offset": offset}))["invoice"]
    assert (len(last["line_items"]), "line_items_next_offset" in last) == (2, False)


def test_a_resource_version_never_repeats_even_when_the_clock_stands():
    site = a_site()
    site.add_invoice(id="A")
    versions = [site.edit("invoice", "A", po_number=str(number))["resource_version"] for number in range(5)]
    assert versions == sorted(set(versions))


def test_a_customer_keeps_his_card_beside_him_after_a_change():
    site = a_site()
    key = next(row["id"] for row in site.all("customer") if "payment_method" in row)
    site.edit("customer", key, phone="1")
    assert body(get(site, f"customers/{key}"))["card"]["customer_id"] == key


def test_long_invoices_come_whole_where_the_feature_is_off():
    site = a_site()
    site.add_invoice(id="A", charges=tuple(Charge(1_00, "pro-USD-Monthly") for _ in range(150)))
    assert len(rows(site, "invoices")[0]["line_items"]) == 150


def test_customers_share_names_and_some_are_in_qad_already():
    from connector.sandbox.population import customers

    people = customers(7, 300)
    assert customers(7, 40) == people[:40]
    assert 90 < sum(1 for person in people if person.qad_code) < 110
    assert {len(person.qad_code) for person in people} == {0, 8}
    stems = [person.company.rsplit(" ", 1)[0] for person in people if person.company]
    assert len(stems) - len(set(stems)) >= 5
    assert any(not person.company for person in people)
