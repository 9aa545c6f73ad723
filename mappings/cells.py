"""One cell of a mapping, from whatever a person or a spreadsheet wrote to the text that is stored."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from connector.ledger.coding import rate_text
from connector.money import decimal_text

_RISKY = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet program would run as a formula
_BREAKS = frozenset("\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029")


class CellError(ValueError):
    """A cell that cannot be read; the text is a sentence with the value and what to write instead."""


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula found in a spreadsheet: it is never computed, and never taken for its text."""

    text: str

    def __str__(self) -> str:
        return self.text


Parse = Callable[[object], str | dt.date]


def text(cell: object) -> str:
    """Trimmed text; whole numbers without '.0'; the apostrophe that keeps a text from running as a formula goes."""
    if cell is None:
        return ""
    if isinstance(cell, Formula) or (isinstance(cell, str) and cell.lstrip().startswith("=")):
        raise CellError("It is a formula. Write the value itself.")
    if isinstance(cell, bool):
        raise CellError(f"'{cell}' is a truth value. Write a text.")
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, dt.datetime | dt.date):
        raise CellError(f"'{cell}' is a date. Format the cell as text.")
    plain = str(cell)
    if any((not c.isprintable() and not c.isspace()) or c in _BREAKS for c in plain.strip()):
        raise CellError("It holds a line break or a control character. Write it on one line.")
    return without_apostrophe(plain).strip()


def without_apostrophe(plain: str) -> str:
    """Undo what `neutralised` did."""
    return plain[1:] if plain[:1] == "'" and plain[1:2] in _RISKY else plain


def neutralised(plain: str) -> str:
    """Text that no spreadsheet program runs: an apostrophe goes before = + - @ tab and return."""
    start = plain.lstrip(" \ufeff")[:1]
    return f"'{plain}" if start in _RISKY and start else plain


def code(cell: object) -> str:
    """A code of QAD: text without blanks inside."""
    plain = text(cell)
    if any(c.isspace() for c in plain):
        raise CellError(f"'{plain}' has a blank in it. Codes have none.")
    return plain


def days(cell: object) -> str:
    """A whole number of days without leading zeros, '' for any."""
    plain = text(cell)
    if plain and not (plain.isascii() and plain.isdigit() and len(plain) <= 4):
        raise CellError(f"'{plain}' is no number of days. Write one such as 30, or nothing for any other.")
    return str(int(plain)) if plain else ""


def date(cell: object) -> dt.date:
    """A date cell, or text as 2026-12-31."""
    if isinstance(cell, dt.datetime):
        return cell.date()
    if isinstance(cell, dt.date):
        return cell
    plain = text(cell)
    if not plain:
        raise CellError("The date is missing. Write it as 2026-12-31.")
    try:
        return dt.date.fromisoformat(plain.removesuffix(" 00:00:00"))
    except ValueError:
        raise CellError(f"'{plain}' is not a date. Write it as 2026-12-31.") from None


def rate(cell: object) -> str:
    """A tax rate in percent as canonical text: '19.0 %' becomes '19'; '' is any rate."""
    plain = text(cell).removesuffix("%").strip()
    if not plain:
        return ""
    value = decimal_text(plain)
    if value is None or not 0 <= value <= 100:
        raise CellError(f"'{plain}' is not a tax rate. Write percent with a point, such as 8.875.")
    return rate_text(Decimal(value))


def choice(names: Mapping[str, str]) -> Parse:
    """One of `names` (stored text -> what people read), by either."""
    known = {_plain(name): stored for stored, shown in names.items() for name in (stored, shown)}

    def parse(cell: object) -> str:
        plain = text(cell)
        if _plain(plain) not in known:
            raise CellError(f"'{plain}' is not known. Write one of: {', '.join(names)}.")
        return known[_plain(plain)]

    return parse


def _plain(name: str) -> str:
    return name.casefold().replace("_", " ").replace("-", " ").strip()
