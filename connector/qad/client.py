"""One QAD instance as its profile says: sign in, send, look up, read, browse. Safe to share between threads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from connector.errors import Configuration, Problem
from connector.http.session import Http
from connector.qad import payloads, reading, replies
from connector.qad.auth import Clock, Credentials, Session, TokenStore
from connector.qad.browse import Browser, Filter, Row
from connector.qad.calls import Calls, utc_now
from connector.qad.payloads import CorrectionKind, Document, WriteRequest
from connector.qad.profile_shape import Lookup, Profile, Write
from connector.qad.replies import Receipt
from connector.qad.substitute import filled, filled_pairs


@dataclass(frozen=True, slots=True)
class Found:
    """A document that QAD holds under a reference. What its list does not show is '' or None."""

    reference: str
    number: str
    year: str
    daybook: str
    voucher: str
    customer: str
    currency: str
    total: Decimal | None
    posting_date: dt.date | None
    raw: dict[str, Any] = field(repr=False, compare=False)


class QadClient:
    """`workspace` is the header's value, '' for the profile's own; `deadline` in seconds holds for each read."""

    def __init__(
        self,
        http: Http,
        base_url: str,
        credentials: Credentials,
        workspace: str,
        profile: Profile,
        *,
        now: Clock = utc_now,
        tokens: TokenStore | None = None,
        deadline: float = 30.0,
    ) -> None:
        self.profile = profile
        self.session = Session(
            http, base_url.rstrip("/"), profile.auth, credentials, now=now, tokens=tokens, deadline=deadline
        )
        self.calls = Calls(http, base_url, profile, self.session, workspace=workspace, now=now)
        self.browser = Browser(self.calls, profile, deadline=deadline)
        self._deadline = deadline

    def sign_in(self) -> None:
        """Call it once before threads share the client, so that the first token is fetched once.

        Raises Authentication, Configuration or Transient; nothing can have been applied.
        """
        self.session.sign_in()

    def render(self, document: Document, entity: str = "") -> WriteRequest | list[Problem]:
        return payloads.render(document, self.profile, entity)

    def render_correction(
        self, document: Document, kind: CorrectionKind, *, original_reference: str, original_number: str
    ) -> WriteRequest | list[Problem]:
        return payloads.render_correction(
            document, self.profile, kind, original_reference=original_reference, original_number=original_number
        )

    def send(self, write: WriteRequest, deadline: float) -> Receipt:
        """One call, within `deadline` seconds; sent again only after a 401, which proves that nothing was applied.

        Raises what `replies.read` raises, and Transient when no byte of the document was sent.
        """
        reply = self.calls.send(
            write.method, write.path, write.query, deadline=deadline, headers=dict(write.headers), body=write.body
        )
        return replies.read(
            self.profile, write.entity, reply.status, reply.headers, reply.content, sent=write, exchange=reply.exchange
        )

    def look_up(self, entity: str, reference: str) -> tuple[Found, ...]:
        """All that QAD holds under exactly this reference: none, one, or the duplicates.

        Compared here byte for byte, since an instance may ignore capitals or match beginnings. Raises Transient,
        Authentication, Configuration (no look-up in the profile), Uncertain (the reference cannot be searched).
        """
        write = self._write(entity)
        if write.lookup.how == "read":
            record = self.read_record(entity, {"reference": reference})
            found = [self._found_record(write, record)] if record is not None else []
        else:
            key = reference_field(self._list(entity, write.lookup))
            condition = Filter(key, write.lookup.match, reference)
            found = list(self._listed(write.lookup, key, (condition,)))
        return tuple(each for each in found if each.reference == reference)

    def look_up_number(self, entity: str, number: str) -> tuple[Found, ...]:
        """What QAD holds under its own number, whatever its reference: by a keyed read, else by the look-up's list.

        Raises Transient, Authentication, and Configuration where this instance cannot be asked by number.
        """
        write = self._write(entity)
        if "number" in write.keys or "{number}" in (write.read_path or write.path):
            record = self.read_record(entity, {"number": number})
            found = [] if record is None else [self._found_record(write, record)]
        else:
            listed = self.profile.list_of(self._list(entity, write.lookup))
            if write.lookup.how != "browse" or listed is None or "number" not in listed.fields:
                raise Configuration(
                    f"The QAD profile does not say how '{entity}' is read by its number. "
                    f"Name the number in writes.{entity}.keys, or in the fields of its list."
                )
            key = reference_field(write.lookup.list)
            found = list(self._listed(write.lookup, key, (Filter("number", "equals", number),)))
        return tuple(replace(each, number=number) for each in found if each.number in ("", number))

    def look_up_many(
        self, entity: str, references: Sequence[str], *, posted: tuple[dt.date, dt.date] | None = None
    ) -> dict[str, tuple[Found, ...]]:
        """`look_up` of each; where the profile allows it and `posted` (first, last posting date) is given, by reading
        the whole pages of that time instead. A document outside that time is then not found: no proof of absence.
        """
        write = self._write(entity)
        if not (write.lookup.many and write.lookup.how == "browse" and posted):
            return {reference: self.look_up(entity, reference) for reference in references}
        key = reference_field(self._list(entity, write.lookup))
        window = (Filter("posting_date", "at_least", posted[0]), Filter("posting_date", "at_most", posted[1]))
        wanted: dict[str, list[Found]] = {reference: [] for reference in references}
        for found in self._listed(write.lookup, key, window):
            if found.reference in wanted:
                wanted[found.reference].append(found)
        return {reference: tuple(found) for reference, found in wanted.items()}

    def read(self, entity: str, keys: dict[str, str]) -> Row | None:
        """One record by its keys in our own words ('raw' beside them), None if QAD says that there is none."""
        record = self.read_record(entity, keys)
        if record is None:
            return None
        write, dates = self._write(entity), self.profile.values.dates
        names = {**write.fields, **write.read_fields}
        row = {ours: reading.kind(ours, dates)(reading.pluck(record, theirs)) for ours, theirs in names.items()}
        return {**row, "raw": record}

    def read_record(self, entity: str, keys: dict[str, str]) -> dict[str, Any] | None:
        """The same as the instance gave it, whole: what an update sends back patched."""
        write, context = self._write(entity), self.profile.context
        path = filled(write.read_path or write.path, context)
        for name, value in keys.items():
            path = path.replace(f"{{{name}}}", quote(value, safe=""))
        known = {"domain": context.domain, "entity": context.entity, "shared_set": context.shared_set, **keys}
        query = [(theirs, known[ours]) for ours, theirs in write.keys.items() if known.get(ours)]
        query += list(filled_pairs(context.query, context))
        if write.view_uri:
            query.append((write.view_uri_parameter, write.view_uri))
        answer = self.calls.get_or_none(path, query, about=f"writes.{entity}.path", deadline=self._deadline)
        return None if answer is None else self._only_record(entity, write, answer, keys)

    def browse(self, list_name: str, filters: tuple[Filter, ...] = ()) -> Iterator[list[Row]]:
        """Pages of rows in our own words, see `Browser.pages`; zero rows are no page."""
        return self.browser.pages(list_name, filters)

    def _only_record(self, entity: str, write: Write, answer: Any, keys: dict[str, str]) -> dict[str, Any] | None:
        """The record of a keyed read. A missing one is an empty list in its place; anything else is a wrong profile."""
        pointer = write.record.replace("{collection}", write.collection)
        record = reading.at(answer, pointer)
        if record is None and pointer and reading.at(answer, pointer.rpartition("/")[0]) == []:
            return None
        if not isinstance(record, dict) or not record:
            raise Configuration(
                f"QAD's answer about '{entity}' has no record at '{pointer}' ({str(answer)[:200]}). "
                f"Correct writes.{entity}.record in the QAD profile."
            )
        for ours, asked in keys.items():
            told = reading.pluck(record, write.fields.get(ours, ""))
            if isinstance(told, str) and told.casefold() != asked.casefold():
                raise Configuration(
                    f"QAD was asked for '{entity}' with {ours} '{asked}' and answered with '{told}'. "
                    f"Correct writes.{entity}.keys in the QAD profile."
                )
        return record

    def _listed(self, lookup: Lookup, key: str, filters: tuple[Filter, ...]) -> Iterator[Found]:
        """Rows of the look-up's list. A filtered list that never shows the reference would hide every document."""
        shows_reference, rows = False, 0
        for page in self.browser.pages(lookup.list, filters):
            for row in page:
                rows += 1
                shows_reference = shows_reference or bool(row[key])
                yield _found_row(row, key)
        if rows and not shows_reference and any(condition.field == key for condition in filters):
            raise Configuration(
                f"QAD's list '{lookup.list}' was asked by reference and its rows show none. "
                f"Correct lists.{lookup.list}.fields.{key} in the QAD profile."
            )

    def _found_record(self, write: Write, record: dict[str, Any]) -> Found:
        def text(name: str) -> str:
            return reading.as_text(reading.pluck(record, name))

        receipt, names = write.receipt, write.fields
        return Found(
            reference=text(receipt.reference or names["reference"]),
            number=text(receipt.number),
            year=text(receipt.year),
            daybook=text(receipt.daybook),
            voucher=text(receipt.voucher),
            customer=text(names.get("customer", "")),
            currency=text(names.get("currency", "")),
            total=reading.as_amount(reading.pluck(record, receipt.total)),
            posting_date=reading.as_date(reading.pluck(record, receipt.posting_date), self.profile.values.dates),
            raw=record,
        )

    def _write(self, entity: str) -> Write:
        write = self.profile.write(entity)
        if write is None:
            raise Configuration(f"The QAD profile has no entity '{entity}'. Add [writes.{entity}], then test it.")
        return write

    def _list(self, entity: str, lookup: Lookup) -> str:
        if lookup.how == "none":
            raise Configuration(
                f"The QAD profile does not say how '{entity}' is found again by its reference. "
                f"Fill in writes.{entity}.lookup."
            )
        return lookup.list


def reference_field(list_name: str) -> str:
    """Our own name of the field by which a list finds what we wrote."""
    return "external_reference" if list_name == "customers" else "reference"


def _found_row(row: Row, key: str) -> Found:
    return Found(
        reference=row[key],
        number=row.get("number") or row.get("code", ""),
        year=row.get("year", ""),
        daybook=row.get("daybook", ""),
        voucher=row.get("voucher", ""),
        customer=row.get("customer") or row.get("code", ""),
        currency=row.get("currency", ""),
        total=row.get("total"),
        posting_date=row.get("posting_date"),
        raw=row["raw"],
    )
