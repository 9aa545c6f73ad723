"""Two systems edit one customer: what is written where, and what is lost by it. Three-way, with a base for each side.

`base` is what each side had, as that side stores it, when the two last agreed or were left as they are. A value counts
as changed when it is not its base any more. What a change of ours left behind is told by equality after projection,
never by time or by who did it: an echo is a pair that is the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from connector.ledger.party_fields import Owner
from connector.ledger.projecting import Projection

MOST_WRITES = 3  # to one field of one customer within BRAKE_WINDOW
BRAKE_WINDOW = dt.timedelta(hours=1)
PARKED = "parked"  # the rule of a base that waits for a person: until then no edit of either side is overwritten


class Side(StrEnum):
    CHARGEBEE = "chargebee"
    QAD = "qad"


class Act(StrEnum):
    """What becomes of a field."""

    AGREED = "agreed"  # the sides are the same: what they have is the base from now on
    TO_QAD = "to_qad"
    TO_CHARGEBEE = "to_chargebee"
    LEFT = "left"  # they differ and nobody changed anything since that was settled
    KEPT = "kept"  # they differ and stay so: the owner's value is blank, and a blank erases nothing
    PARKED = "parked"  # a person decides


class Lost(StrEnum):
    """Why a value was not kept."""

    NOTHING = ""
    BOTH_CHANGED = "both-changed"
    REJECTED_EDIT = "rejected-edit"  # the other side than the owner's was edited
    FIRST_LINK = "first-link"
    NEW_OWNER = "new-owner"
    PARKED = "parked"


@dataclass(frozen=True, slots=True)
class Rule:
    """Who owns a field of this tenant, and whether a blank of the owner's erases what the other side has."""

    name: str
    owner: Owner
    blank_erases: bool = False

    @property
    def signature(self) -> str:
        return f"{self.owner}!" if self.blank_erases else self.owner


@dataclass(frozen=True, slots=True)
class Base:
    """`rule` is the signature of the rule under which the two values were settled; None is a value that was edited,
    whatever it reads."""

    chargebee: str | None
    qad: str | None
    rule: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """`target` is what the written side gets; `lost` says why the other value was not kept."""

    act: Act
    target: str = ""
    lost: Lost = Lost.NOTHING

    @property
    def side(self) -> Side | None:
        return {Act.TO_QAD: Side.QAD, Act.TO_CHARGEBEE: Side.CHARGEBEE}.get(self.act)


@dataclass(frozen=True, slots=True)
class Pending:
    """A write that was about to be sent.

    `sources` are the other side's values that it came from, `rules` the signatures of the rules that asked for it,
    `seen` the version of the written record that it was based on.
    """

    side: Side
    targets: Mapping[str, str]
    sources: Mapping[str, str]
    rules: Mapping[str, str]
    seen: str


@dataclass(frozen=True, slots=True)
class Written:
    """One write of a field, for the brake; `mark` stands for the value."""

    field: str
    side: Side
    mark: str
    at: dt.datetime


def decide(rule: Rule, base: Base | None, chargebee: str, qad: str, projection: Projection) -> Verdict:
    """What becomes of one field."""
    if projection.same(rule.name, chargebee, qad):
        return Verdict(Act.AGREED)
    if base is None:
        return _first(rule, chargebee, qad, projection)
    if base.rule == PARKED and rule.owner == "shared":
        return Verdict(Act.PARKED, lost=Lost.PARKED)
    chargebee_changed, qad_changed = chargebee != base.chargebee, qad != base.qad
    if not chargebee_changed and not qad_changed:
        if base.rule == rule.signature:
            return Verdict(Act.LEFT)
        return _settled(rule, rule.owner, chargebee, qad, projection, Lost.NEW_OWNER)
    if chargebee_changed and qad_changed:
        return _settled(rule, rule.owner, chargebee, qad, projection, Lost.BOTH_CHANGED)
    editor: Owner = "chargebee" if chargebee_changed else "qad"
    if rule.owner in (editor, "shared"):
        return _settled(rule, editor, chargebee, qad, projection, Lost.NOTHING)
    return _settled(rule, rule.owner, chargebee, qad, projection, Lost.REJECTED_EDIT)


def _first(rule: Rule, chargebee: str, qad: str, projection: Projection) -> Verdict:
    """Nobody knows who changed what: the owner's value holds; a shared field takes the only value there is."""
    if rule.owner == "shared" and not (chargebee and qad):
        return _settled(rule, "chargebee" if chargebee else "qad", chargebee, qad, projection, Lost.NOTHING)
    loser = qad if rule.owner == "chargebee" else chargebee
    return _settled(rule, rule.owner, chargebee, qad, projection, Lost.FIRST_LINK if loser else Lost.NOTHING)


def _settled(rule: Rule, winner: Owner, chargebee: str, qad: str, projection: Projection, lost: Lost) -> Verdict:
    if winner == "shared":
        return Verdict(Act.PARKED, lost=Lost.PARKED)
    value = chargebee if winner == "chargebee" else qad
    if not value and not rule.blank_erases:
        return Verdict(Act.KEPT)
    if winner == "chargebee":
        return Verdict(Act.TO_QAD, projection.to_qad(rule.name, value), lost)
    return Verdict(Act.TO_CHARGEBEE, projection.to_chargebee(rule.name, value), lost)


def recover(
    pending: Pending, bases: Mapping[str, Base], now: Mapping[str, str], version: str
) -> tuple[dict[str, Base], tuple[str, ...]]:
    """What became of a write whose end nobody saw: the bases that follow, and which fields landed.

    `now` and `version` are read from the written record. The version as it was: nothing landed, and it may be sent
    again. Another version with our value: it landed. Another version with another value: somebody edited it since, even
    if it reads as it did before (A, B, A), and that side counts as changed until the field is settled.
    """
    if version == pending.seen:
        return {}, ()
    found, landed = {}, []
    for name, target in pending.targets.items():
        base, is_qad = bases.get(name), pending.side == Side.QAD
        if now.get(name) == target:
            landed.append(name)
            source = pending.sources[name]
            found[name] = (
                Base(source, target, pending.rules[name]) if is_qad else Base(target, source, pending.rules[name])
            )
        elif base is not None:
            found[name] = replace(base, qad=None) if is_qad else replace(base, chargebee=None)
    return found, tuple(landed)


def braked(history: Iterable[Written], wanted: Iterable[Written], now: dt.datetime) -> tuple[str, ...]:
    """Fields that would be written too often, or back to what they were a moment ago: somebody or something works
    against us there."""
    recent = [one for one in history if one.at > now - BRAKE_WINDOW]
    found = []
    for new in wanted:
        mine = [one for one in recent if one.field == new.field]
        marks = [one.mark for one in mine if one.side == new.side]
        goes_back = len(marks) > 1 and marks[-2] == new.mark != marks[-1]
        if len(mine) >= MOST_WRITES or goes_back:
            found.append(new.field)
    return tuple(found)
