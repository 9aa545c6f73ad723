from __future__ import annotations

import pytest

from tests.sandbox.qad_desk import Desk, a_credit_note, a_journal, a_line, a_payment, an_invoice

JANUARY_2020 = "2019-12-31T00:00:00.000Z"


def refuse(desk, collection, record):
    """The first complaint; nothing may be in the books."""
    before = len(desk.qad.ledger()["documents"])
    answer = desk.save(collection, record)
    assert answer["submitResult"]["success"] is False, answer
    assert len(desk.qad.ledger()["documents"]) == before
    return answer["submitResult"]["errors"][0]


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"description": "D" * 41}, "Description", "Field length should be less than 41."),
        ({"description": ""}, "Description", "Field is mandatory."),
        ({"externalReference": "R" * 41}, "ExternalReference", "Field length should be less than 41."),
        ({"customerCode": "NOBODY"}, "CustomerCode", "Field is mandatory."),
        ({"currencyCode": "ZZZ"}, "CurrencyCode", "Field is mandatory."),
        ({"currencyCode": "XPF"}, "CurrencyCode", "No exchange rate from XPF to USD on 2026-11-22."),
        ({"exchangeRate": 0, "currencyCode": "EUR"}, "ExchangeRate", "The value 0 has a wrong format."),
        ({"entityCode": "20FRCO"}, "EntityCode", "Field is mandatory."),
        ({"daybookCode": "NONE"}, "DaybookCode", "Field is mandatory."),
        ({"daybookCode": "CPAY"}, "DaybookCode", "Daybook CPAY does not fit this kind of document."),
        ({"postingDate": None}, "PostingDate", "Field is mandatory."),
        ({"postingDate": "22.11.2026"}, "PostingDate", "The value 22.11.2026 has a wrong format."),
        ({"postingDate": "2026-11-22"}, "PostingDate", "The value 2026-11-22 has a wrong format."),
        ({"postingDate": "2024-12-31T00:00:00.000Z"}, "PostingDate", "Period 2024/12 is closed for entity 10USACO."),
        ({"invoiceDate": ""}, "InvoiceDate", "Field is mandatory."),
        ({"invoiceTCAmount": None}, "InvoiceTCAmount", "Field is mandatory."),
        ({"invoiceTCAmount": "100.00"}, "InvoiceTCAmount", "The value 100.00 has a wrong format."),
        ({"invoiceTCAmount": 99.99}, "InvoiceTCAmount", "Lines and taxes make 100, the document says 99.99."),
        (
            {"invoiceTCAmount": 100.001},
            "InvoiceTCAmount",
            "The amount 100.001 has more decimals than currency USD allows.",
        ),
        ({"invoiceLines": []}, "InvoiceLines", "The document has an amount but no lines."),
        ({"invoiceLines": "x"}, "InvoiceLines", "The value invoiceLines has a wrong format."),
        ({"invoiceNumber": "1"}, "InvoiceNumber", "Field invoiceNumber is unknown."),
    ],
)
def test_it_refuses_an_invoice_that_breaks_a_rule(changes, field, message):
    error = refuse(Desk(), "customerInvoices", an_invoice() | changes)
    assert (error["fieldName"], error["message"]) == (field, message)


@pytest.mark.parametrize(
    ("line", "field", "message"),
    [
        ({"glAccountCode": "9999"}, "GlAccountCode", "Field is mandatory."),
        ({"glAccountCode": ""}, "GlAccountCode", "Field is mandatory."),
        ({"glAccountCode": "4990"}, "GlAccountCode", "GL account 4990 is not active."),
        ({"glAccountCode": "1200"}, "GlAccountCode", "GL account 1200 cannot be used here."),
        ({"glAccountCode": "4630"}, "GlAccountCode", "GL account 4630 accepts only EUR."),
        ({"glAccountCode": "4600"}, "SubAccountCode", "GL account 4600 requires a sub-account."),
        ({"glAccountCode": "4610"}, "CostCenterCode", "GL account 4610 requires a cost center."),
        ({"glAccountCode": "4620"}, "ProjectCode", "GL account 4620 requires a project."),
        ({"subAccountCode": "SUB9"}, "SubAccountCode", "Sub-account SUB9 is not active."),
        ({"costCenterCode": "CC77"}, "CostCenterCode", "Field is mandatory."),
        ({"costCenterCode": "CC99"}, "CostCenterCode", "Cost center CC99 is not active."),
        ({"projectCode": "PRJ9"}, "ProjectCode", "Project PRJ9 is not active."),
        ({"itemCode": "NONE"}, "ItemCode", "Field is mandatory."),
        ({"itemCode": "OLDITEM"}, "ItemCode", "Item OLDITEM is not active."),
        ({"taxCode": "NONE"}, "TaxCode", "Field is mandatory."),
        ({"lineTCAmount": None}, "LineTCAmount", "Field is mandatory."),
        ({"serviceStartDate": "today"}, "ServiceStartDate", "The value today has a wrong format."),
    ],
)
def test_it_refuses_a_line_that_breaks_a_rule_and_says_which(line, field, message):
    error = refuse(Desk(), "customerInvoices", an_invoice(lines=[a_line(100) | line]))
    assert (error["fieldName"], error["message"]) == (f"InvoiceLines[0].{field}", message)


def test_it_takes_what_the_flags_ask_for():
    lines = [
        a_line(40, "4600", subAccountCode="SUB1"),
        a_line(40, "4610", costCenterCode="CC10"),
        a_line(20, "4620", projectCode="PRJ1", itemCode="SUBS", taxCode="VAT"),
    ]
    assert Desk().posted("invoice", an_invoice(lines=lines))["openTCAmount"] == 100


def test_it_complains_about_everything_at_once():
    answer = Desk().save(
        "customerInvoices", an_invoice(description="", customerCode="NOBODY", lines=[a_line(100, "9")])
    )
    fields = [error["fieldName"] for error in answer["submitResult"]["errors"]]
    assert fields == ["Description", "CustomerCode", "InvoiceLines[0].GlAccountCode"]


def test_it_refuses_an_inactive_customer():
    desk = Desk()
    desk.qad.add_customer("C2", "Closed", is_active=False)
    assert refuse(desk, "customerInvoices", an_invoice(customerCode="C2"))["message"] == "Customer C2 is not active."


def test_it_refuses_an_account_as_soon_as_somebody_closes_it_and_takes_one_as_soon_as_it_exists():
    desk = Desk()
    desk.qad.deactivate_account("4000")
    desk.qad.deactivate_master("cost_centre", "CC10")
    desk.qad.add_account("4700", "Setup", needs_sub_account=True)
    assert refuse(desk, "customerInvoices", an_invoice())["message"] == "GL account 4000 is not active."
    assert refuse(desk, "customerInvoices", an_invoice(lines=[a_line(100, "4100", costCenterCode="CC10")]))
    desk.posted("invoice", an_invoice(lines=[a_line(100, "4700", subAccountCode="SUB1")]))


def test_it_refuses_a_locked_period_until_it_is_unlocked():
    desk = Desk()
    desk.qad.lock_period(2026, 11)
    assert refuse(desk, "customerInvoices", an_invoice())["code"] == "2101"
    desk.qad.unlock_period(2026, 11)
    assert desk.posted("invoice", an_invoice())["postingPeriod"] == 11


def test_it_locks_one_daybook_without_the_others():
    desk = Desk()
    desk.qad.lock_daybook("CINV", 2026, 11)
    error = refuse(desk, "customerInvoices", an_invoice())
    assert error["message"] == "Daybook CINV is locked in period 2026/11."
    desk.posted("payment", a_payment())


def test_it_has_no_rate_before_the_table_begins():
    desk = Desk()
    desk.qad.unlock_period(2019, 12)
    early = an_invoice(currencyCode="EUR", postingDate=JANUARY_2020)
    assert refuse(desk, "customerInvoices", early)["code"] == "2401"


def test_it_knows_the_decimals_of_currencies():
    desk = Desk()
    desk.posted("invoice", an_invoice("K", 1.125, currencyCode="KWD"))
    assert refuse(desk, "customerInvoices", an_invoice("J", 1.5, currencyCode="JPY"))["code"] == "53"


def test_it_takes_an_invoice_of_nothing_without_lines():
    assert Desk().posted("invoice", an_invoice(total=0, lines=[]))["documentStatus"] == "CLOSED"


def test_it_wants_a_usable_bank_account_and_an_amount_for_a_payment():
    desk = Desk()
    assert refuse(desk, "customerPayments", a_payment(bankGLAccountCode=""))["fieldName"] == "BankGLAccountCode"
    assert refuse(desk, "customerPayments", a_payment(bankGLAccountCode="1200"))["code"] == "2306"
    assert refuse(desk, "customerPayments", a_payment(total=0))["fieldName"] == "PaymentTCAmount"


def test_it_refuses_a_journal_that_is_uneven_empty_or_on_the_control_account():
    desk = Desk()
    assert refuse(desk, "journalEntries", a_journal(lines=(("6500", 10), ("1090", -9))))["code"] == "2501"
    assert refuse(desk, "journalEntries", a_journal(lines=()))["code"] == "2502"
    assert refuse(desk, "journalEntries", a_journal(lines=(("1200", 10), ("1090", -10))))["code"] == "2306"


def test_it_does_not_change_what_is_posted():
    desk = Desk()
    number = desk.posted("invoice", an_invoice())["documentNumber"]
    keys = {"domainCode": "10USA", "entityCode": "10USACO", "documentNumber": number}
    error = desk.save("customerInvoices", an_invoice(), **keys)["submitResult"]["errors"][0]
    assert error["message"] == f"Document {number} is posted and cannot be changed."


def test_it_accepts_a_reference_twice_with_a_warning_unless_it_is_strict():
    desk = Desk()
    desk.posted("invoice", an_invoice("R-1"))
    answer = desk.save("customerInvoices", an_invoice("r-1"))
    assert answer["submitResult"]["success"] is True
    assert answer["supplementaryMessages"][0]["message"] == "External reference r-1 already exists on another document."
    desk.posted("invoice", an_invoice("R-1"))
    desk.qad.set_duplicate_mode("reject")
    assert refuse(desk, "customerInvoices", an_invoice("R-1"))["code"] == "2601"
    assert desk.qad.ledger()["duplicates"] == {"R-1": 2}
    desk.posted("credit_note", a_credit_note("R-1"))  # another kind may carry it


def test_it_can_move_a_closed_date_to_the_first_open_period():
    desk = Desk()
    desk.qad.modes.shifts_dates = True
    desk.qad.lock_period(2026, 11)
    desk.qad.lock_daybook("CINV", 2026, 12)
    answer = desk.save("customerInvoices", an_invoice())
    record = answer["data"]["customerInvoices"][0]
    assert record["postingDate"] == "2027-01-01T00:00:00.000Z"
    assert record["documentNumber"] == "2027-CINV-000001"
    assert answer["supplementaryMessages"][0]["code"] == "2104"
