"""What QAD shows of our documents: whole pages of a time, or one document by its reference or its number."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from connector.errors import Configuration, Uncertain
from connector.ledger.compare import Copy, Sent
from connector.ledger.stored import restore
from connector.qad.browse import Filter, Row
from connector.qad.client import QadClient
from connector.qad.payloads import WriteRequest, render
from connector.qad.profile_shape import Profile, Write
from syncs.entities import entity_of
from syncs.models import Posting

LEAVE_OUT = ("document", "reverses__document")  # what a comparison does not need of a posting


class Shown:
    """In which sign QAD shows the totals of each kind of posting; found out once a kind, by rendering one of them."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._signs: dict[tuple[str, str], int | None] = {}

    def sign(self, posting: Posting) -> int | None:
        """1 as we count it, -1 the opposite, None where the entity has no total."""
        key = (posting.kind, entity_of(posting))
        if key not in self._signs and posting.total_minor:
            self._signs[key] = self._rendered(posting)
        return self._signs.get(key, 1)

    def sent(self, posting: Posting) -> Sent:
        """What QAD should show; what a person accepted as it stands there takes the place of what was sent."""
        sign = self.sign(posting)
        sent = Sent(
            reference=posting.reference,
            customer=posting.customer_code,
            currency=posting.currency,
            total=None if sign is None else posting.total.amount * sign,
            posting_date=posting.posting_date,
            number=posting.qad_number,
        )
        return sent if posting.accepted is None else _as_accepted(sent, posting.accepted)

    def amount(self, posting: Posting, copy: Copy) -> Decimal | None:
        """QAD's total in our sense."""
        sign = self.sign(posting)
        return None if copy.total is None or sign is None else copy.total * sign

    def _rendered(self, posting: Posting) -> int | None:
        write = render(restore(posting.document), self._profile)
        if not isinstance(write, WriteRequest):
            return 1
        return None if write.total is None else (1 if write.total * posting.total_minor > 0 else -1)


def _as_accepted(sent: Sent, accepted: dict[str, Any]) -> Sent:
    total, day = accepted.get("total"), accepted.get("posting_date")
    return replace(
        sent,
        reference=accepted.get("reference", sent.reference),
        customer=accepted.get("customer") or sent.customer,
        currency=accepted.get("currency") or sent.currency,
        total=sent.total if total is None else Decimal(total),
        posting_date=sent.posting_date if day is None else dt.date.fromisoformat(day),
    )


def own_copies(posting: Posting, copies: Iterable[Copy]) -> tuple[Copy, ...]:
    """All but those that a person has named as surplus; they are dealt with on their own."""
    surplus = set((posting.accepted or {}).get("surplus", ()))
    return tuple(copy for copy in copies if copy.number not in surplus)


def lists(profile: Profile) -> dict[str, str]:
    """The lists that show our documents -> the entity that they hold."""
    found: dict[str, str] = {}
    for entity, write in profile.writes.items():
        if write.lookup.how == "browse" and not entity.startswith("customer"):
            found.setdefault(write.lookup.list, entity)
    return found


def is_listed(profile: Profile, entity: str) -> bool:
    write = profile.write(entity)
    return write is not None and write.lookup.how == "browse"


def pages(client: QadClient, name: str, prefix: str, first: dt.date, last: dt.date) -> Iterator[list[Copy]]:
    """What a list shows with our prefix and a posting date of that time, page by page."""
    for window in windows(client.profile, name, prefix, first, last):
        for page in client.browse(name, window):
            found = [copy_of(row) for row in page if _is_ours(row, prefix)]
            yield [one for one in found if one.posting_date is None or first <= one.posting_date <= last]


def strangers(client: QadClient, name: str, prefix: str, first: dt.date, last: dt.date) -> Iterator[list[Copy]]:
    """What a list shows of that time without our prefix, such as what people keyed by hand, page by page."""
    for window in windows(client.profile, name, "", first, last):
        for page in client.browse(name, window):
            found = [copy_of(row) for row in page if not _is_ours(row, prefix)]
            yield [one for one in found if one.posting_date is None or first <= one.posting_date <= last]


def windows(profile: Profile, name: str, prefix: str, first: dt.date, last: dt.date) -> Iterator[tuple[Filter, ...]]:
    """Filters that together show a time, as narrow as the operators allow: a range, each day, or the whole list.

    Only what carries the prefix, or everything where it is ''.
    """
    operators, listed = profile.browse.filters.operators, profile.list_of(name)
    shows_dates = listed is not None and "posting_date" in listed.fields
    is_narrow = bool(prefix) and "starts_with" in operators
    own = (Filter("reference", "starts_with", f"{prefix}-"),) if is_narrow else ()
    if shows_dates and {"at_least", "at_most"} <= operators.keys():
        yield (*own, Filter("posting_date", "at_least", first), Filter("posting_date", "at_most", last))
    elif shows_dates and "equals" in operators:
        for offset in range((last - first).days + 1):
            yield (*own, Filter("posting_date", "equals", first + dt.timedelta(days=offset)))
    else:
        yield own


def _is_ours(row: Row, prefix: str) -> bool:
    """A reference that somebody wrote in small letters is shown too: nobody else may use our prefix."""
    return str(row.get("reference", "")).upper().startswith(f"{prefix}-")


def copy_of(row: Row) -> Copy:
    """A row of a list, or the record of a keyed read, in our own words."""
    return Copy(
        reference=row.get("reference") or "",
        number=row.get("number") or "",
        customer=row.get("customer") or "",
        currency=row.get("currency") or "",
        total=row.get("total"),
        posting_date=row.get("posting_date"),
    )


def of_found(found: Any) -> Copy:
    return Copy(found.reference, found.number, found.customer, found.currency, found.total, found.posting_date)


def look_up(client: QadClient, entity: str, reference: str, number: str) -> tuple[Copy, ...] | None:
    """All that QAD has under a reference; where its look-up finds nothing, the document of that number if it is ours.

    None where this instance cannot be asked at all. Raises Transient and Authentication.
    """
    write = client.profile.write(entity)
    if write is None:
        return None
    try:
        if reference and write.lookup.how != "none" and (found := client.look_up(entity, reference)):
            return tuple(of_found(one) for one in found)
        return _by_number(client, write, entity, reference, number)
    except (Configuration, Uncertain):
        return None


def _by_number(client: QadClient, write: Write, entity: str, reference: str, number: str) -> tuple[Copy, ...] | None:
    if not number or ("number" not in write.keys and "{number}" not in (write.read_path or write.path)):
        return () if write.lookup.how != "none" else None
    row = client.read(entity, {"number": number})
    copy = None if row is None else copy_of({**row, "number": number})
    return (copy,) if copy is not None and copy.reference == reference else ()
