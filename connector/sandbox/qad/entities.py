"""Dialect A's business components: envelopes in, `submitResult` out; HTTP 200 says nothing about success."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from connector.sandbox.qad.adaptive import WRITABLE
from connector.sandbox.qad.browse import refusal
from connector.sandbox.qad.company import Company
from connector.sandbox.qad.complaints import Complaint, complain
from connector.sandbox.qad.forms import ADAPTIVE, Form, Record
from connector.sandbox.qad.masters import DOMAIN, ENTITY, SHARED_SET, Row
from connector.sandbox.qad.party_rules import check_customer, check_domain, check_hash, check_new_customer
from connector.sandbox.qad.posting import post
from connector.sandbox.qad.tables import dress
from connector.sandbox.wire import Request, Response, reply_json

_SCOPE = {"domainCode": DOMAIN, "entityCode": ENTITY, "sharedSetCode": SHARED_SET}


class Entities:
    def __init__(self, company: Company) -> None:
        self.company = company
        self._forms = {path: Form(shape, ADAPTIVE) for path, shape in WRITABLE.items()}

    def answer(self, path: str, request: Request) -> Response | None:
        """None: no such collection."""
        form = self._forms.get(path)
        if form is None:
            return None
        if request.method == "OPTIONS":
            return Response(200, b"", (("Allow", "GET,POST,OPTIONS"),))
        if request.method not in ("GET", "POST"):
            return refusal(500, f"Method {request.method} is not supported")
        if request.first("viewUri") != form.shape.view_uri:
            return refusal(400, "View URI does not belong to this resource", "viewUri")
        return self._read(form, request) if request.method == "GET" else self._write(form, request)

    def _read(self, form: Form, request: Request) -> Response:
        keys = {name: request.first(name) for name in form.shape.keys}
        missing = next((name for name, value in keys.items() if not value), None)
        if missing:
            return refusal(400, f"Key field {missing} is missing", _capital(missing))
        row = self._row(form, keys)
        return reply_json(200, {"data": {form.shape.collection: [self._record(form, row)] if row else []}})

    def _row(self, form: Form, keys: dict[str, str]) -> Row | None:
        if any(_SCOPE.get(name, value) != value for name, value in keys.items()):
            return None
        code = keys[form.shape.keys[-1]]
        parties = self.company.parties
        tables = {
            "customer": parties.customers,
            "customer_domain": parties.domains,
            "business_relation": parties.relations,
        }
        if form.shape.kind in tables:
            return tables[form.shape.kind].get(code)
        document = self.company.books.by_number.get(code)
        return document if document and document["kind"] == form.shape.kind else None

    def _record(self, form: Form, row: Row) -> Record:
        dressed = dress(form.shape, row)
        return {**row.get("extras", {}), **form.write_whole(dressed)}

    def _write(self, form: Form, request: Request) -> Response:
        try:
            envelope = json.loads(request.body, parse_float=Decimal)
            records = envelope[form.shape.collection]
            (record,) = records
        except (ValueError, TypeError, KeyError):
            return refusal(400, f"Expected one record in {form.shape.collection}")
        if not isinstance(record, dict):
            return refusal(400, f"Expected one record in {form.shape.collection}")
        row, found = form.read(record)
        keys = {name: request.first(name) for name in form.shape.keys if request.first(name)}
        if form.shape.kind in ("customer", "customer_domain", "business_relation"):
            row["extras"] = {name: record[name] for name in form.unknown(record)}
            return self._write_party(form, row, found, record, keys)
        found += [complain("unknown_field", name, name) for name in form.unknown(record)]
        if form.shape.keys[-1] in keys:
            found.append(complain("posted", "number", keys[form.shape.keys[-1]]))
        if found:
            return _refused(form, found)
        outcome = post(self.company, {**row, "kind": form.shape.kind})
        if outcome.errors:
            return _refused(form, outcome.errors)
        return _accepted(form, self._record(form, outcome.document), outcome.warnings)

    def _write_party(
        self, form: Form, row: Row, found: list[Complaint], record: Record, keys: dict[str, str]
    ) -> Response:
        for group in ("lines", "taxes", "applications"):
            del row[group]
        sent_hash = str(record.get("concurrencyHash") or "")
        save = {"customer": self._save_customer, "customer_domain": self._save_domain}.get(
            form.shape.kind, self._save_relation
        )
        saved, more = save(row, sent_hash, keys) if not found else (row, [])
        if found or more:
            return _refused(form, found + more)
        return _accepted(form, self._record(form, saved), [])

    def _save_customer(self, row: Row, sent_hash: str, keys: dict[str, str]) -> tuple[Row, list[Complaint]]:
        now, parties = self.company.clock.now(), self.company.parties
        if "customerCode" not in keys:
            found = check_new_customer(self.company, row, needs_profiles=True)
            return (row, found) if found else (parties.add(row, now), [])
        code = keys["customerCode"]
        known = parties.customers.get(code)
        if known is None or row["code"] not in ("", code):
            return row, [complain("unknown_record", "code", code, what="Customer")]
        row["code"], row["shared_set"] = code, row["shared_set"] or SHARED_SET
        row["business_relation"] = row["business_relation"] or known["business_relation"]
        found = check_hash(self.company, known, sent_hash) + check_customer(self.company, row, needs_profiles=True)
        return (row, found) if found else (parties.update(known, row, now), [])

    def _save_domain(self, row: Row, sent_hash: str, keys: dict[str, str]) -> tuple[Row, list[Complaint]]:
        row["code"], row["domain"] = keys.get("customerCode", row["code"]), keys.get("domainCode", row["domain"])
        found = check_domain(self.company, row)
        known = self.company.parties.domains.get(row["code"])
        if known and sent_hash:
            found += check_hash(self.company, known, sent_hash)
        if found:
            return row, found
        now = self.company.clock.now()
        return self.company.parties.complete(row["code"], row["site"], row["daybook_set"], now), []

    def _save_relation(self, row: Row, sent_hash: str, keys: dict[str, str]) -> tuple[Row, list[Complaint]]:
        parties, now = self.company.parties, self.company.clock.now()
        code = keys.get("businessRelationCode", "") or row["code"]
        known = parties.relations.get(code)
        if not code or not row["name"]:
            return row, [complain("mandatory", "name" if code else "code")]
        if "businessRelationCode" in keys:
            if known is None:
                return row, [complain("unknown_record", "code", code, what="Business relation")]
            found = check_hash(self.company, known, sent_hash)
            return (row, found) if found else (parties.update(known, {**row, "code": code}, now), [])
        if known is not None:
            return row, [complain("already_exists", "code", code, what="Business relation")]
        row["shared_set"] = SHARED_SET
        parties.relations[code] = row
        parties.stamp(row, now)
        return row, []


def refused_step(form_path: str, text: str) -> Response:
    """A refusal without a field, as a server-side failure in a later step gives it."""
    error = {"fieldName": "", "message": text, "fieldValue": form_path, "code": "1", "severity": 1}
    return reply_json(200, {"submitResult": {"success": False, "errors": [error]}, "supplementaryMessages": []})


def _accepted(form: Form, record: Record, warnings: list[Complaint]) -> Response:
    body: dict[str, Any] = {
        "submitResult": {"success": True, "errors": []},
        "supplementaryMessages": [_message(form, warning, 2) for warning in warnings],
        "data": {form.shape.collection: [record]},
    }
    return reply_json(200, body)


def _refused(form: Form, complaints: list[Complaint]) -> Response:
    errors = [_message(form, complaint, 1) for complaint in complaints]
    return reply_json(200, {"submitResult": {"success": False, "errors": errors}, "supplementaryMessages": []})


def _message(form: Form, complaint: Complaint, severity: int) -> Record:
    """The field's name begins with a capital here, unlike on the way in."""
    return {
        "fieldName": ".".join(_capital(part) for part in form.wire_name(complaint.field).split(".")),
        "message": complaint.text,
        "fieldValue": complaint.value,
        "code": complaint.code,
        "severity": severity,
    }


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]
