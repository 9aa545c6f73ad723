"""Each row of the table of documents and postings, with its journal written out by hand.

Accounts: 1000 bank, 1050 Stripe clearing, 1090 refund clearing, 1200 receivable, 1300 withholding receivable, 2100 on
account, 2200 VAT, 2300 promotional credit bought, 4000 revenue (cost centre 100), 4100 add-ons, 4200 one-time charges,
4900 discount, 4910 promotional credit granted, 6000 bad debt, 6900 rounding."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from .cases import (
    ROLES,
    a_discount,
    a_line,
    a_mapping,
    a_note,
    a_refund,
    a_reversal,
    a_tax,
    a_transaction,
    allocated,
    an_invoice,
    at,
    folded,
    journal,
    paying,
    posted,
    still_open,
)
from .currencies import money
from .fold import fold
from .model import Opening

INVOICE = "2026-11-30 document: Dr 1200 100.00, Cr 4000 100.00"
PAYMENT = "2026-12-02 document: Dr 1050 100.00, Cr 1200 100.00"


# --- invoice: posted, payment_due, not_paid, paid


@pytest.mark.parametrize("status", ["posted", "payment_due", "not_paid", "paid"])
def test_an_invoice_is_posted_whatever_its_collection_status(status):
    books = folded(an_invoice(10000, status=status))
    assert journal(books, "invoice", "I1") == [INVOICE]
    assert still_open(books) == {"C1 invoice I1 EUR": "100.00"}
    assert books.entries[0].lines[1].dims == (("cost_centre", "100"),)


def test_a_tax_exclusive_invoice_with_discounts_promotional_credit_two_taxes_and_rounding():
    invoice = an_invoice(
        16600,
        a_line(10000, "pro", "l1"), a_line(5000, "addon", "l2"), a_line(1000, None, "l3"), a_line(-500, "addon", "l4"),
        line_item_discounts=[a_discount(1000), a_discount(300, "document_level_coupon"),
                             a_discount(200, "promotional_credits", "l2")],
        discounts=[{"entity_type": "document_level_coupon", "amount": 300}, {"entity_type": "item_level_coupon",
                   "amount": 1000}, {"entity_type": "promotional_credits", "amount": 200}],
        sub_total=14000, tax=2597, round_off_amount=3,
        line_item_taxes=[a_tax(1653), a_tax(944, "l2", 7.25, "Sales Tax", tax_juris_code="US-CA")],
        taxes=[{"name": "VAT", "amount": 1653}, {"name": "Sales Tax", "amount": 944}],
    )  # fmt: skip
    assert journal(folded(invoice), "invoice", "I1") == [
        "2026-11-30 document: Dr 1200 166.00, Dr 4100 5.00, Dr 4900 13.00, Dr 4910 2.00,"
        " Cr 2200 16.53, Cr 2210 9.44, Cr 4000 100.00, Cr 4100 50.00, Cr 4200 10.00, Cr 6900 0.03"
    ]


def test_a_tax_inclusive_invoice_takes_the_tax_out_of_the_line_and_leaves_the_discount_as_it_stands():
    invoice = an_invoice(
        10800, a_line(12000, "pro", "l1"), price_type="tax_inclusive", sub_total=10800, tax=1800,
        line_item_discounts=[a_discount(1200, "document_level_discount")], line_item_taxes=[a_tax(1800, rate=20)],
    )  # fmt: skip
    assert journal(folded(invoice), "invoice", "I1") == [
        "2026-11-30 document: Dr 1200 108.00, Dr 4900 12.00, Cr 2200 18.00, Cr 4000 102.00"
    ]


def test_promotional_credit_that_was_bought_uses_up_a_liability():
    credit = a_discount(1000, "promotional_credits")
    invoice = an_invoice(9000, a_line(10000, "pro", "l1"), line_item_discounts=[credit])
    assert journal(folded(invoice, promotional_credits="bought"), "invoice", "I1") == [
        "2026-11-30 document: Dr 1200 90.00, Dr 2300 10.00, Cr 4000 100.00"
    ]


def test_a_negative_round_off_is_a_debit_with_its_cause():
    books = folded(an_invoice(9998, a_line(10000), round_off_amount=-2))
    assert journal(books, "invoice", "I1") == ["2026-11-30 document: Dr 1200 99.98, Dr 6900 0.02, Cr 4000 100.00"]
    assert [each.cause for each in books.entries[0].lines] == ["receivable", "revenue", "round_off_amount"]


@pytest.mark.parametrize(("fields", "reason"), [
    ({"sub_total": 9999}, "sub_total"),
    ({"tax": 100, "line_item_taxes": [a_tax(0)]}, "tax"),
    ({"total": 10001}, "no source"),
    ({"amount_paid": 1}, "amount_paid"),
    ({"amount_adjusted": 1}, "amount_adjusted"),
    ({"credits_applied": 1}, "credits_applied"),
    ({"line_items_next_offset": "[1]"}, "not all lines"),
    ({"line_items": [a_line(10000, "unknown")]}, "has no account"),
    ({"customer_id": "nobody"}, "no QAD code"),
    ({"line_item_taxes": [a_tax(1900, name="GST")], "total": 11900}, "tax"),
])  # fmt: skip
def test_an_invoice_that_contradicts_itself_or_has_no_code_is_held(fields, reason):
    books = folded({**an_invoice(10000), **fields})
    state, why = books.states["invoice", "I1"]
    assert (state, books.entries) == ("held", ())
    assert reason in why


def test_failed_payments_and_voided_notes_do_not_count_in_the_checks():
    invoice = an_invoice(
        10000, amount_paid=2000, amount_adjusted=3000, credits_applied=0, amount_due=5000,
        linked_payments=[{"txn_id": "T1", "applied_amount": 2000, "txn_status": "success"},
                         {"txn_id": "T2", "applied_amount": 2000, "txn_status": "failure"}],
        adjustment_credit_notes=[{"cn_id": "CN1", "cn_total": 3000, "cn_status": "adjusted"},
                                 {"cn_id": "CN2", "cn_total": 4000, "cn_status": "voided"}],
    )  # fmt: skip
    assert folded(invoice).states["invoice", "I1"] == ("posted", "")


# --- invoice: pending, zero total, taxes withheld


@pytest.mark.parametrize("fields", [{}, {"deleted": True}])
def test_a_pending_invoice_is_never_posted(fields):
    books = folded(an_invoice(10000, status="pending", **fields), voided_before_posting="post_and_reverse")
    assert (books.entries, books.states["invoice", "I1"]) == ((), ("skipped", "pending"))


def test_a_zero_invoice_is_posted_or_skipped_by_policy():
    free = an_invoice(0, a_line(10000, "pro", "l1"), line_item_discounts=[a_discount(10000)])
    assert journal(folded(free), "invoice", "I1") == ["2026-11-30 document: Dr 4900 100.00, Cr 4000 100.00"]
    assert folded(free, zero_invoices="skip").entries == ()


def test_withheld_tax_moves_from_the_customer_to_the_withholding_receivable():
    books = folded(an_invoice(10000, linked_taxes_withheld=[{"amount": 1000, "date": at("2026-12-03")}],
                              amount_due=9000))  # fmt: skip
    assert journal(books, "invoice", "I1") == [INVOICE, "2026-12-03 withheld_tax: Dr 1300 10.00, Cr 1200 10.00"]
    assert still_open(books) == {"C1 invoice I1 EUR": "90.00"}


def test_an_amount_due_with_no_source_holds_the_invoice():
    assert folded(an_invoice(10000, amount_due=9000)).states["invoice", "I1"][0] == "held"


# --- invoice: voided or deleted, never posted


@pytest.mark.parametrize("end", [{"status": "voided", "voided_at": "2026-12-04"}, {"deleted": True}])
def test_an_invoice_that_ended_before_posting_is_skipped_and_its_void_note_with_it(end):
    books = folded(an_invoice(10000, **end), a_void_note())
    assert books.entries == ()
    assert {state for state, _ in books.states.values()} == {"skipped"}


def test_an_invoice_that_ended_before_posting_is_posted_and_reversed_by_policy():
    voided = an_invoice(10000, status="voided", voided_at="2026-12-04")
    books = folded(voided, voided_before_posting="post_and_reverse")
    assert journal(books, "invoice", "I1") == [INVOICE, "2026-12-04 reversal: Dr 4000 100.00, Cr 1200 100.00"]
    assert books.open_items == {}


def test_an_invoice_that_ended_before_posting_is_posted_with_its_void_note_by_policy():
    voided = an_invoice(10000, status="voided", voided_at="2026-12-04")
    books = folded(voided, a_void_note(), voided_before_posting="post_and_reverse")
    assert journal(books, "invoice", "I1") == [INVOICE]
    assert journal(books, "credit_note", "CN1") == ["2026-12-05 document: Dr 4000 100.00, Cr 1200 100.00"]


# --- invoice: voided or deleted, after posting


def a_void_note(**fields):
    return a_note(10000, type="adjustment", status="adjusted", create_reason_code="Invoice Void",
                  **{**allocated(10000), **fields})  # fmt: skip


def test_an_invoice_voided_after_posting_with_a_note_has_the_note_and_no_reversal():
    voided = an_invoice(10000, status="voided", voided_at="2026-12-04")
    books = folded(voided, a_void_note(), **posted("invoice", an_invoice(10000)))
    assert journal(books, "invoice", "I1") == [INVOICE]
    assert journal(books, "credit_note", "CN1") == ["2026-12-05 document: Dr 4000 100.00, Cr 1200 100.00"]
    assert books.open_items == {}


def test_an_invoice_voided_after_posting_without_a_note_is_reversed_on_the_day_of_the_void():
    voided = an_invoice(10000, status="voided", voided_at="2026-12-04")
    books = folded(voided, **posted("invoice", an_invoice(10000)))
    assert journal(books, "invoice", "I1") == [INVOICE, "2026-12-04 reversal: Dr 4000 100.00, Cr 1200 100.00"]
    assert books.open_items == {}


def test_a_reversal_in_a_closed_period_moves_to_the_next_open_one():
    voided = an_invoice(10000, status="voided", voided_at="2026-12-04")
    books = folded(voided, closed_periods=frozenset({"2026-12", "2027-01"}), closed_period="next_open",
                   **posted("invoice", an_invoice(10000)))  # fmt: skip
    assert journal(books, "invoice", "I1")[1] == "2027-02-01 reversal: Dr 4000 100.00, Cr 1200 100.00"


def test_an_invoice_deleted_after_posting_is_reversed_on_the_day_it_was_last_changed():
    books = folded(an_invoice(10000, deleted=True, updated_at="2026-12-06"), **posted("invoice", an_invoice(10000)))
    assert journal(books, "invoice", "I1") == [INVOICE, "2026-12-06 reversal: Dr 4000 100.00, Cr 1200 100.00"]


# --- amounts changed after posting


def test_an_edited_invoice_is_reversed_and_posted_again():
    books = folded(an_invoice(7000, resource_version=2), paying(7000, I1=7000), **posted("invoice", an_invoice(10000)))
    assert journal(books, "invoice", "I1") == [
        INVOICE,
        "2026-11-30 reversal: Dr 4000 100.00, Cr 1200 100.00",
        "2026-11-30 correction: Dr 1200 70.00, Cr 4000 70.00",
    ]
    assert books.open_items == {}


@pytest.mark.parametrize(("change", "day", "account"), [
    ({"date": at("2026-12-01")}, "2026-12-01", "4000"),
    ({"line_items": [a_line(10000, "addon")]}, "2026-11-30", "4100"),
])  # fmt: skip
def test_another_date_or_account_is_a_change_too(change, day, account):
    books = folded({**an_invoice(10000), **change}, **posted("invoice", an_invoice(10000)))
    assert journal(books, "invoice", "I1") == [
        INVOICE,
        "2026-11-30 reversal: Dr 4000 100.00, Cr 1200 100.00",
        f"{day} correction: Dr 1200 100.00, Cr {account} 100.00",
    ]


def test_another_customer_is_a_change_although_no_account_is():
    books = folded(an_invoice(10000, customer_id="beta"), **posted("invoice", an_invoice(10000)))
    assert [entry.part for entry in books.entries] == ["document", "reversal", "correction"]
    assert still_open(books) == {"C2 invoice I1 EUR": "100.00"}


def test_an_edited_invoice_is_held_by_policy_and_what_was_posted_stands():
    books = folded(an_invoice(7000), edited_after_posting="hold", **posted("invoice", an_invoice(10000)))
    assert journal(books, "invoice", "I1") == [INVOICE]
    assert books.states["invoice", "I1"][0] == "held"
    assert still_open(books) == {"C1 invoice I1 EUR": "100.00"}


def test_a_payment_does_not_change_its_invoice():
    paid = an_invoice(10000, status="paid", amount_paid=10000, amount_due=0,
                      linked_payments=[{"txn_id": "T1", "applied_amount": 10000, "txn_status": "success"}])  # fmt: skip
    books = folded(paid, paying(10000, I1=10000), **posted("invoice", an_invoice(10000)))
    assert journal(books, "invoice", "I1") == [INVOICE]
    assert books.remarks == ()


def test_a_correction_in_a_month_closed_since_goes_where_the_policy_says():
    books = folded(an_invoice(7000), closed_periods=frozenset({"2026-11"}), closed_period="next_open",
                   **posted("invoice", an_invoice(10000)))  # fmt: skip
    assert journal(books, "invoice", "I1") == [
        INVOICE,
        "2026-12-01 reversal: Dr 4000 100.00, Cr 1200 100.00",
        "2026-12-01 correction: Dr 1200 70.00, Cr 4000 70.00",
    ]


# --- credit notes


@pytest.mark.parametrize(("kind", "status"), [("adjustment", "adjusted"), ("refundable", "refund_due")])
def test_a_credit_note_mirrors_an_invoice(kind, status):
    note = a_note(5355, a_line(5000, "pro", "l1"), type=kind, status=status, sub_total=4500, round_off_amount=0,
                  line_item_discounts=[a_discount(500)], line_item_taxes=[a_tax(855)],
                  taxes=[{"name": "VAT", "amount": 855}], **allocated(5355))  # fmt: skip
    books = folded(an_invoice(10000), note)
    assert journal(books, "credit_note", "CN1") == [
        "2026-12-05 document: Dr 2200 8.55, Dr 4000 50.00, Cr 1200 53.55, Cr 4900 5.00"
    ]
    assert still_open(books) == {"C1 invoice I1 EUR": "46.45"}


def test_a_store_note_has_the_tax_that_it_gives_and_no_other():
    untaxed = a_note(5000, type="store", reference_invoice_id=None, amount_available=5000, amount_allocated=0,
                     amount_refunded=0)  # fmt: skip
    assert journal(folded(untaxed), "credit_note", "CN1") == ["2026-12-05 document: Dr 4000 50.00, Cr 1200 50.00"]
    assert still_open(folded(untaxed)) == {"C1 credit_note CN1 EUR": "-50.00"}
    taxed = a_note(5100, a_line(5000, "pro", "l1"), type="store", taxes=[{"name": "VAT", "amount": 100}],
                   reference_invoice_id=None)  # fmt: skip
    assert journal(folded(taxed), "credit_note", "CN1") == [
        "2026-12-05 document: Dr 2200 1.00, Dr 4000 50.00, Cr 1200 51.00"
    ]


def test_a_fractional_correction_is_rounding_with_its_own_cause():
    books = folded(an_invoice(30000), a_note(20000, a_line(19998), sub_total=19998, fractional_correction=2))
    assert journal(books, "credit_note", "CN1") == ["2026-12-05 document: Dr 4000 199.98, Dr 6900 0.02, Cr 1200 200.00"]
    assert "fractional_correction" in {each.cause for entry in books.entries for each in entry.lines}


def test_a_credit_note_is_never_dated_before_its_invoice_nor_a_reversal_before_what_it_reverses():
    was = a_note(4000, date="2026-11-20")
    now = {**was, "status": "voided", "voided_at": at("2026-11-25")}
    assert journal(folded(an_invoice(10000), was), "credit_note", "CN1") == [
        "2026-11-30 document: Dr 4000 40.00, Cr 1200 40.00"
    ]
    assert journal(folded(an_invoice(10000), now, **posted("credit_note", was)), "credit_note", "CN1") == [
        "2026-11-30 document: Dr 4000 40.00, Cr 1200 40.00",
        "2026-11-30 reversal: Dr 1200 40.00, Cr 4000 40.00",
    ]


def test_a_voided_credit_note_is_reversed_and_its_invoice_reopens():
    was = a_note(4000, type="adjustment", status="adjusted", **allocated(4000))
    now = {**was, "status": "voided", "voided_at": at("2027-01-08"), "allocations": []}
    books = folded(an_invoice(10000), now, **posted("credit_note", was))
    assert journal(books, "credit_note", "CN1") == [
        "2026-12-05 document: Dr 4000 40.00, Cr 1200 40.00",
        "2027-01-08 reversal: Dr 1200 40.00, Cr 4000 40.00",
    ]
    assert still_open(books) == {"C1 invoice I1 EUR": "100.00"}
    assert journal(folded(an_invoice(10000), now), "credit_note", "CN1") == []


# --- write-off


def a_write_off(**fields):
    given = {"type": "adjustment", "status": "adjusted", "create_reason_code": "Write Off",
             "line_item_taxes": [a_tax(1900)], "taxes": [{"name": "VAT", "amount": 1900}]}  # fmt: skip
    return a_note(11900, a_line(10000, "pro", "l1"), **{**given, **allocated(11900), **fields})


def a_taxed_invoice():
    return an_invoice(11900, a_line(10000, "pro", "l1"), line_item_taxes=[a_tax(1900)])


def test_a_write_off_is_bad_debt_and_neither_revenue_nor_tax():
    books = folded(a_taxed_invoice(), a_write_off())
    assert journal(books, "credit_note", "CN1") == ["2026-12-05 document: Dr 6000 119.00, Cr 1200 119.00"]
    assert books.open_items == {}


def test_a_write_off_takes_tax_relief_only_by_policy():
    books = folded(a_taxed_invoice(), a_write_off(), write_off_tax="relief")
    assert journal(books, "credit_note", "CN1") == [
        "2026-12-05 document: Dr 2200 19.00, Dr 6000 100.00, Cr 1200 119.00"
    ]


@pytest.mark.parametrize("now", [
    a_write_off(status="voided", voided_at="2027-01-08"),
    a_write_off(id="CN1_171000000014", deleted=True, updated_at="2027-01-08"),
])  # fmt: skip
def test_a_write_off_that_ended_is_reversed_and_the_invoice_reopens(now):
    books = folded(a_taxed_invoice(), now, **posted("credit_note", a_write_off()))
    assert journal(books, "credit_note", "CN1") == [
        "2026-12-05 document: Dr 6000 119.00, Cr 1200 119.00",
        "2027-01-08 reversal: Dr 1200 119.00, Cr 6000 119.00",
    ]
    assert still_open(books) == {"C1 invoice I1 EUR": "119.00"}


# --- applications of notes and payments


def test_a_payment_before_its_invoice_is_on_account_until_the_invoice_is_dated():
    books = folded(an_invoice(10000, date="2027-01-01"), paying(10000, I1=10000))
    assert journal(books, "payment", "T1") == [
        "2026-12-02 document: Dr 1050 100.00, Cr 2100 100.00",
        "2027-01-01 application: Dr 2100 100.00, Cr 1200 100.00",
    ]
    assert books.open_items == {}


def test_a_held_invoice_never_blocks_cash():
    books = folded(an_invoice(10000, a_line(10000, "unknown")), paying(10000, I1=10000))
    assert journal(books, "payment", "T1") == ["2026-12-02 document: Dr 1050 100.00, Cr 2100 100.00"]
    assert still_open(books) == {"C1 payment T1 EUR": "-100.00"}


def test_the_note_owns_its_edges_and_the_copy_on_the_invoice_is_only_a_check():
    note = a_note(3000, amount_allocated=2000, amount_refunded=0, amount_available=1000, **allocated(2000))
    books = folded(an_invoice(10000, applied_credits=[{"cn_id": "CN1", "applied_amount": 2500}], credits_applied=2500,
                              amount_due=7500), note)  # fmt: skip
    assert still_open(books) == {"C1 credit_note CN1 EUR": "-10.00", "C1 invoice I1 EUR": "80.00"}
    assert books.remarks == ("invoice I1: amount_due 75.00, open by its edges 80.00",)


def test_a_payment_moved_to_another_invoice_settles_only_that_one():
    books = folded(an_invoice(10000), an_invoice(10000, id="I2", customer_id="beta"), paying(10000, I2=10000))
    assert still_open(books) == {"C1 invoice I1 EUR": "100.00"}


def test_a_child_of_an_invoice_before_the_cut_off_is_held_unless_the_invoice_is_an_opening_item():
    opening = {"opening": {("invoice", "OLD"): Opening("C1", "EUR", 15000)}}
    note = a_note(5000, reference_invoice_id="OLD", **allocated(5000, "OLD"))
    held = folded(paying(10000, OLD=10000), note)
    assert {state for state, _ in held.states.values()} == {"held"}
    assert still_open(folded(paying(10000, OLD=10000), note, **opening)) == {}
    on_account = folded(paying(10000, OLD=10000), before_cut_off="on_account")
    assert journal(on_account, "payment", "T1") == ["2026-12-02 document: Dr 1050 100.00, Cr 2100 100.00"]


# --- payment success


def test_a_payment_goes_gross_to_the_clearing_account_and_its_rest_on_account():
    books = folded(an_invoice(6000), an_invoice(3000, id="I2"), paying(10000, I1=6000, I2=3000))
    assert journal(books, "payment", "T1") == ["2026-12-02 document: Dr 1050 100.00, Cr 1200 90.00, Cr 2100 10.00"]
    assert still_open(books) == {"C1 payment T1 EUR": "-10.00"}


def test_the_unused_part_stays_in_the_receivable_if_there_is_no_role_for_it():
    roles = {name: account for name, account in ROLES.items() if name != "on_account"}
    books = folded(an_invoice(6000), paying(10000, I1=6000), roles=roles)
    assert journal(books, "payment", "T1") == [PAYMENT]


def test_a_journal_to_clearing_never_touches_the_receivable():
    books = folded(an_invoice(10000), paying(10000, I1=10000), payment_mode="journal_to_clearing")
    assert journal(books, "payment", "T1") == ["2026-12-02 document: Dr 1050 100.00, Cr 2100 100.00"]
    assert still_open(books) == {"C1 invoice I1 EUR": "100.00"}


# --- offline payments


def test_an_offline_payment_is_held_matched_or_posted_by_the_policy_of_its_method():
    check = {**paying(10000, I1=10000), "gateway": "not_applicable", "payment_method": "check"}
    assert folded(an_invoice(10000), check).states["payment", "T1"][0] == "held"
    matched = folded(an_invoice(10000), check, matched_receipts=frozenset({"T1"}))
    assert matched.states["payment", "T1"] == ("skipped", "QAD has the receipt")
    ours = folded(an_invoice(10000), check, offline={"check": "chargebee"})
    assert journal(ours, "payment", "T1") == ["2026-12-02 document: Dr 1000 100.00, Cr 1200 100.00"]
    assert folded(an_invoice(10000), check, offline={"cash": "chargebee"}).states["payment", "T1"][0] == "held"


# --- refunds and chargebacks


def a_refunded_note(**fields):
    return a_note(4000, **{"status": "refunded", **fields})


def test_a_refund_takes_the_cash_side_once_against_its_credit_note():
    books = folded(an_invoice(10000), paying(10000, I1=10000), a_refunded_note(), a_refund(4000))
    assert journal(books, "credit_note", "CN1") == ["2026-12-05 document: Dr 4000 40.00, Cr 1200 40.00"]
    assert journal(books, "refund", "R1") == ["2026-12-10 document: Dr 1200 40.00, Cr 1050 40.00"]
    assert books.open_items == {}


def test_a_refund_of_an_unapplied_payment_takes_it_from_on_account():
    paid = {**paying(10000), "amount_unused": 7000, "linked_refunds": [{"txn_id": "R1", "txn_amount": 3000,
            "txn_status": "success"}]}  # fmt: skip
    books = folded(paid, a_refund(3000, None))
    assert journal(books, "refund", "R1") == ["2026-12-10 document: Dr 2100 30.00, Cr 1050 30.00"]
    assert still_open(books) == {"C1 payment T1 EUR": "-70.00"}


def test_a_refund_may_be_sent_through_the_refund_clearing_account():
    books = folded(paying(3000), a_refund(3000, None), refund_account="refund_clearing")
    assert journal(books, "refund", "R1") == ["2026-12-10 document: Dr 2100 30.00, Cr 1090 30.00"]


def test_a_refund_follows_the_mode_of_its_payment():
    books = folded(an_invoice(10000), paying(10000, I1=10000), a_refunded_note(), a_refund(4000),
                   payment_mode="journal_to_clearing")  # fmt: skip
    assert journal(books, "refund", "R1") == ["2026-12-10 document: Dr 2100 40.00, Cr 1050 40.00"]
    assert still_open(books) == {"C1 credit_note CN1 EUR": "-40.00", "C1 invoice I1 EUR": "100.00"}
    offline = {**paying(10000, I1=10000), "gateway": "not_applicable", "payment_method": "check"}
    held = folded(an_invoice(10000), offline, a_refunded_note(), a_refund(4000))
    assert held.states["refund", "R1"][0] == "held"


def test_a_refund_is_never_dated_before_its_note_and_waits_for_it():
    books = folded(an_invoice(10000), paying(10000, I1=10000), a_refunded_note(), a_refund(4000, date="2026-12-03"))
    assert journal(books, "refund", "R1") == ["2026-12-05 document: Dr 1200 40.00, Cr 1050 40.00"]
    unmapped = a_refunded_note(line_items=[a_line(4000, "unknown")])
    waits = folded(an_invoice(10000), paying(10000, I1=10000), unmapped, a_refund(4000))
    assert waits.states["refund", "R1"][0] == "waiting"


def test_a_refund_may_return_withheld_tax():
    note = a_refunded_note(linked_tax_withheld_refunds=[{"amount": 1000, "date": at("2026-12-10")}])
    invoice = an_invoice(10000, linked_taxes_withheld=[{"amount": 1000, "date": at("2026-12-03")}])
    books = folded(invoice, paying(9000, I1=9000), note, a_refund(3000))
    assert journal(books, "credit_note", "CN1") == [
        "2026-12-05 document: Dr 4000 40.00, Cr 1200 40.00",
        "2026-12-10 withheld_tax: Dr 1200 10.00, Cr 1300 10.00",
    ]
    assert journal(books, "refund", "R1") == ["2026-12-10 document: Dr 1200 30.00, Cr 1050 30.00"]
    assert books.open_items == {}


@pytest.mark.parametrize("status", ["failure", "voided"])
def test_a_refund_that_failed_later_is_reversed_and_the_note_reopens(status):
    now = a_refund(4000, status=status, voided_at="2027-01-04")
    books = folded(an_invoice(10000), paying(10000, I1=10000), a_refunded_note(), now,
                   **posted("refund", a_refund(4000)))  # fmt: skip
    assert journal(books, "refund", "R1") == [
        "2026-12-10 document: Dr 1200 40.00, Cr 1050 40.00",
        "2027-01-04 reversal: Dr 1050 40.00, Cr 1200 40.00",
    ]
    assert still_open(books) == {"C1 credit_note CN1 EUR": "-40.00"}


def test_a_chargeback_leaves_where_its_payment_came_in_and_the_invoice_stays_paid():
    lost = a_refund(10000, gateway="not_applicable", payment_method="chargeback")
    books = folded(an_invoice(10000), paying(10000, I1=10000), a_note(10000, create_reason_code="Chargeback"), lost,
                   banks={("", "", ""): "1000", ("stripe", "", ""): "1050"})  # fmt: skip
    assert journal(books, "invoice", "I1") == [INVOICE]
    assert journal(books, "payment", "T1") == [PAYMENT]
    assert journal(books, "credit_note", "CN1") == ["2026-12-05 document: Dr 4000 100.00, Cr 1200 100.00"]
    assert journal(books, "refund", "R1") == ["2026-12-10 document: Dr 1200 100.00, Cr 1050 100.00"]
    assert books.open_items == {}


# --- payment_reversal, late_failure, void after success

SUCCESS = paying(10000, I1=10000)


@pytest.mark.parametrize(("documents", "day"), [
    ([SUCCESS, a_reversal(10000)], "2026-12-20"),
    ([{**SUCCESS, "reversal_transaction_id": "V1"}, a_reversal(10000, reference_transaction_id=None)], "2026-12-20"),
    ([{**SUCCESS, "status": "late_failure", "updated_at": at("2026-12-18")}], "2026-12-18"),
    ([{**SUCCESS, "status": "voided", "voided_at": at("2026-12-19")}], "2026-12-19"),
    ([{**SUCCESS, "status": "voided", "voided_at": at("2026-12-19")}, a_reversal(10000)], "2026-12-19"),
    ([{**SUCCESS, "status": "late_failure", "updated_at": at("2026-12-28")}, a_reversal(10000)], "2026-12-20"),
])  # fmt: skip
def test_a_payment_is_reversed_once_whichever_signal_comes_first(documents, day):
    books = folded(an_invoice(10000), *documents, **posted("payment", SUCCESS))
    assert journal(books, "payment", "T1") == [PAYMENT, f"{day} reversal: Dr 1200 100.00, Cr 1050 100.00"]
    assert still_open(books) == {"C1 invoice I1 EUR": "100.00"}


def test_a_reversed_payment_settled_its_invoice_although_the_invoice_was_voided_since():
    voided = an_invoice(10000, status="voided", voided_at="2026-12-22")
    books = folded(voided, SUCCESS, a_reversal(10000),
                   **posted("invoice", an_invoice(10000)))  # fmt: skip
    assert journal(books, "payment", "T1") == [PAYMENT, "2026-12-20 reversal: Dr 1200 100.00, Cr 1050 100.00"]
    assert books.open_items == {}


def test_the_reversal_of_a_payment_that_was_never_posted_is_skipped_with_it():
    books = folded({**SUCCESS, "status": "late_failure"}, a_reversal(10000))
    assert books.entries == ()
    assert {state for state, _ in books.states.values()} == {"skipped"}


# --- never posted


@pytest.mark.parametrize("status", ["failure", "in_progress", "timeout", "needs_attention", "voided", "late_failure"])
@pytest.mark.parametrize("kind", ["payment", "refund", "payment_reversal"])
def test_a_transaction_without_success_is_never_posted(kind, status):
    books = folded(an_invoice(10000), {**SUCCESS, "type": kind, "status": status})
    assert [entry.kind for entry in books.entries] == ["invoice"]
    assert books.states[kind, "T1"][0] == "skipped"


def test_an_authorization_is_never_posted():
    books = folded(a_transaction(10000, type="authorization"))
    assert (books.entries, books.states["authorization", "T1"]) == ((), ("skipped", "authorization"))


# --- dates, currencies, versions


@pytest.mark.parametrize(("zone", "period"), [("UTC", "2026-11"), ("Europe/Berlin", "2026-12"),
                                              ("America/New_York", "2026-11")])  # fmt: skip
def test_the_period_is_that_of_the_accounting_zone(zone, period):
    books = folded({**an_invoice(10000), "date": at("2026-11-30 23:30", "UTC")}, zone=zone)
    assert books.trial_balance == {
        ("1200", "EUR", period): (Decimal("100.00"), Decimal(0)),
        ("4000", "EUR", period): (Decimal(0), Decimal("100.00")),
    }


@pytest.mark.parametrize(("policy", "day"), [("next_open", "2026-12-01"), ("original", "2026-11-30"), ("hold", None)])
def test_a_closed_period_is_treated_by_policy(policy, day):
    books = folded(an_invoice(10000), closed_periods=frozenset({"2026-11"}), closed_period=policy)
    assert [str(entry.date) for entry in books.entries] == ([day] if day else [])


@pytest.mark.parametrize(("minor", "currency", "amount"), [
    (1200, "JPY", "1200"), (1200, "XOF", "1200"), (1999, "EUR", "19.99"), (12345, "KWD", "123.45"),
    (-5, "USD", "-0.05"), (2**53 + 1, "EUR", "90071992547409.93"), (0, "HUF", "0.00"),
])  # fmt: skip
def test_chargebee_counts_in_hundredths_except_in_four_currencies(minor, currency, amount):
    assert str(money(minor, currency)) == amount


def test_the_account_is_the_one_that_is_valid_on_the_day_and_the_most_specific():
    rows = [(date(2026, 12, 1), "4001"), (date(2020, 1, 1), "4000")]
    for day, account in (("2026-11-30", "4000"), ("2026-12-01", "4001")):
        books = folded(an_invoice(10000, date=day), item_prices={"pro": rows})
        assert books.entries[0].lines[1].account == account
    levels = {"item_prices": {}, "catalogue": {"pro": ("item", "family")}, "families": {"family": "4030"},
              "fallback": "4090", "charge": "4200"}  # fmt: skip
    assert folded(an_invoice(1), **levels).entries[0].lines[1].account == "4030"
    assert folded(an_invoice(1), **levels, items={"item": "4020"}).entries[0].lines[1].account == "4020"
    assert folded(an_invoice(1), **{**levels, "families": {}}).entries[0].lines[1].account == "4090"


def test_order_duplicates_and_old_versions_change_nothing():
    old, new = an_invoice(9000, resource_version=1), an_invoice(10000, resource_version=2)
    documents = [new, old, paying(10000, I1=10000), a_refunded_note(), a_refund(4000)]
    books = folded(*documents)
    assert journal(books, "invoice", "I1") == [INVOICE]
    again = folded(*reversed(documents), *documents)
    assert (again.trial_balance, again.open_items) == (books.trial_balance, books.open_items)


def test_a_payment_split_in_two_leaves_the_same_balances():
    whole = folded(an_invoice(10000), paying(10000, I1=10000))
    halves = [{**paying(5000, I1=5000), "id": name} for name in ("T1", "T2")]
    assert folded(an_invoice(10000), *halves).trial_balance == whole.trial_balance


def test_documents_of_another_business_entity_are_skipped():
    books = folded(an_invoice(10000, business_entity_id="other"), business_entities=frozenset({"ours"}))
    assert books.states["invoice", "I1"] == ("skipped", "business entity other")


def test_documents_may_come_wrapped_as_a_list_answer_wraps_them():
    books = fold({"invoices": [{"invoice": an_invoice(10000)}]}, a_mapping())
    assert journal(books, "invoice", "I1") == [INVOICE]


def test_the_mapping_is_not_changed_and_can_be_varied():
    books = fold({"invoices": [an_invoice(10000)]}, replace(a_mapping(), customers={"acme": "X9"}))
    assert still_open(books) == {"X9 invoice I1 EUR": "100.00"}
