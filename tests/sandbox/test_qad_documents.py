from __future__ import annotations

import pytest

from tests.sandbox.qad_desk import (
    Desk,
    a_credit_note,
    a_journal,
    a_line,
    a_payment,
    an_adjustment,
    an_invoice,
    applied,
)


def refusal(answer):
    assert answer["submitResult"]["success"] is False, answer
    return answer["submitResult"]["errors"][0]["message"]


def a_tax(amount):
    return {"taxName": "VAT", "taxRate": 20, "taxBaseTCAmount": 100, "taxTCAmount": amount, "glAccountCode": "2230"}


def test_it_books_an_invoice_on_receivable_revenue_and_tax_and_numbers_it():
    desk = Desk()
    lines = [a_line(110), a_line(-10, "4800")]
    record = desk.posted("invoice", an_invoice(total=120, lines=lines, invoiceTaxes=[a_tax(20)]))
    assert record["documentNumber"] == "2026-CINV-000001"
    given = [record[name] for name in ("postingYear", "postingPeriod", "daybookCode", "voucherNumber", "entityCode")]
    assert given == [2026, 11, "CINV", 1, "10USACO"]
    assert (record["openTCAmount"], record["documentStatus"]) == (120, "OPEN")
    assert desk.qad.ledger()["trial_balance"] == {
        "1200": {"USD": "120.00"},
        "2230": {"USD": "-20.00"},
        "4000": {"USD": "-110.00"},
        "4800": {"USD": "10.00"},
    }


def test_it_reads_a_document_back_by_its_keys_with_lines_and_taxes():
    desk = Desk()
    number = desk.posted("invoice", an_invoice(total=120, invoiceTaxes=[a_tax(20)], lines=[a_line(100)]))[
        "documentNumber"
    ]
    keys = {"domainCode": "10USA", "entityCode": "10USACO", "documentNumber": number}
    record = desk.get("customerInvoices", **keys)[1]["data"]["customerInvoices"][0]
    assert [line["lineTCAmount"] for line in record["invoiceLines"]] == [100]
    assert [tax["taxTCAmount"] for tax in record["invoiceTaxes"]] == [20]
    assert desk.get("customerInvoices", **keys | {"entityCode": ""})[0] == 400
    assert desk.get("customerPayments", **keys)[1] == {"data": {"customerPayments": []}}


def test_it_numbers_each_daybook_by_itself():
    desk = Desk()
    numbers = [desk.posted("invoice", an_invoice(name))["documentNumber"] for name in ("A", "B")]
    numbers.append(desk.posted("payment", a_payment("C"))["documentNumber"])
    assert numbers == ["2026-CINV-000001", "2026-CINV-000002", "2026-CPAY-000001"]


def test_it_settles_an_invoice_by_a_payment_and_a_credit_note():
    desk = Desk()
    desk.posted("invoice", an_invoice("I", 100))
    desk.posted("credit_note", a_credit_note("N", 40, creditNoteApplications=[applied("I", 40)]))
    assert desk.open_items() == {"I": "60.00"}
    record = desk.posted("payment", a_payment("P", 100, paymentApplications=[applied("I", 60)]))
    assert record["openTCAmount"] == 40
    assert desk.open_items() == {"P": "-40.00"}
    rows, _ = desk.browse("customerInvoices")
    assert (rows[0]["customerInvoice.openTCAmount"], rows[0]["customerInvoice.documentStatus"]) == (0, "CLOSED")
    assert desk.qad.ledger()["trial_balance"] == {
        "1090": {"USD": "100.00"},
        "1200": {"USD": "-40.00"},
        "4000": {"USD": "-60.00"},
    }


def test_it_applies_and_unapplies_by_adjustment_and_by_number():
    desk = Desk()
    number = desk.posted("invoice", an_invoice("I", 100))["documentNumber"]
    desk.posted("payment", a_payment("P", 70))
    desk.posted("customerAdjustments", an_adjustment("A-1", [("P", "I", 70)]))
    assert desk.open_items() == {"I": "30.00"}
    desk.posted("customerAdjustments", an_adjustment("A-2", [("P", "I", -50)]))
    assert desk.open_items() == {"I": "80.00", "P": "-50.00"}
    by_number = an_adjustment("A-3", [("P", "", 50)])
    by_number["adjustmentApplications"][0]["invoiceNumber"] = number
    desk.posted("customerAdjustments", by_number)
    assert desk.open_items() == {"I": "30.00"}


def test_it_nets_a_reversal_with_its_original_in_the_correction_daybook():
    desk = Desk()
    desk.posted("invoice", an_invoice("I", 100))
    record = desk.posted("invoice", an_invoice("I-2", -100, correctionOfReference="I"))
    assert record["daybookCode"] == "CINVC"
    assert (desk.open_items(), desk.qad.ledger()["trial_balance"]) == ({}, {})


def test_it_reopens_the_invoice_when_its_payment_is_reversed():
    desk = Desk()
    desk.posted("invoice", an_invoice("I", 100))
    desk.posted("payment", a_payment("P", 100, paymentApplications=[applied("I", 60)]))
    reversal = a_payment("P-2", -100, correctionOfReference="P", paymentApplications=[applied("I", -60)])
    desk.posted("payment", reversal)
    assert desk.open_items() == {"I": "100.00"}
    assert desk.qad.ledger()["trial_balance"] == {"1200": {"USD": "100.00"}, "4000": {"USD": "-100.00"}}


def test_it_leaves_a_reversal_open_while_its_original_is_applied_elsewhere():
    desk = Desk()
    desk.posted("invoice", an_invoice("I", 100))
    desk.posted("payment", a_payment("P", 100, paymentApplications=[applied("I", 100)]))
    desk.posted("invoice", an_invoice("I-2", -100, correctionOfReference="I"))
    assert desk.open_items() == {"I-2": "-100.00"}


def test_it_refunds_against_a_credit_note_and_against_an_unapplied_payment():
    desk = Desk()
    desk.posted("credit_note", a_credit_note("N", 40))
    desk.posted("payment", a_payment("P", 30))
    desk.posted("payment", a_payment("RF-1", -25, paymentApplications=[applied("N", -25)]))
    desk.posted("payment", a_payment("RF-2", -30, paymentApplications=[applied("P", -30)]))
    assert desk.open_items() == {"N": "-15.00"}


def test_it_writes_an_invoice_off_against_bad_debt_and_reopens_it():
    desk = Desk()
    desk.posted("invoice", an_invoice("I", 100))
    desk.posted(
        "credit_note", a_credit_note("W", lines=[a_line(40, "6500")], creditNoteApplications=[applied("I", 40)])
    )
    undo = a_credit_note("W-2", -40, lines=[a_line(-40, "6500")], creditNoteApplications=[applied("I", -40)])
    desk.posted("credit_note", undo | {"correctionOfReference": "W"})
    assert desk.open_items() == {"I": "100.00"}
    assert "6500" not in desk.qad.ledger()["trial_balance"]


def test_it_books_a_journal():
    desk = Desk()
    record = desk.posted("journalEntries", a_journal(lines=(("6500", 10), ("1090", -10))))
    assert record["documentNumber"] == "2026-CJRN-000001"
    assert desk.qad.ledger()["trial_balance"] == {"1090": {"USD": "-10.00"}, "6500": {"USD": "10.00"}}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([applied("I", 101)], "The applied amount 101.00 exceeds the open amount 100.00 of I-NUMBER."),
        ([applied("I", 60), applied("I", 60)], "The applied amount 60.00 exceeds the open amount 40.00 of I-NUMBER."),
        ([applied("I", -1)], "The applied amount 1.00 exceeds the open amount 150.00 of P."),
        ([applied("NONE", 1)], "Field is mandatory."),
        ([applied("I", None)], "Field is mandatory."),
        ([applied("E", 1)], "Document E has another currency."),
        ([applied("X", 1)], "Document X belongs to another customer."),
        ([applied("J", 1)], "Field is mandatory."),
    ],
)
def test_it_refuses_an_application_that_does_not_fit_and_moves_nothing(rows, message):
    desk = Desk()
    desk.qad.add_customer("C2", "Other")
    number = desk.posted("invoice", an_invoice("I", 100))["documentNumber"]
    desk.posted("invoice", an_invoice("E", 10, currencyCode="EUR"))
    desk.posted("invoice", an_invoice("X", 10, customerCode="C2"))
    desk.posted("journalEntries", a_journal("J"))
    before = desk.qad.ledger()
    answer = desk.save("customerPayments", a_payment("P", 150, paymentApplications=rows))
    assert refusal(answer) == message.replace("I-NUMBER", number)
    assert desk.qad.ledger() == before


@pytest.mark.parametrize("changes", [{"invoiceTCAmount": 100, "invoiceLines": [a_line(100)]}, {"currencyCode": "EUR"}])
def test_it_refuses_a_correction_that_is_not_the_opposite(changes):
    desk = Desk()
    desk.posted("invoice", an_invoice("I", 100))
    answer = desk.save("customerInvoices", an_invoice("I-2", -100, correctionOfReference="I") | changes)
    assert refusal(answer) == "A correction of I must be its opposite: same kind, customer and currency."


def test_it_refuses_a_correction_of_what_it_does_not_have():
    answer = Desk().save("customerInvoices", an_invoice("I-2", -100, correctionOfReference="I"))
    assert answer["submitResult"]["errors"][0]["fieldName"] == "CorrectionOfReference"


def test_it_values_each_currency_by_the_posting_date_and_posts_the_exchange_difference_itself():
    desk = Desk()
    desk.posted("invoice", an_invoice("I", 100, currencyCode="EUR", exchangeRate=1.1))
    desk.posted("payment", a_payment("P", 100, currencyCode="EUR", exchangeRate=1.2))
    assert desk.qad.ledger()["base_balance"] == {"1090": "120.00", "1200": "-10.00", "4000": "-110.00"}
    desk.posted("customerAdjustments", an_adjustment("A", [("P", "I", 100)]) | {"currencyCode": "EUR"})
    ledger = desk.qad.ledger()
    assert ledger["base_balance"] == {"1090": "120.00", "4000": "-110.00", "7800": "-10.00"}
    assert ledger["trial_balance"] == {"1090": {"EUR": "100.00"}, "4000": {"EUR": "-100.00"}}


def test_it_takes_its_own_rate_where_the_document_brings_none():
    desk = Desk()
    november = desk.posted("invoice", an_invoice("A", 100, currencyCode="EUR"))
    december = desk.posted("invoice", an_invoice("B", 100, currencyCode="EUR", postingDate="2026-12-01T00:00:00.000Z"))
    assert november["baseAmount"] == 107.78
    assert december["baseAmount"] == 108.54


def test_it_puts_what_rounding_leaves_in_base_currency_on_the_receivable():
    desk = Desk()
    lines = [a_line(0.01) for _ in range(3)]
    desk.posted("invoice", an_invoice(total=0.03, lines=lines, currencyCode="EUR", exchangeRate=1.4))
    assert desk.qad.ledger()["base_balance"] == {"1200": "0.03", "4000": "-0.03"}


def test_it_closes_the_books_in_base_currency_over_many_part_payments():
    desk = Desk()
    desk.posted("invoice", an_invoice("I", 100, currencyCode="GBP", exchangeRate=1.2345))
    for number, size in enumerate((33.33, 33.33, 33.34)):
        payment = a_payment(f"P{number}", size, currencyCode="GBP", exchangeRate=1.3)
        desk.posted("payment", payment | {"paymentApplications": [applied("I", size)]})
    ledger = desk.qad.ledger()
    assert "1200" not in ledger["base_balance"]
    assert "1200" not in ledger["trial_balance"]


def test_a_qad_user_enters_open_items_without_a_reference():
    desk = Desk()
    number = desk.qad.enter_invoice("C1", "55.50")["number"]
    payment = a_payment("P", 55.5, paymentApplications=[{"documentNumber": number, "appliedTCAmount": 55.5}])
    desk.posted("payment", payment)
    assert desk.qad.ledger()["open_items"] == {}
    with pytest.raises(ValueError, match="is closed"):
        desk.qad.lock_period(2026, 11)
        desk.qad.enter_invoice("C1", "1.00")


def test_its_ledger_tells_a_document_whole():
    desk = Desk()
    desk.posted("invoice", an_invoice("I", 100))
    (document,) = desk.qad.ledger()["documents"]
    shown = {
        name: document[name] for name in ("kind", "number", "reference", "customer", "total", "posting_date", "rate")
    }
    assert shown == {
        "kind": "invoice",
        "number": "2026-CINV-000001",
        "reference": "I",
        "customer": "C1",
        "total": "100.00",
        "posting_date": "2026-11-22",
        "rate": "1",
    }
    assert [line["amount"] for line in document["lines"]] == ["100.00"]
    assert [(row["account"], row["amount"]) for row in document["journal"]] == [("1200", "100.00"), ("4000", "-100.00")]
