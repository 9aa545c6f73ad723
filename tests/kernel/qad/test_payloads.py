"""Documents become the exact bytes that a profile asks for."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.ledger.documents import Coding, DocumentLine, QadCustomer
from connector.money import Money
from connector.qad.payloads import render, render_correction, steps
from connector.qad.profile import load
from tests.kernel.qad.cases import a_customer, a_line, an_invoice, mapping, tenant_profile, usd

ADAPTIVE_INVOICE = (
    '{"supplementaryMessages":[],"customerInvoices":[{"entityCode":"10USACO","externalReference":"CB-INV-1042",'
    '"customerCode":"C0000001","description":"Invoice 1042","currencyCode":"USD",'
    '"invoiceDate":"2026-11-01T00:00:00.000Z","postingDate":"2026-11-02T00:00:00.000Z",'
    '"dueDate":"2026-12-01T00:00:00.000Z","invoiceTCAmount":120.00,"invoiceLines":['
    '{"lineDescription":"Pro plan","lineTCAmount":90.00,"serviceStartDate":"2026-11-01T00:00:00.000Z",'
    '"serviceEndDate":"2026-11-30T00:00:00.000Z","glAccountCode":"4000"},'
    '{"lineDescription":"Add-on","lineTCAmount":20.10,"glAccountCode":"4000"},'
    '{"lineDescription":"Spring offer","lineTCAmount":-10.10,"glAccountCode":"4000"}],"invoiceTaxes":['
    '{"taxName":"VAT","taxRate":20,"taxBaseTCAmount":100.00,"taxTCAmount":20.00,"taxJurisdiction":"GB",'
    '"glAccountCode":"2200"}]}]}'
)
OFFSET_REST_INVOICE = (
    '[{"company":"10USACO","doc_type":"INV","ext_ref":"CB-INV-1042","customer":{"code":"C0000001"},'
    '"text":"Invoice 1042","currency":"USD","dates":{"document":"01.11.2026","posting":"02.11.2026",'
    '"due":"01.12.2026"},"amounts":{"gross":"120.00"},"lines":['
    '{"text":"Pro plan","service":{"from":"01.11.2026","to":"30.11.2026"},"gl":"4000","credit":"90.00"},'
    '{"text":"Add-on","gl":"4000","credit":"20.10"},'
    '{"text":"Spring offer","gl":"4000","debit":"10.10"}],"taxes":['
    '{"tax_name":"VAT","percent":"20","net":"100.00","region":"GB","gl":"2200","credit":"20.00"}]}]'
)


def _body(request):
    assert not isinstance(request, list), request
    return json.loads(request.body, parse_float=Decimal)


def test_it_writes_an_invoice_in_the_words_of_adaptive():
    request = render(an_invoice(), tenant_profile())
    assert request.body.decode() == ADAPTIVE_INVOICE
    assert (request.method, request.path) == ("POST", "/api/erp/customerInvoices")
    assert request.query == (("viewUri", "urn:be:com.qad.financials.customerledger.ICustomerInvoice"),)
    assert (request.entity, request.reference, request.total) == ("invoice", "CB-INV-1042", Decimal("120.00"))


def test_it_writes_the_same_invoice_in_other_words_columns_and_dates():
    request = render(an_invoice(), tenant_profile("offset-rest"))
    assert request.body.decode() == OFFSET_REST_INVOICE
    assert (request.path, request.query) == ("/v1/ar-documents", ())


def test_it_writes_the_same_bytes_whatever_the_order_of_the_profile():
    stored = json.loads(json.dumps(mapping(), sort_keys=True))
    assert render(an_invoice(), load(stored)).body.decode() == ADAPTIVE_INVOICE


@pytest.mark.parametrize(
    ("currency", "amount", "written"),
    [
        ("JPY", "1200", "1200"),
        ("USD", "0.10", "0.10"),
        ("KWD", "12.5", "12.50"),
        ("USD", "90071992547409.91", "90071992547409.91"),
    ],
)
def test_it_writes_amounts_exactly(currency, amount, written):
    money = Money(Decimal(amount), currency)
    line = DocumentLine("sale", "x", money, Coding("4000"))
    invoice = an_invoice(currency=currency, total=money, lines=(line,), taxes=())
    assert f'"invoiceTCAmount":{written},'.encode() in render(invoice, tenant_profile()).body
    assert f'"gross":"{written}"'.encode() in render(invoice, tenant_profile("offset-rest")).body


@given(st.integers(min_value=-(2**53) + 1, max_value=2**53 - 1))
def test_it_never_lets_an_amount_pass_through_a_float(minor):
    money = Money.of_minor(minor, "USD")
    invoice = an_invoice(total=money, lines=(DocumentLine("sale", "x", money, Coding("4000")),), taxes=())
    (document,) = _body(render(invoice, tenant_profile()))["customerInvoices"]
    assert Decimal(document["invoiceTCAmount"]) == money.amount
    assert Decimal(document["invoiceLines"][0]["lineTCAmount"]) == money.amount


@given(st.text(max_size=40))
def test_it_writes_any_text_as_valid_json(text):
    (document,) = _body(render(an_invoice(description=text), tenant_profile()))["customerInvoices"]
    assert document.get("description", "") == text


def test_it_leaves_out_what_is_empty():
    (document,) = _body(render(an_invoice(due_date=None, purchase_order=""), tenant_profile()))["customerInvoices"]
    assert not {"dueDate", "purchaseOrderNumber", "exchangeRate"} & set(document)


def test_it_leaves_a_line_of_nothing_out_of_an_instance_with_columns():
    invoice = an_invoice(lines=(a_line("120.00"), a_line("0.00")), taxes=())
    (document,) = _body(render(invoice, tenant_profile("offset-rest")))
    assert [line["credit"] for line in document["lines"]] == ["120.00"]


def test_it_cuts_free_text_but_never_a_code():
    (document,) = _body(render(an_invoice(description="d" * 41), tenant_profile()))["customerInvoices"]
    assert document["description"] == "d" * 40
    (problem,) = render(an_invoice(customer="C23456789"), tenant_profile())
    assert problem.code == "qad-field-too-long"
    assert problem.subject == "Invoice 'CB-INV-1042'"
    assert "'C23456789' has 9 characters; this QAD instance takes 8" in problem.message
    assert "writes.invoice.max_length.customer" in problem.fix


def test_it_holds_too_long_a_text_where_the_profile_says_so():
    profile = load(mapping(writes={"invoice": {"too_long": "hold"}}))
    (problem,) = render(an_invoice(description="d" * 41), profile)
    assert problem.code == "qad-field-too-long"


def test_it_tells_everything_that_stands_against_a_document():
    lines = (a_line("100.00", account=""), a_line("20.00", account="123456789"))
    problems = render(an_invoice(customer="", lines=lines, reference="R" * 41), tenant_profile())
    assert [problem.code for problem in problems] == [
        "qad-field-too-long",
        "qad-field-empty",
        "qad-field-empty",
        "qad-field-too-long",
    ]


def test_it_holds_a_negative_total_where_the_instance_knows_no_sign():
    invoice = an_invoice(total=usd("-5.00"), lines=(a_line("-5.00"),), taxes=())
    (problem,) = render(invoice, tenant_profile("offset-rest"))
    assert problem.code == "qad-negative-amount"
    assert "-5.00 USD is negative" in problem.message
    assert not isinstance(render(invoice, tenant_profile()), list)


def test_it_can_turn_every_sign_around():
    lines = {"sign": "reversed"}
    profile = load(mapping(writes={"invoice": {"sign": "reversed", "lines": lines}}))
    request = render(an_invoice(), profile)
    (document,) = _body(request)["customerInvoices"]
    assert document["invoiceTCAmount"] == Decimal("-120.00") == request.total
    assert [line["lineTCAmount"] for line in document["invoiceLines"]] == [
        Decimal("-90.00"),
        Decimal("-20.10"),
        Decimal("10.10"),
    ]


def test_it_reverses_an_invoice_as_a_negative_document_linked_to_the_original():
    request = render_correction(
        an_invoice(reference="CB-VOID-1042"),
        tenant_profile(),
        "reversal",
        original_reference="CB-INV-1042",
        original_number="2026-1",
    )
    (document,) = _body(request)["customerInvoices"]
    assert document["externalReference"] == "CB-VOID-1042" == request.reference
    assert document["correctionOfReference"] == "CB-INV-1042"
    assert document["invoiceTCAmount"] == Decimal("-120.00") == request.total
    assert document["invoiceLines"][2]["lineTCAmount"] == Decimal("10.10")


def test_it_reverses_an_invoice_by_a_flag_and_swapped_columns():
    request = render_correction(
        an_invoice(), tenant_profile("offset-rest"), "reversal", original_reference="CB-INV-1", original_number=""
    )
    (document,) = _body(request)
    assert document["storno"] is True
    assert document["reverses"] == {"ext_ref": "CB-INV-1"}
    assert document["amounts"] == {"gross": "120.00"}
    assert [line.get("debit") for line in document["lines"]] == ["90.00", "20.10", None]
    assert document["lines"][2]["credit"] == "10.10"


def test_it_says_where_a_missing_correction_is_set_up():
    profile = load(mapping(writes={"invoice": {"reversal": {"how": "not_possible"}}}))
    (problem,) = render_correction(an_invoice(), profile, "reversal", original_reference="R", original_number="")
    assert "writes.invoice.reversal.how" in problem.fix


def test_it_writes_a_customer_in_two_steps_or_in_one():
    assert steps(tenant_profile(), QadCustomer) == ("customer", "customer_domain")
    assert steps(tenant_profile("offset-rest"), QadCustomer) == ("customer",)
    first = render(a_customer(), tenant_profile())
    (record,) = _body(first)["customerV2s"]
    assert (record["customerCode"], record["customShort0"], record["isActive"]) == ("CB000001", "CB-CUS-alder", True)
    assert record["sharedSetCode"] == "SS1"
    second = render(a_customer(), tenant_profile(), "customer_domain")
    assert second.query[:2] == (("customerCode", "CB000001"), ("domainCode", "10USA"))
    (record,) = _body(second)["mfgCustomers"]
    assert (record["siteCode"], record["daybookSetCode"]) == ("10-100", "DBS1")


def test_it_holds_a_customer_until_the_tenants_own_codes_are_filled_in():
    profile = load(mapping(writes={"customer_domain": {"constants": {"siteCode": ""}}}))
    (problem,) = render(a_customer(), profile, "customer_domain")
    assert problem.code == "profile-constant-empty"
    assert "writes.customer_domain.constants.siteCode" in problem.fix


def test_it_says_which_entity_the_profile_lacks():
    (problem,) = render(an_invoice(), load(mapping(writes={"invoice": "-"})))
    assert "[writes.invoice]" in problem.fix


def test_it_takes_amounts_as_text_where_the_profile_says_so():
    profile = load(mapping(values={"amounts": "string", "dates": "%d/%m/%Y"}))
    (document,) = _body(render(an_invoice(exchange_rate=Decimal("1.0850")), profile))["customerInvoices"]
    assert (document["invoiceTCAmount"], document["exchangeRate"]) == ("120.00", "1.0850")
    assert document["postingDate"] == "02/11/2026"
