"""One profile and one document class become closures, so that a document costs microseconds to render."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter, neg
from typing import Any

from connector.errors import Problem
from connector.money import Money
from connector.qad import canonical, encode
from connector.qad.document_fields import Getters, Rows, Source
from connector.qad.encode import Fragment, Getter
from connector.qad.profile_shape import Correction, Profile, Table, Values, Write
from connector.qad.substitute import filled_values

Body = Callable[[Any, list[Problem]], str]
Signed = Callable[[Any], Any]
Part = tuple[str, Callable[[str], Fragment]]  # the instance's name (dots nest) and what makes its fragment

_MONEY = frozenset({"total", "amount", "base"})
_NUMBERS = frozenset({"rate", "exchange_rate"})


@dataclass(frozen=True, slots=True)
class Corrected:
    """A document on its way back, with the name of what it takes back."""

    document: Any
    reference: str
    number: str


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the profile the fields being compiled stand, and what holds for all of them."""

    path: str
    values: Values
    max_length: Mapping[str, int]
    may_cut: bool
    required: frozenset[str]
    sign: Signed


def sign_of(name: str, is_negated: bool) -> Signed:
    """How an amount of ours is signed there. `is_negated` in a correction, whose amounts are the opposite."""
    if name == "absolute":
        return abs
    return neg if (name == "reversed") != is_negated else _as_is


def _as_is(amount: Money) -> Money:
    return amount


def is_opposite(rules: Sequence[Correction]) -> bool:
    """Whether the amounts change sign: a refund that is taken back changes it twice."""
    return sum(rule.how != "own_entity" for rule in rules) % 2 == 1


def compile_body(source: Source, write: Write, profile: Profile, entity: str, rules: Sequence[Correction]) -> Body:
    """What renders the document without its envelope; with `rules` it takes a Corrected instead of a document.

    The constants of all rules are written, and the link of the last one: it says what the Corrected names.
    """
    is_negated = is_opposite(rules)
    place = _Place(
        path=f"writes.{entity}",
        values=profile.values,
        max_length=write.max_length,
        may_cut=write.too_long == "cut",
        required=_required(canonical.WRITES[entity]),
        sign=sign_of(write.sign, is_negated),
    )
    lifted = _lifted(source) if rules else source
    constants = dict(write.constants)
    for rule in rules:
        constants.update(rule.constants)
    parts = _constants(constants, profile) + _fields(lifted.fields, write.fields, place)
    for ours, theirs in rules[-1].link.items() if rules else ():
        parts.append((theirs, partial(encode.text, get=attrgetter(ours), check=None)))
    if write.sign == "absolute" and "total" in lifted.fields:
        parts.append(_guard("total", lifted.fields["total"]))
    for name, rows in lifted.rows.items():
        table: Table | None = getattr(write, name)
        if table is not None:
            parts.append(_table(name, table, rows, place, profile=profile, is_negated=is_negated))
    return encode.nested(parts)


def _lifted(source: Source) -> Source:
    """The same source one level further in: its getters take the Corrected around the document."""
    fields = {name: _inside(get) for name, get in source.fields.items()}
    rows = {name: replace(rows, of=_inside(rows.of)) for name, rows in source.rows.items()}
    return replace(source, fields=fields, rows=rows)


def _inside(get: Getter) -> Getter:
    return lambda corrected: get(corrected.document)


def _required(names: canonical.Names) -> frozenset[str]:
    return frozenset(alternatives[0] for alternatives in names.required if len(alternatives) == 1)


def _constants(constants: Mapping[str, Any], profile: Profile) -> list[Part]:
    given = filled_values(constants, profile.context)
    return [(name, partial(encode.constant, value=given[name])) for name in sorted(given)]


def _fields(getters: Getters, names: Mapping[str, str], place: _Place) -> list[Part]:
    return [(names[ours], _maker(ours, get, place)) for ours, get in getters.items() if ours in names]


def _maker(ours: str, get: Getter, place: _Place) -> Callable[[str], Fragment]:
    as_text = place.values.amounts == "string"
    if ours in _MONEY:
        sign = place.sign
        return partial(encode.number, get=lambda row: sign(get(row)), as_text=as_text)
    if ours in _NUMBERS:
        return partial(encode.number, get=get, as_text=as_text)
    if ours in canonical.DATES:
        return partial(encode.date, get=get, pattern=place.values.dates)
    if ours in canonical.FLAGS:
        return partial(encode.flag, get=get)
    if ours in place.required or ours in place.max_length:
        return partial(encode.text, get=get, check=partial(_checked, ours=ours, place=place))
    return partial(encode.text, get=get, check=None)


def _checked(value: str, problems: list[Problem], *, ours: str, place: _Place) -> str:
    words = ours.replace("_", " ")
    if not value and ours in place.required:
        problems.append(
            Problem("qad-field-empty", "", f"The {words} is empty and QAD requires it.", f"Give the {words} a value.")
        )
    limit = place.max_length.get(ours)
    if limit is None or len(value) <= limit:
        return value
    if place.may_cut and ours in canonical.CUTTABLE:
        return value[:limit].rstrip()
    problems.append(
        Problem(
            "qad-field-too-long",
            "",
            f"The {words} '{value}' has {len(value)} characters; this QAD instance takes {limit}.",
            f"Shorten it, or change {place.path}.max_length.{ours} in the QAD profile.",
        )
    )
    return value


def _table(name: str, table: Table, rows: Rows, place: _Place, *, profile: Profile, is_negated: bool) -> Part:
    below = replace(
        place,
        path=f"{place.path}.{name}",
        max_length=table.max_length,
        required=_required(canonical.TABLES[name]),
        sign=sign_of("absolute" if table.sign == "debit_credit" else table.sign, is_negated),
    )
    parts = _constants(table.constants, profile) + _fields(rows.fields, table.fields, below)
    if table.sign == "absolute":
        parts.append(_guard("amount", rows.fields["amount"]))
    if table.sign != "debit_credit":
        return table.collection, partial(encode.rows, get=rows.of, one=encode.nested(parts))
    parts += _columns(table, rows.fields["amount"], place.values.amounts == "string", is_negated)
    return table.collection, partial(encode.rows, get=rows.of, one=_unless_zero(rows.fields["amount"], parts))


def _columns(table: Table, amount: Getter, as_text: bool, is_negated: bool) -> list[Part]:
    """The column of a positive amount and the other one; the column that has nothing is left out."""
    minus = "debit" if table.plus == "credit" else "credit"
    plus, minus = (minus, table.plus) if is_negated else (table.plus, minus)
    column = partial(encode.number, as_text=as_text)
    return [
        (table.fields[plus], partial(column, get=lambda row: _above_zero(amount(row)))),
        (table.fields[minus], partial(column, get=lambda row: _above_zero(-amount(row)))),
    ]


def _above_zero(amount: Money) -> Money | None:
    return amount if amount.amount > 0 else None


def _unless_zero(amount: Getter, parts: list[Part]) -> Body:
    """A line of nothing has neither column, and an instance with columns refuses it: it is left out."""
    whole = encode.nested(parts)
    return lambda row, problems: whole(row, problems) if amount(row) else ""


def _guard(name: str, get: Getter) -> Part:
    """Without a sign on the wire a negative amount would arrive as its opposite: it is held instead."""

    def fragment(row: Any, problems: list[Problem]) -> str:
        amount: Money = get(row)
        if amount.amount < 0:
            problems.append(
                Problem(
                    "qad-negative-amount",
                    "",
                    f"The {name} {amount} is negative, and this QAD instance takes amounts without a sign.",
                    "Book the document in QAD by hand, or correct its sign in the QAD profile.",
                )
            )
        return ""

    return "", lambda _: fragment
