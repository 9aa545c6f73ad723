"""Dialect B: Basic on each request, offset and limit, nested objects, columns; the same books as dialect A."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from connector.sandbox.faults import Faults
from connector.sandbox.qad import offset_rest
from connector.sandbox.qad.columns import doc_type, from_columns, to_columns
from connector.sandbox.qad.company import Company
from connector.sandbox.qad.complaints import Complaint, complain
from connector.sandbox.qad.forms import OFFSET_REST, Form, Record
from connector.sandbox.qad.login import Login
from connector.sandbox.qad.masters import ENTITY, Row
from connector.sandbox.qad.parties import blank_customer
from connector.sandbox.qad.party_rules import check_customer, check_hash, check_new_customer
from connector.sandbox.qad.posting import post
from connector.sandbox.qad.tables import face, rows
from connector.sandbox.wire import Request, Response, reply_json

ROOT = "/finrest"
MOST_ROWS = 100
_Filters = list[tuple[tuple[str, ...], str]]


class Finrest:
    def __init__(self, company: Company, faults: Faults) -> None:
        self.company, self.faults = company, faults
        self.login = Login(company)
        self._documents = {kind: Form(shape, OFFSET_REST) for kind, shape in offset_rest.DOCUMENTS.items()}
        self._journal = Form(offset_rest.JOURNAL, OFFSET_REST)
        self._customer = Form(offset_rest.CUSTOMER, OFFSET_REST)
        self._lists = {path: Form(shape, OFFSET_REST) for path, shape in offset_rest.LISTS.items()}

    def answer(self, request: Request) -> Response:
        path = request.path.removeprefix(ROOT).rstrip("/")
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        denied = self.faults.take("unauthorized", request) is not None
        if denied or scheme.lower() != "basic" or not self.login.knows(value):
            return _complaint(401, "Login required", ("WWW-Authenticate", 'Basic realm="finrest"'))
        if path in offset_rest.FORBIDDEN_PATHS or self.faults.take("forbidden", request):
            return _complaint(403, "Access is denied")
        if request.headers.get("x-company") != ENTITY and self.company.modes.workspace == "refuse":
            return _complaint(403, "Access is denied")
        if request.method == "GET":
            return self._read(path, request)
        if request.method == "POST":
            return self._write(path, request)
        return _complaint(405, f"Method {request.method} is not allowed")

    def apply(self, request: Request) -> None:
        """A write that was let in before its caller gave up."""
        self._write(request.path.removeprefix(ROOT).rstrip("/"), request)

    def _read(self, path: str, request: Request) -> Response:
        table = self._table(path)
        if table is not None:
            if self.faults.take("browse_empty", request) or request.headers.get("x-company") != ENTITY:
                table = []
            return self._page(path, table, request)
        folder, _, key = path.rpartition("/")
        row = self._one(folder, key)
        if row is None:
            return _complaint(404, f"{path} does not exist")
        return reply_json(200, self._record(folder, row, whole=True))

    def _table(self, path: str) -> Sequence[Row] | None:
        if path == offset_rest.AR_PATH:
            return rows(self.company, "receivables")
        if path == offset_rest.JOURNAL.path:
            return rows(self.company, "journal")
        if path == offset_rest.CUSTOMER.path:
            return rows(self.company, "customer")
        form = self._lists.get(path)
        return rows(self.company, form.shape.kind) if form else None

    def _one(self, folder: str, key: str) -> Row | None:
        if folder == offset_rest.CUSTOMER.path:
            return self.company.parties.customers.get(key)
        document = self.company.books.by_number.get(key)
        is_journal = folder == offset_rest.JOURNAL.path
        if document is None or folder not in (offset_rest.AR_PATH, offset_rest.JOURNAL.path):
            return None
        return document if (document["kind"] == "journal") == is_journal else None

    def _page(self, path: str, table: Sequence[Row], request: Request) -> Response:
        offset, limit = request.first("offset", "0"), request.first("limit", "20")
        if not offset.isdecimal() or not limit.isdecimal() or limit == "0":
            return _complaint(400, "offset must be 0 or more, limit 1 to 100")
        size = int(limit)
        if size > MOST_ROWS and self.company.modes.over_limit == "refuse":
            return _complaint(400, "limit must be 1 to 100")
        size, start = min(size, MOST_ROWS), int(offset)
        filters, strange = self._filters(path, request)
        if strange:
            return _complaint(400, f"Unknown filter {strange}")
        found = self._matching(path, table, filters)
        page = [self._record(path, row, whole=False) for row in found[start : start + size]]
        return reply_json(200, {"total": len(found), "offset": start, "limit": size, "rows": page})

    def _filters(self, path: str, request: Request) -> tuple[_Filters, str]:
        form = self._lists.get(path) or (
            self._customer if path == offset_rest.CUSTOMER.path else self._documents["INV"]
        )
        known = {*form.shape.fields.values(), *form.shape.reply.values(), "doc_type"}
        found: _Filters = []
        for key, value in request.query:
            if key.startswith("filter["):
                name = key[7:-1]
                if name not in known:
                    return [], name
                found.append((tuple(name.split(".")), value))
        return found, ""

    def _matching(self, path: str, table: Sequence[Row], filters: _Filters) -> Sequence[Row]:
        """Exact and with capitals; a reference is looked up by index."""
        if not filters:
            return table
        reference = next((value for name, value in filters if name == ("ext_ref",)), None)
        if reference is not None and path in (offset_rest.AR_PATH, offset_rest.JOURNAL.path) and table:
            wants_journal = path == offset_rest.JOURNAL.path
            same = self.company.visible(self.company.books.by_reference.get(reference.lower(), []))
            table = [row for row in same if (row["kind"] == "journal") == wants_journal]
        return [row for row in table if self._matches(path, row, filters)]

    def _matches(self, path: str, row: Row, filters: _Filters) -> bool:
        record = self._record(path, row, whole=False)
        return all(_fits(name, _text(_dig(record, name)), value) for name, value in filters)

    def _record(self, path: str, row: Row, *, whole: bool) -> Record:
        if path == offset_rest.CUSTOMER.path:
            domain = self.company.parties.domains[row["code"]]
            own = {name: domain[name] for name in ("site", "daybook_set", "is_complete")}
            changed_at = row["modified_at"].isoformat() if row["modified_at"] else ""
            return self._customer.write({**row, **own, "modified_at": changed_at})
        if path in self._lists:
            return self._lists[path].write(row)
        shown = to_columns(face(row))
        if row["kind"] == "journal":
            return self._journal.write_whole(shown) if whole else self._journal.write(shown)
        name = doc_type(row)
        form = self._documents[name]
        record = form.write_whole(shown) if whole else form.write(shown)
        record["doc_type"] = name
        record["state"] = shown["status"].lower()
        return record

    def _write(self, path: str, request: Request) -> Response:
        try:
            (record,) = json.loads(request.body, parse_float=Decimal)
        except (ValueError, TypeError):
            return _complaint(400, "Expected an array of one document")
        if not isinstance(record, dict):
            return _complaint(400, "Expected an array of one document")
        if path == offset_rest.CUSTOMER.path:
            return self._write_customer(record)
        if path == offset_rest.JOURNAL.path:
            return self._post(path, self._journal, record)
        if path != offset_rest.AR_PATH:
            return _complaint(404, f"{path} does not exist")
        form = self._documents.get(str(record.get("doc_type")))
        if form is None:
            return _refused(self._documents["INV"], [complain("mandatory", "doc_type", record.get("doc_type"))])
        return self._post(path, form, record)

    def _post(self, path: str, form: Form, record: Record) -> Response:
        document, found = form.read(record)
        found += [complain("unknown_field", name, name) for name in form.unknown(record)]
        found += from_columns(document, form.shape.kind)
        if found:
            return _refused(form, found)
        outcome = post(self.company, document)
        if outcome.errors:
            return _refused(form, outcome.errors)
        messages = [_message(form, warning, "warning") for warning in outcome.warnings]
        saved = self._record(path, outcome.document, whole=True)
        return reply_json(201, [{"status": "created", "document": saved, "messages": messages}])

    def _write_customer(self, record: Record) -> Response:
        """One step: operational data stands in the same record; profiles come from the instance's defaults."""
        form = self._customer
        row, found = form.read(record)
        for group in ("lines", "taxes", "applications"):
            del row[group]
        action = row.pop("action")
        site, daybook_set = row.pop("site"), row.pop("daybook_set")
        for kind, code in (("site", site), ("daybook_set", daybook_set)):
            if code and code not in self.company.masters[kind]:
                found.append(complain("mandatory", kind, code))
        known = self.company.parties.customers.get(row["code"])
        if action == "create":
            found += check_new_customer(self.company, row, needs_profiles=False)
        elif action == "update" and known is not None:
            found += check_hash(self.company, known, str(record.get("version") or ""))
            found += check_customer(self.company, row, needs_profiles=False)
        elif action == "update":
            found.append(complain("unknown_record", "code", row["code"], what="Customer"))
        else:
            found.append(complain("mandatory", "action", action))
        if found:
            return _refused(form, found)
        now, parties = self.company.clock.now(), self.company.parties
        if known is None:
            saved, status = parties.add({**blank_customer(row["code"], row["name"]), **row}, now), "created"
        else:
            saved, status = parties.update(known, row, now), "updated"
        if site or daybook_set:
            parties.complete(row["code"], site, daybook_set, now)
        document = self._record(offset_rest.CUSTOMER.path, saved, whole=True)
        return reply_json(201, [{"status": status, "document": document, "messages": []}])


def _fits(name: tuple[str, ...], found: str, wanted: str) -> bool:
    """Exact; several document types may be asked for at once."""
    return found in wanted.split(",") if name == ("doc_type",) else found == wanted


def _dig(record: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        record = record.get(step) if isinstance(record, dict) else None
    return record


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _message(form: Form, complaint: Complaint, level: str) -> Record:
    field = form.wire_name(complaint.field)
    return {"text": complaint.text, "field": field, "number": int(complaint.code), "level": level}


def _refused(form: Form, complaints: list[Complaint]) -> Response:
    messages = [_message(form, complaint, "error") for complaint in complaints]
    return reply_json(422, [{"status": "error", "messages": messages}])


def _complaint(status: int, text: str, *headers: tuple[str, str]) -> Response:
    value = {"messages": [{"text": text, "field": "", "number": status, "level": "error"}]}
    return reply_json(status, value, *headers)
