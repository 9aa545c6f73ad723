"""Writing down what became of a batch: each row only while it is still in the state and attempt that sent it."""

from __future__ import annotations

import datetime as dt
import json
import random
import uuid
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError, connection, transaction

from connector.errors import Problem
from connector.http.exchange import Exchange
from connector.http.retry import delay
from connector.qad.client import Found
from syncs.batch import as_json
from syncs.consequences import follow
from syncs.following import recode_returned
from syncs.matching import judge
from syncs.models import Attempt, Posting
from syncs.models.attempt import Outcome
from syncs.sending import DOUBTS_IN_A_ROW, Result
from syncs.states import PostingState
from syncs.turns import in_turn
from tenants import audit
from tenants.models import Tenant

BACKOFF_BASE, BACKOFF_CAP = 5.0, 900.0  # seconds before the next try of what was not sent


@dataclass(frozen=True, slots=True)
class Pace:
    """How a tenant's documents are sent: at most `pool_size` at a time, each within `deadline` seconds."""

    pool_size: int
    deadline: float
    settle: dt.timedelta
    attempt_budget: int

    @property
    def batch(self) -> int:
        """Postings claimed at once: a few times the pool."""
        return max(8, self.pool_size * 8)


@dataclass(frozen=True, slots=True)
class Claim:
    """Postings that are ours under `key`; nothing of them is sent after `send_until` (monotonic)."""

    key: uuid.UUID
    postings: list[Posting]
    attempts: dict[int, Attempt]
    deadline: dt.datetime
    send_until: float


@dataclass(slots=True)
class Settled:
    """How many ended in which state, and whether the connection should be left alone for now."""

    counts: Counter[str] = field(default_factory=Counter)
    stops: str = ""  # QAD refuses who we are, or the set-up cannot work
    sentence: str = ""  # of the last write that could not be sent
    sent: int = 0
    retry_after: float | None = None  # the longest that QAD asked for

    @property
    def is_unreachable(self) -> bool:
        """Nothing of a whole batch left this machine."""
        return not self.sent and bool(self.sentence)

    def is_doubtful(self, was_stopped: bool) -> bool:
        """Several in a row got no answer that can be trusted, and none got one; after a stop one is enough."""
        enough = 1 if was_stopped else DOUBTS_IN_A_ROW
        return self.counts[PostingState.UNCERTAIN] == self.sent >= enough


@dataclass(frozen=True, slots=True)
class Verdict:
    """The new state of one posting and what is written with it."""

    state: PostingState
    outcome: Outcome
    sentence: str
    values: dict[str, Any] = field(default_factory=dict)


def settle(
    tenant: Tenant, claim: Claim, results: Sequence[Result], *, pace: Pace, now: dt.datetime, actor: str
) -> Settled:
    """Write all outcomes in one transaction, or one by one if that fails: no answer of QAD is thrown away."""
    try:
        return _settle(tenant, claim, results, pace, now, actor)
    except DatabaseError:
        if len(results) == 1:
            raise
    whole = Settled()
    for result in results:
        try:
            one = _settle(tenant, claim, [result], pace, now, actor)
        except DatabaseError:
            continue  # it stays `sending`; when its lease is over it is looked up
        whole.counts.update(one.counts)
        whole.stops, whole.sentence = whole.stops or one.stops, whole.sentence or one.sentence
        whole.sent += one.sent
        whole.retry_after = max(whole.retry_after or 0.0, one.retry_after or 0.0) or None
    return whole


def _settle(
    tenant: Tenant, claim: Claim, results: Sequence[Result], pace: Pace, now: dt.datetime, actor: str
) -> Settled:
    settled = Settled()
    postings = {posting.pk: posting for posting in claim.postings}
    arrived: list[Posting] = []
    lines: list[audit.Line] = []
    finished: list[Attempt] = []
    with transaction.atomic():
        in_turn(tenant.pk)
        for result in results:
            posting = postings[result.key]
            verdict = verdict_on(posting, result, claim, pace=pace, now=now)
            is_ours = move(posting, PostingState.SENDING, claim.key, verdict, now)
            state = verdict.state.value if is_ours else "late"
            lines.append(_line(posting, verdict, state))
            finished.append(_finish(claim.attempts[posting.pk], verdict, result, now))
            settled.counts[state] += 1
            if is_ours and verdict.state == PostingState.POSTED:
                arrived.append(posting)
            if result.outcome == Outcome.NOT_SENT:
                settled.sentence = result.sentence
            else:
                settled.sent += 1
            if result.retry_after:
                settled.retry_after = max(settled.retry_after or 0.0, result.retry_after)
            if result.stops:
                settled.stops = result.sentence
        _save_attempts(finished)
        follow(tenant.pk, arrived, now)
        recode_returned(tenant, finished, now=now, actor=actor)
        audit.record(tenant.pk, lines, actor=actor, now=now)
    return settled


def _save_attempts(finished: list[Attempt]) -> None:
    """All in one statement: the rows exist since the claim, so every insert meets its own row and updates it."""
    Attempt.objects.bulk_create(
        finished,
        update_conflicts=True,
        unique_fields=["posting", "number"],
        update_fields=["finished_at", "outcome", "status", "sentence", "exchange"],
    )


def move(posting: Posting, old: PostingState, key: uuid.UUID | None, verdict: Verdict, now: dt.datetime) -> bool:
    """The fence: False if the row is no longer in `old` under attempt `key`, and then nothing is written.

    Written as one prepared statement, since building the same query anew is most of the cost of settling a document.
    """
    values = {"state": verdict.state.value, "changed_at": now, **verdict.values}
    columns: list[Any] = [Posting._meta.get_field(name) for name in values]
    changes = ", ".join(f'"{column.column}" = %s' for column in columns)
    given = [column.get_db_prep_save(value, connection) for column, value in zip(columns, values.values(), strict=True)]
    fence: Any = Posting._meta.get_field("attempt_key")
    attempt = fence.get_db_prep_save(key, connection)
    table = Posting._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f'UPDATE "{table}" SET {changes} WHERE "id" = %s AND "state" = %s AND "attempt_key" = %s',  # noqa: S608
            [*given, posting.pk, old.value, attempt],
        )
        return cursor.rowcount == 1


def verdict_on(posting: Posting, result: Result, claim: Claim, *, pace: Pace, now: dt.datetime) -> Verdict:
    """The state that a result leads to."""
    if result.outcome == Outcome.POSTED and result.receipt is not None:
        receipt = result.receipt
        return Verdict(PostingState.POSTED, result.outcome, result.sentence, posted_values(receipt))
    if result.outcome == Outcome.ADOPTED:
        return judge_found(posting, result.found)
    if result.outcome == Outcome.REJECTED:
        values = {"problems": [as_json(problem) for problem in result.problems] or [plain_problem(result.sentence)]}
        return Verdict(PostingState.REJECTED, result.outcome, result.sentence, values)
    if result.outcome == Outcome.NOT_SENT:
        return _not_sent(posting, result, now)
    if result.outcome == Outcome.CONFLICT:
        values = {"problems": [plain_problem(result.sentence, "conflict")]}
        return Verdict(PostingState.CONFLICT, result.outcome, result.sentence, values)
    unknown: dict[str, Any] = {
        "settle_at": claim.deadline + pace.settle,
        "absences": 0,
        "problems": [plain_problem(result.sentence, "uncertain")],
    }
    return Verdict(PostingState.UNCERTAIN, Outcome.UNCERTAIN, result.sentence, unknown)


def _not_sent(posting: Posting, result: Result, now: dt.datetime) -> Verdict:
    """Nothing left this machine, or QAD refused who we are: ready again later, however often that happens."""
    wait = result.retry_after or delay(posting.attempts, BACKOFF_BASE, BACKOFF_CAP, random.Random())
    return Verdict(
        PostingState.READY, result.outcome, result.sentence, {"not_before": now + dt.timedelta(seconds=wait)}
    )


def judge_found(posting: Posting, found: Sequence[Found]) -> Verdict:
    """What QAD has under our reference: ours, not ours, or twice."""
    if len(found) > 1:
        numbers = ", ".join(one.number for one in found)
        sentence = f"QAD has reference {posting.reference} more than once: {numbers}."
        return Verdict(
            PostingState.DUPLICATE, Outcome.CONFLICT, sentence, {"problems": [plain_problem(sentence, "duplicate")]}
        )
    differences = judge(posting, found[0])
    if differences:
        sentence = f"QAD has reference {posting.reference} as {found[0].number}, but {'; '.join(differences)}."
        return Verdict(
            PostingState.CONFLICT, Outcome.CONFLICT, sentence, {"problems": [plain_problem(sentence, "conflict")]}
        )
    sentence = f"Found in QAD as {found[0].number}; nothing was sent again."
    return Verdict(PostingState.POSTED, Outcome.ADOPTED, sentence, posted_values(found[0]))


def posted_values(what: Any) -> dict[str, Any]:
    """QAD's own identity of a document, from a receipt or from a look-up."""
    return {
        "qad_number": what.number,
        "qad_year": what.year,
        "qad_daybook": what.daybook,
        "qad_voucher": what.voucher,
        "qad_posting_date": what.posting_date,
        "problems": [],
        "settle_at": None,
        "lease_until": None,
        "must_look_up": False,
        "not_before": None,
    }


def _finish(attempt: Attempt, verdict: Verdict, result: Result, now: dt.datetime) -> Attempt:
    attempt.finished_at = now
    attempt.outcome = verdict.outcome
    attempt.sentence = verdict.sentence
    if result.exchange is not None:
        attempt.status = result.exchange.status
        attempt.exchange = packed(result.exchange)
    return attempt


def packed(exchange: Exchange) -> bytes:
    return zlib.compress(json.dumps(exchange.as_dict(), separators=(",", ":")).encode(), 1)


def _line(posting: Posting, verdict: Verdict, state: str) -> audit.Line:
    is_late = state == "late"  # the row had moved on: what came back is noted, and moves nothing
    after: dict[str, Any] = {"answer" if is_late else "state": verdict.state.value, "attempt": posting.attempts}
    if verdict.values.get("qad_number"):
        after["qad"] = verdict.values["qad_number"]
    before = None if is_late else {"state": "sending"}
    return audit.Line(state, f"posting:{posting.reference}", before=before, after=after, reason=verdict.sentence)


def plain_problem(sentence: str, code: str = "qad-said-no") -> dict[str, str]:
    fixes = {
        "uncertain": "Nothing to do: it is looked up in QAD before anything is sent again.",
        "conflict": "Compare the two documents, then mark it as posted by hand or correct it in QAD.",
        "duplicate": "Reverse the surplus document in QAD.",
        "qad-said-no": "Mend the cause, then press Replay.",
    }
    return as_json(Problem(code, "Posting", sentence, fixes[code], "document"))
