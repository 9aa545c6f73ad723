from __future__ import annotations

import pytest

from tests.sandbox.qad_desk import BASIC, Desk, a_payment, an_invoice

DATE = "22.11.2026"
AR = "/v1/ar-documents"


def a_document(doc_type="INV", ref="R-1", gross="100.00", **changes):
    dates = {"document": DATE, "posting": DATE} | ({"due": DATE} if doc_type == "INV" else {})
    value = {"doc_type": doc_type, "ext_ref": ref, "customer": {"code": "C1"}, "text": "Entered", "currency": "USD"}
    value |= {"dates": dates, "company": "10USACO"}
    if gross:
        value["amounts"] = {"gross": gross}
    if doc_type in ("INV", "CRN"):
        value["lines"] = [a_line(credit=gross) if doc_type == "INV" else a_line(debit=gross)]
    if doc_type in ("PAY", "RFD"):
        value["bank"] = {"gl": "1090", "method": "card", "reference": "ch_1"}
    return value | changes


def a_line(debit="0.00", credit="0.00", gl="4000"):
    return {"gl": gl, "text": "Plan", "debit": debit, "credit": credit}


def save(desk, value, path=AR):
    status, answer = desk.rest("POST", path, value=[value])
    assert status == 201, answer
    assert answer[0]["status"] in ("created", "updated")
    return answer[0]["document"]


def refuse(desk, value, path=AR):
    status, answer = desk.rest("POST", path, value=[value])
    assert (status, answer[0]["status"]) == (422, "error"), answer
    return answer[0]["messages"][0]


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer x"}, {"authorization": "Basic !!"}])
def test_it_wants_basic_credentials_on_each_request(headers):
    assert Desk().rest("GET", AR, headers=headers)[0] == 401


def test_it_wants_the_company():
    assert Desk().rest("GET", AR, headers={"authorization": BASIC})[0] == 403


def test_it_posts_the_same_books_as_the_other_dialect():
    one, other = Desk(), Desk()
    save(one, a_document())
    other.posted("invoice", an_invoice())
    assert one.qad.ledger()["trial_balance"] == other.qad.ledger()["trial_balance"]
    assert one.open_items() == other.open_items()
    rows, _ = one.browse("customerInvoices")
    assert rows[0]["customerInvoice.externalReference"] == "R-1"


def test_it_answers_with_nested_objects_texts_for_amounts_and_dotted_dates():
    document = save(Desk(), a_document())
    assert document["doc_no"] == "2026-CINV-000001"
    assert document["fiscal"] == {"year": 2026, "period": 11, "voucher": 1}
    assert document["dates"] == {"document": DATE, "posting": DATE, "due": DATE}
    assert document["amounts"] == {"gross": "100.00", "open": "100.00", "base": "100.00"}
    assert (document["lines"][0]["credit"], document["lines"][0]["debit"]) == ("100.00", "0.00")
    assert document["state"] == "open"


def test_it_posts_tax_and_discount_in_their_columns():
    desk = Desk()
    lines = [a_line(credit="110.00"), a_line(debit="10.00", gl="4800")]
    taxes = [{"tax_name": "VAT", "percent": "20", "net": "100.00", "credit": "20.00", "gl": "2230"}]
    save(desk, a_document(gross="120.00", lines=lines, taxes=taxes))
    assert desk.qad.ledger()["trial_balance"] == {
        "1200": {"USD": "120.00"},
        "2230": {"USD": "-20.00"},
        "4000": {"USD": "-110.00"},
        "4800": {"USD": "10.00"},
    }


def test_it_settles_undoes_refunds_and_reverses_without_a_negative_amount():
    desk = Desk()
    pair = {"credit_ref": "P", "invoice_ref": "I", "amount": "70.00"}
    save(desk, a_document("INV", "I", "100.00"))
    save(desk, a_document("PAY", "P", "70.00"))
    save(desk, a_document("ADJ", "A-1", "", settlements=[pair]))
    assert desk.open_items() == {"I": "30.00"}
    assert save(desk, a_document("UNA", "A-2", "", settlements=[pair]))["doc_type"] == "UNA"
    assert desk.open_items() == {"I": "100.00", "P": "-70.00"}
    refund = a_document("RFD", "RF", "70.00", settlements=[{"doc_ref": "P", "amount": "70.00"}])
    assert save(desk, refund)["doc_type"] == "RFD"
    assert desk.open_items() == {"I": "100.00"}
    storno = a_document("INV", "I-2", "100.00", storno=True, reverses={"ext_ref": "I"}, lines=[a_line(debit="100.00")])
    document = save(desk, storno)
    assert (document["doc_type"], document["storno"], document["amounts"]["gross"]) == ("INV", True, "100.00")
    assert document["lines"][0]["debit"] == "100.00"
    assert (desk.open_items(), desk.qad.ledger()["trial_balance"]) == ({}, {})


def test_it_undoes_the_settlements_of_a_reversed_payment_and_credit_note():
    desk = Desk()
    save(desk, a_document("INV", "I", "100.00"))
    for kind, ref, gross, line in (("PAY", "P", "60.00", None), ("CRN", "N", "40.00", a_line(credit="40.00"))):
        rows = [{"doc_ref": "I", "amount": gross}]
        save(desk, a_document(kind, ref, gross, settlements=rows))
        storno = a_document(kind, f"{ref}-2", gross, settlements=rows, storno=True, reverses={"ext_ref": ref})
        document = save(desk, storno | ({"lines": [line]} if line else {}))
        assert document["doc_type"] == kind
        assert desk.open_items() == {"I": "100.00"}


def test_it_gives_the_credit_back_when_a_refund_is_reversed():
    desk = Desk()
    rows = [{"doc_ref": "N", "amount": "40.00"}]
    save(desk, a_document("CRN", "N", "40.00"))
    save(desk, a_document("RFD", "RF", "40.00", settlements=rows))
    assert desk.open_items() == {}
    storno = a_document("RFD", "RF-2", "40.00", settlements=rows, storno=True, reverses={"ext_ref": "RF"})
    document = save(desk, storno)
    assert (document["doc_type"], document["storno"]) == ("RFD", True)
    assert desk.open_items() == {"N": "-40.00"}


def test_it_posts_a_journal_in_columns_and_reads_it_back():
    desk = Desk()
    journal = a_document("INV", "J", "", lines=[a_line(debit="10.00", gl="6500"), a_line(credit="10.00", gl="1090")])
    del journal["doc_type"], journal["customer"], journal["dates"]["due"]
    number = save(desk, journal, "/v1/journals")["doc_no"]
    status, document = desk.rest("GET", f"/v1/journals/{number}")
    assert status == 200
    assert [(line["debit"], line["credit"]) for line in document["lines"]] == [("10.00", "0.00"), ("0.00", "10.00")]
    assert desk.rest("GET", f"{AR}/{number}")[0] == 404


@pytest.mark.parametrize(
    ("changes", "field", "number"),
    [
        ({"lines": [a_line(debit="1.00", credit="101.00")]}, "lines[0].debit", 2503),
        ({"lines": [a_line(credit="-100.00")]}, "lines[0].debit", 2504),
        ({"amounts": {"gross": "-100.00"}}, "amounts.gross", 2504),
        ({"amounts": {"gross": 100}}, "amounts.gross", 52),
        ({"amounts": {"gross": "1e2"}}, "amounts.gross", 52),
        ({"amounts": {"gross": "90.00"}}, "amounts.gross", 2501),
        ({"dates": {"document": DATE, "posting": "2026-11-22"}}, "dates.posting", 52),
        ({"customer": {"code": "NOBODY"}}, "customer.code", 8),
        ({"customer": "C1"}, "customer.code", 8),
        ({"text": "T" * 41}, "text", 47),
        ({"storno": True}, "reverses.ext_ref", 8),
        ({"doc_type": "XXX"}, "doc_type", 8),
        ({"amount": "1"}, "amount", 54),
        ({"lines": [a_line(credit="100.00", gl="4600")]}, "lines[0].sub", 2302),
    ],
)
def test_it_names_field_and_number_of_a_refusal(changes, field, number):
    desk = Desk()
    message = refuse(desk, a_document() | changes)
    assert (message["field"], message["number"], message["level"]) == (field, number, "error")
    assert desk.qad.ledger()["documents"] == []


@pytest.mark.parametrize("body", [{}, [], [1], [{}, {}]])
def test_it_takes_an_array_of_exactly_one(body):
    assert Desk().rest("POST", AR, value=body)[0] == 400


def test_it_warns_of_a_duplicate():
    desk = Desk()
    save(desk, a_document())
    _, answer = desk.rest("POST", AR, value=[a_document()])
    assert (answer[0]["status"], answer[0]["messages"][0]["level"]) == ("created", "warning")
    desk.qad.set_duplicate_mode("reject")
    assert refuse(desk, a_document())["number"] == 2601


def test_it_pages_by_offset_and_limit_with_a_total():
    desk = Desk()
    for number in range(105):
        desk.posted("invoice", an_invoice(f"R-{number}"))
    _, first = desk.rest("GET", AR, [("offset", "0"), ("limit", "1000")])
    assert (first["total"], first["limit"], len(first["rows"])) == (105, 100, 100)
    _, last = desk.rest("GET", AR, [("offset", "100"), ("limit", "100")])
    assert [row["ext_ref"] for row in last["rows"]] == [f"R-{number}" for number in range(100, 105)]
    assert len(desk.rest("GET", AR)[1]["rows"]) == 20
    desk.qad.modes.over_limit = "refuse"
    assert desk.rest("GET", AR, [("limit", "101")])[0] == 400
    assert desk.rest("GET", AR, [("limit", "0")])[0] == 400


def test_it_filters_exactly_and_by_capitals():
    desk = Desk()
    for ref in ("R-1", "r-1", "R-11"):
        desk.posted("invoice", an_invoice(ref))
    desk.posted("payment", a_payment("R-1"))
    _, found = desk.rest("GET", AR, [("filter[ext_ref]", "R-1"), ("filter[doc_type]", "INV")])
    assert [(row["ext_ref"], row["doc_type"]) for row in found["rows"]] == [("R-1", "INV")]
    _, found = desk.rest("GET", AR, [("filter[customer.code]", "C1")])
    assert found["total"] == 4
    assert desk.rest("GET", AR, [("filter[nothing]", "1")])[0] == 400


def test_it_creates_a_customer_in_one_step_and_updates_it_with_its_version():
    desk = Desk()
    record = {
        "action": "create",
        "code": "NEW1",
        "ext_ref": "cb-1",
        "active": True,
        "relation": {"name": "New", "search_name": "NEW", "address": {"city": "Tulsa"}},
        "terms": {"currency": "USD", "credit_terms": "N30"},
        "operational": {"site": "10-100", "daybook_set": "DBS1"},
    }
    saved = save(desk, record, "/v1/customers")
    assert saved["operational"] == {"site": "10-100", "daybook_set": "DBS1", "complete": True}
    desk.posted("invoice", an_invoice(customerCode="NEW1"))
    assert refuse(desk, record, "/v1/customers")["text"] == "Customer NEW1 already exists."
    change = {**saved, "action": "update", "active": False}
    assert save(desk, change, "/v1/customers")["active"] is False
    assert refuse(desk, change, "/v1/customers")["number"] == 120
    assert desk.rest("GET", "/v1/customers/NEW1")[1]["relation"]["address"]["city"] == "Tulsa"
    assert desk.rest("GET", "/v1/customers", [("filter[ext_ref]", "cb-1")])[1]["total"] == 1
    assert refuse(desk, {**change, "code": "NO"}, "/v1/customers")["number"] == 130
    assert refuse(desk, {**record, "code": "NEW2", "operational": {"site": "9"}}, "/v1/customers")["field"] == (
        "operational.site"
    )


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v1/gl-accounts", "4000"),
        ("/v1/sub-accounts", "SUB1"),
        ("/v1/cost-centres", "CC10"),
        ("/v1/projects", "PRJ1"),
        ("/v1/articles", "SUBS"),
        ("/v1/tax-codes", "VAT"),
        ("/v1/books", "CINV"),
        ("/v1/credit-terms", "N30"),
        ("/v1/currencies", "USD"),
        ("/v1/book-sets", "DBS1"),
        ("/v1/sites", "10-100"),
    ],
)
def test_it_lists_master_data(path, code):
    assert code in [row["code"] for row in Desk().rest("GET", path, [("limit", "100")])[1]["rows"]]


def test_it_lists_periods_and_knows_no_other_path():
    desk = Desk()
    _, page = desk.rest("GET", "/v1/periods", [("limit", "100"), ("filter[year]", "2026")])
    assert page["rows"][10]["from"] == "01.11.2026"
    assert page["rows"][10]["open"] is True
    assert desk.rest("GET", "/v1/nothing")[0] == 404
    assert desk.rest("POST", "/v1/nothing", value=[{}])[0] == 404
    assert desk.rest("DELETE", AR)[0] == 405
