"""Every sold-side document in both dialects: the exact requests, and what an instance's ledger makes of them."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import defaultdict
from decimal import Decimal

import pytest

from connector.ledger.documents import Coding, DocumentLine, Unapplication
from connector.ledger.journals import journal
from connector.ledger.reversals import reversal
from connector.qad.payloads import render
from connector.qad.profile import load
from tests.kernel.qad.cases import DIALECTS, a_line, an_invoice, mapping, tenant_profile, usd
from tests.kernel.qad.sold_side import (
    DAY,
    a_journal,
    a_note,
    a_payment,
    a_refund,
    an_adjustment,
    an_unapplication,
    posted,
    to,
)

RECEIVABLE = "1200"
A_DATES = '"{0}Date":"2026-11-10T00:00:00.000Z","postingDate":"2026-11-10T00:00:00.000Z"'
A_HEAD = (
    '{{"supplementaryMessages":[],"{0}":[{{"entityCode":"10USACO","externalReference":"{1}","customerCode":"C0000001",'
    '"description":"{2}","currencyCode":"USD",'
)
B_HEAD = '[{{"company":"10USACO","doc_type":"{0}",{1}"ext_ref":"{2}","customer":{{"code":"C0000001"}},"text":"{3}",'
B_DATES = '"currency":"USD","dates":{"document":"10.11.2026","posting":"10.11.2026"},'
PAYMENT = a_payment(applications=(to("CB-INV-1042", "60.00", number="2026-CINV-000001"), to("CB-INV-1043", "20.00")))
REFUND = a_refund(applications=(to("CB-PAY-p1", "15.00", "payment"),))
P1 = posted("CB-PAY-p1", kind="payment")
UNDONE = an_unapplication(to("CB-INV-1042", "60.00"), credit=P1)

GOLDEN = {
    "note": (
        a_note(original_number="2026-CINV-000001"),
        A_HEAD.format("customerCreditNotes", "CB-CN-7", "Credit note 7")
        + A_DATES.format("creditNote")
        + ',"creditNoteTCAmount":60.00,"creditNoteLines":[{"lineDescription":"Pro plan","lineTCAmount":50.00,'
        '"glAccountCode":"4000"}],"creditNoteTaxes":[{"taxName":"VAT","taxRate":20,"taxBaseTCAmount":50.00,'
        '"taxTCAmount":10.00,"taxJurisdiction":"GB","glAccountCode":"2200"}],"creditNoteApplications":['
        '{"documentReference":"CB-INV-1042","appliedTCAmount":45.00}]}]}',
        B_HEAD.format("CRN", "", "CB-CN-7", "Credit note 7")
        + B_DATES
        + '"amounts":{"gross":"60.00"},"lines":[{"text":"Pro plan","gl":"4000","debit":"50.00"}],"taxes":['
        '{"tax_name":"VAT","percent":"20","net":"50.00","region":"GB","gl":"2200","debit":"10.00"}],"settlements":['
        '{"doc_ref":"CB-INV-1042","amount":"45.00"}]}]',
    ),
    "payment": (
        PAYMENT,
        A_HEAD.format("customerPayments", "CB-PAY-p1", "Payment p1")
        + A_DATES.format("payment")
        + ',"paymentTCAmount":100.00,"paymentMethodCode":"card","paymentReference":"ch_1","bankGLAccountCode":"1090",'
        '"paymentApplications":[{"documentReference":"CB-INV-1042","documentNumber":"2026-CINV-000001",'
        '"appliedTCAmount":60.00},{"documentReference":"CB-INV-1043","appliedTCAmount":20.00}]}]}',
        B_HEAD.format("PAY", "", "CB-PAY-p1", "Payment p1")
        + B_DATES
        + '"amounts":{"gross":"100.00"},"bank":{"method":"card","reference":"ch_1","gl":"1090"},"settlements":['
        '{"doc_ref":"CB-INV-1042","doc_no":"2026-CINV-000001","amount":"60.00"},'
        '{"doc_ref":"CB-INV-1043","amount":"20.00"}]}]',
    ),
    "refund": (
        REFUND,
        A_HEAD.format("customerPayments", "CB-REF-r1", "Refund r1")
        + A_DATES.format("payment")
        + ',"paymentTCAmount":-15.00,"paymentMethodCode":"card","paymentReference":"ch_1","bankGLAccountCode":"1090",'
        '"paymentApplications":[{"documentReference":"CB-PAY-p1","appliedTCAmount":-15.00}]}]}',
        B_HEAD.format("RFD", "", "CB-REF-r1", "Refund r1")
        + B_DATES
        + '"amounts":{"gross":"15.00"},"bank":{"method":"card","reference":"ch_1","gl":"1090"},"settlements":['
        '{"doc_ref":"CB-PAY-p1","amount":"15.00"}]}]',
    ),
    "application": (
        an_adjustment(to("CB-INV-1044", "5.00"), credit=P1),
        A_HEAD.format("customerAdjustments", "CB-APP-p1", "p1 to invoice")
        + A_DATES.format("adjustment")
        + ',"adjustmentApplications":[{"creditReference":"CB-PAY-p1","invoiceReference":"CB-INV-1044",'
        '"appliedTCAmount":5.00}]}]}',
        B_HEAD.format("ADJ", "", "CB-APP-p1", "p1 to invoice")
        + B_DATES
        + '"settlements":[{"credit_ref":"CB-PAY-p1","invoice_ref":"CB-INV-1044","amount":"5.00"}]}]',
    ),
    "un-application": (
        UNDONE,
        A_HEAD.format("customerAdjustments", "CB-APP-p1-1", "p1 off invoice")
        + A_DATES.format("adjustment")
        + ',"adjustmentApplications":[{"creditReference":"CB-PAY-p1","invoiceReference":"CB-INV-1042",'
        '"appliedTCAmount":-60.00}]}]}',
        B_HEAD.format("UNA", "", "CB-APP-p1-1", "p1 off invoice")
        + B_DATES
        + '"settlements":[{"credit_ref":"CB-PAY-p1","invoice_ref":"CB-INV-1042","amount":"60.00"}]}]',
    ),
    "journal": (
        a_journal(),
        '{"supplementaryMessages":[],"journalEntries":[{"entityCode":"10USACO","externalReference":"CB-PAY-j1",'
        '"description":"Payment j1","currencyCode":"USD",'
        + A_DATES.format("journal")
        + ',"journalEntryLines":[{"lineDescription":"Payment p1","lineTCAmount":100.00,"glAccountCode":"1090"},'
        '{"lineDescription":"Payment p1","lineTCAmount":-100.00,"glAccountCode":"2460"}]}]}',
        '[{"company":"10USACO","ext_ref":"CB-PAY-j1","text":"Payment j1",'
        + B_DATES
        + '"lines":[{"text":"Payment p1","gl":"1090","debit":"100.00"},{"text":"Payment p1","gl":"2460",'
        '"credit":"100.00"}]}]',
    ),
    "reversal of a payment": (
        reversal(PAYMENT, "CB-REV-p1", on=DAY, number="", applications=(to("CB-INV-1042", "60.00"),)),
        A_HEAD.format("customerPayments", "CB-REV-p1", "Payment p1")
        + A_DATES.format("payment")
        + ',"paymentTCAmount":-100.00,"paymentMethodCode":"card","paymentReference":"ch_1","bankGLAccountCode":"1090",'
        '"correctionOfReference":"CB-PAY-p1","paymentApplications":[{"documentReference":"CB-INV-1042",'
        '"appliedTCAmount":-60.00}]}]}',
        B_HEAD.format("PAY", '"storno":true,', "CB-REV-p1", "Payment p1")
        + B_DATES
        + '"amounts":{"gross":"100.00"},"bank":{"method":"card","reference":"ch_1","gl":"1090"},'
        '"reverses":{"ext_ref":"CB-PAY-p1"},"settlements":[{"doc_ref":"CB-INV-1042","amount":"60.00"}]}]',
    ),
    "reversal of a refund": (
        reversal(REFUND, "CB-REV-r1", on=DAY, number="", applications=REFUND.applications),
        A_HEAD.format("customerPayments", "CB-REV-r1", "Refund r1")
        + A_DATES.format("payment")
        + ',"paymentTCAmount":15.00,"paymentMethodCode":"card","paymentReference":"ch_1","bankGLAccountCode":"1090",'
        '"correctionOfReference":"CB-REF-r1","paymentApplications":[{"documentReference":"CB-PAY-p1",'
        '"appliedTCAmount":15.00}]}]}',
        B_HEAD.format("RFD", '"storno":true,', "CB-REV-r1", "Refund r1")
        + B_DATES
        + '"amounts":{"gross":"15.00"},"bank":{"method":"card","reference":"ch_1","gl":"1090"},'
        '"reverses":{"ext_ref":"CB-REF-r1"},"settlements":[{"doc_ref":"CB-PAY-p1","amount":"15.00"}]}]',
    ),
}


@pytest.mark.parametrize(("document", "adaptive", "offset_rest"), GOLDEN.values(), ids=GOLDEN)
def test_it_writes_every_document_in_both_dialects(document, adaptive, offset_rest):
    assert render(document, tenant_profile()).body.decode() == adaptive
    assert render(document, tenant_profile("offset-rest")).body.decode() == offset_rest


def test_it_says_what_an_echo_must_repeat():
    refund, taken_back = render(REFUND, tenant_profile()), GOLDEN["reversal of a refund"][0]
    assert (refund.entity, refund.reference, refund.total) == ("payment", "CB-REF-r1", Decimal("-15.00"))
    assert render(taken_back, tenant_profile()).total == Decimal("15.00")
    assert render(UNDONE, tenant_profile()).total is None


@pytest.mark.parametrize(
    ("document", "rule"), [(REFUND, "payment.refund"), (UNDONE, "adjustment.unapplication")], ids=["refund", "undo"]
)
def test_it_holds_what_the_profile_cannot_write_back(document, rule):
    entity, correction = rule.split(".")
    profile = load(mapping(writes={entity: {correction: {"how": "not_possible"}}}))
    (problem,) = render(document, profile)
    assert f"writes.{rule}.how" in problem.fix


def test_it_names_the_document_in_what_stands_against_it():
    (problem,) = render(a_payment(customer="C23456789"), tenant_profile())
    assert problem.subject == "Payment 'CB-PAY-p1'"


# --- over loopback: the instance's own ledger is the judge ---------------------------------------------------------


class Books:
    """Posts documents and remembers what their journals say."""

    def __init__(self, bench, dialect):
        self.qad, self.client = bench.qad, bench.client(dialect)
        self.balance = defaultdict(Decimal)

    def post(self, document):
        receipt = self.client.send(render(document, self.client.profile), 10)
        for line in journal(document, RECEIVABLE):
            self.balance[line.account] += line.debit.amount - line.credit.amount
        return receipt.number

    def agree(self):
        """The ledger's trial balance is the sum of our journals, to the cent."""
        ledger = {account: Decimal(sums["USD"]) for account, sums in self.qad.ledger()["trial_balance"].items()}
        assert ledger == {account: amount for account, amount in self.balance.items() if amount}

    def open_items(self):
        items = self.qad.ledger()["open_items"].get("C0000001", [])
        return {item["reference"].removeprefix("CB-"): item["open"] for item in items}


@pytest.fixture(params=DIALECTS)
def books(bench, request):
    return Books(bench, request.param)


def an_open_invoice(name, amount):
    return an_invoice(
        reference=f"CB-INV-{name}",
        source_id=name,
        posting_date=dt.date(2026, 11, 2),
        lines=(a_line(amount),),
        taxes=(),
        total=usd(amount),
    )


def test_an_instance_keeps_the_same_books_through_the_whole_life_of_documents(books):
    for name, amount in (("1", "120.00"), ("2", "50.00"), ("3", "30.00")):
        books.post(an_open_invoice(name, amount))
    note = a_note(applications=(to("CB-INV-1", "45.00"),))
    books.post(note)
    assert books.open_items() == {"INV-1": "75.00", "INV-2": "50.00", "INV-3": "30.00", "CN-7": "-15.00"}

    payment = a_payment(applications=(to("CB-INV-1", "60.00"), to("CB-INV-2", "20.00")))
    number = books.post(payment)
    assert books.open_items() == {"INV-1": "15.00", "INV-2": "30.00", "INV-3": "30.00", "CN-7": "-15.00",
                                  "PAY-p1": "-20.00"}  # fmt: skip

    books.post(an_adjustment(to("CB-INV-3", "5.00"), credit=P1))  # late
    books.post(an_unapplication(to("CB-INV-2", "20.00"), credit=P1))  # removed in Chargebee
    books.post(
        an_adjustment(to("CB-INV-3", "10.00"), credit=posted("CB-CN-7", kind="credit_note"), reference="CB-APP-7")
    )
    assert books.open_items() == {"INV-1": "15.00", "INV-2": "50.00", "INV-3": "15.00", "CN-7": "-5.00",
                                  "PAY-p1": "-35.00"}  # fmt: skip

    refund = a_refund(
        total=usd("40.00"), applications=(to("CB-CN-7", "5.00", "credit_note"), to("CB-PAY-p1", "35.00", "payment"))
    )
    books.post(refund)
    assert books.open_items() == {"INV-1": "15.00", "INV-2": "50.00", "INV-3": "15.00"}
    books.agree()

    books.post(reversal(refund, "CB-REV-r1", on=DAY, number="", applications=refund.applications))
    standing = (to("CB-INV-1", "60.00"), to("CB-INV-3", "5.00"))
    books.post(reversal(payment, "CB-REV-p1", on=DAY, number=number, applications=standing))
    assert books.open_items() == {"INV-1": "75.00", "INV-2": "50.00", "INV-3": "20.00", "CN-7": "-5.00"}
    books.agree()

    lost = DocumentLine("write_off", "Write-off of 2", usd("50.00"), Coding("6500"))
    write_off = a_note(
        reference="CB-WO-2", lines=(lost,), taxes=(), total=usd("50.00"), applications=(to("CB-INV-2", "50.00"),)
    )
    books.post(write_off)
    books.post(
        reversal(note, "CB-REV-7", on=DAY, number="", applications=(to("CB-INV-1", "45.00"), to("CB-INV-3", "10.00")))
    )
    assert books.open_items() == {"INV-1": "120.00", "INV-3": "30.00"}
    books.post(reversal(write_off, "CB-REV-WO-2", on=DAY, number="", applications=write_off.applications))
    assert books.open_items() == {"INV-1": "120.00", "INV-2": "50.00", "INV-3": "30.00"}
    books.agree()


def test_an_instance_keeps_the_same_books_where_cash_is_only_a_journal(books):
    entry = a_journal()
    number = books.post(entry)
    books.agree()
    assert books.balance == {"1090": Decimal("100.00"), "2460": Decimal("-100.00")}
    books.post(reversal(entry, "CB-REV-j1", on=DAY, number=number))
    books.agree()
    assert books.open_items() == {}


def test_an_instance_takes_an_application_off_again_by_number(books):
    invoice = books.post(an_open_invoice("1", "120.00"))
    payment = books.post(a_payment())
    credit = posted("", payment, "payment")
    application = to("", "100.00", number=invoice)
    books.post(an_adjustment(application, credit=credit))
    assert books.open_items() == {"INV-1": "20.00"}
    undone = an_unapplication(application, credit=credit)
    assert isinstance(undone, Unapplication)
    books.post(dataclasses.replace(undone, posting_date=dt.date(2026, 11, 12)))
    assert books.open_items() == {"INV-1": "120.00", "PAY-p1": "-100.00"}
