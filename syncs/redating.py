"""Postings whose period closed after they were prepared: dated anew by the policy, or held, before they are sent again.

ready, held -> ready     on the day that the policy and QAD's calendar give now
ready -> held            no day: a problem says why, and it is looked at again when the calendar changes
rejected -> ready, held  QAD said that the period is closed, and its list of periods says the same by now
rejected                 QAD's list says nothing of it: a person decides
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from connector.ledger.dating import Dated, on_day
from connector.ledger.documents import LedgerDocument
from connector.ledger.stored import content_hash, restore, to_json
from connector.qad.client import QadClient
from mappings.listed import PERIODS
from syncs import dating, rates, refreshing
from syncs.batch import as_json
from syncs.desk import Desk, open_desk
from syncs.following import recode
from syncs.models import DateApproval, Posting, SourceDocument
from syncs.states import PostingState, SourceState
from syncs.turns import in_turn
from tenants import audit
from tenants.models import Tenant

REFUSED = "qad-period-closed"  # QAD's own word, not yet looked into
OURS = ("period-closed", "date-needs-approval", "no-open-period")
DISAGREES = "period-disagrees"
AT_ONCE = 200


def refused(tenant: Tenant) -> QuerySet[Posting]:
    """Rejected because of a closed period, and nobody has looked into it yet."""
    return _open(tenant).filter(_with(REFUSED), state=PostingState.REJECTED)


def waiting(tenant: Tenant) -> QuerySet[Posting]:
    """Held until a period opens or somebody approves."""
    return _open(tenant).filter(_with(*OURS), state=PostingState.HELD)


def _open(tenant: Tenant) -> QuerySet[Posting]:
    """Of documents that are prepared: what is ignored, or will be prepared again, is nobody's to send."""
    return Posting.objects.filter(tenant=tenant, source__state=SourceState.CODED)


def _with(*codes: str) -> Q:
    """One of the first three problems has one of these codes."""
    found = Q()
    for place in range(3):
        found |= Q(**{f"problems__{place}__code__in": codes})
    return found


def catch_up(tenant: Tenant, qad: QadClient, now: dt.datetime, *, actor: str) -> Counter[str]:
    """If QAD has refused a period, read its periods again and date anew what it touches; counts by what came of it."""
    if not refused(tenant).exists():
        return Counter()
    refreshing.refresh(tenant, qad, [PERIODS], now)
    return redate(tenant, now, actor=actor)


def redate(tenant: Tenant, now: dt.datetime, *, actor: str) -> Counter[str]:
    """Date anew what the calendar as it is known now touches. No network; each batch is one transaction."""
    desk, counts = open_desk(tenant.pk), Counter[str]()
    keys = list(_touched(desk))
    for start in range(0, len(keys), AT_ONCE):
        with transaction.atomic():
            in_turn(tenant.pk)
            counts += _redate(desk, keys[start : start + AT_ONCE], now, actor)
    return counts


def redate_of(desk: Desk, row: SourceDocument, now: dt.datetime, *, actor: str) -> Counter[str]:
    """The same for what waits of one document, inside the caller's transaction."""
    return _redate(desk, list(waiting(desk.tenant).filter(source=row).values_list("pk", flat=True)), now, actor)


def _touched(desk: Desk) -> Iterator[int]:
    yield from refused(desk.tenant).values_list("pk", flat=True)
    yield from waiting(desk.tenant).values_list("pk", flat=True)
    calendar = desk.table.known.calendar
    if calendar is None:
        return
    ready = _open(desk.tenant).filter(state=PostingState.READY)
    for day in list(ready.order_by().values_list("posting_date", flat=True).distinct()):
        period = calendar.at(day)
        if period is None or not period.is_open or period.locked:
            yield from ready.filter(posting_date=day).values_list("pk", flat=True)


def _redate(desk: Desk, keys: list[int], now: dt.datetime, actor: str) -> Counter[str]:
    counts, lines, freed = Counter[str](), [], []
    for posting in Posting.objects.filter(tenant=desk.tenant, pk__in=keys).select_for_update().order_by("pk"):
        line = _redate_one(desk, posting, now)
        if line is not None:
            lines.append(line)
            counts[line.action] += 1
            freed += [posting.source_id] if posting.state == PostingState.HELD else []
    audit.record(desk.tenant.pk, lines, actor=actor, now=now)
    recode(desk.tenant, freed, now=now, actor=actor)  # what is held does not follow the mappings
    return counts


def _redate_one(desk: Desk, posting: Posting, now: dt.datetime) -> audit.Line | None:
    """The audit line of a change that was made, None if nothing is to be changed."""
    document = restore(posting.document)
    is_refused = posting.state == PostingState.REJECTED
    if is_refused:
        _spend_approval(desk, posting, now)
    found = dating.dated(desk, document)
    if found.problem is not None:
        return _hold(posting, found, now)
    if is_refused and found.day == posting.posting_date:
        return _disagree(desk, posting, now)
    if posting.state == PostingState.READY and found.day == posting.posting_date:
        return None
    return _send_on(desk, posting, on_day(document, found.day), found, now)


def _spend_approval(desk: Desk, posting: Posting, now: dt.datetime) -> None:
    """QAD refused the date although somebody had approved it: it is asked for again."""
    approved = DateApproval.objects.filter(tenant=desk.tenant, source=posting.source_id, spent_at=None)
    approved.filter(wanted_date=posting.posting_date).update(spent_at=now)


def _hold(posting: Posting, found: Dated, now: dt.datetime) -> audit.Line | None:
    problems = [as_json(found.problem)] if found.problem is not None else []
    if posting.state == PostingState.HELD and posting.problems == problems:
        return None
    return _change(posting, "date-waits", found.problem.message if found.problem else "", now, {
        "state": PostingState.HELD, "problems": problems,
    })  # fmt: skip


def _send_on(
    desk: Desk, posting: Posting, document: LedgerDocument, found: Dated, now: dt.datetime
) -> audit.Line | None:
    """The same document under its reference on another day; looked up first, if it was ever sent."""
    stored = to_json(document)
    values = {
        "state": PostingState.READY,
        "document": stored,
        "document_hash": content_hash(stored),
        "posting_date": document.posting_date,
        "wanted_date": dating.wanted_date(found),
        "evidence": _evidence(desk, document, found),
        "must_look_up": posting.attempts > 0,
        "not_before": None,
        "problems": [],
    }
    return _change(posting, "dated-anew", found.reason or "Its period is open.", now, values)


def _evidence(desk: Desk, document: LedgerDocument, found: Dated) -> dict[str, Any] | None:
    """Another day may have another rate."""
    return {**dating.why(found), **rates.evidence(desk, document)} or None


def _disagree(desk: Desk, posting: Posting, now: dt.datetime) -> audit.Line | None:
    """QAD says closed, its list says open, or there is no list: no machine may guess a day."""
    calendar = desk.table.known.calendar
    period = calendar.at(posting.posting_date) if calendar is not None else None
    told = f"QAD's list of periods shows {period.name} as open" if period else "there is no list of QAD's periods here"
    fix = f"Compare the two: {told}, so another date cannot be chosen for it. Open the period or daybook, then Replay."
    problems = [{**one, "code": DISAGREES, "fix": fix} if one["code"] == REFUSED else one for one in posting.problems]
    return _change(posting, "date-not-understood", fix, now, {"problems": problems})


def _change(posting: Posting, action: str, reason: str, now: dt.datetime, values: dict[str, Any]) -> audit.Line | None:
    """The fence: nothing is written if the row has moved on since it was read."""
    rows = Posting.objects.filter(pk=posting.pk, state=posting.state, attempt_key=posting.attempt_key)
    if not rows.update(**values, changed_at=now):
        return None
    before = {"state": posting.state, "posting_date": posting.posting_date.isoformat()}
    after = {
        "state": str(values.get("state", posting.state)),
        "posting_date": values.get("posting_date", posting.posting_date).isoformat(),
    }
    return audit.Line(action, f"posting:{posting.reference}", before=before, after=after, reason=reason)
