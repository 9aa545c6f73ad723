"""A list of the instance, page by page, in our own words; a page that looks short is not believed to be the last."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connector.errors import Configuration, Transient, Uncertain
from connector.qad import canonical, reading
from connector.qad.calls import Calls
from connector.qad.encode import date_text
from connector.qad.profile_shape import ListOf, Operator, Paging, Profile
from connector.qad.substitute import filled, filled_pairs

Row = dict[str, Any]
_LARGEST_PAGE = 100


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition, in our own words: Filter('posting_date', 'at_least', date)."""

    field: str
    operator: Operator
    value: str | dt.date | Decimal


@dataclass(frozen=True, slots=True)
class _Page:
    rows: list[Any]
    has_more: bool


class Browser:
    """Reads the lists that a profile names."""

    def __init__(self, calls: Calls, profile: Profile, *, deadline: float = 30.0) -> None:
        self._calls, self._profile, self._deadline = calls, profile, deadline

    def pages(self, name: str, filters: tuple[Filter, ...] = (), *, size: int = _LARGEST_PAGE) -> Iterator[list[Row]]:
        """Rows of our own field names, a page at a time; nothing at all for an empty list.

        Each row holds every field of the profile's list and the instance's own row under 'raw'.
        """
        read = self._reader(name)
        for rows in self._raw_pages(name, filters, size):
            yield [read(row) for row in rows]

    def counted_pages(self, name: str, filters: tuple[Filter, ...] = ()) -> Iterator[list[Row]]:
        """The same, ended by Transient if the instance's own count differs from what came."""
        seen = 0
        for rows in self.pages(name, filters):
            seen += len(rows)
            yield rows
        told = self.count(name, filters)
        if told is not None and told != seen:
            raise Transient(
                f"QAD's list '{name}' counts {told} rows but gave {seen}. It changed meanwhile; read it again."
            )

    def count(self, name: str, filters: tuple[Filter, ...] = ()) -> int | None:
        """The instance's own count, None where the profile knows no way to ask."""
        paging = self._profile.browse.paging
        if not paging.count_path:
            return None
        query = (*self._where(name, filters), *self._constants(name))
        answer = self._calls.get(paging.count_path, query, about="browse.paging.count_path", deadline=self._deadline)
        told = reading.as_amount(reading.at(answer, paging.count_pointer))
        return int(told) if told is not None else None

    def first_page(self, name: str, size: int) -> list[Row]:
        """For a probe."""
        return next(self.pages(name, size=size), [])

    def _raw_pages(self, name: str, filters: tuple[Filter, ...], size: int) -> Iterator[list[Any]]:
        paging = self._profile.browse.paging
        size = min(size, paging.size, _LARGEST_PAGE)
        fixed = (*self._where(name, filters), *self._constants(name), *self._call_id())
        seen, number, earlier = 0, 1, set()
        while True:
            page = self._page(name, (*_position(paging, number, seen, size), *fixed), seen)
            if page.rows:
                mark = hash(repr(page.rows))
                if mark in earlier:
                    raise Configuration(
                        f"QAD's list '{name}' gives the same page twice. "
                        f"Correct browse.paging in the QAD profile (the parameters of the next page)."
                    )
                earlier.add(mark)
                yield page.rows
            if not page.has_more:
                return
            seen, number = seen + len(page.rows), number + 1

    def _page(self, name: str, query: tuple[tuple[str, str], ...], seen: int) -> _Page:
        browse = self._profile.browse
        answer = self._calls.get(self._path(name), query, about=f"lists.{name}", deadline=self._deadline)
        rows = reading.at(answer, browse.rows)
        if not isinstance(rows, list):
            raise Configuration(
                f"QAD's answer to the list '{name}' has no rows at '{browse.rows}' ({str(answer)[:200]}). "
                f"Correct browse.rows in the QAD profile."
            )
        return _Page(rows, self._has_more(name, answer, rows, seen))

    def _has_more(self, name: str, answer: Any, rows: list[Any], seen: int) -> bool:
        paging = self._profile.browse.paging
        if paging.more == "full_page":
            return bool(rows)  # only an empty page ends it: the instance may give fewer than asked
        if paging.more == "flag":
            more = reading.as_flag(reading.at(answer, paging.more_pointer))
        else:
            total = reading.as_amount(reading.at(answer, paging.total_pointer))
            more = None if total is None else seen + len(rows) < total
        if more is None:
            pointer = paging.more_pointer if paging.more == "flag" else paging.total_pointer
            raise Configuration(
                f"QAD's answer to the list '{name}' does not say at '{pointer}' whether more rows follow. "
                f"Correct browse.paging in the QAD profile."
            )
        if more and not rows:
            raise Transient(f"QAD's list '{name}' promises more rows and gives none. Read it again.")
        return more

    def _where(self, name: str, filters: tuple[Filter, ...]) -> tuple[tuple[str, str], ...]:
        rule, listed = self._profile.browse.filters, self._listed(name)
        pairs = [self._condition(name, listed, each) for each in filters]
        if not rule.join or not pairs:
            return tuple(pairs)
        return ((pairs[0][0], rule.join.join(text for _, text in pairs)),)

    def _condition(self, name: str, listed: ListOf, condition: Filter) -> tuple[str, str]:
        rule = self._profile.browse.filters
        theirs, operator = listed.fields.get(condition.field), rule.operators.get(condition.operator)
        if theirs is None or operator is None:
            key = f"lists.{name}.fields.{condition.field}" if theirs is None else "browse.filters.operators"
            raise Configuration(
                f"The QAD profile cannot filter '{name}' by {condition.field} {condition.operator}. Complete {key}."
            )
        value = self._text(condition.value)
        unsafe = next((character for character in rule.unsafe if character in value), "")
        if unsafe:
            raise Uncertain(
                f"'{value}' holds '{unsafe}', which this instance's filters cannot carry. Look it up in QAD by hand."
            )
        words = {"field": _prefixed(listed, theirs), "operator": operator, "value": value}
        return rule.parameter.format_map(words), rule.template.format_map(words)

    def _text(self, value: str | dt.date | Decimal) -> str:
        if isinstance(value, dt.date):
            return date_text(value, self._profile.values.dates)
        return f"{value:f}" if isinstance(value, Decimal) else value

    def _constants(self, name: str) -> tuple[tuple[str, str], ...]:
        browse, listed = self._profile.browse, self._listed(name)
        query = {**self._profile.context.query, **browse.query, **listed.query}
        if listed.browse_id and browse.browse_id_parameter:
            query[browse.browse_id_parameter] = listed.browse_id
        return filled_pairs(query, self._profile.context)

    def _call_id(self) -> tuple[tuple[str, str], ...]:
        parameter = self._profile.browse.call_id_parameter
        return ((parameter, str(uuid.uuid4())),) if parameter else ()

    def _path(self, name: str) -> str:
        return filled(self._listed(name).path or self._profile.browse.path, self._profile.context)

    def _listed(self, name: str) -> ListOf:
        listed = self._profile.list_of(name)
        if listed is None:
            raise Configuration(f"The QAD profile has no list '{name}'. Add [lists.{name}], then test the connection.")
        return listed

    def _reader(self, name: str) -> Callable[[Any], Row]:
        listed, is_flat = self._listed(name), self._profile.browse.keys == "flat"
        find = reading.flat if is_flat else reading.nested
        dates = self._profile.values.dates
        plan = [
            (ours, _prefixed(listed, theirs) if is_flat else theirs, reading.kind(ours, dates))
            for ours, theirs in listed.fields.items()
        ]
        vital = canonical.LISTS[name].required[0][0]
        vital_key = next(key for ours, key, _ in plan if ours == vital)

        def read(row: Any) -> Row:
            if find(row, vital_key) is None:
                shown = ", ".join(list(row)[:20]) if isinstance(row, dict) else str(row)[:200]
                raise Configuration(
                    f"A row of QAD's list '{name}' has no '{vital_key}' (it has: {shown}). "
                    f"Correct lists.{name}.fields.{vital} or its key_prefix in the QAD profile."
                )
            return {**{ours: convert(find(row, key)) for ours, key, convert in plan}, "raw": row}

        return read


def _prefixed(listed: ListOf, theirs: str) -> str:
    return f"{listed.key_prefix}.{theirs}" if listed.key_prefix else theirs


def _position(paging: Paging, number: int, seen: int, size: int) -> tuple[tuple[str, str], ...]:
    if paging.style == "offset":
        return ((paging.offset_parameter, str(seen)), (paging.limit_parameter, str(size)))
    place = ((paging.page_parameter, str(number)), (paging.size_parameter, str(size)))
    if not paging.action_parameter:
        return place
    return (*place, (paging.action_parameter, paging.first_action if number == 1 else paging.next_action))
