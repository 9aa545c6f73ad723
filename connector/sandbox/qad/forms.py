"""Reading and writing records by a Shape: the wire's names, dates and amounts <-> the ledger's words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, NamedTuple

from connector.sandbox.qad.complaints import Complaint, complain
from connector.sandbox.qad.shapes import Rows, Shape

Record = dict[str, Any]
_AMOUNTS = frozenset({"total", "amount", "base", "rate", "exchange_rate", "debit", "credit", "credit_limit"})
_DATES = frozenset({"document_date", "posting_date", "due_date", "service_from", "service_to"})
_FLAGS = frozenset({"is_active", "is_reversal", "is_taxable", "credit_hold"})


class _Field(NamedTuple):
    name: str
    path: tuple[str, ...]
    convert: Callable[[Any], Any] | None
    blank: Any


class Codec(NamedTuple):
    """How one dialect writes an amount and a date; `nests` says whether a dot in a name is a level."""

    read_amount: Callable[[Any], Decimal]
    write_amount: Callable[[Decimal], Any]
    read_date: Callable[[Any], dt.date]
    write_date: Callable[[dt.date], str]
    nests: bool


class Form:
    """A Shape made ready for one dialect."""

    def __init__(self, shape: Shape, codec: Codec) -> None:
        self.shape, self.codec = shape, codec
        self._fields = self._plan(shape.fields)
        self._reply = self._plan({**shape.fields, **shape.reply})
        groups = {"lines": shape.lines, "taxes": shape.taxes, "applications": shape.applications}
        self._groups = [(name, rows, self._plan(rows.fields)) for name, rows in groups.items() if rows]
        self._known = {field.path[0] for field in self._reply} | {rows.name for _, rows, _ in self._groups}
        self._known |= set(shape.constants) | set(shape.keys)

    def read(self, record: Record) -> tuple[Record, list[Complaint]]:
        """The record in the ledger's words and what could not be read; absent lists are empty ones."""
        found: list[Complaint] = []
        document = self._read(self._fields, record, "", found)
        document.update(lines=[], taxes=[], applications=[])
        for name, rows, fields in self._groups:
            elements = record.get(rows.name) or []
            if not isinstance(elements, list) or not all(isinstance(element, dict) for element in elements):
                found.append(complain("wrong_format", name, rows.name))
                continue
            document[name] = [self._read(fields, one, f"{name}[{n}].", found) for n, one in enumerate(elements)]
        return document, found

    def unknown(self, record: Record) -> list[str]:
        return [name for name in record if name not in self._known]

    def write(self, row: Record) -> Record:
        """Header and what the instance assigned."""
        return self._write(self._reply, row)

    def write_whole(self, row: Record) -> Record:
        """With lines, taxes and applications."""
        record = self._write(self._reply, row)
        for name, rows, fields in self._groups:
            record[rows.name] = [self._write(fields, element) for element in row.get(name, ())]
        return record

    def type_name(self, name: str) -> str:
        """As metadata calls the type of a field."""
        if name in _AMOUNTS:
            return "decimal"
        if name in _DATES:
            return "date"
        return "logical" if name in _FLAGS else "character"

    def wire_name(self, field: str) -> str:
        """`lines[2].gl_account` in the words of the wire, for a complaint."""
        place, _, name = field.rpartition(".")
        group, _, index = place.partition("[")
        rows: Rows | None = getattr(self.shape, group, None) if group else None
        if rows is None:
            own: Rows | None = getattr(self.shape, name, None) if name in ("lines", "taxes", "applications") else None
            return own.name if own else self.shape.fields.get(name, self.shape.reply.get(name, name))
        wire = rows.fields.get(name) or ("debit" if name == "amount" else name)
        return f"{rows.name}[{index}.{wire}"

    def _plan(self, names: dict[str, str]) -> list[_Field]:
        return [_Field(name, self._path(wire), *self._kind(name)) for name, wire in names.items()]

    def _path(self, wire: str) -> tuple[str, ...]:
        return tuple(wire.split(".")) if self.codec.nests else (wire,)

    def _kind(self, name: str) -> tuple[Callable[[Any], Any] | None, Any]:
        if name in _AMOUNTS:
            return self.codec.read_amount, None
        if name in _DATES:
            return self.codec.read_date, None
        return (_flag, None) if name in _FLAGS else (None, "")

    def _read(self, fields: list[_Field], record: Record, place: str, found: list[Complaint]) -> Record:
        row: Record = {}
        for name, path, convert, blank in fields:
            value: Any = record.get(path[0])
            for step in path[1:]:
                value = value.get(step) if isinstance(value, dict) else None
            if value is None or value == "":
                row[name] = blank
                continue
            try:
                row[name] = convert(value) if convert else _text(value)
            except (ValueError, TypeError, InvalidOperation):
                row[name] = blank
                found.append(complain("wrong_format", place + name, value))
        return row

    def _write(self, fields: list[_Field], row: Record) -> Record:
        record: Record = {}
        for name, path, _, _ in fields:
            value = row.get(name, "")
            if type(value) is Decimal:
                value = self.codec.write_amount(value)
            elif isinstance(value, dt.date):
                value = self.codec.write_date(value)
            level = record
            for step in path[:-1]:
                level = level.setdefault(step, {})
            level[path[-1]] = value
        return record


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(value)
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(value)
    return value


def _number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError(value)
    return Decimal(value)


def _json_number(value: Decimal) -> int | float:
    """Money of up to 15 digits survives a JSON number unharmed."""
    return int(value) if value == value.to_integral_value() else float(value)


@lru_cache(maxsize=4096)
def _iso_midnight(text: str) -> dt.date:
    if not isinstance(text, str) or text[10:] != "T00:00:00.000Z":
        raise ValueError(text)
    return dt.date.fromisoformat(text[:10])


@lru_cache(maxsize=4096)
def _write_iso(date: dt.date) -> str:
    return f"{date:%Y-%m-%d}T00:00:00.000Z"


def _decimal_text(value: Any) -> Decimal:
    amount = Decimal(_text(value))
    if not amount.is_finite() or "e" in value.lower():
        raise ValueError(value)
    return amount


def _plain(value: Decimal) -> str:
    return f"{value:f}"


@lru_cache(maxsize=4096)
def _dotted(text: str) -> dt.date:
    if len(text) != 10:
        raise ValueError(text)
    return dt.datetime.strptime(text, "%d.%m.%Y").replace(tzinfo=dt.UTC).date()


@lru_cache(maxsize=4096)
def _write_dotted(date: dt.date) -> str:
    return f"{date:%d.%m.%Y}"


ADAPTIVE = Codec(_number, _json_number, _iso_midnight, _write_iso, nests=False)
OFFSET_REST = Codec(_decimal_text, _plain, _dotted, _write_dotted, nests=True)
