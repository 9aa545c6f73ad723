"""The conflict log: a line for every value that was not kept, opened before the write and closed when it is over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from django.db import IntegrityError, transaction

from connector.ledger.merging import Act, Lost, Pending, Side
from connector.ledger.party_fields import FIELDS
from syncs.alignment.weighing import Weighed, lost_values
from syncs.models import AlignedCustomer, ConflictKind, ConflictState, CustomerConflict
from tenants import audit

# Their sentences quote a value: in the trail it stands where it can be erased.
QUOTING = (ConflictKind.BLOCKED, ConflictKind.STORED_DIFFERENTLY)
SIDES = {Side.CHARGEBEE: "Chargebee", Side.QAD: "QAD"}
_WHY = {
    Lost.BOTH_CHANGED: "it was changed on both sides",
    Lost.REJECTED_EDIT: "it was changed in {loser}, and {winner} owns it",
    Lost.FIRST_LINK: "the two differed when they were linked",
    Lost.NEW_OWNER: "{winner} owns it now",
}


def log_lost(
    link: AlignedCustomer, pair: Weighed, pending: Pending, now: dt.datetime, *, told: Iterable[int] = ()
) -> list[CustomerConflict]:
    """A line for each value that a write takes away; call it in the transaction that promises the write.

    `told` are lines of the same promise that are there already.
    """
    side, lines = pending.side, []
    winner = Side.QAD if side == Side.CHARGEBEE else Side.CHARGEBEE
    known = set(CustomerConflict.objects.filter(pk__in=told).values_list("field", flat=True)) if told else set()
    for name, (_, lost) in lost_values(pair, side).items():
        if name not in pending.targets or name in known:
            continue
        why = _WHY[lost].format(winner=SIDES[winner], loser=SIDES[side])
        lines.append(
            CustomerConflict(
                **_common(link, name, pair, now),
                kind=lost.value,
                state=ConflictState.APPLIED,
                winner=winner.value,
                sentence=f"{FIELDS[name].label}: {SIDES[winner]}'s value was kept, since {why}.",
            )
        )
    return CustomerConflict.objects.bulk_create(lines)


def log_parked(link: AlignedCustomer, pair: Weighed, now: dt.datetime) -> None:
    """Shared fields that both sides changed: one waiting line each, with the newest values."""
    for name in pair.of(Act.PARKED):
        text = f"{FIELDS[name].label} is shared and was changed on both sides. Choose the value that both shall have."
        open_line(link, ConflictKind.PARKED, text, now=now, field=name, pair=pair)
    close(link, (ConflictKind.PARKED,), now, except_fields=pair.of(Act.PARKED))


def open_line(
    link: AlignedCustomer,
    kind: ConflictKind,
    sentence: str,
    *,
    now: dt.datetime,
    field: str = "",
    pair: Weighed | None = None,
    state: ConflictState = ConflictState.WAITING,
) -> None:
    """A line that waits for a person; one that waits already is brought up to date."""
    common = _common(link, field, pair, now)
    waiting = CustomerConflict.objects.filter(customer=link, field=field, kind=kind, state=ConflictState.WAITING)
    fresh = {name: common[name] for name in ("chargebee_value", "qad_value")}
    if state == ConflictState.WAITING and waiting.update(sentence=sentence, erased_at=None, **fresh):
        return
    try:
        with transaction.atomic():
            CustomerConflict.objects.create(**common, kind=kind, state=state, sentence=sentence)
    except IntegrityError:  # another worker opened it a moment ago
        return
    audit.record(link.tenant_id, [_told(link, kind, sentence, field)], actor="sync", now=now)


def _told(link: AlignedCustomer, kind: ConflictKind, sentence: str, field: str) -> audit.Line:
    action, subject = f"customer-{kind.value}", f"customer:{link.chargebee_id}"
    if kind in QUOTING:
        return audit.Line(action, subject, after={"field": field}, personal_after={"said": sentence})
    return audit.Line(action, subject, reason=sentence)


def close(
    link: AlignedCustomer, kinds: Iterable[ConflictKind], now: dt.datetime, *, except_fields: Iterable[str] = ()
) -> None:
    """What waited for a person and is over by itself."""
    rows = CustomerConflict.objects.filter(customer=link, kind__in=list(kinds), state=ConflictState.WAITING)
    rows.exclude(field__in=list(except_fields)).update(state=ConflictState.OVER, decided_at=now, decided_by="sync")


def take_back(link: AlignedCustomer, keys: Iterable[int], now: dt.datetime) -> None:
    """Lines of a write that never landed: nothing was lost."""
    rows = CustomerConflict.objects.filter(customer=link, pk__in=list(keys), state=ConflictState.APPLIED)
    rows.update(state=ConflictState.OVER, decided_at=now, decided_by="sync", sentence="It was not written after all.")


def _common(link: AlignedCustomer, name: str, pair: Weighed | None, now: dt.datetime) -> Mapping[str, object]:
    base = link.base.get(name)
    return {
        "tenant_id": link.tenant_id,
        "customer": link,
        "field": name,
        "chargebee_value": pair.chargebee.get(name, "") if pair else "",
        "qad_value": pair.qad.get(name, "") if pair else "",
        "base_value": (base[0] or base[1] or "") if base else "",
        "since": now,
    }
