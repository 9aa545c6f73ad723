"""The verdict on every field of one pair, and the writes that follow from it. No database, no network."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connector.ledger.merging import PARKED, Act, Base, Lost, Pending, Side, Verdict, Written, decide, recover
from connector.ledger.party_fields import Values
from syncs.alignment.setting import Setting


@dataclass(slots=True)
class Weighed:
    """What became of a pair: the verdict on each field, in the values that it was given on."""

    chargebee: Values
    qad: Values
    verdicts: dict[str, Verdict] = field(default_factory=dict)

    def targets(self, side: Side) -> dict[str, str]:
        """What one side is to be given."""
        return {name: verdict.target for name, verdict in self.verdicts.items() if verdict.side == side}

    @property
    def has_writes(self) -> bool:
        return any(verdict.side for verdict in self.verdicts.values())

    def of(self, act: Act) -> list[str]:
        return [name for name, verdict in self.verdicts.items() if verdict.act == act]


def weigh(
    setting: Setting,
    base: Mapping[str, Any],
    chargebee: Values,
    qad: Values,
    *,
    wanted: Mapping[str, Any] | None = None,
) -> Weighed:
    """`wanted` are decisions of people."""
    found = Weighed(chargebee, qad)
    for rule in setting.rules:
        name = rule.name
        if name not in chargebee or name not in qad:
            continue
        verdict = decide(rule, base_of(base.get(name)), chargebee[name], qad[name], setting.projection)
        if wanted and name in wanted and not (verdict.act == Act.AGREED and _has_chosen(name, wanted[name], found)):
            verdict = _as_wanted(setting, name, wanted[name], found)
        found.verdicts[name] = verdict
    return found


def _has_chosen(name: str, wanted: list[str], pair: Weighed) -> bool:
    side, value = wanted
    return (pair.chargebee if side == Side.CHARGEBEE else pair.qad)[name] == value


def _as_wanted(setting: Setting, name: str, wanted: list[str], pair: Weighed) -> Verdict:
    """First the side that lacks the value a person chose, then the other; both have it in two writes at most."""
    side, value = wanted
    if side == Side.CHARGEBEE:
        if pair.chargebee[name] != value:
            return Verdict(Act.TO_CHARGEBEE, value)
        return Verdict(Act.TO_QAD, setting.projection.to_qad(name, value))
    if pair.qad[name] != value:
        return Verdict(Act.TO_QAD, value)
    return Verdict(Act.TO_CHARGEBEE, setting.projection.to_chargebee(name, value))


def base_of(stored: Any) -> Base | None:
    return Base(*stored) if stored else None


def settled_base(setting: Setting, before: Mapping[str, Any], pair: Weighed) -> dict[str, Any]:
    """The base after a pair was weighed: what agrees or stays as it is becomes the base, everything else waits."""
    rules = {rule.name: rule.signature for rule in setting.rules}
    base = dict(before)
    for name in (*pair.of(Act.AGREED), *pair.of(Act.KEPT)):
        base[name] = [pair.chargebee[name], pair.qad[name], rules[name]]
    for name in pair.of(Act.PARKED):
        base[name] = [pair.chargebee[name], pair.qad[name], PARKED]
    return base


def written_base(
    setting: Setting, before: Mapping[str, Any], names: Iterable[str], chargebee: Values, qad: Values
) -> dict[str, Any]:
    """The base after a write: what was read back, whatever the other side made of it."""
    rules = {rule.name: rule.signature for rule in setting.rules}
    return {**before, **{name: [chargebee[name], qad[name], rules.get(name, "")] for name in names}}


def recovered(
    base: Mapping[str, Any], pending: Pending, now: Values, version: str
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The base after a look at what became of a write, and the fields that landed."""
    bases = {name: found for name, row in base.items() if (found := base_of(row))}
    fresh, landed = recover(pending, bases, now, version)
    return {**base, **{name: [one.chargebee, one.qad, one.rule] for name, one in fresh.items()}}, landed


def lost_values(pair: Weighed, side: Side) -> dict[str, tuple[str, Lost]]:
    """What a write to `side` takes away there, and why."""
    there = pair.qad if side == Side.QAD else pair.chargebee
    return {
        name: (there[name], verdict.lost)
        for name, verdict in pair.verdicts.items()
        if verdict.side == side and verdict.lost
    }


def marks(side: Side, targets: Mapping[str, str], now: dt.datetime) -> list[Written]:
    """For the brake; the value itself is not kept there."""
    return [
        Written(name, side, hashlib.sha256(value.encode()).hexdigest()[:12], now) for name, value in targets.items()
    ]


def written_from(stored: Iterable[Any]) -> list[Written]:
    return [Written(name, Side(side), mark, dt.datetime.fromisoformat(at)) for name, side, mark, at in stored]


def written_json(rows: Iterable[Written], now: dt.datetime, window: dt.timedelta) -> list[list[str]]:
    """Only what the brake still looks at."""
    return [[row.field, row.side.value, row.mark, row.at.isoformat()] for row in rows if row.at > now - window]


def pending_from(stored: Mapping[str, Any] | None) -> Pending | None:
    if not stored or "side" not in stored:
        return None
    return Pending(Side(stored["side"]), stored["targets"], stored["sources"], stored["rules"], stored["seen"])


def pending_json(pending: Pending) -> dict[str, Any]:
    return {
        "side": pending.side.value,
        "targets": dict(pending.targets),
        "sources": dict(pending.sources),
        "rules": dict(pending.rules),
        "seen": pending.seen,
    }
