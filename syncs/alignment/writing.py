"""One pair is brought together: read both sides anew, promise the write, send it, read it back, settle.

Each write is one request (`steps`). Killed after its promise: the next pass reads the record and knows by its version
and value whether the write landed.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Q

from connector.errors import ConnectorError, Problem, Rejected, Transient, Uncertain
from connector.ledger.merging import BRAKE_WINDOW, PARKED, Act, Pending, Side, braked
from connector.ledger.party_fields import FIELDS
from syncs.alignment import journal
from syncs.alignment.desk import PUT_OFF, Desk
from syncs.alignment.sides import There, live_chargebee, live_qad, refresh_mirror_row
from syncs.alignment.standing import standing
from syncs.alignment.steps import STEPS, Request, Step
from syncs.alignment.weighing import (
    Weighed,
    marks,
    pending_from,
    pending_json,
    recovered,
    settled_base,
    weigh,
    written_base,
    written_from,
    written_json,
)
from syncs.models import AlignedCustomer, ConflictKind, ConflictState, LinkState
from syncs.sending import assert_no_transaction
from tenants import audit

LEASE = dt.timedelta(minutes=5)
BLOCKED = str(LinkState.BLOCKED)
PAUSE = dt.timedelta(seconds=30)  # after an answer that says "later"
_Q_IDLE = Q(lease_until=None)


@dataclass(slots=True)
class Both:
    """A pair at work: what each side has, as it was read last, and the verdicts on that. `latest` was read last;
    `written` are the sides whose record took a request."""

    sides: dict[Side, There]
    weighed: Weighed
    latest: Side
    written: list[Side] = field(default_factory=list)


class TakenOver(Exception):
    """Another worker has the pair: whatever this one would write is not its own any more."""


def bring_together(desk: Desk, link: AlignedCustomer) -> str:
    """Everything for one pair that can be done now; returns how it ended."""
    assert_no_transaction()
    if not _claim(link, desk.clock()):
        return "busy"
    try:
        return _work(desk, link)
    except TakenOver:
        return "busy"
    except Transient as error:  # it could not be read; what an earlier pass promised is still to be looked at
        return _put_off(desk, link, error.message, keeps_pending=True)
    finally:
        AlignedCustomer.objects.filter(pk=link.pk, claim_key=link.claim_key).update(lease_until=None, claim_key=None)


def _claim(link: AlignedCustomer, now: dt.datetime) -> bool:
    key = uuid.uuid4()
    free = AlignedCustomer.objects.filter(_Q_IDLE | Q(lease_until__lt=now), pk=link.pk)
    if not free.update(lease_until=now + LEASE, claim_key=key):
        return False
    link.refresh_from_db()
    return True


def _work(desk: Desk, link: AlignedCustomer) -> str:
    sides = {side: _read(desk, link, side) for side in (Side.QAD, Side.CHARGEBEE)}
    both = Both(sides, _weighed(desk, link, sides), Side.CHARGEBEE)
    held = set()
    for step in STEPS:
        ended = "" if step.side in held else _take(desk, link, both, step)
        if ended == BLOCKED:
            held.add(step.side)
        elif ended:
            return ended
    settle(desk, link, both.weighed, both.sides[Side.CHARGEBEE], both.sides[Side.QAD])
    if link.state != LinkState.ALIGNED:
        return str(link.state)
    return "written" if both.written else "settled"


def _read(desk: Desk, link: AlignedCustomer, side: Side) -> There:
    """One side as it is now. Raises Transient."""
    qad, chargebee = desk.qad, desk.chargebee
    there = (
        live_qad(qad, link.qad_code) if side == Side.QAD else live_chargebee(desk.setting, chargebee, link.chargebee_id)
    )
    if there is None or (there.customer and standing(desk.setting.tenant, there.customer)):
        raise Transient("One of the two is not there any more; the next reading of the lists shows more.")
    return there


def _take(desk: Desk, link: AlignedCustomer, both: Both, step: Step) -> str:
    """One request, if there is something to say by it; '' if all is well, else how it ended."""
    side = step.side
    if not _wanted(desk, both.weighed, side):
        return ""
    if both.latest != side:  # time went by since: what goes back as a whole must be today's
        _now_has(desk, link, both, side, _read(desk, link, side))
    targets = _allowed(desk, link, both.weighed, side)
    request = step.prepare(desk, link, both.sides[side], targets) if targets else None
    if request is None:
        return ""
    told = _write(desk, link, both, side, request)
    if isinstance(told, str):
        return told
    _now_has(desk, link, both, side, told)
    if not request.is_beside:
        both.written.append(side)
    return ""


def _now_has(desk: Desk, link: AlignedCustomer, both: Both, side: Side, there: There) -> None:
    both.sides[side], both.latest = there, side
    chargebee, qad = both.sides[Side.CHARGEBEE].values, both.sides[Side.QAD].values
    both.weighed = weigh(desk.setting, link.base, chargebee, qad, wanted=link.wanted)


def _weighed(desk: Desk, link: AlignedCustomer, sides: Mapping[Side, There]) -> Weighed:
    """The verdicts on what is there now, after a write whose end nobody saw is understood."""
    pending, chargebee, qad = pending_from(link.pending), sides[Side.CHARGEBEE], sides[Side.QAD]
    if pending is None:
        return weigh(desk.setting, link.base, chargebee.values, qad.values, wanted=link.wanted)
    there, now = sides[pending.side], desk.clock()
    base, landed = recovered(link.base, pending, there.values, there.version)
    with transaction.atomic():
        _count(link, pending.side, {name: pending.targets[name] for name in landed}, now)
        if there.version == pending.seen:
            journal.take_back(link, (link.pending or {}).get("lines", ()), now)
        link.base, link.pending = base, None
        _save(link, "base", "pending", "written")
    return weigh(desk.setting, base, chargebee.values, qad.values, wanted=link.wanted)


def _wanted(desk: Desk, pair: Weighed, side: Side) -> dict[str, str]:
    """What a side is to be given, where it may be written at all."""
    return pair.targets(side) if side == Side.QAD or desk.setting.writes_chargebee else {}


def _allowed(desk: Desk, link: AlignedCustomer, pair: Weighed, side: Side) -> dict[str, str]:
    """The targets that fit and that the brake lets pass; the others are told to a person."""
    targets, now = _wanted(desk, pair, side), desk.clock()
    for name, value in list(targets.items()):
        problem = desk.setting.projection.problem(name, side.value, value)
        if problem:
            _block(link, pair, problem, now, field=name)
            del targets[name]
    if braked(written_from(link.written), marks(side, targets, now), now):
        _freeze(link, pair, targets, side, now)
        return {}
    return targets


def _write(desk: Desk, link: AlignedCustomer, both: Both, side: Side, request: Request) -> There | str:
    """What the written side has afterwards, or how it ended otherwise."""
    pair, targets = both.weighed, request.targets
    sources = pair.chargebee if side == Side.QAD else pair.qad
    rules = {rule.name: rule.signature for rule in desk.setting.rules if rule.name in targets}
    pending = Pending(side, targets, {name: sources[name] for name in targets}, rules, both.sides[side].version)
    _promise(desk, link, pair, pending)
    try:
        told = request.send()
    except Uncertain as error:
        return _put_off(desk, link, error.message, wait=desk.settle, keeps_pending=True)
    except Rejected as error:
        return _refused(desk, link, both, pending, error)
    except Transient as error:
        return _put_off(desk, link, error.message)
    except ConnectorError:
        _put_off(desk, link, "", keeps_pending=True)
        raise
    if not request.is_beside or all(told.values.get(name) == target for name, target in targets.items()):
        _keep(desk, link, pair, pending, told)
    return told  # where it shows nothing of it, the promise stays open for the request to the record itself


def _promise(desk: Desk, link: AlignedCustomer, pair: Weighed, pending: Pending) -> None:
    """The row before the network: what is about to be written, and a line for every value that it takes away."""
    now, told = desk.clock(), (link.pending or {}).get("lines", [])
    with transaction.atomic(durable=True):
        lines = journal.log_lost(link, pair, pending, now, told=told)
        link.pending = {**pending_json(pending), "lines": [*told, *(line.pk for line in lines)]}
        _rest(desk, link, pair, now)
        _save(link, "pending", "base")


def _rest(desk: Desk, link: AlignedCustomer, pair: Weighed, now: dt.datetime) -> None:
    """What agrees or stays as it is becomes the base; what is parked gets its line first, with what both had before."""
    if pair.of(Act.PARKED) or any(row[2] == PARKED for row in link.base.values()):
        journal.log_parked(link, pair, now)
    link.base = settled_base(desk.setting, link.base, pair)


def _keep(desk: Desk, link: AlignedCustomer, pair: Weighed, pending: Pending, told: There) -> None:
    """What was read back is the base of both sides from now on."""
    now, side = desk.clock(), pending.side
    chargebee, qad = (pair.chargebee, told.values) if side == Side.QAD else (told.values, pair.qad)
    with transaction.atomic():
        link.base = written_base(desk.setting, link.base, pending.targets, chargebee, qad)
        link.pending = None
        _count(link, side, pending.targets, now)
        _save(link, "base", "pending", "written")
        if side == Side.QAD:
            refresh_mirror_row(desk.setting.tenant, link.qad_code, told)
        now_there = Weighed(chargebee, qad)
        for name, target in pending.targets.items():
            if told.values.get(name) != target and not desk.setting.projection.same(name, chargebee[name], qad[name]):
                text = f"{FIELDS[name].label} was sent to {journal.SIDES[side]} as '{target}' and is kept differently."
                kind, state = ConflictKind.STORED_DIFFERENTLY, ConflictState.APPLIED
                journal.open_line(link, kind, text, now=now, field=name, pair=now_there, state=state)
        line = audit.Line(
            "customer-written",
            f"customer:{link.chargebee_id}",
            after={"side": side.value, "fields": sorted(pending.targets)},
            personal_before={
                name: (pair.qad if side == Side.QAD else pair.chargebee)[name] for name in pending.targets
            },
            personal_after={name: told.values.get(name, "") for name in pending.targets},
        )
        audit.record(link.tenant_id, [line], actor=desk.actor, now=now)


def settle(desk: Desk, link: AlignedCustomer, pair: Weighed, chargebee: There, qad: There) -> None:
    """Nothing is left to write now: versions, base and lines that wait."""
    now = desk.clock()
    with transaction.atomic():
        _forget(link, now)
        is_held = link.state in (LinkState.FROZEN, LinkState.BLOCKED)
        waits = [name for name, verdict in pair.verdicts.items() if verdict.side]
        _rest(desk, link, pair, now)
        link.wanted = {name: value for name, value in link.wanted.items() if name in waits}
        link.chargebee_version, link.qad_version = chargebee.version, qad.version
        link.rules_version, link.not_before = desk.setting.version, None
        is_left = any(_wanted(desk, pair, side) for side in Side)  # decided, or edited, while this pass was at it
        link.is_asked = is_left and link.state == LinkState.ALIGNED
        if not waits and link.state == LinkState.BLOCKED:
            link.state, link.reason, is_held = LinkState.ALIGNED, "", False
            journal.close(link, (ConflictKind.BLOCKED,), now)
        link.aligned_at = link.aligned_at if is_held else now
        _save(
            link, "base", "wanted", "chargebee_version", "qad_version", "rules_version", "pending", "is_asked",
            "not_before", "state", "reason", "aligned_at",
        )  # fmt: skip


def _block(link: AlignedCustomer, pair: Weighed | None, problem: Problem, now: dt.datetime, *, field: str = "") -> None:
    with transaction.atomic():
        _forget(link, now)
        link.state, link.reason, link.changed_at = LinkState.BLOCKED, str(problem), now
        _save(link, "state", "reason", "pending", "changed_at")
        journal.open_line(link, ConflictKind.BLOCKED, str(problem), now=now, field=field, pair=pair)


def _freeze(link: AlignedCustomer, pair: Weighed, targets: Mapping[str, str], side: Side, now: dt.datetime) -> None:
    names = braked(written_from(link.written), marks(side, targets, now), now)
    shown = ", ".join(FIELDS[name].label for name in names)
    text = (
        f"{shown} would be written to {journal.SIDES[side]} again after too many writes within an hour. Somebody or "
        "something changes it back. Find out who, then let the connector go on."
    )
    with transaction.atomic():
        link.state, link.reason, link.changed_at = LinkState.FROZEN, text, now
        _save(link, "state", "reason", "changed_at")
        for name in names:
            journal.open_line(link, ConflictKind.FROZEN, text, now=now, field=name, pair=pair)


def _refused(desk: Desk, link: AlignedCustomer, both: Both, pending: Pending, error: Rejected) -> str:
    """Refused because somebody was faster, or after half of it had landed: again with what is there then. Refused for
    good: a person's turn."""
    live = live_qad(desk.qad, link.qad_code) if pending.side == Side.QAD else None
    if pending.side in both.written or (live is not None and live.version != pending.seen):
        return _put_off(desk, link, error.message)
    fix = "Correct the value where it comes from; it is tried again when it changes, or when you press Replay."
    _block(link, both.weighed, Problem("customer-refused", str(link), error.message, fix), desk.clock())
    return BLOCKED


def _put_off(
    desk: Desk, link: AlignedCustomer, why: str, *, wait: dt.timedelta = PAUSE, keeps_pending: bool = False
) -> str:
    """Not now: the row says when it goes on."""
    now = desk.clock()
    link.is_asked, link.not_before, link.reason = True, now + wait, why
    if not keeps_pending:
        _forget(link, now)
    _save(link, "is_asked", "not_before", "reason", "pending")
    return PUT_OFF


def _forget(link: AlignedCustomer, now: dt.datetime) -> None:
    """A promise that nothing came of."""
    if link.pending:
        journal.take_back(link, link.pending.get("lines", ()), now)
    link.pending = None


def _count(link: AlignedCustomer, side: Side, targets: Mapping[str, str], now: dt.datetime) -> None:
    """For the brake."""
    history = [*written_from(link.written), *marks(side, targets, now)]
    link.written = written_json(history, now, BRAKE_WINDOW)


def _save(link: AlignedCustomer, *names: str) -> None:
    """Only while the pair is still ours. Raises TakenOver."""
    values = {name: getattr(link, name) for name in names}
    if not AlignedCustomer.objects.filter(pk=link.pk, claim_key=link.claim_key).update(**values):
        raise TakenOver
