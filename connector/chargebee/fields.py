"""One JSON object read strictly: each method takes a field out with its type proved, or notes a problem and goes on.

Nothing is repaired: a text where an amount belongs is not a small amount. null counts as absent, as Chargebee uses it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from connector import money
from connector.errors import Problem
from connector.money import LARGEST_MINOR, Money

T = TypeVar("T")
_EARLIEST = int(dt.datetime(1990, 1, 1, tzinfo=dt.UTC).timestamp())
_LATEST = int(dt.datetime(2100, 1, 1, tzinfo=dt.UTC).timestamp())
_FINEST = 30  # digits after the point, and before it, that a rate or quantity may have
_LONGEST_SHOWN = 60
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_NONE: tuple[Any, ...] = ()
_REPORT = "Look at it in Chargebee. If Chargebee shows it right, report this sentence with the connector's version."


class Fields:
    """`subject` names the document; `where` is the path of this object in it, '' at the top."""

    __slots__ = ("currency", "digits", "problems", "row", "subject", "where", "zero")

    def __init__(self, row: Mapping[str, Any], subject: str, problems: list[Problem], where: str = "") -> None:
        self.row = row
        self.subject = subject
        self.problems = problems
        self.where = where
        self.currency = ""
        self.digits = 0
        self.zero = _NO_MONEY

    # --- texts -------------------------------------------------------------------------------------------------

    def text(self, key: str) -> str:
        """'' when absent. Characters that no database takes (NUL, half a surrogate pair) become U+FFFD."""
        value = self.row.get(key)
        if value is None:
            return ""
        if type(value) is not str:
            self.wrong_type(key, value, "a text")
            return ""
        return value if value.isascii() and "\0" not in value else _storable(value)

    def id(self, key: str) -> str:
        """A text that must be there."""
        value = self.row.get(key)
        if type(value) is str and value and value.isprintable() and value == value.strip():
            return value
        if value is None or value == "":
            self.missing(key)
        elif type(value) is not str:
            self.wrong_type(key, value, "a text")
        else:
            self.problem("id-unusable", key, f"is {_shown(value)}, which holds blanks or control characters")
        return ""

    def choice(self, key: str, allowed: Collection[str], default: str | None = None) -> str:
        """One of `allowed`; `default` when absent, a problem if that is None."""
        value = self.row.get(key)
        if type(value) is str and value in allowed:
            return value
        if value is None:
            if default is None:
                self.missing(key)
            return default or ""
        if type(value) is not str:
            self.wrong_type(key, value, "a text")
        else:
            self.problem("value-unknown", key, f"is {_shown(value)}, which this version of the connector does not know")
        return ""

    def flag(self, key: str) -> bool:
        """False when absent."""
        value = self.row.get(key)
        if value is None or value is False or value is True:
            return bool(value)
        self.wrong_type(key, value, "true or false")
        return False

    # --- numbers -----------------------------------------------------------------------------------------------

    def whole(self, key: str) -> int | None:
        """A count that is not negative, None when absent."""
        value = self.row.get(key)
        if value is None:
            return None
        if type(value) is not int:
            self.wrong_type(key, value, "a whole number")
        elif not 0 <= value <= LARGEST_MINOR:
            self.problem("number-out-of-range", key, f"is {_shown(value)}, which is out of range")
        else:
            return value
        return None

    def decimal(self, key: str) -> Decimal | None:
        """A rate or quantity that is not negative: a JSON number, or its digits as text; None when absent."""
        value = self.row.get(key)
        if value is None:
            return None
        number = exact(value)
        if number is None:
            self.wrong_type(key, value, "a number")
        elif number < 0 or (number and not -_FINEST <= number.adjusted() <= _FINEST):
            self.problem("number-out-of-range", key, f"is {_shown(value)}, which is out of range")
        else:
            return number
        return None

    def moment(self, key: str) -> dt.datetime | None:
        """Unix seconds as an aware UTC datetime, None when absent."""
        value = self.row.get(key)
        if value is None:
            return None
        if type(value) is not int:
            self.wrong_type(key, value, "a time in whole seconds")
            return None
        if not _EARLIEST <= value < _LATEST:
            self.problem("time-out-of-range", key, f"is {_shown(value)}, which is no time between 1990 and 2100")
            return None
        return dt.datetime.fromtimestamp(value, dt.UTC)

    def required_moment(self, key: str) -> dt.datetime:
        if self.row.get(key) is None:
            self.missing(key)
        return self.moment(key) or _EPOCH

    # --- money -------------------------------------------------------------------------------------------------

    def read_currency(self, key: str, minor_units: Mapping[str, int]) -> str:
        """Sets the currency of every amount that follows; `minor_units` is what the tenant has confirmed."""
        code = self.id(key)
        if not code:
            return ""
        try:
            money.minor_digits(code)  # what is confirmed must be a currency that can be stored, too
            self.digits = money.wire_digits(code, dict(minor_units))
        except money.UnknownCurrency as error:
            self.problems.append(_currency_problem(self.subject, code, error))
            return ""
        self.zero = Money.zero(code)
        self.currency = code
        return code

    def any_amount(self, key: str) -> Money:
        """Minor units of either sign; zero when absent."""
        value = self.row.get(key)
        if value is None or (type(value) is int and value == 0):
            return self.zero
        return self._money(key, value)

    def amount(self, key: str) -> Money:
        """Minor units that are not negative; zero when absent."""
        value = self.row.get(key)
        if value is None or (type(value) is int and value == 0):
            return self.zero
        if type(value) is int and value < 0:
            self.problem("amount-negative", key, f"is {_shown(value)}, and it cannot be negative")
            return self.zero
        return self._money(key, value)

    def required_any_amount(self, key: str) -> Money:
        if self.row.get(key) is None:
            self.missing(key)
        return self.any_amount(key)

    def required_amount(self, key: str) -> Money:
        if self.row.get(key) is None:
            self.missing(key)
        return self.amount(key)

    def optional_amount(self, key: str) -> Money | None:
        return None if self.row.get(key) is None else self.amount(key)

    def _money(self, key: str, value: Any) -> Money:
        if type(value) is not int:
            self.wrong_type(key, value, "a whole number of minor units")
        elif not -LARGEST_MINOR <= value <= LARGEST_MINOR:
            self.problem("amount-out-of-range", key, f"is {_shown(value)}, more than Chargebee itself can hold")
        elif self.currency:
            return Money.of_minor(value, self.currency, self.digits)
        return self.zero

    # --- objects -----------------------------------------------------------------------------------------------

    def inner(self, key: str) -> Fields:
        """The object under a key, an empty one when absent."""
        value = self.row.get(key)
        if value is not None and type(value) is not dict:
            self.wrong_type(key, value, "an object")
            value = None
        return self._child(value or {}, f"{self.where}{key}.")

    def each(self, key: str, read: Callable[[Fields], T]) -> tuple[T, ...]:
        """Every object of an array through `read`; () when absent, since Chargebee leaves empty arrays out."""
        value = self.row.get(key)
        if not value and (value is None or type(value) is list):
            return _NONE
        if type(value) is not list:
            self.wrong_type(key, value, "a list")
            return _NONE
        found = []
        for index, entry in enumerate(value):
            if type(entry) is dict:
                found.append(read(self._child(entry, f"{self.where}{key}[{index}].")))
            else:
                self.wrong_type(f"{key}[{index}]", entry, "an object")
        return tuple(found)

    def _child(self, row: Mapping[str, Any], where: str) -> Fields:
        child = Fields(row, self.subject, self.problems, where)
        child.currency, child.digits, child.zero = self.currency, self.digits, self.zero
        return child

    # --- problems ----------------------------------------------------------------------------------------------

    def missing(self, key: str) -> None:
        self.problem("field-missing", key, "is missing")

    def wrong_type(self, key: str, value: Any, expected: str) -> None:
        self.problem("field-wrong-type", key, f"is {_shown(value)} where {expected} is expected")

    def problem(self, code: str, key: str, what: str) -> None:
        message = f"{self.subject}: field '{self.where}{key}' {what}."
        self.problems.append(Problem(code, self.subject, message, _REPORT))


_NO_MONEY = Money(Decimal(0), "")


def _currency_problem(subject: str, code: str, error: money.UnknownCurrency) -> Problem:
    message = f"{subject} is in {_shown(code)}: {error}"
    if code in money.UNCONFIRMED:
        fix = "Compare an invoice with Chargebee's own screen, then confirm it under Tenants > Policies > minor_units."
        return Problem("currency-unconfirmed", subject, message, fix, "policies")
    return Problem("currency-unknown", subject, message, _REPORT)


def exact(value: Any) -> Decimal | None:
    """A finite Decimal from a JSON number or digits in a text (a stored document may hold its decimals as text)."""
    if type(value) is Decimal:
        return value if value.is_finite() else None
    if type(value) in (int, float, str):
        try:
            return money.decimal_text(str(value))
        except ValueError:  # an integer of thousands of digits
            return None
    return None


def subject_of(kind: str, row: Mapping[str, Any]) -> str:
    """How a problem names the document: Invoice 'INV-7'."""
    value = row.get("id")
    return f"{kind} '{_storable(value)[:_LONGEST_SHOWN]}'" if type(value) is str and value else f"{kind} without an id"


def not_an_object(kind: str, row: object) -> list[Problem]:
    message = f"{kind}: {_shown(row)} was found where a document was expected."
    return [Problem("document-not-an-object", kind, message, _REPORT)]


def _storable(value: str) -> str:
    return value.replace("\0", "\ufffd").encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return str(value).lower()
    try:
        shown = repr(_storable(value)) if isinstance(value, str) else str(value)
    except ValueError:
        return "a number of thousands of digits"
    return shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}…"
