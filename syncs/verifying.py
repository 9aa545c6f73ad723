"""posted -> verified: every document is read back from QAD and compared with what was sent.

posted -> verified   reference, customer, currency, total and posting date are the same
posted -> conflict   QAD has something else under our reference
posted -> duplicate  QAD has it twice
posted               on another date, or not found: a problem says so, and it is read again later
"""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from connector.ledger.compare import Copy, Finding, Verdict, judge
from connector.qad.client import QadClient
from syncs.entities import entity_of
from syncs.models import Posting
from syncs.reading_back import LEAVE_OUT, Shown, look_up, of_found, own_copies
from syncs.sending import assert_no_transaction
from syncs.settling import Pace
from syncs.states import PostingState, may_move
from syncs.sweeping import problem_of
from tenants import audit
from tenants.models import Tenant

OF_A_DAY = 5_000  # postings of one posting date that are compared in one reading
AT_ONCE = 100  # written in one transaction
READ_AGAIN = dt.timedelta(seconds=60)  # while QAD's lists may be late
LOOK_DAILY = dt.timedelta(days=1)
LOOK_HOURLY = dt.timedelta(hours=1)
READABLE = (PostingState.POSTED, PostingState.VERIFIED)  # what reading back may find changed
Reading = tuple[Posting, tuple[Copy, ...] | None]

STATE_OF = {
    Verdict.SAME: PostingState.VERIFIED,
    Verdict.DIFFERENT: PostingState.CONFLICT,
    Verdict.TWICE: PostingState.DUPLICATE,
}
_FIX = {
    Verdict.DIFFERENT: "Compare the two documents, then correct the one in QAD or ask who changed it.",
    Verdict.TWICE: "Reverse the surplus document in QAD; nothing more of this document is sent meanwhile.",
    Verdict.SHIFTED: "Check that the period is right: QAD moved it, probably because the period is closed there.",
    Verdict.ABSENT: "Look for it in QAD by its number; if somebody deleted it there, find out why.",
}
CODE = {
    Verdict.DIFFERENT: "conflict",
    Verdict.TWICE: "duplicate",
    Verdict.SHIFTED: "date-shifted",
    Verdict.ABSENT: "not-found-in-qad",
}


def due(tenant: Tenant, now: dt.datetime) -> QuerySet[Posting]:
    """Posted ones whose time to be read back has come."""
    return Posting.objects.filter(Q(settle_at=None) | Q(settle_at__lte=now), tenant=tenant, state=PostingState.POSTED)


def verify(
    tenant: Tenant,
    client: QadClient,
    pace: Pace,
    *,
    clock: Callable[[], dt.datetime],
    until: float,
    actor: str = "sync",
) -> Counter[str]:
    """Read back what is due until nothing is left or `until` (monotonic) has passed; counts what came of it."""
    counts: Counter[str] = Counter()
    shown = Shown(client.profile)
    while time.monotonic() < until:
        batch = _batch(tenant, clock())
        if not batch:
            break
        for readings in _read(client, batch, pace):
            counts += settle(tenant, readings, shown, pace, now=clock(), actor=actor)
            if time.monotonic() >= until:
                break
    return counts


def _batch(tenant: Tenant, now: dt.datetime) -> list[Posting]:
    """Those of the oldest posting date: QAD's pages are read by date."""
    rows = due(tenant, now).select_related("reverses").defer(*LEAVE_OUT)
    oldest = rows.order_by("pk").first()
    if oldest is None:
        return []
    return list(rows.filter(posting_date=oldest.posting_date).order_by("pk")[:OF_A_DAY])


def _read(client: QadClient, batch: Sequence[Posting], pace: Pace) -> Iterator[list[Reading]]:
    """By whole pages where the profile allows it and that takes fewer calls, else one by one, a few at a time."""
    assert_no_transaction()
    by_entity: dict[str, list[Posting]] = defaultdict(list)
    for posting in batch:
        by_entity[entity_of(posting)].append(posting)
    alone: list[tuple[str, Posting]] = []
    for entity, postings in by_entity.items():
        found = _whole_day(client, entity, postings)
        seen = [(posting, copies) for posting in postings if (copies := found.get(posting.qad_reference))]
        yield from _portions(seen)
        alone += [(entity, posting) for posting in postings if not found.get(posting.qad_reference)]
    for portion in _portions(alone):
        yield _one_by_one(client, portion, pace)


def _whole_day(client: QadClient, entity: str, postings: Sequence[Posting]) -> dict[str, tuple[Copy, ...]]:
    write, day = client.profile.write(entity), postings[0].posting_date
    if write is None or not write.lookup.many or not _is_worth_it(postings):
        return {}
    found = client.look_up_many(entity, [one.qad_reference for one in postings if one.qad_reference], posted=(day, day))
    return {reference: tuple(of_found(one) for one in copies) for reference, copies in found.items()}


def _is_worth_it(postings: Sequence[Posting]) -> bool:
    """A page shows a hundred documents: for the sake of a few it is quicker to ask for these."""
    first = postings[0]
    same_day = Posting.objects.filter(tenant=first.tenant_id, posting_date=first.posting_date).exclude(qad_number="")
    return len(postings) * 50 >= same_day.count()


def _one_by_one(client: QadClient, portion: Sequence[tuple[str, Posting]], pace: Pace) -> list[Reading]:
    def ask(one: tuple[str, Posting]) -> tuple[Copy, ...] | None:
        entity, posting = one
        return look_up(client, entity, posting.qad_reference, posting.qad_number)

    client.sign_in()
    with ThreadPoolExecutor(max_workers=max(1, pace.pool_size), thread_name_prefix="verify") as pool:
        return list(zip((posting for _, posting in portion), pool.map(ask, portion), strict=True))


def _portions(rows: Sequence[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(rows), AT_ONCE):
        yield list(rows[start : start + AT_ONCE])


def settle(
    tenant: Tenant, readings: Iterable[Reading], shown: Shown, pace: Pace, *, now: dt.datetime, actor: str
) -> Counter[str]:
    """Write what reading back came to, each row only where it stands as it was read; counts the new states."""
    judged = [
        (posting, None if copies is None else judge(shown.sent(posting), own_copies(posting, copies)))
        for posting, copies in readings
    ]
    counts: Counter[str] = Counter()
    lines: list[audit.Line] = []
    with transaction.atomic():
        for posting, finding in judged:
            name, line = _write(posting, finding, pace, now)
            counts[name] += 1
            lines += [line] if line is not None else []
        audit.record(tenant.pk, lines, actor=actor, now=now)
    return counts


def _write(posting: Posting, finding: Finding | None, pace: Pace, now: dt.datetime) -> tuple[str, audit.Line | None]:
    """One row: a move of the table of states, or a remark on a row that stays posted."""
    if finding is None:
        _change(posting, settle_at=now + LOOK_DAILY)
        return "cannot be read back", None
    state = STATE_OF.get(finding.verdict)
    if state is None:
        return _remark(posting, finding, pace, now)
    if not may_move(posting.state, state):
        return posting.state, None
    values: dict[str, Any] = {
        "state": state,
        "changed_at": now,
        "settle_at": None,
        "problems": _problems(posting, finding),
    }
    if finding.verdict == Verdict.SAME and finding.copy is not None and finding.copy.posting_date is not None:
        values["qad_posting_date"] = finding.copy.posting_date
    if not _change(posting, **values):
        return "late", None
    return state.value, _line(posting, state.value, finding)


def _remark(posting: Posting, finding: Finding, pace: Pace, now: dt.datetime) -> tuple[str, audit.Line | None]:
    """It stays posted; the audit trail is told once."""
    if posting.state != PostingState.POSTED:
        return posting.state, None
    if finding.verdict == Verdict.ABSENT and now < posting.changed_at + pace.settle:
        _change(posting, settle_at=now + READ_AGAIN)
        return "not found yet", None
    values: dict[str, Any] = {"settle_at": now + LOOK_HOURLY}
    if finding.verdict == Verdict.SHIFTED and finding.copy is not None:
        values = {"settle_at": now + LOOK_DAILY, "qad_posting_date": finding.copy.posting_date}
    code = CODE[finding.verdict]
    is_known = any(problem["code"] == code for problem in posting.problems)
    if not _change(posting, problems=_problems(posting, finding), **values):
        return "late", None
    return code, None if is_known else _line(posting, code, finding)


def _change(posting: Posting, **values: Any) -> bool:
    """The fence: nothing is written if the row has moved on since it was read."""
    rows = Posting.objects.filter(pk=posting.pk, state=posting.state, attempt_key=posting.attempt_key)
    return rows.update(**values) == 1


def _problems(posting: Posting, finding: Finding) -> list[dict[str, str]]:
    if finding.verdict == Verdict.SAME:
        return []
    return [problem_of(CODE[finding.verdict], posting, finding.sentence, _FIX[finding.verdict])]


def _line(posting: Posting, action: str, finding: Finding) -> audit.Line:
    state = STATE_OF.get(finding.verdict, PostingState(posting.state))
    after: dict[str, Any] = {"state": state.value}
    if finding.copy is not None:
        after["qad"] = finding.copy.number
        after["posting_date"] = finding.copy.posting_date.isoformat() if finding.copy.posting_date else None
    return audit.Line(
        action, f"posting:{posting.reference}", before={"state": posting.state}, after=after, reason=finding.sentence
    )
