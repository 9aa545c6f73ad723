"""What each reply to a write proves: applied, refused, nothing, or nobody knows."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connector.errors import Authentication, Configuration, Conflict, Rejected, Transient, Uncertain
from connector.qad import replies
from connector.qad.payloads import render
from connector.qad.profile import load
from connector.qad.replies import Receipt
from tests.kernel.qad.cases import a_customer, an_invoice, mapping, tenant_profile

JSON = {"Content-Type": "application/json"}
HTML = {"Content-Type": "text/html;charset=utf-8"}
RECORD = {
    "documentNumber": "2026-CINV-000007",
    "postingYear": 2026,
    "daybookCode": "CINV",
    "voucherNumber": 7,
    "postingDate": "2026-11-02T00:00:00.000Z",
    "externalReference": "CB-INV-1042",
    "invoiceTCAmount": 120,
}
DOCUMENT = {
    "doc_no": "2026-CINV-000007",
    "fiscal": {"year": 2026, "voucher": 7},
    "book": "CINV",
    "dates": {"posting": "02.11.2026"},
    "ext_ref": "CB-INV-1042",
    "amounts": {"gross": "120.00"},
}


def _yes(warnings=(), **changes):
    record = {name: value for name, value in {**RECORD, **changes}.items() if value is not None}
    return {
        "submitResult": {"success": True, "errors": []},
        "supplementaryMessages": [{"message": text, "severity": 2} for text in warnings],
        "data": {"customerInvoices": [record]},
    }


def _no(*messages, success=False, **more):
    errors = [{"fieldName": "", "message": text, "fieldValue": "", "code": "9", "severity": 1} for text in messages]
    return {"submitResult": {"success": success, "errors": errors}, **more}


def _bare(message, code="403"):
    return {"errors": [{"severity": 1, "code": code, "message": message, "fieldName": ""}]}


def _read(status, body, headers=JSON, profile=None, entity="invoice"):
    profile = profile or tenant_profile()
    sent = render(an_invoice() if entity == "invoice" else a_customer(), profile, entity)
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return replies.read(profile, entity, status, headers, content, sent=sent, exchange="the call")


def test_it_reads_a_receipt_from_an_envelope():
    assert _read(200, _yes()) == Receipt(
        "2026-CINV-000007", "2026", "CINV", "7", dt.date(2026, 11, 2), exchange="the call"
    )


def test_it_reads_a_receipt_from_an_array_of_nested_objects():
    body = [{"status": "created", "document": DOCUMENT, "messages": [{"text": "Late", "level": "warning"}]}]
    assert _read(201, body, profile=tenant_profile("offset-rest")) == Receipt(
        "2026-CINV-000007", "2026", "CINV", "7", dt.date(2026, 11, 2), ("Late",), "the call"
    )


def test_it_keeps_each_warning_once():
    receipt = _read(200, _yes(warnings=("Reference CB-INV-1042 already exists on another document.", "Slow", "Slow")))
    assert receipt.warnings == ("Reference CB-INV-1042 already exists on another document.", "Slow")


PAGE = b"<html><head><title>Sign in</title></head><body>login</body></html>"
TRUNCATED = json.dumps(_yes()).encode()[:-40]
B_ERROR = [
    {
        "status": "error",
        "messages": [{"text": "Period 11 is closed for entity X.", "number": 2101, "field": "dates.posting"}],
    }
]

TABLE = [
    # what came back, the status, the headers, what it proves
    ("an accepted document", 200, _yes(), JSON, Receipt),
    ("an accepted document, 201", 201, _yes(), JSON, Receipt),
    ("no content type, still an answer", 200, _yes(), {}, Receipt),
    ("a byte order mark", 200, b"\xef\xbb\xbf" + json.dumps(_yes()).encode(), JSON, Receipt),
    ("a receipt without an echo", 200, _yes(externalReference=None, invoiceTCAmount=None), JSON, Receipt),
    ("a total echoed as text", 200, _yes(invoiceTCAmount="120.0"), JSON, Receipt),
    ("a total that is no number is no echo", 200, _yes(invoiceTCAmount="n/a"), JSON, Receipt),
    ("success as text", 200, {**_yes(), "submitResult": {"success": "TRUE"}}, JSON, Receipt),
    ("a status outside the profile's", 202, _yes(), JSON, Uncertain),
    ("success without a number", 200, _yes(documentNumber=None), JSON, Uncertain),
    ("success with an empty number", 200, _yes(documentNumber=" "), JSON, Uncertain),
    ("success with a number that is an object", 200, _yes(documentNumber={"a": 1}), JSON, Uncertain),
    ("success without a record", 200, {"submitResult": {"success": True}}, JSON, Uncertain),
    ("another document's reference", 200, _yes(externalReference="CB-INV-9"), JSON, Conflict),
    ("the same reference in small letters", 200, _yes(externalReference="cb-inv-1042"), JSON, Conflict),
    ("another total", 200, _yes(invoiceTCAmount=119.99), JSON, Conflict),
    ("the opposite total", 200, _yes(invoiceTCAmount=-120), JSON, Conflict),
    ("a refusal under 200", 200, _no("GL account 4000 is not active."), JSON, Rejected),
    ("a refusal under 400", 400, _no("Field is mandatory."), JSON, Rejected),
    ("a refusal under 422", 422, _no("Field is mandatory."), JSON, Rejected),
    ("a bare list of errors under 400", 400, _bare("Period 11 is closed for entity X.", "1"), JSON, Rejected),
    ("a bare list of errors under 200", 200, _bare("Something is wrong", "1"), JSON, Rejected),
    ("errors as plain texts", 400, {"errors": ["Something is wrong"]}, JSON, Rejected),
    ("one error as an object", 400, {"errors": {"message": "Something is wrong"}}, JSON, Rejected),
    ("success=false without a reason", 200, {"submitResult": {"success": False}}, JSON, Rejected),
    ("too large", 413, PAGE, HTML, Rejected),
    ("a duplicate reference", 200, _no("External reference X already exists on another document."), JSON, Uncertain),
    ("a duplicate reference under 400", 400, _no("Reference X already exists on another invoice"), JSON, Uncertain),
    ("a duplicate among other complaints", 400, _no("Field is mandatory.", "X already exists."), JSON, Uncertain),
    ("success with errors", 200, _no("Field is mandatory.", success=True), JSON, Uncertain),
    ("a refusal with a number", 200, {**_yes(), **_no("Field is mandatory.")}, JSON, Uncertain),
    ("an object that says nothing", 200, {"ok": 1}, JSON, Uncertain),
    ("400 without a complaint", 400, {"message": "Bad request"}, JSON, Uncertain),
    ("success under 400", 400, _yes(), JSON, Uncertain),
    ("a word for success that nobody knows", 200, {"submitResult": {"success": "pending"}}, JSON, Uncertain),
    ("an empty answer", 200, b"", JSON, Uncertain),
    ("an empty 201", 201, b"", {}, Uncertain),
    ("an empty list", 200, [], JSON, Uncertain),
    ("null", 200, b"null", JSON, Uncertain),
    ("a number", 200, b"12", JSON, Uncertain),
    ("a cut answer", 200, TRUNCATED, JSON, Uncertain),
    ("not a number among numbers", 200, b'{"data": NaN}', JSON, Uncertain),
    ("a bottomless answer", 200, b"[" * 100_000, JSON, Uncertain),
    ("a number beyond reason", 200, b'{"a": 1e99999999999999999999}', JSON, Uncertain),
    ("an integer of 5000 digits", 200, b'{"a": ' + b"9" * 5000 + b"}", JSON, Uncertain),
    ("another charset", 200, "é".encode("latin-1"), JSON, Uncertain),
    ("a login page under 200", 200, PAGE, HTML, Uncertain),
    ("a login page that calls itself JSON", 200, PAGE, JSON, Uncertain),
    ("a page under 400", 400, PAGE, HTML, Uncertain),
    ("a redirect", 302, b"", {"Location": "https://sso.example/"}, Uncertain),
    ("a redirect with a body of success", 307, _yes(), JSON, Uncertain),
    ("nothing modified", 304, b"", {}, Uncertain),
    ("401 as JSON", 401, _bare("Full authentication is required", "401"), JSON, Authentication),
    ("401 without a body", 401, b"", {}, Authentication),
    ("401 as the server's own page", 401, PAGE, {**HTML, "WWW-Authenticate": "Basic"}, Authentication),
    ("401 from a gateway's page", 401, PAGE, HTML, Uncertain),
    ("403 as JSON", 403, _bare("Access is denied"), JSON, Authentication),
    ("403 as a page", 403, PAGE, HTML, Uncertain),
    ("403 without a body", 403, b"", {}, Uncertain),
    ("403 as cut JSON", 403, b'{"errors": [', JSON, Uncertain),
    ("404 as JSON", 404, _bare("Resource not found", "404"), JSON, Configuration),
    ("404 as a page", 404, PAGE, HTML, Configuration),
    ("405", 405, _bare("Method not allowed", "405"), JSON, Configuration),
    ("415", 415, b"", {}, Configuration),
    ("408", 408, b"", {}, Uncertain),
    ("409 as JSON", 409, _no("The record was changed by another user."), JSON, Uncertain),
    ("425", 425, b"", {}, Uncertain),
    ("429", 429, _bare("Too many requests", "429"), {**JSON, "Retry-After": "5"}, Uncertain),
    ("500 as JSON", 500, _no("Field is mandatory."), JSON, Uncertain),
    ("500 that says success", 500, _yes(), JSON, Uncertain),
    ("502", 502, PAGE, HTML, Uncertain),
    ("503", 503, PAGE, {**HTML, "Retry-After": "60"}, Uncertain),
    ("504", 504, b"", {}, Uncertain),
    ("a status nobody knows", 799, b"", {}, Uncertain),
]


@pytest.mark.parametrize(
    ("status", "body", "headers", "proves"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_it_believes_a_reply_only_as_far_as_it_proves(status, body, headers, proves):
    if proves is Receipt:
        assert _read(status, body, headers).number == "2026-CINV-000007"
        return
    with pytest.raises(proves) as said:
        _read(status, body, headers)
    assert type(said.value) is proves
    assert said.value.exchange == "the call"
    assert said.value.message


@pytest.mark.parametrize(
    ("status", "body", "proves"),
    [
        (201, [{"status": "created", "document": DOCUMENT}], Receipt),
        (201, [{"status": "created", "document": {}}], Uncertain),
        (201, [{"status": "created", "document": {**DOCUMENT, "ext_ref": "X"}}], Conflict),
        (422, B_ERROR, Rejected),
        (201, [{"status": "error", "messages": [{"text": "No", "level": "warning"}]}], Rejected),
        (422, [{"status": "error", "messages": [{"text": "Reference X already exists"}]}], Uncertain),
        (403, {"messages": [{"text": "Access is denied"}]}, Authentication),
        (404, {"messages": [{"text": "/v1/x does not exist"}]}, Configuration),
        (400, {"messages": [{"text": "Expected an array of one document"}]}, Rejected),
        (201, {"status": "created"}, Uncertain),
    ],
)
def test_it_judges_the_other_dialect_by_its_own_pointers(status, body, proves):
    if proves is Receipt:
        assert _read(status, body, profile=tenant_profile("offset-rest")).voucher == "7"
        return
    with pytest.raises(proves) as said:
        _read(status, body, profile=tenant_profile("offset-rest"))
    assert type(said.value) is proves


@pytest.mark.parametrize(
    ("message", "code", "words"),
    [
        ("Period 11 is closed for entity 10USACO.", "qad-period-closed", "Open the period in QAD"),
        ("Daybook CINV is locked in period 11.", "qad-period-closed", "Open the period in QAD"),
        ("GL account 4000 is not active.", "qad-inactive", "Correct the mapping"),
        ("Daybook GLJRN does not fit this kind of document.", "qad-daybook-wrong", "Correct the daybook"),
        ("No exchange rate from XPF to USD on 2026-11-01.", "qad-no-rate", "Enter the exchange rate"),
        ("GL account 4630 accepts only EUR.", "qad-account-currency", "takes the document's currency"),
        ("GL account 2230 does not allow a cost center.", "qad-dimension-not-allowed", "Take it out"),
        ("Customer C1 does not exist.", "qad-not-found", "Create it in QAD"),
        ("Field length should be less than 29.", "qad-too-long", "max_length"),
        ("Field is mandatory.", "qad-missing", "a code that it does not know"),
        ("GL account 4610 requires a cost center.", "qad-dimension-missing", "Add it to the mapping"),
        ("Lines and taxes make 1, the document says 2.", "qad-refused", "Correct the cause"),
    ],
)
def test_it_gives_each_complaint_its_next_step(message, code, words):
    with pytest.raises(Rejected) as said:
        _read(200, _no(message))
    (problem,) = said.value.problems
    assert problem.code == code
    assert f'"{message}" (QAD code 9)' in problem.message
    assert words in problem.fix


def test_it_names_the_field_in_our_words_whatever_its_capitals():
    error = {"fieldName": "PostingDate", "message": "No.", "fieldValue": "2026-11-02", "code": "47", "severity": 1}
    with pytest.raises(Rejected) as said:
        _read(200, {"submitResult": {"success": False, "errors": [error]}})
    assert said.value.problems[0].message == (
        "QAD says of posting date (PostingDate): \"No.\" (QAD code 47). The value is '2026-11-02'."
    )


def test_it_says_all_complaints_at_once():
    with pytest.raises(Rejected) as said:
        _read(200, _no("Field is mandatory.", "GL account 4000 is not active."))
    assert len(said.value.problems) == 2


def test_it_says_where_a_wrong_path_is_changed():
    with pytest.raises(Configuration) as said:
        _read(404, PAGE, HTML)
    for words in ("'invoice'", "/api/erp/customerInvoices", "HTTP 404: Sign in", "writes.invoice.path"):
        assert words in said.value.message


def test_it_says_whose_right_is_missing():
    with pytest.raises(Authentication, match="right to create 'invoice'"):
        _read(403, _bare("Access is denied"))


def test_it_takes_a_documented_not_processed_as_a_wait():
    profile = load(mapping(replies={"not_processed_statuses": [429]}))
    with pytest.raises(Transient) as said:
        _read(429, _bare("Too many"), {**JSON, "Retry-After": "7"}, profile=profile)
    assert said.value.retry_after == 7
    moment = {"Date": "Sun, 22 Nov 2026 10:00:00 GMT", "Retry-After": "Sun, 22 Nov 2026 10:00:30 GMT"}
    with pytest.raises(Transient) as said:
        _read(429, _bare("Too many"), {**JSON, **moment}, profile=profile)
    assert said.value.retry_after == 30
    with pytest.raises(Transient) as said:
        _read(429, _bare("Too many"), {**JSON, "Retry-After": "soon"}, profile=profile)
    assert said.value.retry_after is None


def test_it_takes_the_status_for_success_where_the_profile_has_no_flag():
    profile = load(mapping(replies={"success": "", "record": "/data/{collection}/0"}))
    assert _read(200, {"data": {"customerInvoices": [RECORD]}}, profile=profile).number == "2026-CINV-000007"
    with pytest.raises(Rejected):
        _read(200, _bare("No"), profile=profile)
    with pytest.raises(Uncertain):
        _read(200, {"data": {}}, profile=profile)


def test_it_reads_a_customers_number_and_compares_its_external_reference():
    body = {"submitResult": {"success": True}, "data": {"customerV2s": [{"customerCode": "CB000001"}]}}
    assert _read(200, body, entity="customer").number == "CB000001"
    body["data"]["customerV2s"][0]["customShort0"] = "another"
    with pytest.raises(Conflict):
        _read(200, body, entity="customer")


SIX = (Transient, Uncertain, Authentication, Configuration, Rejected, Conflict)
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["submitResult", "success", "errors", "data", "customerInvoices", "message", "documentNumber"]
            )
            | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


def _proves_something(profile, status, headers, content):
    try:
        receipt = replies.read(profile, "invoice", status, headers, content, sent=render(an_invoice(), profile))
    except SIX as error:
        assert error.message
        return
    assert receipt.number


@given(
    st.sampled_from(["adaptive", "offset-rest"]),
    st.sampled_from([200, 201, 400, 401, 403, 422, 500]) | st.integers(0, 999),
    st.sampled_from([JSON, HTML, {}, {"Retry-After": "x"}]),
    st.binary(max_size=200),
)
@example("adaptive", 200, JSON, b'{"submitResult": {"success": true}, "data": {"customerInvoices": [[]]}}')
@example("offset-rest", 201, JSON, b'[{"status": "created", "document": [1]}]')
def test_it_raises_nothing_but_the_six_whatever_bytes_come(name, status, headers, content):
    _proves_something(tenant_profile(name), status, headers, content)


@given(st.sampled_from(["adaptive", "offset-rest"]), st.sampled_from([200, 201, 400, 403, 404, 422]), JSONS)
@pytest.mark.slow
def test_it_raises_nothing_but_the_six_whatever_json_comes(name, status, value):
    _proves_something(tenant_profile(name), status, JSON, json.dumps(value).encode())


def test_it_never_changes_a_receipt():
    with pytest.raises(dataclasses.FrozenInstanceError):
        _read(200, _yes()).number = "1"
