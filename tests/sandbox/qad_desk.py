"""A caller of the sandbox's QAD who speaks both dialects, and documents with what matters in sight."""

from __future__ import annotations

import base64
import datetime as dt
import json
from urllib.parse import urlencode

from connector.sandbox.clock import Clock
from connector.sandbox.qad.adaptive import WRITABLE
from connector.sandbox.qad.instance import QadInstance
from connector.sandbox.wire import Request

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
TODAY = "2026-11-22T00:00:00.000Z"
BASIC = "Basic " + base64.b64encode(b"connector:sandbox-password").decode()
PASSWORD = {
    "client_id": "sandbox-client",
    "grant_type": "password",
    "username": "connector",
    "password": "sandbox-password",
}
COLLECTIONS = {shape.collection: shape for shape in WRITABLE.values()}
TYPED = {"invoice": "customerInvoices", "credit_note": "customerCreditNotes", "payment": "customerPayments"}


class Desk:
    """One customer, C1, ready for invoices; a frozen clock on 22 November 2026."""

    def __init__(self, customers=0):
        self.clock = Clock(NOW)
        self.qad = QadInstance(self.clock, seed=1, customers=customers)
        self.faults = self.qad.faults
        self.qad.add_customer("C1", "Acme Corporation")
        self.token = ""

    def log_in(self, **changes):
        body = urlencode({**PASSWORD, **changes}).encode()
        reply = self.qad.handle(Request("POST", "/clouderp/oauth/token", (), {}, body))
        value = json.loads(reply.body)
        self.token = value.get("access_token", "")
        return reply.status, value

    def headers(self):
        if not self.token:
            self.log_in()
        return {"authorization": f"Bearer {self.token}", "x-qad-workspace-id": "10USA_10USACO"}

    def send(self, method, path, query=(), body=b"", headers=None):
        sent = self.headers() if headers is None else headers
        return self.qad.handle(Request(method, f"/clouderp{path}", tuple(query), sent, body))

    def save(self, collection, record, **keys):
        reply = self.save_raw(collection, record, **keys)
        return json.loads(reply.body)

    def save_raw(self, collection, record, **keys):
        shape = COLLECTIONS[collection]
        body = json.dumps({"supplementaryMessages": [], collection: [record]}).encode()
        return self.send("POST", shape.path, (("viewUri", shape.view_uri), *keys.items()), body)

    def get(self, collection, **keys):
        shape = COLLECTIONS[collection]
        reply = self.send("GET", shape.path, (("viewUri", shape.view_uri), *keys.items()))
        return reply.status, json.loads(reply.body)

    def browse(self, collection, *filters, page=1, size=100, action="first", call=""):
        """Rows and the has-more flag; `collection` may be a whole browse id."""
        known = COLLECTIONS.get(collection)
        query = [("browseId", known.browse_id if known else collection), ("pageSize", str(size))]
        query += [("page", str(page))] if page else []
        query += [("pageAction", action)] if action else []
        query += [("callId", call)] if call else []
        reply = self.send("GET", "/api/qracore/browses", [*query, *(("filter", text) for text in filters)])
        value = json.loads(reply.body)
        return (value["data"], value["auxillaryData"]["HasMoreParams"]) if reply.status == 200 else value

    def rest(self, method, path, query=(), value=None, headers=None):
        """Dialect B: status and the parsed body."""
        sent = {"authorization": BASIC, "x-company": "10USACO"} if headers is None else headers
        body = b"" if value is None else json.dumps(value).encode()
        reply = self.qad.handle(Request(method, f"/finrest{path}", tuple(query), sent, body))
        return reply.status, json.loads(reply.body)

    def posted(self, kind, record):
        """Save a document that must be accepted; its record as QAD returns it."""
        answer = self.save(TYPED.get(kind, kind), record)
        assert answer["submitResult"] == {"success": True, "errors": []}, answer
        return answer["data"][TYPED.get(kind, kind)][0]

    def open_items(self, customer="C1"):
        items = self.qad.ledger()["open_items"].get(customer, [])
        return {item["reference"]: item["open"] for item in items}


def an_invoice(reference="R-1", total=100, *, lines=None, **changes):
    lines = [a_line(total)] if lines is None else lines
    return _document(reference, invoiceDate=TODAY, dueDate=TODAY, invoiceTCAmount=total, invoiceLines=lines) | changes


def a_credit_note(reference="N-1", total=40, *, lines=None, **changes):
    lines = [a_line(total)] if lines is None else lines
    return _document(reference, creditNoteDate=TODAY, creditNoteTCAmount=total, creditNoteLines=lines) | changes


def a_payment(reference="P-1", total=100, **changes):
    return _document(reference, paymentDate=TODAY, paymentTCAmount=total, bankGLAccountCode="1090") | changes


def an_adjustment(reference, rows):
    applications = [
        {"creditReference": credit, "invoiceReference": invoice, "appliedTCAmount": amount}
        for credit, invoice, amount in rows
    ]
    return _document(reference, adjustmentDate=TODAY, adjustmentApplications=applications)


def a_journal(reference="J-1", lines=(("6500", 10), ("1090", -10))):
    rows = [a_line(amount, account) for account, amount in lines]
    value = _document(reference, journalDate=TODAY, journalEntryLines=rows)
    del value["customerCode"]
    return value


def a_line(amount, account="4000", **changes):
    return {"glAccountCode": account, "lineTCAmount": amount, "lineDescription": "Plan"} | changes


def applied(reference, amount):
    return {"documentReference": reference, "appliedTCAmount": amount}


def a_customer(code="NEW00001", **changes):
    profiles = ("invoiceControl", "creditNoteControl", "prePaymentControl", "salesAccount")
    record = {f"{name}GLProfileCode": "STD" for name in profiles}
    record |= {"sharedSetCode": "SS1", "customerCode": code, "addressName": "New Ltd", "addressSearchName": "NEW"}
    record |= {"currencyCode": "USD", "creditTermsCode": "N30", "isActive": True, "invoiceStatusCode": "OK"}
    return record | {"concurrencyHash": "", "businessRelationCode": ""} | changes


def _document(reference, **own):
    common = {"externalReference": reference, "customerCode": "C1", "description": "Entered", "currencyCode": "USD"}
    return common | {"postingDate": TODAY} | own
