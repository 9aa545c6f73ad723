"""The QAD side of a period: pages of its lists as they are read, and what no page showed, asked for by its reference.

Each page is compared at once; of what agrees only one bit is kept, so that a million documents need no memory.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Max, Min, QuerySet

from connector.ledger.compare import ZERO, Copy, Period, Statement, Variance, differences, judge, shift
from connector.qad.client import QadClient
from syncs import reading_back, verifying
from syncs.entities import entity_of
from syncs.models import Posting
from syncs.reading_back import LEAVE_OUT, Shown
from syncs.settling import Pace
from syncs.states import DONE, PostingState
from tenants import policies
from tenants.models import Tenant

FOLLOWING = ("application", "unapplication", "reversal")  # what only we make, after a document of Chargebee's
COUNTED = (*DONE, PostingState.CONFLICT, PostingState.DUPLICATE)  # what QAD should have, as far as we know
MAYBE = (PostingState.SENDING, PostingState.UNCERTAIN)
Tell = Callable[[str, int], None]


class Seen:
    """One bit for each posting: a set of a million keys would be eighty times as large."""

    def __init__(self, first: int, last: int) -> None:
        self._first, self._bits = first, bytearray((last - first) // 8 + 1)

    def add(self, pk: int) -> None:
        at = pk - self._first
        if 0 <= at < len(self._bits) * 8:
            self._bits[at >> 3] |= 1 << (at & 7)

    def __contains__(self, pk: int) -> bool:
        at = pk - self._first
        return 0 <= at < len(self._bits) * 8 and bool(self._bits[at >> 3] & 1 << (at & 7))


@dataclass(slots=True)
class Table:
    """What a reconciliation holds while it reads; sets and dicts hold only what is not as it should be."""

    tenant: Tenant
    client: QadClient
    pace: Pace
    period: Period
    prefix: str
    begins: dt.datetime
    ends: dt.datetime
    minor_units: dict[str, int]
    shown: Shown
    clock: Callable[[], dt.datetime]
    actor: str
    seen: Seen
    statement: Statement = field(default_factory=Statement)
    odd: dict[int, Decimal] = field(default_factory=dict)  # QAD's amount where it is not ours
    told: set[int] = field(default_factory=set)  # postings that have a variance
    missing: set[int] = field(default_factory=set)  # QAD was asked and does not have them
    unreadable: set[int] = field(default_factory=set)  # QAD cannot be asked
    strangers: set[str] = field(default_factory=set)  # numbers of documents that nobody here knows
    suspects: dict[int, Posting] = field(default_factory=dict)


def lay(
    tenant: Tenant, client: QadClient, period: Period, pace: Pace, *, clock: Callable[[], dt.datetime], actor: str
) -> Table:
    """An empty table for one period."""
    begins, ends = period.moments(tenant.time_zone)
    span = Posting.objects.filter(tenant=tenant).aggregate(first=Min("pk"), last=Max("pk"))
    return Table(
        tenant=tenant,
        client=client,
        pace=pace,
        period=period,
        prefix=tenant.qad.reference_prefix,
        begins=begins,
        ends=ends,
        minor_units=policies.read(tenant)["minor_units"],
        shown=Shown(client.profile),
        clock=clock,
        actor=actor,
        seen=Seen(span["first"] or 0, span["last"] or 0),
    )


def read_lists(table: Table, on_page: Tell) -> None:
    done = 0
    for name, entity in reading_back.lists(table.client.profile).items():
        for page in reading_back.pages(table.client, name, table.prefix, table.period.first, table.period.last):
            _take_page(table, entity, page)
            done += len(page)
            on_page("Reading QAD", done)


def _take_page(table: Table, entity: str, page: Sequence[Copy]) -> None:
    rows = Posting.objects.filter(tenant=table.tenant, reference__in=[copy.reference for copy in page])
    known = {posting.reference: posting for posting in light(rows)}
    for copy in page:
        posting = known.get(copy.reference)
        if posting is None:
            _stranger(table, entity, copy)
        elif (posting.qad_number and copy.number != posting.qad_number) or _is_second(table, posting):
            table.suspects[posting.pk] = posting
        elif _is_here(table, posting):
            _note(table, posting, copy)
        else:
            _moved_in(table, posting, copy)


def light(rows: QuerySet[Posting]) -> QuerySet[Posting]:
    return rows.select_related("source", "reverses").defer(*LEAVE_OUT, "source__raw", "source__problems")


def _is_second(table: Table, posting: Posting) -> bool:
    """Seen already, and by its number nobody can say whether this is the same row of another list."""
    return not posting.qad_number and posting.pk in table.seen


def _is_here(table: Table, posting: Posting) -> bool:
    """A posting belongs to the period of its Chargebee document; one that only follows, to its own."""
    if posting.kind in FOLLOWING:
        return posting.posting_date in table.period
    dated_at = posting.source.dated_at
    return dated_at is not None and table.begins <= dated_at < table.ends


def _stranger(table: Table, entity: str, copy: Copy) -> None:
    """Our prefix on a document that we do not know."""
    if copy.number in table.strangers:
        return  # shown by another list already
    table.strangers.add(copy.number)
    total = copy.total or ZERO
    table.statement.figure(entity, copy.currency).qad += total
    sentence = f"QAD has {copy.reference} as {copy.number}, and nothing here has that reference."
    fix = "Find out who entered it. If it is a copy, reverse it in QAD; if this database is older than QAD, restore it."
    table.statement.tell(
        Variance("only-in-qad", entity, copy.currency, sentence, fix, reference=copy.reference, qad=total)
    )


def _moved_in(table: Table, posting: Posting, copy: Copy) -> None:
    amount = _in_our_sense(table, posting, copy)
    table.statement.figure(posting.kind, posting.currency).moved_in += amount
    sentence = f"{posting.reference} stands in this period in QAD, but belongs to another one by its document date."
    tell(table, posting, "from-another-period", sentence, qad=amount, is_explained=True)


def _note(table: Table, posting: Posting, copy: Copy) -> None:
    """One document of ours as QAD shows it."""
    table.seen.add(posting.pk)
    sent, figure = table.shown.sent(posting), table.statement.figure(posting.kind, posting.currency)
    amount = _in_our_sense(table, posting, copy)
    if copy.total is None or sent.total is None:
        figure.not_shown += amount
    if copy.currency and copy.currency != posting.currency:
        table.statement.figure(posting.kind, copy.currency).qad += amount
        amount = ZERO
    if amount != posting.total.amount:
        table.odd[posting.pk] = amount
    if copy.posting_date is not None and copy.posting_date not in table.period:
        figure.moved_out += amount
    if posting.state not in (*COUNTED, *MAYBE):
        sentence = f"QAD has {posting.reference} as {copy.number}; here it is '{posting.get_state_display()}'."
        fix = "Press Replay: it is looked up before it is sent."
        tell(table, posting, "unexpected-in-qad", sentence, fix, qad=amount)
    elif differences(sent, copy):
        finding = judge(sent, [copy])
        verifying.settle(
            table.tenant, [(posting, (copy,))], table.shown, table.pace, now=table.clock(), actor=table.actor
        )
        tell(table, posting, "differs", finding.sentence, "Compare the two, then correct the one in QAD.", qad=amount)
    elif (moved := shift(sent, copy)) is not None:
        same_period = copy.posting_date in table.period and posting.posting_date in table.period
        sentence = f"QAD has {posting.reference} as {copy.number}, but {moved}."
        fix = "" if same_period else "Close the period with this difference in mind, or have the document moved in QAD."
        tell(table, posting, "date-shifted", sentence, fix, qad=amount, is_explained=same_period)
    elif posting.posting_date not in table.period:
        sentence = f"{posting.reference} is posted on {posting.posting_date}, in another period than its document date."
        tell(table, posting, "to-another-period", sentence, qad=amount, is_explained=True)


def _in_our_sense(table: Table, posting: Posting, copy: Copy) -> Decimal:
    """QAD's total; where it shows none, there is only our word for it."""
    amount = table.shown.amount(posting, copy)
    return posting.total.amount if amount is None else amount


def settle_suspects(table: Table) -> None:
    """References that a list showed under another number than ours: twice in QAD, or under another number there."""
    for posting in table.suspects.values():
        copies = _ask(table, posting)
        if not copies:
            continue
        mine = next((copy for copy in copies if copy.number == posting.qad_number), copies[0])
        if _is_here(table, posting) and posting.pk not in table.seen:
            _note(table, posting, mine)
        if len(copies) == 1:
            sentence = f"QAD has {posting.reference} as {mine.number}; here it is known as {posting.qad_number}."
            tell(table, posting, "other-number", sentence, "Find out in QAD why the number changed.", qad=mine.total)
            continue
        surplus = sum((_in_our_sense(table, posting, copy) for copy in copies if copy is not mine), ZERO)
        table.statement.figure(posting.kind, posting.currency).qad += surplus
        finding = judge(table.shown.sent(posting), copies)
        verifying.settle(
            table.tenant, [(posting, copies)], table.shown, table.pace, now=table.clock(), actor=table.actor
        )
        whole = surplus + _in_our_sense(table, posting, mine)
        tell(table, posting, "duplicate", finding.sentence, "Reverse the surplus document in QAD.", qad=whole)


def _ask(table: Table, posting: Posting) -> tuple[Copy, ...] | None:
    return reading_back.look_up(table.client, entity_of(posting), posting.qad_reference, posting.qad_number)


def in_qad(table: Table, posting: Posting) -> Decimal:
    """What QAD has of one posting in our sense; one that no page showed is asked for."""
    if posting.pk not in table.seen and posting.state in (*COUNTED, PostingState.UNCERTAIN):
        _ask_for(table, posting)
    if posting.pk not in table.seen:
        return ZERO
    return table.odd.get(posting.pk, posting.total.amount)


def _ask_for(table: Table, posting: Posting) -> None:
    is_listed = reading_back.is_listed(table.client.profile, entity_of(posting))
    if posting.state == PostingState.VERIFIED and not is_listed:
        table.seen.add(posting.pk)  # it was read back by its number when it was verified
        return
    copies = _ask(table, posting)
    if copies:
        _note(table, posting, copies[0])
    elif copies is None:
        table.unreadable.add(posting.pk)
    elif posting.state in COUNTED and not is_young(table, posting):
        table.missing.add(posting.pk)


def is_young(table: Table, posting: Posting) -> bool:
    """QAD's lists may not show it yet."""
    return posting.state == PostingState.POSTED and table.clock() < posting.changed_at + table.pace.settle


def tell(
    table: Table, posting: Posting, code: str, sentence: str, fix: str = "", *, is_explained: bool = False, **of: Any
) -> None:
    """A variance of one posting; `of` are the amounts of the books."""
    table.told.add(posting.pk)
    variance = Variance(
        code,
        posting.kind,
        posting.currency,
        sentence,
        fix,
        is_explained=is_explained,
        source_id=posting.source.source_id,
        reference=posting.reference,
        document=posting.source_id,
        **{"ours": posting.total.amount, **of},
    )
    table.statement.tell(variance)
