"""The browse service: filters with an operator, pages of at most 100 rows, flat keys, a flag that is a text."""

from __future__ import annotations

import datetime as dt
from collections import OrderedDict
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from connector.sandbox.qad.adaptive import BROWSES
from connector.sandbox.qad.company import Company
from connector.sandbox.qad.forms import ADAPTIVE, Form
from connector.sandbox.qad.masters import Row
from connector.sandbox.qad.tables import by_reference, dress, face, rows
from connector.sandbox.wire import Request, Response, reply_json

MOST_ROWS = 100
_KEPT_CALLS = 16
_FACE = frozenset({"open_amount", "status", "entity"})
_Test = Callable[[Row], bool]


class BadFilter(Exception):
    """A column that the browse does not have, written exactly so, or an operator nobody knows."""


class Browse:
    def __init__(self, company: Company) -> None:
        self.company = company
        self._forms = {browse_id: Form(shape, ADAPTIVE) for browse_id, shape in BROWSES.items()}
        self._calls: OrderedDict[str, Sequence[Row]] = OrderedDict()

    def page(self, request: Request) -> Response:
        form = self._forms.get(request.first("browseId"))
        if form is None:
            return refusal(404, "Browse not found", request.first("browseId"))
        page, size = _whole(request.first("page")), _whole(request.first("pageSize", "25"))
        if not page or not request.first("pageAction"):
            return _answer([], more=False)  # no complaint: this is what makes it dangerous
        size = min(max(size, 1), MOST_ROWS)
        try:
            found = self._snapshot(request, form, page)
        except BadFilter as error:
            return refusal(400, f"Invalid URI: {error}", str(error))
        start = (page - 1) * size
        prefix = form.shape.prefix
        flat = [_flat(form, prefix, row) for row in found[start : start + size]]
        return _answer(flat, more=start + size < len(found))

    def total(self, request: Request) -> Response:
        form = self._forms.get(request.first("browseId"))
        if form is None:
            return refusal(404, "Browse not found", request.first("browseId"))
        try:
            return reply_json(200, {"data": {"totalCount": len(self._select(request, form))}})
        except BadFilter as error:
            return refusal(400, f"Invalid URI: {error}", str(error))

    def _snapshot(self, request: Request, form: Form, page: int) -> Sequence[Row]:
        """Later pages of one call see the rows of its first page."""
        call = request.first("callId")
        key = f"{call}:{form.shape.browse_id}:{request.all('filter')}"
        if call and page > 1 and key in self._calls:
            return self._calls[key]
        found = self._select(request, form)
        if call:
            self._calls[key] = found
            while len(self._calls) > _KEPT_CALLS:
                self._calls.popitem(last=False)
        return found

    def _select(self, request: Request, form: Form) -> Sequence[Row]:
        filters = [_parse(text, form) for text in request.all("filter")]
        reference = next((values[0] for name, op, values in filters if (name, op) == ("reference", "eq")), None)
        kind = form.shape.kind
        if reference is None:
            found = rows(self.company, kind)
        elif kind == "customer":
            found = list(self.company.parties.by_reference.get(reference.lower(), ()))
        else:
            found = by_reference(self.company, kind, reference)
        if not filters:
            return list(found) if form.shape.path else found
        tests = [_test(name, op, values) for name, op, values in filters]
        return [row for row in found if all(test(row) for test in tests)]


def _flat(form: Form, prefix: str, row: Row) -> Row:
    return {f"{prefix}.{name}": value for name, value in form.write(dress(form.shape, row)).items()}


def _parse(text: str, form: Form) -> tuple[str, str, tuple[str, ...]]:
    """`prefix.wireName,op,value,literal` or `…,rg,from,literal,to,literal` -> ledger's word, operator, values."""
    column, _, rest = text.partition(",")
    operator, _, rest = rest.partition(",")
    prefix, _, wire = column.partition(".")
    names = {**form.shape.reply, **form.shape.fields}
    name = next((name for name, own in names.items() if own == wire), None)
    if prefix != form.shape.prefix or name is None or not rest.endswith(",literal"):
        raise BadFilter(column)
    value = rest.removesuffix(",literal")
    if operator == "rg":
        low, found, high = value.partition(",literal,")
        if not found:
            raise BadFilter(column)
        return name, operator, (low, high)
    if operator not in _OPERATORS:
        raise BadFilter(f"{column} {operator}")
    return name, operator, (value,)


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda own, sent: bool(own == sent),
    "sw": lambda own, sent: str(own).startswith(str(sent)),
    "ew": lambda own, sent: str(own).endswith(str(sent)),
    "cn": lambda own, sent: str(sent) in str(own),
    "gt": lambda own, sent: bool(own > sent),
    "ge": lambda own, sent: bool(own >= sent),
    "lt": lambda own, sent: bool(own < sent),
    "le": lambda own, sent: bool(own <= sent),
}


def _test(name: str, operator: str, values: tuple[str, ...]) -> _Test:
    def test(row: Row) -> bool:
        own = _own(row, name)
        sent = [_alike(value, own) for value in values]
        if None in sent:
            return False
        if operator == "rg":
            return bool(sent[0] <= own <= sent[1])
        return _OPERATORS[operator](own, sent[0])

    return test


def _own(row: Row, name: str) -> Any:
    value = (face(row) if name in _FACE else row).get(name)
    if value is None:
        return ""
    return value.lower() if isinstance(value, str) else value  # QAD compares texts without case


def _alike(text: str, own: Any) -> Any:
    """The filter's text as the type of the row's own value; None where it cannot be."""
    try:
        if isinstance(own, bool):
            return {"true": True, "false": False}[text.lower()]
        if isinstance(own, int | Decimal):
            return Decimal(text)
        if isinstance(own, dt.datetime):
            return dt.datetime.fromisoformat(text)
        if isinstance(own, dt.date):
            return dt.date.fromisoformat(text[:10])
    except (KeyError, ValueError, InvalidOperation):
        return None
    return text.lower()


def _whole(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def _answer(data: list[Row], *, more: bool) -> Response:
    return reply_json(200, {"data": data, "auxillaryData": {"HasMoreParams": "true" if more else "false"}})


def refusal(status: int, message: str, field: str = "") -> Response:
    """The platform's bare list of errors."""
    error = {"severity": 1, "code": str(status), "message": message, "fieldName": field}
    return reply_json(status, {"errors": [error]})
