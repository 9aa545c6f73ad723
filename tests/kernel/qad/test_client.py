"""The client against an instance, in both dialects, by profile data alone."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from connector.errors import Authentication, Configuration, Rejected, Transient, Uncertain
from connector.qad.auth import Credentials
from connector.qad.payloads import render_correction, steps
from connector.qad.profile import load
from connector.qad.transport import Transport
from tests.kernel.qad.cases import DIALECTS, a_customer, a_line, an_invoice, mapping, usd

both = pytest.mark.parametrize("dialect", list(DIALECTS))


def _sent(client, document, entity=""):
    return client.send(client.render(document, entity), 10)


@both
def test_it_posts_an_invoice_and_finds_it_again(bench, dialect):
    client = bench.client(dialect)
    client.sign_in()
    receipt = _sent(client, an_invoice())
    assert (receipt.number, receipt.year, receipt.daybook, receipt.voucher, receipt.posting_date, receipt.warnings) == (
        "2026-CINV-000001",
        "2026",
        "CINV",
        "1",
        dt.date(2026, 11, 2),
        (),
    )
    (found,) = client.look_up("invoice", "CB-INV-1042")
    assert (found.number, found.customer, found.currency, found.total, found.posting_date) == (
        receipt.number,
        "C0000001",
        "USD",
        Decimal("120.00"),
        dt.date(2026, 11, 2),
    )
    assert bench.qad.ledger()["trial_balance"] == {
        "1200": {"USD": "120.00"},
        "2200": {"USD": "-20.00"},
        "4000": {"USD": "-100.00"},
    }


def test_it_books_the_same_in_both_dialects(bench):
    for dialect in DIALECTS:
        client = bench.client(dialect)
        _sent(client, an_invoice(reference=f"CB-{dialect}"))
    first, second = bench.qad.ledger()["documents"]
    same = ("customer", "currency", "total", "posting_date", "document_date", "due_date", "lines", "taxes", "journal")
    assert [first[name] for name in same] == [second[name] for name in same]


@both
def test_it_sees_a_duplicate_as_two(bench, dialect):
    client = bench.client(dialect)
    _sent(client, an_invoice())
    receipt = _sent(client, an_invoice())
    assert receipt.warnings == ("External reference CB-INV-1042 already exists on another document.",)
    assert [found.number for found in client.look_up("invoice", "CB-INV-1042")] == [
        "2026-CINV-000001",
        "2026-CINV-000002",
    ]
    assert client.look_up("invoice", "cb-inv-1042") == client.look_up("invoice", "CB-INV-104") == ()


@both
def test_it_is_in_doubt_where_the_instance_refuses_a_duplicate(bench, dialect):
    bench.qad.set_duplicate_mode("reject")
    client = bench.client(dialect)
    _sent(client, an_invoice())
    with pytest.raises(Uncertain, match="QAD may hold this already"):
        _sent(client, an_invoice())


@both
def test_it_reverses_what_it_posted(bench, dialect):
    client = bench.client(dialect)
    receipt = _sent(client, an_invoice())
    void = render_correction(
        an_invoice(reference="CB-VOID-1042"),
        client.profile,
        "reversal",
        original_reference="CB-INV-1042",
        original_number=receipt.number,
    )
    assert client.send(void, 10).daybook == "CINVC"
    (found,) = client.look_up("invoice", "CB-VOID-1042")
    assert found.total == void.total
    assert bench.qad.ledger()["trial_balance"] == {}
    assert bench.qad.ledger()["open_items"] == {}


@both
def test_it_creates_a_customer_and_resumes_after_half_of_it(bench, dialect):
    client = bench.client(dialect)
    customer = a_customer()
    first, *rest = steps(client.profile, type(customer))
    assert client.read(first, {"code": customer.code}) is None
    assert _sent(client, customer, first).number == customer.code
    if rest:
        half = client.read("customer_domain", {"code": customer.code})
        assert (half["site"], half["is_complete"]) == ("", False)
        bench.qad.faults.add("customer_domain_fails")
        with pytest.raises(Rejected, match="domain settings failed"):
            _sent(client, customer, "customer_domain")
        _sent(client, customer, "customer_domain")
    record = client.read(first, {"code": customer.code})
    assert (record["name"], record["is_active"], record["email"]) == ("Alder Foods Inc", True, "ap@alder.example")
    assert client.read(rest[0] if rest else first, {"code": customer.code})["is_complete"] is True
    (found,) = client.look_up("customer", "CB-CUS-alder")
    assert found.number == customer.code
    assert _sent(client, an_invoice(customer=customer.code)).number


@both
def test_it_asks_before_it_believes_that_a_customer_exists(bench, dialect):
    client = bench.client(dialect)
    _sent(client, a_customer())
    with pytest.raises(Uncertain, match="Customer CB000001 already exists"):
        _sent(client, a_customer())


@both
def test_it_reads_lists_of_several_pages(bench, dialect):
    for number in range(250):
        bench.qad.add_account(f"9{number:03}", f"Account {number}")
    client = bench.client(dialect)
    pages = list(client.browse("gl_accounts"))
    codes = [row["code"] for page in pages for row in page]
    assert [len(page) for page in pages] == [100, 100, len(codes) - 200]
    assert len(codes) == len(set(codes)) > 250
    assert {f"9{number:03}" for number in range(250)} <= set(codes)
    assert next(row for row in pages[0] if row["code"] == "4000")["is_active"] is True


@both
def test_it_looks_up_many_at_once(bench, dialect):
    client = bench.client(dialect)
    for number in range(3):
        _sent(client, an_invoice(reference=f"CB-INV-{number}"))
    before = bench.qad.requests.total()
    window = (dt.date(2026, 11, 1), dt.date(2026, 11, 30))
    found = client.look_up_many("invoice", ["CB-INV-0", "CB-INV-2", "CB-INV-9"], posted=window)
    assert {reference: len(each) for reference, each in found.items()} == {"CB-INV-0": 1, "CB-INV-2": 1, "CB-INV-9": 0}
    assert bench.qad.requests.total() - before == {"adaptive": 1, "offset-rest": 3}[dialect]
    assert client.look_up_many("invoice", ["CB-INV-1"])["CB-INV-1"][0].number == "2026-CINV-000002"


@both
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"posting_date": dt.date(2020, 1, 1)}, "qad-period-closed"),
        ({"customer": "NOBODY"}, "qad-missing"),
        ({"lines": (a_line("120.00", account="4600"),), "taxes": ()}, "qad-dimension-missing"),
        ({"lines": (a_line("119.00"),), "taxes": ()}, "qad-refused"),
        ({"currency": "XPF", "total": usd("1"), "lines": (a_line("1"),), "taxes": ()}, "qad-no-rate"),
    ],
)
def test_it_says_in_qads_words_why_a_document_is_refused(bench, dialect, changes, code):
    client = bench.client(dialect)
    with pytest.raises(Rejected) as said:
        _sent(client, an_invoice(**changes))
    assert code in [problem.code for problem in said.value.problems]
    assert all("QAD says" in problem.message and problem.fix for problem in said.value.problems)
    assert bench.qad.ledger()["documents"] == []


@both
@pytest.mark.parametrize("fault", ["drop_after_commit", "cut", "truncate", "empty_after_commit", "html_after_commit"])
def test_it_is_in_doubt_when_the_reply_is_lost_and_finds_the_document(bench, dialect, fault):
    client = bench.client(dialect)
    client.sign_in()
    bench.qad.faults.add(fault, method="POST", status=504)
    with pytest.raises(Uncertain):
        _sent(client, an_invoice())
    assert len(client.look_up("invoice", "CB-INV-1042")) == 1


@both
@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504])
def test_it_is_in_doubt_after_a_status_that_proves_nothing(bench, dialect, status):
    client = bench.client(dialect)
    client.sign_in()
    bench.qad.faults.add("status", method="POST", status=status)
    with pytest.raises(Uncertain):
        _sent(client, an_invoice())
    assert client.look_up("invoice", "CB-INV-1042") == ()


@both
def test_it_never_takes_a_failed_look_up_for_an_absence(bench, dialect):
    client = bench.client(dialect)
    _sent(client, an_invoice())
    for fault in ("drop", "html", "empty", "truncate", "status"):
        bench.qad.faults.add(fault, method="GET", status=503 if fault == "status" else 200)
        with pytest.raises(Transient):
            client.look_up("invoice", "CB-INV-1042")


@both
def test_it_sends_one_call_for_a_document_however_it_ends(bench, dialect):
    client = bench.client(dialect)
    client.sign_in()
    bench.qad.faults.add("drop", method="POST", times=None)
    before = bench.qad.requests.total()
    with pytest.raises(Uncertain):
        _sent(client, an_invoice())
    assert bench.qad.faults.report()[0]["fired"] == 1
    assert bench.qad.requests.total() == before


@both
def test_it_is_told_that_a_right_is_missing(bench, dialect):
    client = bench.client(dialect)
    bench.qad.faults.add("forbidden")
    with pytest.raises(Authentication, match="Access is denied"):
        _sent(client, an_invoice())


def test_it_speaks_in_the_workspace_of_its_connection(bench):
    with pytest.raises(Authentication):
        list(bench.client(workspace="10USA_OTHER").browse("currencies"))
    assert list(bench.client(workspace="10USA_10USACO").browse("currencies"))


def test_it_says_where_a_wrong_path_is_changed(bench):
    profile = load(mapping(writes={"invoice": {"path": "/api/erp/invoices"}}))
    with pytest.raises(Configuration) as said:
        _sent(bench.client(profile=profile), an_invoice())
    for words in ("/api/erp/invoices", "Resource not found", "writes.invoice.path"):
        assert words in said.value.message


def test_it_refuses_a_base_url_into_procurement(bench):
    for root in ("/clouderp/supplier", "/Purch%61se"):
        with pytest.raises(Configuration, match="never touches procurement"):
            bench.client(root=root)
    with pytest.raises(Configuration, match="must end with its path"):
        bench.client(root="/clouderp?x=1")


def test_it_is_shared_by_threads(bench):
    client = bench.client()
    client.sign_in()
    with ThreadPoolExecutor(8) as pool:
        receipts = list(pool.map(lambda number: _sent(client, an_invoice(reference=f"CB-{number}")), range(40)))
    assert len({receipt.number for receipt in receipts}) == 40
    assert bench.grants() == 1


def test_it_is_one_transport_behind_the_seam(bench):
    transport: Transport = bench.client(credentials=Credentials())
    assert transport.render(an_invoice()).entity == "invoice"
